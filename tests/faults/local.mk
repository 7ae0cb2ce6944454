FAULT_TESTS += %D%/kill-sweep.t
FAULT_TESTS += %D%/service-sweep.t
FAULT_TESTS += %D%/races.t
FAULT_TESTS += %D%/seeded.t
EXTRA_DIST += %D%/error-sweep.t
EXTRA_DIST += %D%/power-loss.t
EXTRA_DIST += %D%/service-host
EXTRA_DIST += %D%/sweeps.sh

check_PROGRAMS += %D%/sweep %D%/naive %D%/naive_service %D%/race %D%/naive_race
check_PROGRAMS += %D%/power %D%/naive_power

%C%_sweep_SOURCES =
%C%_sweep_SOURCES += %D%/boot_tree.c
%C%_sweep_SOURCES += %D%/boot_tree.h
%C%_sweep_SOURCES += %D%/claims.c
%C%_sweep_SOURCES += %D%/claims.h
%C%_sweep_SOURCES += %D%/die.h
%C%_sweep_SOURCES += %D%/errors.c
%C%_sweep_SOURCES += %D%/errors.h
%C%_sweep_SOURCES += %D%/fixture.c
%C%_sweep_SOURCES += %D%/fixture.h
%C%_sweep_SOURCES += %D%/image.c
%C%_sweep_SOURCES += %D%/image.h
%C%_sweep_SOURCES += %D%/inject.c
%C%_sweep_SOURCES += %D%/inject.h
%C%_sweep_SOURCES += %D%/instant.c
%C%_sweep_SOURCES += %D%/instant.h
%C%_sweep_SOURCES += %D%/options.c
%C%_sweep_SOURCES += %D%/options.h
%C%_sweep_SOURCES += %D%/order.c
%C%_sweep_SOURCES += %D%/order.h
%C%_sweep_SOURCES += %D%/sweep.c
%C%_sweep_SOURCES += %D%/trace.c
%C%_sweep_SOURCES += %D%/trace.h
%C%_sweep_SOURCES += %D%/verdict.c
%C%_sweep_SOURCES += %D%/verdict.h
%C%_sweep_SOURCES += %D%/watchers.c
%C%_sweep_SOURCES += %D%/watchers.h
%C%_sweep_CPPFLAGS = $(AM_CPPFLAGS) -I%D%
%C%_sweep_LDADD = $(JANSSON_LIBS)

%C%_race_SOURCES =
%C%_race_SOURCES += %D%/claims.c
%C%_race_SOURCES += %D%/claims.h
%C%_race_SOURCES += %D%/die.h
%C%_race_SOURCES += %D%/fixture.c
%C%_race_SOURCES += %D%/fixture.h
%C%_race_SOURCES += %D%/image.c
%C%_race_SOURCES += %D%/image.h
%C%_race_SOURCES += %D%/inject.c
%C%_race_SOURCES += %D%/inject.h
%C%_race_SOURCES += %D%/race.c
%C%_race_SOURCES += %D%/race_editor.c
%C%_race_SOURCES += %D%/race_editor.h
%C%_race_SOURCES += %D%/race_judge.c
%C%_race_SOURCES += %D%/race_judge.h
%C%_race_SOURCES += %D%/race_reader.c
%C%_race_SOURCES += %D%/race_reader.h
%C%_race_SOURCES += %D%/race_writers.c
%C%_race_SOURCES += %D%/race_writers.h
%C%_race_SOURCES += %D%/trace.c
%C%_race_SOURCES += %D%/trace.h
%C%_race_SOURCES += %D%/watchers.c
%C%_race_SOURCES += %D%/watchers.h
%C%_race_CPPFLAGS = $(AM_CPPFLAGS) -I%D%
%C%_race_LDADD = $(JANSSON_LIBS)

%C%_power_SOURCES =
%C%_power_SOURCES += %D%/boot_tree.c
%C%_power_SOURCES += %D%/boot_tree.h
%C%_power_SOURCES += %D%/claims.c
%C%_power_SOURCES += %D%/claims.h
%C%_power_SOURCES += %D%/device.c
%C%_power_SOURCES += %D%/device.h
%C%_power_SOURCES += %D%/die.h
%C%_power_SOURCES += %D%/disk.c
%C%_power_SOURCES += %D%/disk.h
%C%_power_SOURCES += %D%/fixture.c
%C%_power_SOURCES += %D%/fixture.h
%C%_power_SOURCES += %D%/image.c
%C%_power_SOURCES += %D%/image.h
%C%_power_SOURCES += %D%/inject.c
%C%_power_SOURCES += %D%/inject.h
%C%_power_SOURCES += %D%/power.c
%C%_power_SOURCES += %D%/power_options.c
%C%_power_SOURCES += %D%/power_options.h
%C%_power_SOURCES += %D%/record.c
%C%_power_SOURCES += %D%/record.h
%C%_power_SOURCES += %D%/states.c
%C%_power_SOURCES += %D%/states.h
%C%_power_SOURCES += %D%/trace.c
%C%_power_SOURCES += %D%/trace.h
%C%_power_SOURCES += %D%/verdict.c
%C%_power_SOURCES += %D%/verdict.h
%C%_power_SOURCES += %D%/watchers.c
%C%_power_SOURCES += %D%/watchers.h
%C%_power_CPPFLAGS = $(AM_CPPFLAGS) -I%D%
%C%_power_LDADD = $(JANSSON_LIBS)

%C%_naive_SOURCES = %D%/naive.c
%C%_naive_power_SOURCES = %D%/naive_power.c
%C%_naive_race_SOURCES = %D%/naive_race.c
%C%_naive_service_SOURCES = %D%/naive_service.c

# rootlatch with bugs to choose from (src/base/seeded.h). Only what has one is compiled again: its
# objects stand before those of the library.
check_PROGRAMS += %D%/rootlatch_seeded
%C%_rootlatch_seeded_SOURCES =
%C%_rootlatch_seeded_SOURCES += src/host/file.c
%C%_rootlatch_seeded_SOURCES += src/plan/step_file.c
%C%_rootlatch_seeded_SOURCES += src/plan/step_replace.c
%C%_rootlatch_seeded_SOURCES += src/store/snapshot.c
%C%_rootlatch_seeded_SOURCES += src/store/store.c
%C%_rootlatch_seeded_SOURCES += src/transaction/commit.c
%C%_rootlatch_seeded_SOURCES += src/transaction/recover.c
%C%_rootlatch_seeded_SOURCES += src/transaction/rollback.c
%C%_rootlatch_seeded_CPPFLAGS = $(AM_CPPFLAGS) -DROOTLATCH_SEEDED_BUGS
%C%_rootlatch_seeded_LDADD = $(rootlatch_OBJECTS) $(rootlatch_libs)

# The names of the system calls, for this machine.
%D%/sweep-trace.$(OBJEXT) %D%/race-trace.$(OBJEXT) %D%/power-trace.$(OBJEXT): %D%/calls.inc
%D%/calls.inc:
	$(AM_V_GEN)$(MKDIR_P) %D% && echo '#include <sys/syscall.h>' | $(CPP) -dM - | \
	sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/[__NR_\1] = "\1",/p' >$@.new && mv $@.new $@
CLEANFILES += %D%/calls.inc

faults: all $(check_PROGRAMS) stage.stamp
	$(AM_V_at)$(test_environment) FAULTS=all bash '$(srcdir)/%D%/kill-sweep.t'
	$(AM_V_at)$(test_environment) FAULTS=all bash '$(srcdir)/%D%/service-sweep.t'
	$(AM_V_at)$(test_environment) FAULTS=all bash '$(srcdir)/%D%/races.t'
	$(AM_V_at)$(test_environment) FAULTS=all bash '$(srcdir)/%D%/seeded.t'
	$(AM_V_at)$(test_environment) bash '$(srcdir)/%D%/error-sweep.t'
	$(AM_V_at)$(test_environment) FAULTS=all bash '$(srcdir)/%D%/power-loss.t'
.PHONY: faults

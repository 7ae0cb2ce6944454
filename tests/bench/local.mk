EXTRA_DIST += %D%/run
EXTRA_DIST += %D%/run-services

# Built and run by `make bench` alone.
bench_programs = %D%/bench$(EXEEXT) %D%/floor$(EXEEXT) %D%/recorded$(EXEEXT) \
	%D%/services$(EXEEXT)
EXTRA_PROGRAMS += %D%/bench
EXTRA_PROGRAMS += %D%/floor
EXTRA_PROGRAMS += %D%/recorded
EXTRA_PROGRAMS += %D%/services
CLEANFILES += $(bench_programs)

%C%_bench_SOURCES =
%C%_bench_SOURCES += %D%/bench.c
%C%_bench_SOURCES += %D%/figures.c
%C%_bench_SOURCES += %D%/figures.h
%C%_bench_SOURCES += %D%/spawn.c
%C%_bench_SOURCES += %D%/spawn.h

%C%_floor_SOURCES = %D%/floor.c
%C%_floor_LDADD = $(LIBMD_LIBS)

%C%_recorded_SOURCES = %D%/recorded.c

%C%_services_SOURCES =
%C%_services_SOURCES += %D%/figures.c
%C%_services_SOURCES += %D%/figures.h
%C%_services_SOURCES += %D%/services.c
%C%_services_SOURCES += %D%/spawn.c
%C%_services_SOURCES += %D%/spawn.h

bench: $(bench_programs)

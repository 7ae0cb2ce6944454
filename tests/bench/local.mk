EXTRA_DIST += %D%/run

# Built and run by `make bench` alone.
bench_programs = %D%/bench$(EXEEXT) %D%/floor$(EXEEXT) %D%/recorded$(EXEEXT)
EXTRA_PROGRAMS += %D%/bench
EXTRA_PROGRAMS += %D%/floor
EXTRA_PROGRAMS += %D%/recorded
CLEANFILES += $(bench_programs)

%C%_bench_SOURCES =
%C%_bench_SOURCES += %D%/bench.c
%C%_bench_SOURCES += %D%/spawn.c
%C%_bench_SOURCES += %D%/spawn.h

%C%_floor_SOURCES = %D%/floor.c
%C%_floor_LDADD = $(LIBMD_LIBS)

%C%_recorded_SOURCES = %D%/recorded.c

bench: $(bench_programs)

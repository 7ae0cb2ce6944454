EXAMPLE_TESTS += %D%/run.t
EXAMPLE_TESTS += %D%/is-open.t
EXTRA_DIST += %D%/demo.sh

check_PROGRAMS += %D%/is-open
%C%_is_open_SOURCES = %D%/is-open.c
%C%_is_open_LDADD = $(rootlatch_libs)

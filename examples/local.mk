EXAMPLE_TESTS += %D%/is-open.t
EXAMPLE_TESTS += %D%/run.t
EXTRA_DIST += %D%/demo.sh
EXTRA_DIST += %D%/is-open.c

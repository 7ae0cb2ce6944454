TREE_TESTS += %D%/listed.t

EXTRA_DIST += %D%/constructs.sh
EXTRA_DIST += %D%/corpus.sh
EXTRA_DIST += %D%/coverage
EXTRA_DIST += %D%/deadline.sh
EXTRA_DIST += %D%/files.sh
EXTRA_DIST += %D%/have-gcovr
EXTRA_DIST += %D%/hostile.sh
EXTRA_DIST += %D%/memory
EXTRA_DIST += %D%/placements.sh
EXTRA_DIST += %D%/roundtrip.sh
EXTRA_DIST += %D%/run-test
EXTRA_DIST += %D%/sandbox.sh
EXTRA_DIST += %D%/sources.sh
EXTRA_DIST += %D%/sshd.sh
EXTRA_DIST += %D%/tap-summary
EXTRA_DIST += %D%/tap.sh

# The keys of the sandboxes, made by the first test that needs them
CLEANFILES += \
	%D%/keys/ssh_host_*_key \
	%D%/keys/ssh_host_*_key.pub \
	%D%/keys/user \
	%D%/keys/user.pub
EXTRA_DIST += %D%/criterion.supp

# The clocks of the tests that have deadlines: not a program, but made like one. The sanitizers
# belong into what is tested, not in here.
check_PROGRAMS += %D%/clock.so
%C%_clock_so_SOURCES = %D%/clock.c
%C%_clock_so_CFLAGS = -std=gnu11 -Wall -Wextra -Wshadow -fPIC
%C%_clock_so_LDFLAGS = -shared

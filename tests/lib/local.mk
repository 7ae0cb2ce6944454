TREE_TESTS += %D%/listed.t

EXTRA_DIST += %D%/files.sh
EXTRA_DIST += %D%/memory
EXTRA_DIST += %D%/roundtrip.sh
EXTRA_DIST += %D%/run-test
EXTRA_DIST += %D%/sandbox.sh
EXTRA_DIST += %D%/sshd.sh
EXTRA_DIST += %D%/tap-summary
EXTRA_DIST += %D%/tap.sh

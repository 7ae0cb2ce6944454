TREE_TESTS += %D%/listed.t

EXTRA_DIST += %D%/files.sh
EXTRA_DIST += %D%/memory
EXTRA_DIST += %D%/roundtrip.sh
EXTRA_DIST += %D%/run-test
EXTRA_DIST += %D%/sandbox.sh
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

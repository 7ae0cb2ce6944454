dist_lens_DATA += %D%/rootlatch_lsb.aug
dist_lens_DATA += %D%/rootlatch_sshd.aug
dist_lens_DATA += %D%/rootlatch_sshd_file.aug

LENS_TESTS += %D%/tests/run.t
EXTRA_DIST += %D%/tests/test_rootlatch_lsb.aug
EXTRA_DIST += %D%/tests/test_rootlatch_sshd.aug
EXTRA_DIST += %D%/tests/test_rootlatch_sshd_file.aug

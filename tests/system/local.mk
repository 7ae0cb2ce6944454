# Those that take longest are started first.
SYSTEM_TESTS += %D%/reload.t
SYSTEM_TESTS += %D%/constructs.t
SYSTEM_TESTS += %D%/corpus.t
SYSTEM_TESTS += %D%/drift.t
SYSTEM_TESTS += %D%/linkage.t
SYSTEM_TESTS += %D%/logins.t
SYSTEM_TESTS += %D%/main-job.t
SYSTEM_TESTS += %D%/options.t
SYSTEM_TESTS += %D%/refusals.t
SYSTEM_TESTS += %D%/restore.t
SYSTEM_TESTS += %D%/root-dir.t
SYSTEM_TESTS += %D%/state.t

ASAN_SYSTEM_TESTS += %D%/main-job.t
ASAN_SYSTEM_TESTS += %D%/drift.t
ASAN_SYSTEM_TESTS += %D%/options.t
ASAN_SYSTEM_TESTS += %D%/state.t

librootlatch_a_SOURCES += %D%/commit.c
librootlatch_a_SOURCES += %D%/recover.c
librootlatch_a_SOURCES += %D%/rollback.c
librootlatch_a_SOURCES += %D%/rollback.h
librootlatch_a_SOURCES += %D%/transaction.h

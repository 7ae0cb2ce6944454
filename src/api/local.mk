librootlatch_a_SOURCES += %D%/api.h
librootlatch_a_SOURCES += %D%/change.c
librootlatch_a_SOURCES += %D%/deadline.c
librootlatch_a_SOURCES += %D%/diff.c
librootlatch_a_SOURCES += %D%/handle.c
librootlatch_a_SOURCES += %D%/history.c
librootlatch_a_SOURCES += %D%/report.c
librootlatch_a_SOURCES += %D%/result.c

librootlatch_a_SOURCES += %D%/plan.c
librootlatch_a_SOURCES += %D%/plan.h
librootlatch_a_SOURCES += %D%/step.c
librootlatch_a_SOURCES += %D%/step.h

include_HEADERS += %D%/rootlatch.h

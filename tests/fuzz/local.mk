FUZZ_TESTS += %D%/replay.t

check_PROGRAMS += %D%/replay
%C%_replay_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/%D%
%C%_replay_LDADD = $(rootlatch_libs)

%C%_replay_SOURCES =
%C%_replay_SOURCES += %D%/fuzz.h
%C%_replay_SOURCES += %D%/replay.c
%C%_replay_SOURCES += %D%/address.c
%C%_replay_SOURCES += %D%/boot_text.c
%C%_replay_SOURCES += %D%/duration.c
%C%_replay_SOURCES += %D%/image.c
%C%_replay_SOURCES += %D%/journal.c
%C%_replay_SOURCES += %D%/lsb_header.c
%C%_replay_SOURCES += %D%/lsb_lens.c
%C%_replay_SOURCES += %D%/marker.c
%C%_replay_SOURCES += %D%/sshd_closure.c
%C%_replay_SOURCES += %D%/sshd_lines.c
%C%_replay_SOURCES += %D%/sshd_value.c
%C%_replay_SOURCES += %D%/state.c
%C%_replay_SOURCES += %D%/text.c
%C%_replay_SOURCES += %D%/when.c

EXTRA_DIST += %D%/have-clang
EXTRA_DIST += %D%/json.dict
EXTRA_DIST += %D%/run
EXTRA_DIST += %D%/sshd.dict
EXTRA_DIST += %D%/words.dict

# One program a harness: what is in build/fuzz, made by `make fuzz`.
fuzz_programs = \
	%D%/address.fuzz %D%/boot_text.fuzz %D%/duration.fuzz %D%/image.fuzz %D%/journal.fuzz \
	%D%/lsb_header.fuzz %D%/lsb_lens.fuzz %D%/marker.fuzz %D%/sshd_closure.fuzz \
	%D%/sshd_lines.fuzz %D%/sshd_value.fuzz %D%/state.fuzz %D%/text.fuzz %D%/when.fuzz

fuzz-programs: $(fuzz_programs)
.PHONY: fuzz-programs

$(fuzz_programs): %D%/%.fuzz: $(srcdir)/%D%/%.c $(srcdir)/%D%/fuzz.h librootlatch.a $(augeas_stubs)
	$(AM_V_CCLD)$(MKDIR_P) %D% && $(CC) -DFUZZ_ALONE $(AM_CPPFLAGS) -I$(srcdir)/%D% $(CPPFLAGS) \
		$(AM_CFLAGS) $(CFLAGS) $(AM_LDFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $< \
		$(rootlatch_libs) $(LIBS)

UNIT_TESTS += %D%/unit.t

# Run by check-asan and check-valgrind alone.
EXTRA_DIST += %D%/valgrind.t
EXTRA_DIST += %D%/planted.t
CLEANFILES += %D%/valgrind.log %D%/valgrind.trs %D%/planted.log %D%/planted.trs

EXTRA_PROGRAMS += %D%/planted
%C%_planted_SOURCES = %D%/planted.c
%C%_planted_CPPFLAGS = $(AM_CPPFLAGS) $(CRITERION_CFLAGS)
%C%_planted_LDADD = $(CRITERION_LIBS)
CLEANFILES += %D%/planted$(EXEEXT)

if HAVE_CRITERION
check_PROGRAMS += %D%/unit
PLANTED = %D%/planted$(EXEEXT)
endif
%C%_unit_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests $(CRITERION_CFLAGS)
%C%_unit_LDADD = $(rootlatch_libs) $(CRITERION_LIBS)

%C%_unit_SOURCES =
%C%_unit_SOURCES += %D%/fault_host.c
%C%_unit_SOURCES += %D%/fault_host.h
%C%_unit_SOURCES += %D%/test_api.c
%C%_unit_SOURCES += %D%/test_base_address.c
%C%_unit_SOURCES += %D%/test_base_buffer.c
%C%_unit_SOURCES += %D%/test_base_digest.c
%C%_unit_SOURCES += %D%/test_base_duration.c
%C%_unit_SOURCES += %D%/test_base_error.c
%C%_unit_SOURCES += %D%/test_base_json.c
%C%_unit_SOURCES += %D%/test_base_path.c
%C%_unit_SOURCES += %D%/test_base_text.c
%C%_unit_SOURCES += %D%/test_base_when.c
%C%_unit_SOURCES += %D%/test_config.h
%C%_unit_SOURCES += %D%/test_config_marker.c
%C%_unit_SOURCES += %D%/test_config_marker_orders.c
%C%_unit_SOURCES += %D%/test_config_sshd_closure.c
%C%_unit_SOURCES += %D%/test_config_sshd_lines.c
%C%_unit_SOURCES += %D%/test_config_sshd_match.c
%C%_unit_SOURCES += %D%/test_config_sshd_opening.c
%C%_unit_SOURCES += %D%/test_config_sshd_plan.c
%C%_unit_SOURCES += %D%/test_config_sshd_site.c
%C%_unit_SOURCES += %D%/test_config_sshd_value.c
%C%_unit_SOURCES += %D%/test_deadline.c
%C%_unit_SOURCES += %D%/test_deadline_closers.c
%C%_unit_SOURCES += %D%/test_deadline_watch.c
%C%_unit_SOURCES += %D%/test_host_dir.c
%C%_unit_SOURCES += %D%/test_host_file.c
%C%_unit_SOURCES += %D%/test_host_namespace.c
%C%_unit_SOURCES += %D%/test_host_process.c
%C%_unit_SOURCES += %D%/test_plan_command.c
%C%_unit_SOURCES += %D%/test_plan_create.c
%C%_unit_SOURCES += %D%/test_plan_json.c
%C%_unit_SOURCES += %D%/test_plan_step.c
%C%_unit_SOURCES += %D%/test_plan_unlink.c
%C%_unit_SOURCES += %D%/test_recover.h
%C%_unit_SOURCES += %D%/test_service_access.c
%C%_unit_SOURCES += %D%/test_service_answers.c
%C%_unit_SOURCES += %D%/test_service_find.c
%C%_unit_SOURCES += %D%/test_service_fixture.c
%C%_unit_SOURCES += %D%/test_service_fixture.h
%C%_unit_SOURCES += %D%/test_service_judge.c
%C%_unit_SOURCES += %D%/test_service_net.c
%C%_unit_SOURCES += %D%/test_service_reload.c
%C%_unit_SOURCES += %D%/test_service_title.c
%C%_unit_SOURCES += %D%/test_store_journal.c
%C%_unit_SOURCES += %D%/test_store_log.c
%C%_unit_SOURCES += %D%/test_store_slot.c
%C%_unit_SOURCES += %D%/test_store_snapshot.c
%C%_unit_SOURCES += %D%/test_store_state.c
%C%_unit_SOURCES += %D%/test_toggle_faults.c
%C%_unit_SOURCES += %D%/test_toggle_shared.c
%C%_unit_SOURCES += %D%/test_toggle_sshd_files.c
%C%_unit_SOURCES += %D%/test_transaction.c
%C%_unit_SOURCES += %D%/test_transaction_kinds.c

#!/bin/bash
# A file that no local.mk lists is not built, not run and not distributed, and nothing else
# would say so.
cd "$top_srcdir" || exit 99

# line FILE: what its local.mk should say
line()
{
	case $1 in
	src/config/augeas_stubs.c) ;;
	src/cli/*) echo "rootlatch_SOURCES += %D%/${1##*/}" ;;
	src/*) echo "librootlatch_a_SOURCES += %D%/${1##*/}" ;;
	include/*) echo "include_HEADERS += %D%/${1##*/}" ;;
	lenses/tests/*.aug) echo "EXTRA_DIST += %D%/${1#lenses/}" ;;
	lenses/*.aug) echo "dist_lens_DATA += %D%/${1#lenses/}" ;;
	tests/unit/*.[ch]) echo "%C%_unit_SOURCES += %D%/${1##*/}" ;;
	tests/system/*.t) echo "SYSTEM_TESTS += %D%/${1##*/}" ;;
	tests/hosts/*.t) echo "HOST_TESTS += %D%/${1##*/}" ;;
	tests/faults/*.t) echo "FAULT_TESTS += %D%/${1##*/}" ;;
	examples/*.t) echo "EXAMPLE_TESTS += %D%/${1##*/}" ;;
	*) echo "EXTRA_DIST += %D%/${1#"$folder"/}" ;;
	esac
}

n=0
while read -r file; do
	n=$((n + 1))
	folder=${file%/*}
	while [ ! -f "$folder/local.mk" ]; do folder=${folder%/*}; done
	if [ "$file" = src/config/augeas_stubs.c ] ||
		grep -qE "%D%/${file#"$folder"/}( |$)" "$folder/local.mk"; then
		echo "ok $n - $file"
	else
		echo "not ok $n - $file"
		echo "# not in $folder/local.mk: $(line "$file")"
	fi
done < <(find src include lenses tests examples -type f ! -name local.mk ! -name '.*' ! -name '*~' | sort)
echo "1..$n"

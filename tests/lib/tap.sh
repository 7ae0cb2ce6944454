# shellcheck shell=bash
# What every test prints. A test point is opened by `t NAME`, holds any number of `expect`s,
# and closes with the next one or with done_testing. One that expected nothing is a failure:
# a test that cannot fail is a defect.
#
#	t "an open login is seen by status"
#	rl status --json
#	expect "$status" 0 "status exits"
#	expect "$(json '.results[0].state')" applied "state"
#	done_testing

tap_count=0
tap_name=
tap_checks=0
tap_problems=
status= out= err= ran=

# comment TEXT: to stdout, as TAP has it
comment() { sed 's/^/# /' <<<"$1"; }

# t NAME: opens a test point; its name says what is tested, with the input
t()
{
	tap_close
	tap_name=$1
	tap_checks=0
	tap_problems=
	status= out= err= ran=
}

tap_close()
{
	[ -n "$tap_name" ] || return 0
	tap_count=$((tap_count + 1))
	[ "$tap_checks" -gt 0 ] || tap_problems="nothing was expected: this test cannot fail"
	if [ -z "$tap_problems" ]; then
		echo "ok $tap_count - $tap_name"
	else
		echo "not ok $tap_count - $tap_name"
		comment "$tap_problems"
	fi
	tap_name=
}

# take_turns WHAT...: $turn is the next one of them with each call, or all of them with FULL=1. For
# what has been tested with each of them many times over.
turn=()
turns_taken=0
take_turns()
{
	turn=("$@")
	[ -n "${FULL:-}" ] || turn=("${@:turns_taken++ % $# + 1:1}")
}

# problem TEXT: the open test point has failed, with what was run last
problem()
{
	tap_checks=$((tap_checks + 1))
	tap_problems+="$1"$'\n'
	[ -z "$ran" ] || tap_problems+="$(indent "after: $ran"$'\n'"status $status${out:+, stdout:}")
$(tail -n 30 <<<"$out" | cut -c 1-300 | indent)${err:+
    stderr:
$(tail -n 12 <<<"$err" | cut -c 1-300 | indent)}
"
	ran=
}

indent() { if [ $# -gt 0 ]; then sed 's/^/    /' <<<"$1"; else sed 's/^/    /'; fi; }

# expect GOT WANTED WHAT
expect()
{
	tap_checks=$((tap_checks + 1))
	[ "$1" != "$2" ] || return 0
	if [[ $1$2 == *$'\n'* ]]; then
		problem "$3: differs (- wanted, + got)
$(diff -U1 <(printf '%s\n' "$2") <(printf '%s\n' "$1") | sed 1,2d | cut -c 1-300 | head -n 30)"
	else
		problem "$3: '$1', not '$2'"
	fi
	return 1
}

# expect_not GOT UNWANTED WHAT
expect_not()
{
	tap_checks=$((tap_checks + 1))
	[ "$1" = "$2" ] || return 0
	problem "$3: '$1', and should not be"
	return 1
}

# expect_match TEXT PATTERN WHAT: an extended regular expression, over any of its lines
expect_match()
{
	tap_checks=$((tap_checks + 1))
	! grep -qE -e "$2" <<<"$1" || return 0
	problem "$3: nothing like /$2/ in:
$(head -n 12 <<<"$1" | cut -c 1-300 | indent)"
	return 1
}

# expect_no_match TEXT PATTERN WHAT
expect_no_match()
{
	tap_checks=$((tap_checks + 1))
	grep -qE -e "$2" <<<"$1" || return 0
	problem "$3: /$2/ is in:
$(grep -E -e "$2" <<<"$1" | head -n 5 | cut -c 1-300 | indent)"
	return 1
}

# run COMMAND...: sets status, out and err
run()
{
	ran="$*"
	run_quietly "$@"
}

# The same for what is no more than a question in between: a failure shows the last `run`.
run_quietly()
{
	out=$("$@" 2>"$tap_err" </dev/null)
	status=$?
	err=$(<"$tap_err")
}
tap_err=$(mktemp) || exit 99
tap_dir=${tap_err%/*}
trap 'rm -f "$tap_err"' EXIT

# skip NAME REASON: one test point that is not run, visibly
skip()
{
	tap_close
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

done_testing()
{
	tap_close
	echo "1..$tap_count"
	exit 0
}

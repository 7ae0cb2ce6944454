# shellcheck shell=bash
# Tables of hostile input. A row is one test point: one run of rootlatch, its exit status, a part of
# what it says, nothing raw that would reach a terminal. A group of rows leaves the host as it was.

hostile_group=
hostile_rows=0
hostile_watched=(/etc /var /root /home /opt /srv)

# All but the log, which is told of refusals, and the places where a transaction is prepared, which may
# have been one that was rolled back; and the alternatives, which are the real machine's.
hostile_listing()
{
	find "${hostile_watched[@]}" -path /etc/alternatives -prune -o ! -path '*/rootlatch/log' \
		-printf '%p: %y, mode %m, owner %U:%G, links %n, size %s, mtime %T@, inode %i %l\n' \
		2>/dev/null | grep -vE '/rootlatch(/snapshots)?: d|/rootlatch/(lock|[a-z.]*\.spare): f' |
		sort
	find "${hostile_watched[@]}" -path /etc/alternatives -prune -o -path '*/rootlatch/log' -prune -o \
		-path '*/rootlatch/*.spare' -prune -o -type f -print0 2>/dev/null | sort -z | xargs -0 -r sha256sum
}

# group NAME: what follows is of that kind
group()
{
	group_end
	hostile_group=$1
	hostile_listing >/tmp/hostile.before
}

# group_end: opened by the first row, or at the end of all
group_end()
{
	[ -n "$hostile_group" ] || return 0
	t "$hostile_group: nothing was changed on the host by any of them"
	expect "$(hostile_listing)" "$(</tmp/hostile.before)" "the files"
	hostile_group=
}

# on_row STATUS PATTERN NAME COMMAND...: the whole command, where a row is not just one of rootlatch's
on_row()
{
	local wanted=$1 pattern=$2 name=$3
	shift 3
	t "$hostile_group: $name"
	hostile_rows=$((hostile_rows + 1))
	printf -v ran '%.300s' "${*@Q}"
	timeout -k 1 "${hostile_seconds:-15}" "$@" >/tmp/hostile.out 2>/tmp/hostile.err </dev/null
	status=$?
	{ out=$(</tmp/hostile.out) err=$(</tmp/hostile.err); } 2>/dev/null # of a NUL, which is found below
	[[ $status =~ ^$wanted$ ]] || expect "$status" "$wanted" "exit status"
	[[ $out$err =~ $pattern ]]
	expect "$?" 0 "what it says is like /$pattern/"
	expect_plain
}

# row STATUS PATTERN NAME ARGUMENT...: of rootlatch
row() { on_row "$1" "$2" "$3" "$ROOTLATCH" "${@:4}"; }

# What a terminal would take as more than text: control characters, of UTF-8 too, and what is no UTF-8
expect_plain()
{
	LC_ALL=C.UTF-8 grep -qavxE "([[:print:]]|"$'\t'")*" /tmp/hostile.out /tmp/hostile.err
	expect "$?" 1 "lines with raw bytes"
}

# rows_at_least NUMBER: a table that is not read is no test
rows_at_least()
{
	group_end
	t "the table has at least $1 rows"
	expect "$((hostile_rows >= $1))" 1 "$hostile_rows rows"
}

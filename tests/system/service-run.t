#!/bin/bash
# service-run, which steps of a transaction run: a service's processes are stopped, started and looked
# at, without a lock and without a trace of ours.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
sandbox_enter

command -v start-stop-daemon >/dev/null || skip_all "needs start-stop-daemon"

cp /bin/sleep /opt/fooserver
mkdir -p /etc/init.d

# script START STOP: /etc/init.d/foo, whose daemon has another name than its service
script()
{
	cat >/etc/init.d/foo <<-END
		#!/bin/sh
		DAEMON=/opt/fooserver
		PIDFILE=/run/food.pid
		case \$1 in
		start) $1 ;;
		stop) $2 ;;
		*) exit 3 ;;
		esac
	END
	chmod 755 /etc/init.d/foo
}

start='start-stop-daemon -S -q -b -m -p $PIDFILE -x $DAEMON -- 1000'
stop='start-stop-daemon -K -q -o -p $PIDFILE -x $DAEMON; rm -f $PIDFILE'
daemons() { pgrep -cx fooserver; }

t "it is not listed among the commands"
rl --help
expect "$status" 0 "exit status"
expect_no_match "$out" 'service-run' "help"

t "start, stopped, stop, stopped"
script "$start" "$stop"
rl service-run stopped foo
expect "$status" 0 "stopped, before, exits"
rl service-run start foo
expect "$status$out$err" 0 "start exits"
expect "$(daemons)" 1 "daemons"
rl service-run stopped foo
expect "$status" 1 "stopped, while it runs, exits"
rl service-run stop foo
expect "$status$out$err" 0 "stop exits"
expect "$(daemons)" 0 "daemons"
rl service-run stopped foo
expect "$status" 0 "stopped, after, exits"

t "it works while a transaction holds the lock, and writes nothing of ours"
mkdir -p -m 700 /var/lib/rootlatch
: >/var/lib/rootlatch/lock
chmod 600 /var/lib/rootlatch/lock
listing /var/lib/rootlatch /run/rootlatch >/tmp/before
exec 9</var/lib/rootlatch/lock
flock 9
rl service-run start foo
expect "$status" 0 "start exits"
rl service-run stop foo
expect "$status" 0 "stop exits"
exec 9<&-
expect "$(listing /var/lib/rootlatch /run/rootlatch)" "$(</tmp/before)" "files"

t "the daemon has none of our descriptors, and outlives us"
script '$DAEMON 1000 & echo $! >$PIDFILE' "$stop"
run bash -c "exec 7</etc/passwd; '$ROOTLATCH' service-run start foo | cat"
expect "$(daemons)" 1 "daemons"
files=$(find "/proc/$(pgrep -x fooserver)/fd" -type l -printf '%f %l\n' | sort)
expect_match "$files" '^0 /dev/null$' "its input"
expect_no_match "$files" '^[3-9] |^[0-9]{2,} |pipe' "its files"
rl service-run stop foo

t "a stop that does nothing is named, and so is what still runs"
script "$start" 'echo "no can do" >&2; exit 4'
rl service-run start foo
rl service-run stop foo
expect "$status" 1 "exit status"
expect_match "$err" "foo did not stop: pid $(pgrep -x fooserver) \(fooserver\) still runs; it said \(status 4\): no can do" "the message"
expect "$(daemons)" 1 "daemons"
pkill -x fooserver

t "what is no service, and what is no verb"
for name in ../foo -foo . '' foo/bar; do
	rl service-run stop -- "$name"
	expect "$status" 3 "stop '$name' exits"
done
rl service-run restart foo
expect "$status" 64 "restart exits"
rl service-run start nosuch
expect "$status" 1 "start of what is not there exits"
expect_match "$err" 'no /etc/init.d/nosuch' "the message"

done_testing

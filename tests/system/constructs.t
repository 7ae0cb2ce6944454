#!/bin/bash
# Everything that sshd accepts can be opened, in the file and on the line that decides, and
# closed again; what it rejects is refused.
. "$(dirname "$0")/../lib/sandbox.sh" || exit 99
sandbox_enter

main=/etc/ssh/sshd_config
d=/etc/ssh/sshd_config.d
no='PermitRootLogin no\n'
include="Include $d/*.conf\n"
watched+=(/opt)

# Each case is one row: the name, and the main file as printf %b has it. `with` puts an included
# file beside it first.
with() { printf '%b' "$2" | write "$1"; }
main_file()
{
	printf '%b' "$1" | write $main
	case_files=$(config_files)
}
next() { etc_ssh_reset; rm -rf /opt/*; }

opens() { t "opens and closes: $1"; main_file "$2"; opens_and_closes; next; }
already() { t "open by the administrator: $1"; main_file "$2"; is_open_already; next; }
rejected()
{
	t "refused: $1"
	main_file "$2"
	expect_not "$(judge root >/dev/null; echo $?)" 0 "sshd -T exits"
	is_refused
	next
}

# ---- What stock lenses reject or mangle, and sshd accepts

opens 'as plain as can be' "$no"
opens 'Match all' "${no}Match all\n"
opens 'Match ALL' "${no}Match ALL\n\tX11Forwarding no\n"
opens 'indented keyword in the global section' "   PermitRootLogin no\n\tX11Forwarding no\n"
opens 'indented Match' "${no}  Match User alice\n    X11Forwarding yes\n"
opens 'empty Match before another' "${no}Match User alice\nMatch User bob\n\tX11Forwarding no\n"
opens 'empty Match at the end' "${no}Match User alice\n"
opens 'empty Match at the end, no newline' "${no}Match User alice"
opens 'Match with a note' "${no}Match User alice # note\n\tX11Forwarding no\n"
opens 'quoted Match keyword' "${no}Match \"User\" alice\n\tX11Forwarding no\n"
opens 'quoted keyword' '"PermitRootLogin" no\n'
opens 'CRLF' 'Port 22\r\nPermitRootLogin no\r\nX11Forwarding no\r\n'
opens 'CRLF blank lines' '\r\nPermitRootLogin no\r\n\r\n'
opens 'CRLF, no PermitRootLogin' 'Port 22\r\nX11Forwarding no\r\n'
opens 'CRLF and LF mixed' 'Port 22\r\nPermitRootLogin no\nX11Forwarding no\r\n'
opens 'a note on the line' 'PermitRootLogin no # note\n'
opens 'double quotes' 'PermitRootLogin "no"\n'
opens 'single quotes' "PermitRootLogin 'no'\n"
opens 'quotes in the middle' 'PermitRootLogin n"o"\n'
opens 'capitals' 'PERMITROOTLOGIN no\n'
opens 'small letters' 'permitrootlogin no\n'
opens 'K=V' 'PermitRootLogin=no\n'
opens 'K = V' 'PermitRootLogin = no\n'
opens 'tabs, and blanks at the end' 'PermitRootLogin\t\tno  \t\n'
opens 'without-password' 'PermitRootLogin without-password\n'
opens 'prohibit-password' 'PermitRootLogin prohibit-password\n'
opens 'forced-commands-only' 'PermitRootLogin forced-commands-only\n'
opens 'no newline at the end' "Port 22\nPermitRootLogin no"
opens 'no newline at the end, another line' "${no}X11Forwarding no"
opens 'Subsystem names with _ and .' "${no}Subsystem my_sftp.x /bin/true\n"
opens 'Banner x=' "${no}Banner x=\n"
opens 'a line of 70 kB' "${no}# $(printf 'x%.0s' {1..70000})\n"
opens 'Latin-1' "# caf\0351\n${no}Banner /etc/caf\0351\n"
opens 'UTF-8' "# \0303\0244\n${no}"
opens 'form feed as a blank' "PermitRootLogin no\f\n"
opens 'an empty file' ''
opens 'comments alone' '# PermitRootLogin no\n#PermitRootLogin yes\n'
opens 'a comment alone, no newline' '# nothing'
opens 'no PermitRootLogin' 'Port 22\nX11Forwarding no\n'
opens 'no PermitRootLogin, a Match first' 'Match User alice\n\tX11Forwarding no\n'
opens 'deprecated and ignored keywords' "UsePrivilegeSeparation yes\n${no}KeyRegenerationInterval 3600\n"

# ---- What sshd rejects

rejected 'K == V' 'PermitRootLogin == no\n'
rejected 'value and note without a blank' 'PermitRootLogin no#c\n'
rejected 'two values' 'PermitRootLogin no yes\n'
rejected 'BOM' '\0357\0273\0277PermitRootLogin no\n'
rejected 'NBSP' 'PermitRootLogin\0302\0240no\n'
rejected 'a comment with ;' "; comment\n$no"
rejected 'a comment with //' "// comment\n$no"
rejected 'an unknown keyword' "${no}Prot 2\n"
rejected 'no value' 'PermitRootLogin\n'
rejected 'an unknown value' 'PermitRootLogin maybe\n'
rejected 'a bad value in a duplicate that is ignored' "${no}PermitRootLogin maybe\n"
rejected 'Match Address with host bits' "${no}Match Address 1.2.3.4/24\n\tX11Forwarding no\n"
rejected 'an unclosed quote' "${no}Banner \"x\n"
rejected 'a Match without a condition' "${no}Match\n"
with $d/50-team.conf 'X11Forwarding no\nProt 2\n'
because='50-team.conf line 2' rejected 'an unknown keyword in an included file' "$include$no"

t "refused: a NUL byte, though sshd accepts the file"
main_file 'PermitRootLogin no\nX11Forwarding no\0000yes\n'
expect "$(judge root >/dev/null; echo $?)" 0 "sshd -T exits"
because=NUL is_refused
next
t "refused: a NUL byte in an included file"
with $d/a.conf 'X11Forwarding no\0000yes\n'
main_file "$include$no"
because='a.conf.*NUL|NUL.*a.conf' is_refused
next

# ---- Which line decides

opens 'a duplicate: no, then yes' "${no}PermitRootLogin yes\n"
opens 'a duplicate: no, then forced-commands-only' "${no}PermitRootLogin forced-commands-only\n"
opens 'duplicates in other cases' "permitrootlogin no\nPERMITROOTLOGIN prohibit-password\n"
opens 'a Match of somebody else' "${no}Match User alice\n\tPermitRootLogin yes\n"
opens 'a Match of somebody else says no' "${no}Match User alice\n\tPermitRootLogin no\n"
opens 'Match User is case-sensitive' "${no}Match User ROOT\n\tPermitRootLogin no\n"
opens 'Match User !bob matches nobody' "${no}Match User !bob\n\tPermitRootLogin no\n"
opens 'Match User *,!root' "${no}Match User *,!root\n\tPermitRootLogin no\n"
opens 'Match User root says no' "${no}Match User root\n\tPermitRootLogin no\n"
opens 'Match User root says no, twice' \
	"Match User root\n\tPermitRootLogin no\nMatch User root\n\tPermitRootLogin forced-commands-only\n"
opens 'Match user, in small letters, says no' "match user root\n\tpermitrootlogin no\n"
opens 'Match User with a pattern says no' "${no}Match User r*\n\tPermitRootLogin no\n"
opens 'Match User=root says no' "${no}Match User=root\n\tPermitRootLogin no\n"
opens 'Match all says no' "PermitRootLogin yes\nMatch all\n\tPermitRootLogin no\n"
opens 'Match Group root says no' "${no}Match Group root\n\tPermitRootLogin no\n"
opens 'Match all, with no duplicate inside' "${no}Match all\n\tX11Forwarding no\n"
opens 'the line stands after a Match of somebody else' "Match User alice\n\tX11Forwarding no\n$no"
opens 'Match User toor says yes' "${no}Match User toor\n\tPermitRootLogin yes\n"

edited=$main opens 'an Include without a target' "Include /etc/ssh/nothing.conf\n$no"
edited=$main opens 'an Include whose glob matches nothing' "$include$no"
with $d/a.conf "$no"
edited=$d/a.conf opens 'the deciding line in an included file' "$include"
with $d/a.conf "$no"
with $d/B.conf 'PermitRootLogin forced-commands-only\n'
edited=$d/B.conf$'\n'$d/a.conf opens 'byte-wise glob order: B.conf before a.conf' "${include}X11Forwarding no\n"
with $d/a.conf 'X11Forwarding no\n'
edited=$main opens 'an included file without a word of it' "$include$no"
with $d/a.conf "$no"
edited=$d/a.conf opens 'included before a line of the main file that says yes' "${include}PermitRootLogin yes\n"
with $d/a.conf 'PermitRootLogin forced-commands-only\n'
edited=$main$'\n'$d/a.conf opens 'included after the line of the main file' "$no$include"
with $d/.hidden.conf 'PermitRootLogin no\n'
edited=$main opens 'hidden files are not included' "$include$no"
with $d/a.conf.bak "PermitRootLogin yes\n"
edited=$main opens 'a file that the glob does not match says yes' "$include$no"
with $d/a.conf "$no"
edited=$d/a.conf opens 'a relative Include' 'Include sshd_config.d/*.conf\n'
with $d/a.conf "$no"
edited=$d/a.conf opens 'a quoted Include' 'Include "/etc/ssh/sshd_config.d/a.conf"\n'
with $d/a.conf "$no"
edited=$d/a.conf opens 'include=, in small letters' 'include=/etc/ssh/sshd_config.d/a.conf\n'
with $d/a.conf "$no"
with $d/b.conf "X11Forwarding no\n"
edited=$d/a.conf opens 'two files on one Include' "Include $d/b.conf $d/a.conf\n"
with /opt/ssh/x.conf "$no"
edited=/opt/ssh/x.conf opens 'an Include outside of /etc' 'Include /opt/ssh/*\n'
with '/opt/a b/x y.conf' "$no"
edited='/opt/a b/x y.conf' opens 'blanks in the path' 'Include "/opt/a b/x y.conf"\n'
with $d/10.conf "Include /opt/20.conf\n"
with /opt/20.conf "Include /opt/30.conf\n"
with /opt/30.conf "X11Forwarding no\nPermitRootLogin no"
edited=/opt/30.conf opens 'nested Includes, no newline at the end' "${include}Port 22\n"
with $d/a.conf "Match User alice\n\tX11Forwarding no\n"
edited=$main opens 'a Match in an included file ends with that file' "$include$no"
with $d/a.conf "Match User alice\n\tX11Forwarding no\n\tPermitRootLogin no\n"
with $d/b.conf "$no"
edited=$d/b.conf opens 'the next file of the glob is global again' "${include}"
with $d/a.conf "Match User root\n\tPermitRootLogin no\n"
opens 'a Match in an included file says no to root' "$include$no"
with $d/a.conf "PermitRootLogin yes\n"
edited=$main opens 'an Include in a Match of somebody else' "${no}Match User alice\n\tInclude $d/a.conf\n"
with $d/a.conf "Match all\n\tPermitRootLogin no\n"
edited=$main opens 'a Match in an Include in a Match of somebody else' \
	"${no}Match User alice\n\tInclude $d/a.conf\n"
with $d/a.conf "PermitRootLogin no\n"
opens 'an Include in Match User root says no' "${no}Match User root\n\tInclude $d/a.conf\n"
with $d/a.conf "$no"
opens 'a file that is included twice' "Include $d/a.conf\nX11Forwarding no\nInclude $d/a.conf\n"
with $d/a.conf "Match all\n"
opens 'a trailing Match all in an included file' "${include}$no"

# ---- What stays in force of the administrator's, and is named

stays()
{
	t "stays in force and is named: $1"
	main_file "$no$2\n\tPermitRootLogin $3\n"
	local inside
	inside=$(permits root 192.0.2.7)
	rl open --in-place --keep --json
	expect "$status" 0 "open exits"
	expect "$(permits root)" yes "sshd's answer for root from elsewhere"
	expect "$(permits root 192.0.2.7)" "$inside" "sshd's answer for root from there"
	expect_match "$(json '.results[0].warnings | tostring')" 'sshd_config.*2|2.*sshd_config' "warnings, with file and line"
	rl close
	expect "$status" 0 "close exits"
	expect "$(leftovers)" "" "leftovers"
	next
}
stays 'Match Address says no' 'Match Address 192.0.2.0/24' no
stays 'Match User root Address says no' 'Match User root Address 192.0.2.0/24' no
stays 'Match Address forced-commands-only' 'Match Address 192.0.2.0/24' forced-commands-only

t "warning, with file and line, of a Match that is overridden"
main_file "${no}Match User root\n\tPermitRootLogin no\n"
rl open --in-place --keep --json
expect_match "$(json '.results[0].warnings | tostring')" 'sshd_config.*[23]' "warnings"
next

# ---- "yes" at the top, and root is still out

warns()
{
	local name=$1 content=$2 pattern=$3
	shift 3
	t "a warning that root is still out: $name"
	main_file "$content"
	rl open --in-place --keep --json "$@"
	expect "$status" 0 "open exits"
	expect_match "$(json '.results[0].warnings[] | tostring' | tr '[:upper:]' '[:lower:]')" "$pattern" "warnings"
	rl close
	expect "$status" 0 "close exits"
	next
}
warns AllowUsers "${no}AllowUsers alice\n" allowusers
warns 'AllowUsers root@elsewhere' "${no}AllowUsers root@192.0.2.1 alice\n" allowusers
warns AllowGroups "${no}AllowGroups users\n" allowgroups
warns DenyUsers "${no}DenyUsers bob root\n" denyusers
warns 'DenyUsers beats AllowUsers, on a repeated line' "${no}AllowUsers root\nDenyUsers bob\nDenyUsers root\n" denyusers
warns DenyGroups "${no}DenyGroups root\n" denygroups
warns AuthenticationMethods "${no}AuthenticationMethods publickey,password\n" authenticationmethods
warns 'PubkeyAuthentication no, for keys' "${no}PubkeyAuthentication no\n" pubkeyauthentication --allow prohibit-password
warns 'neither keys nor passwords' \
	"${no}PubkeyAuthentication no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n" \
	'pubkeyauthentication|passwordauthentication'
warns 'AuthorizedKeysFile none' "${no}AuthorizedKeysFile none\n" "authorizedkeysfile|no key" --allow prohibit-password
warns ForceCommand "${no}ForceCommand /bin/false\n" forcecommand
warns 'ForceCommand in a Match' "${no}Match User root\n\tForceCommand /bin/false\n" forcecommand
warns ChrootDirectory "${no}ChrootDirectory /var/empty\n" chrootdirectory
warns 'MaxSessions 0' "${no}MaxSessions 0\n" maxsessions
warns 'RevokedKeys unreadable' "${no}RevokedKeys /etc/ssh/nothing\n" revokedkeys

t "no warning where nothing keeps root out, and keys alone are accepted"
main_file "${no}AllowUsers root alice\nDenyUsers bob\nAuthenticationMethods any\n"
rl open --in-place --keep --json --allow prohibit-password
expect "$status" 0 "open exits"
expect "$(json '.results[0].warnings // [] | length')" 0 "warnings"
next

# ---- "no" in the file, and root still gets in

with $d/a.conf 'PermitRootLogin yes\n'
already 'an earlier yes from an Include' "$include$no"
already 'an earlier duplicate in capitals' "PERMITROOTLOGIN yes\n$no"
already 'Match User root says yes' "${no}Match User root\n\tPermitRootLogin yes\n"
already 'Match all says yes' "${no}Match all\n\tPermitRootLogin yes\n"
already 'the no is inside a trailing Match' "PermitRootLogin yes\nMatch User alice\n\tX11Forwarding no\n$no"
with $d/a.conf.dpkg-old "$no"
already 'the no is in a file that the glob does not match' "${include}PermitRootLogin yes\n"
with $d/a.conf "$no"
already 'the no is in an inactive Include' "PermitRootLogin yes\nMatch User alice\n\tInclude $d/a.conf\n"

# ---- The other values of --allow

for value in prohibit-password forced-commands-only; do
	t "opens and closes: --allow $value"
	main_file "${no}Match User alice\n\tX11Forwarding no\n"
	allow=$value opens_and_closes
	next
done

done_testing

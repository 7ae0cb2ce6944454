# shellcheck shell=bash
# Configurations as one finds them, each with what sshd takes it for: a row of the tables in the
# tests that source this file. They say what is to be true of each kind of row, by functions which
# are called with the row's name and its main file, as printf %b has it:
#
#	opens NAME MAIN             sshd accepts it, and keeps root out
#	rejected NAME MAIN          sshd rejects it
#	unsafe NAME MAIN            sshd accepts it, and we can't
#	stays NAME MATCH VALUE      a Match block of somebody's that stays in force for 192.0.2.0/24
#	warns NAME MAIN PATTERN [OPTION...]     it opens, and something else still keeps root out
#	already NAME MAIN           it is open
#
# and what else the row knows in variables:
#
#	edited     in place: the files that are edited
#	block      pattern for the Match block that has to be overridden for everybody
#	site       the folder where a file 00-rootlatch.conf is read before anything decides
#	because    pattern for the reason

main=/etc/ssh/sshd_config
d=/etc/ssh/sshd_config.d
no='PermitRootLogin no\n'
include="Include $d/*.conf\n"
watched+=(/opt)

# with FILE CONTENT: a file beside the main one of the row that comes next
with() { printf '%b' "$2" | write "$1"; }
main_file() { printf '%b' "$1" | write $main; }
next() { etc_ssh_reset; rm -rf /opt/*; }

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

# sshd leaves out the rest of such a line, and says nothing of it.
because=NUL unsafe 'a NUL byte' 'PermitRootLogin no\nX11Forwarding no\0000yes\n'
with $d/a.conf 'X11Forwarding no\0000yes\n'
because='a.conf.*NUL|NUL.*a.conf' unsafe 'a NUL byte in an included file' "$include$no"

# ---- Which line decides

opens 'a duplicate: no, then yes' "${no}PermitRootLogin yes\n"
opens 'a duplicate: no, then forced-commands-only' "${no}PermitRootLogin forced-commands-only\n"
opens 'duplicates in other cases' "permitrootlogin no\nPERMITROOTLOGIN prohibit-password\n"
opens 'a Match of somebody else' "${no}Match User alice\n\tPermitRootLogin yes\n"
opens 'a Match of somebody else says no' "${no}Match User alice\n\tPermitRootLogin no\n"
opens 'Match User is case-sensitive' "${no}Match User ROOT\n\tPermitRootLogin no\n"
opens 'Match User !bob matches nobody' "${no}Match User !bob\n\tPermitRootLogin no\n"
opens 'Match User *,!root' "${no}Match User *,!root\n\tPermitRootLogin no\n"
block='sshd_config line 2:' opens 'Match User root says no' "${no}Match User root\n\tPermitRootLogin no\n"
block='sshd_config line 1:' opens 'Match User root says no, twice' \
	"Match User root\n\tPermitRootLogin no\nMatch User root\n\tPermitRootLogin forced-commands-only\n"
block='sshd_config line 1:' opens 'Match user, in small letters, says no' "match user root\n\tpermitrootlogin no\n"
block='sshd_config line 2:' opens 'Match User with a pattern says no' "${no}Match User r*\n\tPermitRootLogin no\n"
block='sshd_config line 2:' opens 'Match User=root says no' "${no}Match User=root\n\tPermitRootLogin no\n"
block='sshd_config line 2:' opens 'Match all says no' "PermitRootLogin yes\nMatch all\n\tPermitRootLogin no\n"
block='sshd_config line 2:' opens 'Match Group root says no' "${no}Match Group root\n\tPermitRootLogin no\n"
opens 'Match all, with no duplicate inside' "${no}Match all\n\tX11Forwarding no\n"
opens 'the line stands after a Match of somebody else' "Match User alice\n\tX11Forwarding no\n$no"
opens 'Match User toor says yes' "${no}Match User toor\n\tPermitRootLogin yes\n"

edited=$main opens 'an Include without a target' "Include /etc/ssh/nothing.conf\n$no"
site=$d edited=$main opens 'an Include whose glob matches nothing' "$include$no"
with $d/a.conf "$no"
site=$d edited=$d/a.conf opens 'the deciding line in an included file' "$include"
with $d/a.conf "$no"
with $d/B.conf 'PermitRootLogin forced-commands-only\n'
site=$d edited=$d/B.conf$'\n'$d/a.conf opens 'byte-wise glob order: B.conf before a.conf' "${include}X11Forwarding no\n"
with $d/a.conf 'X11Forwarding no\n'
site=$d edited=$main opens 'an included file without a word of it' "$include$no"
with $d/a.conf "$no"
site=$d edited=$d/a.conf opens 'included before a line of the main file that says yes' "${include}PermitRootLogin yes\n"
with $d/a.conf 'PermitRootLogin forced-commands-only\n'
edited=$main$'\n'$d/a.conf opens 'included after the line of the main file' "$no$include"
with $d/.hidden.conf 'PermitRootLogin no\n'
site=$d edited=$main opens 'hidden files are not included' "$include$no"
with $d/a.conf.bak "PermitRootLogin yes\n"
site=$d edited=$main opens 'a file that the glob does not match says yes' "$include$no"
with $d/a.conf "$no"
site=$d edited=$d/a.conf opens 'a relative Include' 'Include sshd_config.d/*.conf\n'
with $d/a.conf "$no"
edited=$d/a.conf opens 'a quoted Include' 'Include "/etc/ssh/sshd_config.d/a.conf"\n'
with $d/a.conf "$no"
edited=$d/a.conf opens 'include=, in small letters' 'include=/etc/ssh/sshd_config.d/a.conf\n'
with $d/a.conf "$no"
with $d/b.conf "X11Forwarding no\n"
edited=$d/a.conf opens 'two files on one Include' "Include $d/b.conf $d/a.conf\n"
with /opt/ssh/x.conf "$no"
site=/opt/ssh edited=/opt/ssh/x.conf opens 'an Include outside of /etc' 'Include /opt/ssh/*\n'
with '/opt/a b/x y.conf' "$no"
edited='/opt/a b/x y.conf' opens 'blanks in the path' 'Include "/opt/a b/x y.conf"\n'
with $d/10.conf "Include /opt/20.conf\n"
with /opt/20.conf "Include /opt/30.conf\n"
with /opt/30.conf "X11Forwarding no\nPermitRootLogin no"
site=$d edited=/opt/30.conf opens 'nested Includes, no newline at the end' "${include}Port 22\n"
with $d/a.conf "Match User alice\n\tX11Forwarding no\n"
site=$d edited=$main opens 'a Match in an included file ends with that file' "$include$no"
with $d/a.conf "Match User alice\n\tX11Forwarding no\n\tPermitRootLogin no\n"
with $d/b.conf "$no"
site=$d edited=$d/b.conf opens 'the next file of the glob is global again' "${include}"
with $d/a.conf "Match User root\n\tPermitRootLogin no\n"
block='a.conf line 1:' site=$d opens 'a Match in an included file says no to root' "$include$no"
with $d/a.conf "PermitRootLogin yes\n"
edited=$main opens 'an Include in a Match of somebody else' "${no}Match User alice\n\tInclude $d/a.conf\n"
with $d/a.conf "Match all\n\tPermitRootLogin no\n"
edited=$main opens 'a Match in an Include in a Match of somebody else' \
	"${no}Match User alice\n\tInclude $d/a.conf\n"
with $d/a.conf "PermitRootLogin no\n"
block='sshd_config line 2:' opens 'an Include in Match User root says no' "${no}Match User root\n\tInclude $d/a.conf\n"
with $d/a.conf "$no"
opens 'a file that is included twice' "Include $d/a.conf\nX11Forwarding no\nInclude $d/a.conf\n"
with $d/a.conf "Match all\n"
site=$d opens 'a trailing Match all in an included file' "${include}$no"

# ---- What stays in force of the administrator's, and is named

stays 'Match Address says no' 'Match Address 192.0.2.0/24' no
stays 'Match User root Address says no' 'Match User root Address 192.0.2.0/24' no
stays 'Match Address forced-commands-only' 'Match Address 192.0.2.0/24' forced-commands-only

# ---- "yes" at the top, and root is still out

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

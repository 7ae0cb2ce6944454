(* Get and put of init script headers, in every form that insserv 1.24 accepts. *)
module Test_rootlatch_lsb =

let lns = Rootlatch_lsb.lns
let begin = "### BEGIN INIT INFO\n"
let end = "### END INIT INFO\n"

(* A real one, with the tabs and the trailing blanks of its package *)
let ssh = begin . "# Provides:\t\tssh sshd
# Required-Start:\t$remote_fs $syslog
# Required-Stop:\t$remote_fs $syslog
# Default-Start:\t2 3 4 5
# Default-Stop:\t\t
# Short-Description:\tOpenBSD Secure Shell server
" . end

test lns get ssh =
  { "Provides" = "ssh sshd" }
  { "Required-Start" = "$remote_fs $syslog" }
  { "Required-Stop" = "$remote_fs $syslog" }
  { "Default-Start" = "2 3 4 5" }
  { "Default-Stop" }
  { "Short-Description" = "OpenBSD Secure Shell server" }

test lns put ssh after
  set "Default-Start" "3 5"; set "Default-Stop" "0 1 6"; set "Provides" "ssh" =
  begin . "# Provides:\t\tssh
# Required-Start:\t$remote_fs $syslog
# Required-Stop:\t$remote_fs $syslog
# Default-Start:\t3 5
# Default-Stop: 0 1 6
# Short-Description:\tOpenBSD Secure Shell server
" . end
test lns put ssh after clear "Default-Start"; rm "Short-Description" =
  begin . "# Provides:\t\tssh sshd
# Required-Start:\t$remote_fs $syslog
# Required-Stop:\t$remote_fs $syslog
# Default-Start:
# Default-Stop:\t\t
" . end
test lns put (begin . "# Provides: a\n" . end) after
  insa "Default-Start" "Provides"; set "Default-Start" "2" =
  begin . "# Provides: a\n# Default-Start: 2\n" . end

(* What continues a description; what only looks so *)
let words = begin . "# Description: a\n#  b c\n#\td\n#\n#   3, (e)\n#  f-g: h\n# i : j\n#k\n" . end
test lns get words =
  { "Description" = "a" }
  { "#comment" = "b c" } { "#comment" = "d" } { "#comment" } { "#comment" = "3, (e)" }
  { "f-g" = "h" } { "#comment" = "i : j" } { "#comment" = "k" }
test lns put words after set "Description" "z"; set "#comment[2]" "y" =
  begin . "# Description: z\n#  b c\n#\ty\n#\n#   3, (e)\n#  f-g: h\n# i : j\n#k\n" . end
test lns put words after rm "#comment"; rm "f-g"; set "#comment" "new" =
  begin . "# Description: a\n#  new\n" . end

(* Blanks, line ends, letters *)
test lns get (begin . "#provides:a\n# \tPROVIDES:b  \t\n#\tx_-Should_start: $c d  e\n" . end) =
  { "provides" = "a" } { "PROVIDES" = "b" } { "x_-Should_start" = "$c d  e" }
test lns put (begin . "#provides:a  \n" . end) after set "provides" "b c" =
  begin . "#provides:b c  \n" . end
test lns get (begin . "# Default-Start: 2\t3 4\n" . end) = { "Default-Start" = "2\t3 4" }
let dos = "### BEGIN INIT INFO\r\n# Provides: a\r\n# Default-Stop:\r\n#\r\n### END INIT INFO \r\n"
test lns get dos = { "Provides" = "a" } { "Default-Stop" } { "#comment" }
test lns put dos after set "Provides" "b" =
  "### BEGIN INIT INFO\r\n# Provides: b\r\n# Default-Stop:\r\n#\r\n### END INIT INFO \r\n"

(* The ends alone, and values that begin like something else *)
test lns put (begin . end) after set "Provides" "a" = begin . "# Provides: a\n" . end
test lns get (begin . "# Description: : # x\n" . end) = { "Description" = ": # x" }

(* No header, or more than one *)
test lns get "" = *
test lns get "# Provides: a\n" = *
test lns get (begin . "# Provides: a\n") = *
test lns get ("# Provides: a\n" . end) = *
test lns get (begin . end . begin . end) = *
test lns get (begin . begin . end) = *
test lns get (begin . "\n" . end) = *
test lns get (begin . "PATH=/bin\n" . end) = *
test lns get (begin . "## Provides: a\n" . end) = *

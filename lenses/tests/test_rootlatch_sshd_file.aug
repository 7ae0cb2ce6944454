(* Get and put of whole files, with every construct that OpenSSH 9.2 accepts. *)
module Test_rootlatch_sshd_file =

let lns = Rootlatch_sshd_file.lns

(* Comments, blank lines, ends *)
test lns get "\n" = { }
test lns get "# note\n#\n\n  # other \t\n" =
  { "#comment" = " note" } { "#comment" = "" } { } { "#comment" = " other" }
test lns get "PermitRootLogin no" = { "PermitRootLogin" = "no" }
test lns get "PermitRootLogin no\n" = { "PermitRootLogin" = "no" }
test lns get "PermitRootLogin no\n\n" = { "PermitRootLogin" = "no" } { }
test lns get "PermitRootLogin no\r\n\r\nPort 22\r\n" =
  { "PermitRootLogin" = "no" } { } { "Port" = "22" }
test lns get "PermitRootLogin no \t\f\n" = { "PermitRootLogin" = "no" }
test lns put "PermitRootLogin no" after set "PermitRootLogin" "yes" = "PermitRootLogin yes"
test lns put "PermitRootLogin no\r\n\r\nPort 22\r\n" after set "PermitRootLogin" "yes" =
  "PermitRootLogin yes\r\n\r\nPort 22\r\n"

(* A comment behind the value *)
test lns get "PermitRootLogin yes # note\n" =
  { "PermitRootLogin" = "yes" { "#comment" = " note" } }
test lns put "PermitRootLogin yes   # note\r\n" after set "PermitRootLogin" "no" =
  "PermitRootLogin no   # note\r\n"

(* Match *)
let matches = "Match all
\tMatch ALL
Match User root # note
Match \"User\" root
Match Address 192.0.2.0/24,!192.0.2.7 LocalPort 22
  PermitRootLogin \"no\"
Match=User root,bob"

test lns get matches =
  { "Match" = "all" }
  { "Match" = "ALL" }
  { "Match" = "User" { "arg" = "root" } { "#comment" = " note" } }
  { "Match" = "User" { "arg" = "root" } }
  { "Match" = "Address"
    { "arg" = "192.0.2.0/24,!192.0.2.7" }
    { "arg" = "LocalPort" }
    { "arg" = "22" } }
  { "PermitRootLogin" = "no" }
  { "Match" = "User" { "arg" = "root,bob" } }
test lns put matches after set "PermitRootLogin" "yes" = "Match all
\tMatch ALL
Match User root # note
Match \"User\" root
Match Address 192.0.2.0/24,!192.0.2.7 LocalPort 22
  PermitRootLogin \"yes\"
Match=User root,bob"

(* Include *)
test lns get "Include /etc/ssh/sshd_config.d/*.conf more/*.conf\nInclude \"a b\" '' \"#c\" d#e\n" =
  { "Include" = "/etc/ssh/sshd_config.d/*.conf" { "arg" = "more/*.conf" } }
  { "Include" { "word" = "\"a b\"" }
    { "arg" = "''" } { "arg" = "\"#c\"" } { "arg" = "d#e" } }
test lns put "Include a  b\n" after set "Include" "/run/c" = "Include /run/c  b\n"

(* Others that stock Sshd.lns fails on *)
test lns get "Subsystem sftp_x.y internal-sftp\nBanner x=\nBanner \"\"\n" =
  { "Subsystem" = "sftp_x.y" { "arg" = "internal-sftp" } }
  { "Banner" = "x=" }
  { "Banner" { "word" = "\"\"" } }
test lns get "ForceCommand \"a \\\" b\" c\\ d\n" =
  { "ForceCommand" { "word" = "\"a \\\" b\"" } { "arg" = "c\\ d" } }
test lns get "  permitrootlogin = YES\n" = { "permitrootlogin" = "YES" }

(* The procedure of 2009: no becomes yes, forced-commands-only is commented out *)
let procedure = "Port 22\n\n# Authentication:\nPermitRootLogin no\nPermitRootLogin forced-commands-only\n"
test lns put procedure after set "PermitRootLogin[1]" "yes" =
  "Port 22\n\n# Authentication:\nPermitRootLogin yes\nPermitRootLogin forced-commands-only\n"

(* What sshd rejects *)
test lns get "; note\n" = *
test lns get "PermitRootLogin \"yes\n" = *

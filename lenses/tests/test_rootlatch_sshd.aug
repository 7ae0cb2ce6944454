(* Get and put of one directive, in every form that OpenSSH 9.2 accepts. *)
module Test_rootlatch_sshd =

let lns = Rootlatch_sshd.lns
let yes = { "PermitRootLogin" = "yes" }

(* Separators *)
test lns get "PermitRootLogin yes" = yes
test lns get "PermitRootLogin\tyes" = yes
test lns get "PermitRootLogin \t  yes" = yes
test lns get "PermitRootLogin=yes" = yes
test lns get "PermitRootLogin = yes" = yes
test lns get "PermitRootLogin= yes" = yes
test lns get "PermitRootLogin=\tyes" = yes
test lns get "PermitRootLogin =yes" = yes
test lns get "PermitRootLogin\ryes" = yes
test lns get "PermitRootLogin\r=\ryes" = yes
test lns put "PermitRootLogin \t  yes" after set "PermitRootLogin" "no" = "PermitRootLogin \t  no"
test lns put "PermitRootLogin=yes" after set "PermitRootLogin" "no" = "PermitRootLogin=no"
test lns put "PermitRootLogin = yes" after set "PermitRootLogin" "no" = "PermitRootLogin = no"
test lns put "PermitRootLogin\r=\ryes" after set "PermitRootLogin" "no" = "PermitRootLogin\r=\rno"

(* Keywords *)
test lns get "permitrootlogin yes" = { "permitrootlogin" = "yes" }
test lns get "PERMITROOTLOGIN yes" = { "PERMITROOTLOGIN" = "yes" }
test lns get "\"PermitRootLogin\" yes" = yes
test lns get "\"PermitRootLogin\"yes" = yes
test lns get "\"PermitRootLogin\"\tyes" = yes
test lns get "   PermitRootLogin yes" = yes
test lns get "\t\"PermitRootLogin\" yes" = yes
test lns put "permitRootlogin yes" after set "permitRootlogin" "no" = "permitRootlogin no"
test lns put "\"PermitRootLogin\" yes" after set "PermitRootLogin" "no" = "\"PermitRootLogin\" no"
test lns put "\"PermitRootLogin\"yes" after set "PermitRootLogin" "no" = "\"PermitRootLogin\"no"
test lns put "\t PermitRootLogin yes" after set "PermitRootLogin" "no" = "\t PermitRootLogin no"

(* Values in quotes *)
test lns get "PermitRootLogin \"yes\"" = yes
test lns get "PermitRootLogin 'yes'" = yes
test lns get "\"PermitRootLogin\"\"yes\"" = yes
test lns get "PermitRootLogin YES" = { "PermitRootLogin" = "YES" }
test lns put "PermitRootLogin \"yes\"" after set "PermitRootLogin" "no" = "PermitRootLogin \"no\""
test lns put "PermitRootLogin 'yes'" after set "PermitRootLogin" "no" = "PermitRootLogin 'no'"
test lns put "PermitRootLogin = \"yes\"" after set "PermitRootLogin" "no" = "PermitRootLogin = \"no\""
test lns put "PermitRootLogin yes" after set "PermitRootLogin" "forced-commands-only" =
  "PermitRootLogin forced-commands-only"

(* Quotes inside a word: kept as written, and gone when it is set *)
test lns get "PermitRootLogin y\"e\"s" = { "PermitRootLogin" { "word" = "y\"e\"s" } }
test lns get "PermitRootLogin \"y\"'es'" = { "PermitRootLogin" { "word" = "\"y\"'es'" } }
test lns get "PermitRootLogin y\"e\"'s'x\"\"" =
  { "PermitRootLogin" { "word" = "y\"e\"'s'x\"\"" } }
test lns get "PermitRootLogin \"\"yes" = { "PermitRootLogin" { "word" = "\"\"yes" } }
test lns put "PermitRootLogin y\"e\"s" after rm "PermitRootLogin/word"; set "PermitRootLogin" "no" =
  "PermitRootLogin no"
test lns put "PermitRootLogin \t=\"y\"'es'" after rm "PermitRootLogin/word"; set "PermitRootLogin" "no" =
  "PermitRootLogin \t=no"

(* Match and Include, up to their first argument *)
test lns get "Match all" = { "Match" = "all" }
test lns get "Match ALL" = { "Match" = "ALL" }
test lns get "  Match User" = { "Match" = "User" }
test lns get "Match \"User\"" = { "Match" = "User" }
test lns get "Match=User" = { "Match" = "User" }
test lns get "Include sshd_config.d/*.conf" = { "Include" = "sshd_config.d/*.conf" }
test lns get "Include '/etc/ssh/x.conf'" = { "Include" = "/etc/ssh/x.conf" }
test lns put "Include /a" after set "Include" "/run/b.conf" = "Include /run/b.conf"

(* What sshd rejects *)
test lns get "PermitRootLogin" = *
test lns get "PermitRootLogin == yes" = *
test lns get "\"PermitRootLogin\" = yes" = *
test lns get "PermitRootLogin \"yes" = *
test lns get "PermitRootLogin yes'" = *
test lns get "PermitRootLogin \"yes'" = *
test lns get "PermitRootLogin #yes" = *
test lns get ";PermitRootLogin yes" = *
test lns get "// PermitRootLogin yes" = *

(* One directive, and nothing behind its first argument *)
test lns get "PermitRootLogin yes no" = *
test lns get "PermitRootLogin yes\nPermitRootLogin no" = *

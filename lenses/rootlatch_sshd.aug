(* Rootlatch_sshd: one directive of sshd_config(5), cut as OpenSSH cuts it, from the keyword to
   the end of the first argument.

   Compiled with every use, so written to be cheap: no other module, no /i, no subtraction of
   regular expressions, little nesting. Whole files are Rootlatch_sshd_file's.

   PermitRootLogin yes          { "PermitRootLogin" = "yes" }
   "permitrootlogin" 'yes'      { "permitrootlogin" = "yes" }
   PermitRootLogin y"e"s        { "PermitRootLogin" { "word" = "y\"e\"s" } }

   A quote beside the keyword that is not closed is accepted here; sshd ignores that line. *)
module Rootlatch_sshd =

let indent = del /[ \t\r]*"?/ ""
let keyword = key /[A-Za-z0-9]+/

(* One "=" at most, and none behind a quoted keyword. *)
let sep = del /"[ \t\r]*|[ \t\r]+(=[ \t\r]*)?|=[ \t\r]*/ " "

(* A word, perhaps in quotes, without blanks, quotes and escapes in it. *)
let bare = /[^ \t\r\n\f"'\\#=][^ \t\r\n\f"'\\]*/
let quote = del /["']?/ ""
let plain = square quote (store bare) quote

(* Quotes or escapes inside a word: it is kept as written. *)
let char = /[^ \t\r\n\f"'\\]/
let special = /\\\\[^\r\n\f]|"([^"\\\r\n\f]|\\\\[^\r\n\f])*"|'([^'\\\r\n\f]|\\\\[^\r\n\f])*'/
let odd = (bare . special | special . (char | special)) . (char | special)*
let word = [ label "word" . store odd ]

let lns = [ indent . keyword . sep . (plain | word) ]

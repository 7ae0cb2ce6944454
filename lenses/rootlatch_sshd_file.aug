(* Rootlatch_sshd_file: a whole sshd_config(5), with the words of Rootlatch_sshd.

   PermitRootLogin yes # note   { "PermitRootLogin" = "yes" { "#comment" = " note" } }
   Match User root              { "Match" = "User" { "arg" = "root" } }
   # note                       { "#comment" = " note" }

   Not for editing: libaugeas is quadratic in put. It shows that what rootlatch edits line by
   line fits into files. Lines without a keyword that sshd ignores (====) are not accepted. *)
module Rootlatch_sshd_file =

let eol = del /[ \t\r\f]*\n/ "\n"
let text = store /([^\r\n]*[^ \t\r\n\f])?/

(* Words that are not plain, with those that are nothing but a quoted text with blanks. *)
let double = /"([^"\\#=\r\n\f]*([ \t']|\\\\[^\r\n\f])|[#=])([^"\\\r\n\f]|\\\\[^\r\n\f])*"|""/
let single = /'([^'\\#=\r\n\f]*([ \t"]|\\\\[^\r\n\f])|[#=])([^'\\\r\n\f]|\\\\[^\r\n\f])*'|''/
let escaped = /\\\\[^\r\n\f]/
let word = [ label "word" . store (Rootlatch_sshd.odd | escaped | double | single) ]

let blanks = del /[ \t]+/ " "
let char = /[^ \t\r\n\f"'\\#]/ | Rootlatch_sshd.special
let arg = [ blanks . label "arg" . store (char . (char | /#/)*) ]
let note = [ blanks . label "#comment" . del "#" "#" . text ]

let directive = [ Rootlatch_sshd.indent . Rootlatch_sshd.keyword . Rootlatch_sshd.sep
  . (Rootlatch_sshd.plain | word) . arg* . note? ]
let comment = [ del /[ \t\r]*#/ "#" . label "#comment" . text ]
let entry = comment | directive
let empty = [ eol ]

(* The last line may lack its end. *)
let end = del /([ \t\r\f]*\n)?/ "\n" | eol . empty+
let lns = empty* . (entry . (eol . empty* . entry)* . end)?

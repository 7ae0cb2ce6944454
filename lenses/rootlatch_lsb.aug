(* Rootlatch_lsb: the header of an init script, from its BEGIN to its END (LSB Core 5.0, "Comment
   Conventions for Init Scripts"; insserv(8)).

   ### BEGIN INIT INFO
   # Provides:   ssh sshd       { "Provides" = "ssh sshd" }
   # Default-Stop:              { "Default-Stop" }
   #  more words                { "#comment" = "more words" }
   ### END INIT INFO

   Compiled at its first use, so written to be cheap, as Rootlatch_sshd is. What continues a
   Description is a "#comment" behind it; one that looks like "#  word: ..." is a keyword, as it is
   to insserv. Lines that are no comment, and those that begin with ##, are not accepted. *)
module Rootlatch_lsb =

let eol = del /[ \t\r]*\n/ "\n"
let text = /[^ \t\r\n]([^\r\n]*[^ \t\r\n])?/

(* With a value and without: two nodes, so that put can tell them apart. *)
let keyword = del /#[ \t]*/ "# " . key /[A-Za-z][A-Za-z0-9_-]*/
let field = [ keyword . del /:[ \t]*/ ": " . store text . eol ]
let empty = [ keyword . del /:[ \t\r]*\n/ ":\n" ]

(* What is no keyword: it begins with something other than a letter, or lacks the colon. *)
let other = /[^A-Za-z# \t\r\n]([^\r\n]*[^ \t\r\n])?/
let words = /[A-Za-z][A-Za-z0-9_-]*([^A-Za-z0-9_:\r\n-]([^\r\n]*[^ \t\r\n])|[^A-Za-z0-9_: \t\r\n-])?/
let comment = [ label "#comment" . del /#[ \t]*/ "#  " . store (other | words) . eol ]
let blank = [ label "#comment" . del /#[ \t\r]*\n/ "#\n" ]

let lns = del /### BEGIN INIT INFO[ \t\r]*\n/ "### BEGIN INIT INFO\n"
  . (field | empty | comment | blank)*
  . del /### END INIT INFO[ \t\r]*\n/ "### END INIT INFO\n"

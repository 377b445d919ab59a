#pragma once
// EBNF in the notation of llama.cpp's grammars.
//
//   root ::= greeting (", " name)* "!"   # texts are of the rule root
//   greeting ::= "hello" | "hi"
//   name ::= [A-Z] [a-z\-]{1,20}
//
// Literals "..." and classes [...] [^...] with the escapes \n \r \t \\ \" \[ \] \- \^ \xHH \uHHHH
// \UHHHHHHHH; . is any character; * + ? {m} {m,} {m,n}; groups; comments from # to the end of the
// line. A rule ends where the next begins: line breaks are blanks. Left recursion and the terminals
// <token> and <[id]> are refused.

#include <string_view>

#include "grammar/rules.h"

namespace lm::grammar {

/// Throws Refusal "gbnf:LINE: what".
void parse_gbnf(RuleSet& set, std::string_view text);

}  // namespace lm::grammar

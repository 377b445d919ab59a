#pragma once
// A subset of Lark's notation.
//
//   start: greeting ("," NAME)* "!"     // texts are of the rule start
//   greeting: "hello"i | "hi"
//   NAME: /[A-Z][a-z-]*/
//   %ignore " "+
//
// Rules (lower case) and terminals (upper case), each of alternatives; "literals" and
// "literals"i with the escapes \n \r \t \\ \" \xHH \uHHHH \UHHHHHHHH; ranges "a".."z"; regular
// expressions /.../ with the flags i and s (regex.h); groups ( ); optional [ ]; ? * + ~n ~n..m;
// comments from // or # to the end of the line. A leading ? or ! of a rule's name and aliases (->
// x) shape trees, which there are none of here: they are read and have no effect. The language is
// the context-free one over characters: no terminal is preferred because it is longer or comes
// earlier. %ignore X: texts of X may stand, any number of them, before every terminal of a rule
// (not inside terminals) and at the end. Refused by name: priorities, templates, %import, %declare,
// %override, %extend, other flags, left recursion, terminals that use rules.

#include <string_view>

#include "grammar/rules.h"

namespace lm::grammar {

/// Throws Refusal "lark:LINE: what".
void parse_lark(RuleSet& set, std::string_view text);

}  // namespace lm::grammar

#pragma once
// Regular expressions in the common syntax of RE2 and ECMAScript, read into an expression over
// bytes: literals, classes with ranges, escapes (\d \w \s \p{Lu} \x41 \u0041 ...), groups, | * + ?
// {m,n} (lazy ones mean the same here), flags i and s, anchors at the ends of what is matched.
// What a finite automaton cannot say is refused with its name and column: look-around,
// back-references, word boundaries, atomic groups, possessive repetition, conditions, recursion.
// Case-insensitive means the simple case mappings of Unicode.

#include <functional>
#include <string_view>

#include "grammar/expr.h"

namespace lm::grammar {

/// From a set of characters to the texts that stand for one of them.
using CharEncoder = std::function<Expr(const CharSet&)>;

struct RegexSyntax {
  bool ecma = false;    // \s and . as in ECMAScript, [] is empty
  bool search = false;  // a match anywhere suffices; else the whole text must match
  bool ignore_case = false;
  bool dot_all = false;  // . matches line feeds too
  /// For characters; empty: UTF-8.
  CharEncoder encode;
};

/// Throws Refusal "PATTERN, column N: what".
Expr parse_regex(ExprTable& table, std::string_view pattern, const RegexSyntax& syntax = {});

/// The characters of a general category ("L", "Lu", "Letter", "Uppercase_Letter"); false if there
/// is none of that name.
bool category_chars(std::string_view name, CharSet& out);

}  // namespace lm::grammar

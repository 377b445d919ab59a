#pragma once
// How much text a page has, as curated corpora measure it: Beautiful Soup over Python's
// html.parser, which reads marks one by one, closes elements by name and repairs nothing. Forms are
// those of html.parser in Python 3.11; what the two make of broken marks is followed too.

#include <optional>
#include <string_view>

#include "core/types.h"

namespace lm::ingest {

/// Code points of the strings of a page but those of scripts, styles, templates, ruby annotations,
/// comments and declarations. A string between marks that is nothing but blanks, tabs, newlines,
/// form feeds and carriage returns counts as one, except in pre and textarea. nullopt for a page
/// that is refused (<![ without one of the known words behind it). html: UTF-8. O(n) but for marks
/// that do not end.
std::optional<i64> count_soup_text(std::string_view html);

}  // namespace lm::ingest

#pragma once
// Sentences by the default boundaries of Unicode: UAX 29 of Unicode 16.0, rules SB1 to SB998. They
// know no abbreviations ("Mr. Smith" is cut) and end a sentence at every line break. Text is
// well-formed UTF-8; views point into it. Pure functions.

#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::text {

/// Replaces out by the sentences of text, each with the white space behind it: their concatenation
/// is the text, the empty text has none. O(n).
void sentences(std::string_view text, std::vector<std::string_view>& out);
/// Those that are not white space only.
i64 count_sentences(std::string_view text);

}  // namespace lm::text

#pragma once
// Words by the default boundaries of Unicode: UAX 29 of Unicode 16.0, rules WB1 to WB999. Text is
// well-formed UTF-8; views point into it. Pure functions.

#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::text {

/// Replaces out by what lies between boundaries, blanks and marks included: their concatenation is
/// the text. O(n).
void segments_u29(std::string_view text, std::vector<std::string_view>& out);
/// Those with a letter or number in them (Alphabetic, general category N), which are the words.
i64 count_words_u29(std::string_view text);

}  // namespace lm::text

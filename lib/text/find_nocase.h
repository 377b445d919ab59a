#pragma once
// Finding a string of ASCII letters in any case. Pure functions.

#include <string_view>

#include "core/types.h"

namespace lm::text {

/// First place from `from` on where part stands, its ASCII letters in any case; -1 if nowhere.
/// part: two bytes or more, in lower case, first and last a letter. O(n) unless both ends of part
/// stand everywhere at its distance.
i64 find_nocase(std::string_view text, std::string_view part, i64 from = 0);
/// The same by the obvious way.
i64 find_nocase_plain(std::string_view text, std::string_view part, i64 from = 0);

}  // namespace lm::text

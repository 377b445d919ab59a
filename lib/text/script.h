#pragma once
// What kind of letter a character is: its writing system (Unicode 16.0's Script, the common ones by
// name), and whether it is a capital.

#include <array>
#include <string_view>

#include "core/types.h"

namespace lm::text {

/// In the order of the generated table. 0 is what several scripts share or none has (Common,
/// Inherited, unassigned); the last is every script without a name here.
inline constexpr std::array<std::string_view, 31> kScriptNames = {
    "common",  "latin",     "greek",    "cyrillic", "armenian", "hebrew",   "arabic",  "devanagari",
    "bengali", "gurmukhi",  "gujarati", "oriya",    "tamil",    "telugu",   "kannada", "malayalam",
    "sinhala", "thai",      "lao",      "tibetan",  "myanmar",  "georgian", "hangul",  "ethiopic",
    "khmer",   "mongolian", "hiragana", "katakana", "bopomofo", "han",      "other"};

/// Place in kScriptNames.
u8 script_of(char32_t cp);

/// Derived property Uppercase: Lu, Roman numerals, circled and squared capitals.
bool is_uppercase(char32_t cp);

}  // namespace lm::text

#pragma once
// Settings files: the part of TOML that settings need. Sections, key = value, strings ("..." with
// escapes, '...' without), numbers, true and false, arrays of these (over several lines if need
// be), comments. Read here because CLI11 2.1.2 cuts quoted texts at '#' and '[', knows no line
// numbers and takes what it cannot read for a key.

#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::cli {

struct Setting {
  std::string section;  // "" before the first section
  std::string key;
  std::vector<std::string> values;  // one, or the elements of an array
  bool array = false;
  i64 line = 0;  // of the key, 1-based
};

struct Section {
  std::string name;
  i64 line = 0;  // 1-based
};

/// What a file says, in its order.
struct Settings {
  std::vector<Section> sections;  // empty ones too
  std::vector<Setting> values;
};

/// Throws Error{kConfig} "path:line: what"; path only names the text in messages.
Settings parse_settings(std::string_view text, const std::string& path);

/// A text as a quoted TOML string.
std::string settings_string(std::string_view text);

}  // namespace lm::cli

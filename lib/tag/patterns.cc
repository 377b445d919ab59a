#include "tag/patterns.h"

#include <algorithm>

#include "core/str.h"
#include "text/utf8.h"

namespace lm::tag {

Fault pattern_fault(std::string_view pattern, const std::string& why) {
  return {"pattern", cat("pattern ", quote(pattern), " gives up ", why), -1};
}

PatternList::PatternList(std::string_view lines, const std::string& name, bool literal) {
  constexpr i64 kExpressions = 4;  // lines at the end that are always expressions
  std::vector<std::string_view> all;
  i64 number = 0;
  for (std::string_view line : split(lines, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!text::is_valid_utf8(line))
      throw Error(ErrorKind::kData, cat(name, ":", number, ": is not UTF-8"));
    if (!line.empty()) all.push_back(line);
  }
  if (all.empty()) throw Error(ErrorKind::kData, cat(name, ": has no entries"));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool plain = literal ? isize(all) - static_cast<i64>(i) > kExpressions
                               : all[i].find_first_of("\\^$.|?*+()[]{}") == std::string_view::npos;
    if (plain) {
      words_.emplace_back(all[i]);
      continue;
    }
    try {
      patterns_.push_back({std::string(all[i]), text::Regex(all[i], text::RegexDialect::kRust)});
    } catch (const Error& error) {
      throw error.with_prefix(name);
    }
  }
}

Result<bool> PatternList::found_in(std::string_view text, text::RegexWork& work) const {
  for (const std::string& word : words_)
    if (text.find(word) != std::string_view::npos) return true;
  std::vector<text::Span> matches;
  for (const Pattern& pattern : patterns_) {
    if (const std::optional<std::string> why = pattern.regex.try_find(text, 1, work, matches))
      return pattern_fault(pattern.text, *why);
    if (!matches.empty()) return true;
  }
  return false;
}

}  // namespace lm::tag

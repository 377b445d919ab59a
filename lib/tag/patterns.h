#pragma once
// Lists of expressions, and whether one of them is found in a text.

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "text/pretokenize.h"

namespace lm::tag {

/// The fault of a text on which pattern exceeds its match limits (why: of text::Regex::try_find):
/// such a text makes a bad record, never a run without end.
Fault pattern_fault(std::string_view pattern, const std::string& why);

/// A list of expressions, one a line; a line without special characters is looked for as it is.
class PatternList {
 public:
  /// name: the file's. literal: the lines but the last four are text, whatever they hold. Throws
  /// Error{kData} for lines that are no UTF-8 or no expression, and for a list without any.
  PatternList(std::string_view lines, const std::string& name, bool literal);
  /// True if one of them is found in text. O(|text|) for each line of plain text.
  Result<bool> found_in(std::string_view text, text::RegexWork& work) const;

 private:
  struct Pattern {
    std::string text;
    text::Regex regex;
  };
  std::vector<std::string> words_;
  std::vector<Pattern> patterns_;
};

}  // namespace lm::tag

#pragma once
// Regular expressions as Python's re has them, through PCRE2: Unicode classes, named groups,
// \uXXXX, \Z. Thread-safe once made.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::eval {

class Regex {
 public:
  /// Throws Error{kConfig} "WHERE: the pattern ... : reason".
  Regex(std::string_view pattern, const std::string& where);
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;
  ~Regex();

  /// As re.findall with groups, left to right, not overlapping: the whole match, or the groups
  /// where there are any. Text is well-formed UTF-8. Throws Error{kData} when the pattern gives up.
  std::vector<std::vector<std::string>> find_all(std::string_view text) const;
  /// The same one by one, until visit(match) is false.
  void each(std::string_view text,
            const std::function<bool(std::vector<std::string> match)>& visit) const;
  /// The text without its matches.
  std::string without(std::string_view text) const;
  /// As re.escape, so that text matches itself.
  static std::string escape(std::string_view text);

 private:
  struct Code;
  std::string pattern_;
  std::unique_ptr<Code> code_;
};

}  // namespace lm::eval

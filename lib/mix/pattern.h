#pragma once
// Regular expressions of filters.

#include <memory>
#include <string_view>

namespace lm::mix {

/// A search pattern (PCRE2, UTF); found where any part of a text matches.
class Pattern {
 public:
  /// Throws Error{kUsage} with the library's reason and the offset in the pattern.
  explicit Pattern(std::string_view text);
  ~Pattern();
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  /// 1 found, 0 not, -1 where the pattern gives up. Safe to call concurrently.
  int find(std::string_view text) const;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
};

}  // namespace lm::mix

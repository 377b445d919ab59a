#pragma once
// Tensors chosen by their names: --include and --exclude of every verb.

#include <optional>
#include <string>
#include <string_view>

#include "text/pretokenize.h"

namespace lm::merge {

/// True if the pattern matches somewhere in the name. Throws as Regex::find_all.
bool matches(const text::Regex& pattern, std::string_view name);

/// Chooses all names unless it is told otherwise. Movable; safe to ask concurrently.
class NameFilter {
 public:
  NameFilter() = default;
  /// Names that include matches and exclude does not; an empty one says nothing. Throws
  /// Error{kUsage} naming the option for what is no regular expression.
  NameFilter(const std::string& include, const std::string& exclude);
  bool chooses(std::string_view name) const;

 private:
  std::optional<text::Regex> include_;
  std::optional<text::Regex> exclude_;
};

}  // namespace lm::merge

#include "merge/name_filter.h"

#include <vector>

#include "core/error.h"
#include "core/str.h"

namespace lm::merge {

namespace {

std::optional<text::Regex> compiled(std::string_view option, const std::string& pattern) {
  if (pattern.empty()) return std::nullopt;
  try {
    return text::Regex(pattern);
  } catch (const Error& e) {
    throw Error(ErrorKind::kUsage, cat(option, ": ", e.message()));
  }
}

}  // namespace

bool matches(const text::Regex& pattern, std::string_view name) {
  std::vector<text::Span> found;
  pattern.find_all(name, found);
  return !found.empty();
}

NameFilter::NameFilter(const std::string& include, const std::string& exclude)
    : include_(compiled("--include", include)), exclude_(compiled("--exclude", exclude)) {}

bool NameFilter::chooses(std::string_view name) const {
  return (!include_ || matches(*include_, name)) && (!exclude_ || !matches(*exclude_, name));
}

}  // namespace lm::merge

#include "answer/json_at.h"

#include "core/str.h"

namespace lm::answer {

const io::Json* json_at(const io::Json& root, std::string_view path) {
  const io::Json* at = &root;
  if (path.empty()) return at;
  for (const std::string_view part : split(path, '.')) {
    if (at->is_object()) {
      const auto found = at->find(std::string(part));
      if (found == at->end()) return nullptr;
      at = &*found;
      continue;
    }
    const std::optional<i64> index = parse_int(part);
    if (!at->is_array() || !index || *index < 0 || *index >= isize(*at)) return nullptr;
    at = &(*at)[usize(*index)];
  }
  return at;
}

}  // namespace lm::answer

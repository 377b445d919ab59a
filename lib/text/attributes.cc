#include "text/attributes.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/str.h"
#include "io/object_fields.h"

namespace lm::text {

std::optional<Fault> append_lists(std::string_view key, std::string_view a, std::string_view b,
                                  std::string& out) {
  const auto inside = [](std::string_view list) { return trim(list.substr(1, list.size() - 2)); };
  if (!a.starts_with('[') || !b.starts_with('['))
    return Fault{"type", cat("attribute ", quote(key), " is no list that could be appended to"),
                 -1};
  append(out, "[", inside(a), inside(a).empty() || inside(b).empty() ? "" : ",", inside(b), "]");
  return std::nullopt;
}

std::optional<Fault> merge_attributes(std::string_view a, std::string_view b, AttributeMerge merge,
                                      std::string& out) {
  std::vector<std::pair<std::string_view, std::string_view>> old;
  std::vector<std::pair<std::string_view, std::string_view>> more;
  const auto take = [](auto& list) {
    return [&list](std::string_view key, std::string_view value) { list.emplace_back(key, value); };
  };
  io::each_object_field(a, take(old));
  io::each_object_field(b, take(more));
  const auto find = [](const auto& list, std::string_view key) {
    return std::find_if(list.begin(), list.end(),
                        [key](const auto& field) { return field.first == key; });
  };
  out += '{';
  bool first = true;
  const auto begin_field = [&](std::string_view key) {
    append(out, first ? "" : ",", "\"", key, "\":");
    first = false;
  };
  for (const auto& [key, value] : old) {
    const auto both = find(more, key);
    if (both != more.end() && merge == AttributeMerge::kError)
      return Fault{"duplicate_key", cat("attribute ", quote(key), " is there already"), -1};
    begin_field(key);
    if (both == more.end()) {
      out += value;
    } else if (merge == AttributeMerge::kReplace) {
      out += both->second;
    } else if (std::optional<Fault> fault = append_lists(key, value, both->second, out)) {
      return fault;
    }
  }
  for (const auto& [key, value] : more) {
    if (find(old, key) != old.end()) continue;
    begin_field(key);
    out += value;
  }
  out += '}';
  return std::nullopt;
}

}  // namespace lm::text

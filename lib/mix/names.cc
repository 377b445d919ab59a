#include "mix/names.h"

#include <algorithm>

#include "core/str.h"

namespace lm::mix {

namespace {

constexpr std::string_view kParent = "attributes.";

std::string clean(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    const bool word =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (!word) c = '_';
  }
  return out;
}

}  // namespace

std::string attribute_name(std::string_view given) {
  const std::vector<std::string_view> parts = split(given, '.');
  if (parts.size() == 1) return std::string(given);
  if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) return {};
  return cat(parts[0], "__", clean(parts[0]), "__", clean(parts[1]));
}

Names::Names(std::string text_path) : paths_{std::move(text_path)} {}

i64 Names::field(std::string_view path) {
  if (path.starts_with(kParent)) {
    const std::string_view below = path.substr(kParent.size());
    const std::string_view name = below.substr(0, below.find('.'));
    if (name == below) return field_of(attribute(name));
    attribute(name);
  }
  const auto found = std::find(paths_.begin(), paths_.end(), path);
  if (found != paths_.end()) return found - paths_.begin();
  paths_.emplace_back(path);
  return isize(paths_) - 1;
}

i64 Names::attribute(std::string_view name) {
  const auto found = std::find(attributes_.begin(), attributes_.end(), name);
  if (found != attributes_.end()) return found - attributes_.begin();
  attributes_.emplace_back(name);
  const std::string path = cat(kParent, name);
  const auto known = std::find(paths_.begin(), paths_.end(), path);
  fields_.push_back(known - paths_.begin());
  if (known == paths_.end()) paths_.push_back(path);
  return isize(attributes_) - 1;
}

i64 Names::selector(std::string_view text, Syntax syntax, const std::string& where,
                    ErrorKind kind) {
  const i64 index = selectors_.add(text, syntax, where, kind);
  for (const std::string& name : selectors_.attributes(index)) {
    // A JsonReader's paths cannot say a dot.
    if (!name.empty() && name.find('.') == std::string::npos) attribute(name);
  }
  return index;
}

}  // namespace lm::mix

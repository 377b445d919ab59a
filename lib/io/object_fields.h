#pragma once
// The fields of a JSON object as they are spelt, for merging and for names: nothing is unescaped.

#include <string_view>

#include "core/types.h"

namespace lm::io {

/// The closing quote of the string whose opening one is at raw[quote]: well-formed, so there is
/// one.
inline std::size_t string_end(std::string_view raw, std::size_t quote) {
  for (std::size_t end = quote;;) {
    end = raw.find('"', end + 1);
    if (end == std::string_view::npos) return raw.size() - 1;
    std::size_t slashes = 0;  // an even number of them before it: they escape each other
    while (raw[end - 1 - slashes] == '\\')
      ++slashes;
    if (slashes % 2 == 0) return end;
  }
}

/// visit(key as it is spelt, raw value) for each field of a well-formed object. Strings cost
/// little.
template <typename Visit>
void each_object_field(std::string_view raw, Visit visit) {
  i64 depth = 0;
  std::string_view key;
  std::size_t value = 0;  // where the value of key begins; 0: a key is to come
  const auto emit = [&](std::size_t end) {
    if (value == 0) return;
    std::string_view text = raw.substr(value, end - value);
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return;
    const std::size_t last = text.find_last_not_of(" \t\r");
    visit(key, text.substr(first, last - first + 1));
    value = 0;
  };
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const char c = raw[i];
    if (c == '"') {
      const std::size_t begin = i + 1;
      i = string_end(raw, i);
      if (depth == 1 && value == 0) key = raw.substr(begin, i - begin);
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) emit(i);
    } else if (depth == 1 && c == ':') {
      value = i + 1;
    } else if (depth == 1 && c == ',') {
      emit(i);
    }
  }
}

}  // namespace lm::io

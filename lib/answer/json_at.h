#pragma once
// A value inside a JSON value.

#include <string_view>

#include "io/json_node.h"

namespace lm::answer {

/// path: names of objects and indices of lists joined by dots, empty for the whole. Null if there
/// is nothing.
const io::Json* json_at(const io::Json& root, std::string_view path);

}  // namespace lm::answer

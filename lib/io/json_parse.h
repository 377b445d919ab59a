#pragma once
// JSON texts that may be none.

#include <string_view>

#include "core/result.h"
#include "io/json_node.h"

namespace lm::io {

/// Parses any value. Fault "json": "line 2, column 3: not valid JSON", or what is wrong with a
/// value (json_problem.h).
Result<Json> parse_json(std::string_view text);

}  // namespace lm::io

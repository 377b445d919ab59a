#pragma once
// Where a text stops being JSON, and why, for messages.

#include <optional>
#include <string>
#include <string_view>

#include "core/types.h"

namespace lm::io {

/// Line and column from 1 on; columns are bytes.
struct JsonProblem {
  i64 line = 0;
  i64 column = 0;
  i64 byte = 0;        // from 0 on
  std::string reason;  // "unexpected end of input; expected '}'"
  bool value = false;  // the form is JSON's, a value is not: a number beyond f64, half a surrogate
  /// "LINE:COLUMN".
  std::string place() const;
};
/// Nothing if the text is JSON, of any depth.
std::optional<JsonProblem> json_problem(std::string_view text);

}  // namespace lm::io

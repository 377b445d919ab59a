#pragma once
// JSON texts that may be none: what is wrong and where.

#include <string>
#include <string_view>

#include "core/result.h"
#include "io/json_node.h"

namespace lm::io {

/// Where a text stops being JSON.
struct JsonFlaw {
  i64 line = 0, column = 0;  // from 1 on; columns are bytes. 0: no place is known
  i64 byte = 0;              // from 0 on
  std::string what;
  /// "LINE:COLUMN", empty where it is not known.
  std::string place() const;
};
/// Of a text that is none. Numbers beyond f64 and half a surrogate pair are such a place.
JsonFlaw json_flaw(std::string_view text);

/// Parses any value. Fault "json": "line 2, column 3: not valid JSON".
Result<Json> parse_json(std::string_view text);

}  // namespace lm::io

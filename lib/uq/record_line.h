#pragma once
// A line as simdjson's document, of which only some root fields matter. simdjson wants every value
// to be one that it can hold, numbers in range and texts of whole characters; in fields that are
// not read anything may stand. Where it refuses a line, one of the other fields alone is parsed.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "core/result.h"
#include "io/json.h"

namespace lm::uq {

class LineParser {
 public:
  /// fields: root fields that are read, the id first.
  explicit LineParser(std::vector<std::string> fields) : raw_(std::move(fields)) {}
  /// line: JSON with io::kJsonPadding readable bytes behind it. root lives until the next parse(),
  /// and may lack fields that are not read. Fault "json", which names the field where it is one.
  std::optional<Fault> parse(std::string_view line, simdjson::dom::element& root);

 private:
  void append_field(i64 i);
  simdjson::error_code parse_reduced(simdjson::dom::element& root);

  simdjson::dom::parser parser_{std::size_t{4} << 30};
  io::JsonReader raw_;
  std::string reduced_;
};

}  // namespace lm::uq

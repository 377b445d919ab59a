#pragma once
// Records of JSON to rows of a Parquet file: every column is a dot path with a type.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/result.h"
#include "io/json.h"
#include "parquet/writer.h"

namespace lm::parquet {

/// "PATH" or "PATH:TYPE" with TYPE string (when none is given), json (any value, as its text),
/// int, float, bool or strings (a list). The path is the column's name. Throws Error{kUsage} for
/// another type and for an empty path.
OutColumn parse_column(std::string_view text);

class JsonWriter {
 public:
  /// Throws like Writer.
  JsonWriter(const std::string& path, const std::vector<OutColumn>& columns,
             const WriterOptions& options, const Context& ctx);
  ~JsonWriter();

  /// The paths that a JsonReader for add() has, in this order, perhaps with others behind.
  static std::vector<std::string> paths(const std::vector<OutColumn>& columns);
  /// The record as a row; a missing field and null are null. A field of another type gives the
  /// fault "type" (or "range", "utf8") and no row. kJson takes everything; kString a string;
  /// kInteger a whole number of 64 bits. Throws what Writer::end_row() throws.
  std::optional<Fault> add(io::JsonReader& record);
  /// Writer::close().
  void close() { writer_.close(); }
  i64 rows() const { return writer_.rows(); }

 private:
  std::optional<Fault> take(io::JsonReader& record, i64 column);
  std::optional<Fault> take_strings(io::JsonReader& record, i64 column);
  void give(i64 column);

  struct Value {
    bool there = false;
    std::string_view text;
    i64 integer = 0;
    f64 number = 0;
    bool boolean = false;
    std::vector<std::string> strings;
  };
  struct Parser;
  Writer writer_;
  std::vector<Value> row_;  // of the record in hand, so that a bad one leaves nothing behind
  std::unique_ptr<Parser> parser_;
};

}  // namespace lm::parquet

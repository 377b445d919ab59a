#pragma once
// Rows of a Parquet file as lines of JSON, an object of the columns each.

#include <memory>
#include <string>
#include <vector>

#include "core/context.h"
#include "core/types.h"
#include "io/convert.h"
#include "parquet/reader.h"

namespace lm::parquet {

/// Appends the reader's row as {"COLUMN":VALUE,...} and a newline. keys: row_keys() of the reader.
void append_row(const RowReader& rows, const std::vector<std::string>& keys, std::string& out);
/// What stands before each column's value: `{"a":`, `,"b":`.
std::vector<std::string> row_keys(const RowReader& rows);

/// Lines {"COLUMN":VALUE,...}.
class JsonRows final : public io::Converter {
 public:
  /// columns: names of those that are wanted, in that order; empty: all. Throws like File. ctx
  /// outlives the converter.
  JsonRows(const std::string& path, const std::vector<std::string>& columns, const Context& ctx);
  bool next(std::string& out) override;

 private:
  File file_;
  RowReader rows_;
  std::vector<std::string> keys_;
};

}  // namespace lm::parquet

#pragma once
// Rows of a Parquet file as lines of JSON: an object of the columns, or a record of the stream.

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

/// Which columns become which fields of a record; empty names for fields that no column gives.
struct RecordColumns {
  std::string text = "text";  // a column of strings
  std::string id = {};        // of strings or whole numbers; empty, or null in a row: FILE:ROW
  std::string source = {};    // a column of strings; empty: no field "source"
  std::vector<std::string> metadata = {};  // in this order
  bool all = false;                        // the file's other columns follow, in its order
};

/// Lines {"id":...,"text":...,"source":...,"metadata":{"COLUMN":VALUE,...}}. ROW counts from 1.
/// Without metadata columns there is no field "metadata".
class RecordRows final : public io::Converter {
 public:
  /// Throws like File, and Error{kData} for a column of the wrong type, Error{kUsage} for a column
  /// that is given twice. ctx outlives the converter.
  RecordRows(const std::string& path, const RecordColumns& columns, const Context& ctx);
  bool next(std::string& out) override;

 private:
  void append_record(std::string& out) const;

  File file_;
  std::string id_prefix_;  // `"id":"FILE:` of rows without an id
  i64 text_ = -1;          // numbers among the reader's columns
  i64 id_ = -1;
  i64 source_ = -1;
  i64 metadata_ = 0;  // from this one on
  std::vector<std::string> keys_;
  std::unique_ptr<RowReader> rows_;
};

}  // namespace lm::parquet

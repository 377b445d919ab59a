#pragma once
// Parquet files, read column chunk by column chunk and page by page: flat columns and lists of flat
// values, as JSON text row by row. A row group may be larger than memory: of every column that is
// read, one page, one dictionary and one batch of rows are in memory, charged to ctx.memory.
// json_rows.h makes lines of it. What is read and what is refused: README.md.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/types.h"
#include "io/file.h"
#include "parquet/column_reader.h"
#include "parquet/metadata.h"
#include "parquet/schema.h"

namespace lm::parquet {

/// An open file. Const access is safe from many threads. Not movable: readers point into it.
class File {
 public:
  /// Maps the file and reads its footer. Throws kNoInput, kPermission, kIo from the file layer;
  /// Error{kData} naming the file and place for: no Parquet file (pipes too: the footer is at the
  /// end), a cut one, a footer or column chunk that leaves the file, counts that disagree,
  /// encryption. ctx outlives the file.
  File(const std::string& path, const Context& ctx);
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }
  i64 rows() const { return meta_.rows; }
  std::span<const Column> columns() const { return schema_.columns; }
  std::span<const RowGroupMeta> row_groups() const { return meta_.row_groups; }
  const std::string& created_by() const { return meta_.created_by; }
  std::string_view bytes() const { return map_.bytes(); }

  /// Numbers of the columns called so, in that order; all columns for an empty list. Throws
  /// Error{kData} for a name that no column has and for a column that cannot be read.
  std::vector<i64> select(std::span<const std::string> names) const;
  /// The number of the column called so; throws like select().
  i64 column(std::string_view name) const;

 private:
  void check_chunks(i64 footer_begin) const;
  void check_readable(const Column& column) const;

  std::string path_;
  io::Mapping map_;
  Held held_;
  FileMeta meta_;
  Schema schema_;
};

/// Rows of some columns, in the file's order. One thread.
class RowReader {
 public:
  /// columns: numbers into file.columns(), each readable. file and ctx outlive the reader.
  RowReader(const File& file, std::span<const i64> columns, const Context& ctx);

  /// Moves to the next row; false at the end. Throws Error{kData} naming file, column, row group
  /// and page.
  bool next();
  /// JSON text of the row's value in the i-th of the columns; valid until next().
  std::string_view value(i64 i) const { return columns_[usize(i)]->value(); }
  const Column& column(i64 i) const { return columns_[usize(i)]->column(); }
  i64 column_count() const { return isize(columns_); }
  /// 0-based number of the row in the file.
  i64 row() const { return row_; }

 private:
  void warn_of_floats() const;

  const File& file_;
  const Context& ctx_;
  std::vector<std::unique_ptr<ColumnReader>> columns_;
  i64 group_ = -1;
  i64 left_ = 0;  // rows of the row group behind this one
  i64 row_ = -1;
};

}  // namespace lm::parquet

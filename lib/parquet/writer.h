#pragma once
// Writes Parquet files of columns of strings, numbers, truth values and lists of strings, every one
// optional. Rows are gathered into row groups of bounded size, charged to ctx.memory; pages are of
// version 1 with checksums, their values PLAIN or, where that is smaller, indices into a dictionary
// of strings. The file appears under its name when close() returns, or not at all. Equal rows and
// options give equal bytes.
// Source: apache/parquet-format (parquet.thrift, Encodings.md, LogicalTypes.md).

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/types.h"
#include "io/atomic_file.h"
#include "parquet/metadata.h"
#include "parquet/place.h"

namespace lm::parquet {

enum class ColumnType : u8 { kString, kJson, kInteger, kNumber, kBoolean, kStrings };

struct OutColumn {
  std::string name;
  ColumnType type = ColumnType::kString;
};

struct WriterOptions {
  PageCodec codec = PageCodec::kZstd;  // kNone, kSnappy, kGzip, kZstd, kLz4Raw
  int level = 3;                       // of gzip and zstd
  i64 row_group_bytes = 64 << 20;      // of values; at most a quarter of the memory budget is used
  i64 row_group_rows = 1 << 20;
  i64 page_bytes = 1 << 20;  // of values, before compression; a row is never split
  std::string created_by = "lm-tools";
  io::OutputOptions file = {};
};

class ColumnWriter;

/// One thread.
class Writer {
 public:
  /// Throws kCannotCreate, kPermission, kIo from the file layer, Error{kUsage} for two columns of
  /// one name.
  Writer(const std::string& path, std::vector<OutColumn> columns, const WriterOptions& options,
         const Context& ctx);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// The row's value in a column of that type, at most once a row and column; a column that gets
  /// none is null. Strings are UTF-8.
  void string(i64 column, std::string_view value);  // kString, kJson
  void integer(i64 column, i64 value);
  void number(i64 column, f64 value);
  void boolean(i64 column, bool value);
  void strings(i64 column, const std::vector<std::string>& values);
  /// The row is complete. Throws kIo, Error{kOs} when the budget has no room for a row group.
  void end_row();
  /// Writes what is left and the footer, and renames the file into place.
  void close();

  const std::vector<OutColumn>& columns() const { return columns_; }
  i64 rows() const { return rows_; }

 private:
  struct Chunk {
    i64 begin = 0;  // of its first page
    i64 data_page = 0;
    i64 bytes = 0;
    i64 uncompressed = 0;
    i64 values = 0;
    i64 nulls = 0;
    bool dictionary = false;
  };
  struct Group {
    i64 rows = 0;
    std::vector<Chunk> chunks;
  };
  void write_group();
  std::string footer() const;

  std::vector<OutColumn> columns_;
  WriterOptions options_;
  io::AtomicFile file_;
  std::vector<std::unique_ptr<ColumnWriter>> buffers_;
  std::vector<Group> groups_;
  Held held_;
  i64 at_ = 0;          // bytes written
  i64 rows_ = 0;        // complete ones
  i64 group_rows_ = 0;  // of those, not written yet
};

}  // namespace lm::parquet

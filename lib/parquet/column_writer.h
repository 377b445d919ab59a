#pragma once
// The values of one column of one row group, gathered, then written as pages. What writer.h is made
// of.

#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "parquet/writer.h"

namespace lm::parquet {

/// Appends values of `width` bits (0 to 32) as runs and packed groups of eight: the hybrid that
/// bits.h decodes. A run is used from eight equal values on.
void append_runs(std::string& out, const std::vector<u32>& values, int width);

/// Distinct strings by number of their first coming, until they are too many to pay.
class StringTable {
 public:
  StringTable();
  /// False once the table was given up: strings so far are mostly distinct, or take over 1 MiB.
  bool active() const { return active_; }
  void add(std::string_view value);
  void clear();
  /// Numbers of all strings added.
  const std::vector<u32>& indices() const { return indices_; }
  /// The distinct strings as PLAIN stores them.
  const std::string& plain() const { return plain_; }
  i64 size() const { return isize(begins_); }
  i64 bytes() const;

 private:
  void grow();
  std::string_view entry(u32 index) const;

  bool active_ = true;
  std::string plain_;
  std::vector<i64> begins_;  // of the entries' lengths in plain_
  std::vector<u32> slots_;   // index + 1 by hash, open addressing; a power of two of them
  std::vector<u32> indices_;
};

class ColumnWriter {
 public:
  explicit ColumnWriter(ColumnType type) : type_(type) {}

  void string(std::string_view value);
  void fixed(const void* value, i64 bytes);
  void boolean(bool value);
  void strings(const std::vector<std::string>& values);
  /// A null if the row has no value.
  void end_row();

  ColumnType type() const { return type_; }
  /// Bytes of values and levels gathered; what they hold of memory.
  i64 gathered() const { return isize(plain_) + isize(def_) + isize(rep_); }
  i64 held() const;
  i64 values() const { return isize(def_); }
  i64 nulls() const { return nulls_; }

  /// Bytes of pages, with their headers.
  struct Pages {
    i64 bytes = 0;
    i64 uncompressed = 0;
    i64 dictionary_bytes = 0;  // of the first page, when it is a dictionary
  };
  /// Writes what was gathered as pages and forgets it.
  Pages finish(const WriterOptions& options, io::AtomicFile& file);

 private:
  void append_plain(std::string_view value);
  class Output;
  void write_page(i64 first, i64 last, Output& out);
  void append_values(i64 first, i64 last, std::string& body);

  ColumnType type_;
  std::string plain_;    // values as PLAIN stores them; truth values a byte each
  std::vector<u8> def_;  // a level for every value, null and empty list
  std::vector<u8> rep_;  // lists only
  StringTable table_;    // strings only
  i64 nulls_ = 0;
  bool given_ = false;  // the row has its value

  // While pages are written.
  bool indexed_ = false;
  i64 next_value_ = 0;  // number of the next value that is no null
  i64 next_byte_ = 0;   // where it begins in plain_
};

}  // namespace lm::parquet

#pragma once
// One column of a file, row by row as JSON text. Rows are rendered in batches (about 1000 rows or
// 64 KiB of text), so that the loops over levels and values are tight; the entries of a dictionary
// are rendered once a chunk. In memory: one page, one dictionary, one batch; a row is never split.

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/types.h"
#include "parquet/bits.h"
#include "parquet/metadata.h"
#include "parquet/pages.h"
#include "parquet/place.h"
#include "parquet/render.h"
#include "parquet/schema.h"
#include "parquet/values.h"

namespace lm::parquet {

class ColumnReader {
 public:
  /// file: the mapping; name: for messages. All outlive the reader.
  ColumnReader(std::string_view file, const std::string& name, const Column& column,
               const Context& ctx);
  ColumnReader(const ColumnReader&) = delete;
  ColumnReader& operator=(const ColumnReader&) = delete;

  /// Goes to the first row of a row group.
  void begin(i64 row_group, const ChunkMeta& chunk, i64 rows);
  /// Moves to the next row of the row group, of which there must be one. Throws Error{kData}.
  void advance() {
    if (++row_ == isize(ends_)) refill();
    const i64 end = ends_[usize(row_)];
    value_ = std::string_view(text_).substr(usize(end_), usize(end - end_));
    end_ = end;
  }
  /// JSON text of the row; valid until advance().
  std::string_view value() const { return value_; }
  const Column& column() const { return column_; }
  /// Whether some float became null because JSON has no way to write it.
  bool lost_float() const { return renderer_.lost_float(); }

 private:
  void refill();
  void fill_flat();
  void fill_lists();
  void end_of_rows() const;
  void load_page();
  void load_dictionary(const Page& page);
  void load_levels();
  void append_value();
  void append_index();
  void end_row() { ends_.push_back(isize(text_)); }
  bool full() const;

  static constexpr i64 kBatch = 1024;  // levels and indices decoded at once

  std::string_view file_;
  const Column& column_;
  const Context& ctx_;
  Place place_;
  Renderer renderer_;
  PageReader pages_;

  // The batch.
  std::string text_;
  std::vector<i64> ends_;
  i64 row_ = -1;
  i64 end_ = 0;
  std::string_view value_;
  Held held_text_;

  // The chunk.
  i64 rows_left_ = 0;    // rows that are not rendered yet
  i64 values_left_ = 0;  // values (nulls and empty lists included) of pages that are not loaded yet
  bool has_dictionary_ = false;
  std::string entries_;           // of the dictionary, as JSON text
  std::vector<i64> entry_begin_;  // one more than there are
  Held held_dictionary_;

  // The page.
  i64 page_left_ = 0;  // values whose levels are not decoded yet
  RunDecoder def_runs_;
  RunDecoder rep_runs_;
  std::unique_ptr<Values> values_;  // null: indices into the dictionary
  RunDecoder index_runs_;
  std::array<u8, kBatch> def_{};
  std::array<u8, kBatch> rep_{};
  std::array<u32, kBatch> index_{};
  i64 level_ = 0;  // the next of them
  i64 levels_ = 0;
  i64 next_index_ = 0;
  i64 indices_ = 0;
};

}  // namespace lm::parquet

#include "parquet/column_reader.h"

#include <algorithm>
#include <bit>

#include "core/error.h"
#include "core/str.h"

namespace lm::parquet {

namespace {

constexpr i64 kBatchBytes = 64 << 10;

int level_width(u32 max_level) {
  return std::bit_width(max_level);
}

}  // namespace

ColumnReader::ColumnReader(std::string_view file, const std::string& name, const Column& column,
                           const Context& ctx)
    : file_(file),
      column_(column),
      ctx_(ctx),
      place_{.file = name, .column = column.name},
      renderer_(column, place_),
      pages_(ctx),
      held_text_(ctx, "rows of a Parquet file"),
      held_dictionary_(ctx, "a dictionary of a Parquet file") {}

void ColumnReader::begin(i64 row_group, const ChunkMeta& chunk, i64 rows) {
  place_.row_group = row_group;
  place_.page = -1;
  pages_.begin(file_, chunk, column_.list, column_.max_def > 0, place_);
  rows_left_ = rows;
  values_left_ = chunk.num_values;
  has_dictionary_ = false;
  page_left_ = 0;
  level_ = 0;
  levels_ = 0;
  text_.clear();
  ends_.clear();
  row_ = -1;
  end_ = 0;
}

bool ColumnReader::full() const {
  return isize(ends_) >= kBatch || isize(text_) >= kBatchBytes;
}

void ColumnReader::refill() {
  LM_CHECK(rows_left_ > 0, "a row group has no further row");
  text_.clear();
  ends_.clear();
  if (column_.list) {
    fill_lists();
  } else {
    fill_flat();
  }
  rows_left_ -= isize(ends_);
  if (rows_left_ < 0) place_.fail("the column has more rows than its row group");
  if (rows_left_ == 0) end_of_rows();
  row_ = 0;
  end_ = 0;
}

// Values behind the last row belong to none.
void ColumnReader::end_of_rows() const {
  if (values_left_ > 0 || page_left_ > 0 || level_ < levels_)
    place_.fail("the column has more rows than its row group");
}

void ColumnReader::fill_flat() {
  const u8 max_def = static_cast<u8>(column_.max_def);
  while (!full() && isize(ends_) < rows_left_) {
    if (level_ == levels_) load_levels();
    if (values_ == nullptr && max_def == 0) {
      append_index();
    } else if (max_def > 0 && def_[usize(level_)] != max_def) {
      text_ += "null";
    } else {
      append_value();
    }
    ++level_;
    end_row();
    if ((isize(ends_) & 63) == 0) held_text_.set(static_cast<i64>(text_.capacity()));
  }
  held_text_.set(static_cast<i64>(text_.capacity()));
}

// A row begins at repetition level 0 and goes on, over the borders of pages if need be, to the next
// one.
void ColumnReader::fill_lists() {
  const u8 max_def = static_cast<u8>(column_.max_def);
  const u8 empty = static_cast<u8>(column_.empty_def);
  bool in_row = false;
  bool in_list = false;  // one that may have further elements
  while (true) {
    if (level_ == levels_) {
      held_text_.set(static_cast<i64>(text_.capacity()));
      if (page_left_ == 0 && values_left_ == 0) break;
      load_levels();
    }
    const u8 def = def_[usize(level_)];
    if (rep_[usize(level_)] == 0) {
      if (in_row) {
        if (in_list) text_.push_back(']');
        end_row();
        in_row = false;
        if (full() || isize(ends_) == rows_left_) return;
      }
      in_row = true;
      in_list = def > empty;
      text_ += def < empty ? "null" : def == empty ? "[]" : "[";
    } else {
      if (!in_row || !in_list || def <= empty)
        place_.fail("an element of a list belongs to no list");
      text_.push_back(',');
    }
    ++level_;
    if (def == max_def) {
      append_value();
    } else if (def > empty) {
      text_ += "null";
    }
  }
  if (in_row) {
    if (in_list) text_.push_back(']');
    end_row();
  }
  if (isize(ends_) < rows_left_)
    place_.fail(cat("the column ends ", rows_left_ - isize(ends_), " rows before its row group"));
}

void ColumnReader::load_levels() {
  while (page_left_ == 0)
    load_page();
  const i64 count = std::min(page_left_, kBatch);
  const auto decode = [&](RunDecoder& runs, u32 max, u8* out, const char* which) {
    if (runs.read(out, count) != count)
      place_.fail(cat("the page has fewer ", which, " levels than values"));
    if (*std::max_element(out, out + count) > max) {
      place_.fail(cat("a ", which, " level is ", int{*std::max_element(out, out + count)},
                      ", expected at most ", max));
    }
  };
  if (column_.max_def > 0) decode(def_runs_, column_.max_def, def_.data(), "definition");
  if (column_.list) decode(rep_runs_, 1, rep_.data(), "repetition");
  page_left_ -= count;
  level_ = 0;
  levels_ = count;
}

void ColumnReader::load_page() {
  const Page page = pages_.next();
  if (page.dictionary) {
    if (has_dictionary_) place_.fail("the column chunk has a second dictionary");
    load_dictionary(page);
    return;
  }
  if (page.num_values > values_left_) {
    place_.fail(cat("the page has ", page.num_values, " values, the column chunk only ",
                    values_left_, " more"));
  }
  values_left_ -= page.num_values;
  page_left_ = page.num_values;
  def_runs_ = RunDecoder(page.def, level_width(column_.max_def));
  rep_runs_ = RunDecoder(page.rep, 1);
  next_index_ = 0;
  indices_ = 0;
  values_.reset();
  const bool indexed =
      page.encoding == Encoding::kRleDictionary || page.encoding == Encoding::kPlainDictionary;
  if (!indexed) {
    // A page of nulls may have no bytes at all, whatever its encoding.
    const bool none = page.values.empty() && column_.max_def > 0;
    values_ = make_values(none ? Encoding::kPlain : page.encoding, column_.physical,
                          column_.type_length, page.values, place_);
    return;
  }
  if (!has_dictionary_) place_.fail("the page has indices into a dictionary, and there is none");
  if (page.values.empty()) {
    index_runs_ = RunDecoder();
    return;
  }
  const int width = static_cast<u8>(page.values[0]);
  if (width > 32) place_.fail(cat("dictionary indices have ", width, " bits, expected at most 32"));
  index_runs_ = RunDecoder(page.values.substr(1), width);
}

void ColumnReader::load_dictionary(const Page& page) {
  if (page.encoding != Encoding::kPlain && page.encoding != Encoding::kPlainDictionary)
    place_.fail(cat("a dictionary in the encoding ", encoding_name(page.encoding)));
  // An entry takes bytes, so that the count cannot ask for more memory than the page is worth.
  const i64 width = value_width(column_.physical, column_.type_length);
  const i64 smallest = column_.physical == Physical::kByteArray ? 4 : std::max<i64>(width, 1);
  if (page.num_values > isize(page.values) / smallest) {
    place_.fail(
        cat("a dictionary of ", page.num_values, " values in ", page.values.size(), " bytes"));
  }
  const std::unique_ptr<Values> values =
      make_values(Encoding::kPlain, column_.physical, column_.type_length, page.values, place_);
  entries_.clear();
  entry_begin_.clear();
  const i64 offsets = (page.num_values + 1) * i64{sizeof(i64)};
  const i64 before = std::max<i64>(held_dictionary_.bytes(), offsets);
  held_dictionary_.set(before);
  entry_begin_.reserve(usize(page.num_values) + 1);
  entry_begin_.push_back(0);
  for (i64 i = 0; i < page.num_values; ++i) {
    renderer_.append(values->next(), entries_);
    entry_begin_.push_back(isize(entries_));
    if ((i & 1023) == 0) held_dictionary_.set(offsets + static_cast<i64>(entries_.capacity()));
  }
  held_dictionary_.set(static_cast<i64>(entry_begin_.capacity() * sizeof(i64)) +
                       static_cast<i64>(entries_.capacity()));
  has_dictionary_ = true;
}

inline void ColumnReader::append_index() {
  if (next_index_ == indices_) {
    // Indices behind the last value would be padding of the last group.
    indices_ = index_runs_.read(index_.data(), kBatch);
    next_index_ = 0;
    if (indices_ == 0) place_.fail("the page has fewer dictionary indices than values");
  }
  const u32 index = index_[usize(next_index_++)];
  if (index + u64{1} >= entry_begin_.size()) {
    place_.fail(cat("a dictionary index is ", index, ", the dictionary has ",
                    entry_begin_.size() - 1, " entries"));
  }
  const i64 begin = entry_begin_[index];
  text_.append(entries_, usize(begin), usize(entry_begin_[index + 1] - begin));
}

inline void ColumnReader::append_value() {
  if (values_ == nullptr) {
    append_index();
  } else {
    renderer_.append(values_->next(), text_);
  }
}

}  // namespace lm::parquet

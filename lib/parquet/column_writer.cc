#include "parquet/column_writer.h"

#include <algorithm>
#include <bit>

#include <zlib.h>

#include "core/error.h"
#include "core/hash.h"
#include "io/frame.h"
#include "parquet/bits.h"
#include "parquet/codec.h"
#include "parquet/thrift.h"

namespace lm::parquet {

namespace {

constexpr i64 kTableBytes = 1 << 20;
constexpr i64 kTrialStrings = 4096;  // after which more than half must have come before
constexpr i64 kMaxPageRows = 20000;  // so that a reader can seek, whatever the rows weigh

void append_varint(std::string& out, u64 value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void append_number(std::string& out, u64 value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out.push_back(static_cast<char>(value >> (8 * i)));
}

// How many values from `at` on are equal, counted up to eight; the rest of a long run with full.
std::size_t equal_run(const std::vector<u32>& values, std::size_t at, bool full) {
  std::size_t end = at + 1;
  while (end < values.size() && values[end] == values[at] && (full || end - at < 8))
    ++end;
  return end - at;
}

// The last group is filled up with zeros.
void append_packed(std::string& out, const std::vector<u32>& values, std::size_t begin,
                   std::size_t end, int width) {
  const std::size_t groups = (end - begin + 7) / 8;
  append_varint(out, groups << 1 | 1);
  u64 word = 0;
  int bits = 0;
  for (std::size_t i = begin; i < begin + groups * 8; ++i) {
    word |= (i < end ? u64{values[i]} : 0) << bits;
    for (bits += width; bits >= 8; bits -= 8, word >>= 8)
      out.push_back(static_cast<char>(word));
  }
}

void append_levels(std::string& out, const std::vector<u8>& levels, i64 first, i64 last,
                   u32 max_level) {
  const std::vector<u32> part(levels.begin() + first, levels.begin() + last);
  std::string runs;
  append_runs(runs, part, std::bit_width(max_level));
  io::append_u32le(out, static_cast<u32>(runs.size()));
  out += runs;
}

}  // namespace

void append_runs(std::string& out, const std::vector<u32>& values, int width) {
  for (std::size_t at = 0; at < values.size();) {
    if (equal_run(values, at, false) >= 8) {
      const std::size_t count = equal_run(values, at, true);
      append_varint(out, count << 1);
      append_number(out, values[at], (width + 7) / 8);
      at += count;
      continue;
    }
    std::size_t end = at;
    do {
      end += 8;
    } while (end < values.size() && equal_run(values, end, false) < 8);
    end = std::min(end, values.size());
    append_packed(out, values, at, end, width);
    at = end;
  }
}

StringTable::StringTable() : slots_(1024) {}

std::string_view StringTable::entry(u32 index) const {
  const char* const at = plain_.data() + begins_[index];
  return {at + 4, load<u32>(at)};
}

void StringTable::add(std::string_view value) {
  if (!active_) return;
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = xxh3_64(value) & mask;
  while (slots_[slot] != 0 && entry(slots_[slot] - 1) != value)
    slot = (slot + 1) & mask;
  if (slots_[slot] == 0) {
    begins_.push_back(isize(plain_));
    io::append_u32le(plain_, static_cast<u32>(value.size()));
    plain_ += value;
    slots_[slot] = static_cast<u32>(begins_.size());
  }
  indices_.push_back(slots_[slot] - 1);
  if (isize(plain_) > kTableBytes ||
      (isize(indices_) == kTrialStrings && size() > kTrialStrings / 2)) {
    clear();
    active_ = false;
  } else if (begins_.size() * 2 > slots_.size()) {
    grow();
  }
}

void StringTable::grow() {
  slots_.assign(slots_.size() * 2, 0);
  const std::size_t mask = slots_.size() - 1;
  for (u32 i = 0; i < begins_.size(); ++i) {
    std::size_t slot = xxh3_64(entry(i)) & mask;
    while (slots_[slot] != 0)
      slot = (slot + 1) & mask;
    slots_[slot] = i + 1;
  }
}

void StringTable::clear() {
  active_ = true;
  plain_.clear();
  begins_.clear();
  indices_.clear();
  slots_.assign(1024, 0);
}

i64 StringTable::bytes() const {
  return static_cast<i64>(plain_.capacity() + begins_.capacity() * sizeof(i64) +
                          (slots_.capacity() + indices_.capacity()) * sizeof(u32));
}

void ColumnWriter::append_plain(std::string_view value) {
  io::append_u32le(plain_, static_cast<u32>(value.size()));
  plain_ += value;
  table_.add(value);
}

void ColumnWriter::string(std::string_view value) {
  LM_CHECK(!given_, "a row has one value a column");
  append_plain(value);
  def_.push_back(1);
  given_ = true;
}

void ColumnWriter::fixed(const void* value, i64 bytes) {
  LM_CHECK(!given_, "a row has one value a column");
  plain_.append(static_cast<const char*>(value), usize(bytes));
  def_.push_back(1);
  given_ = true;
}

void ColumnWriter::boolean(bool value) {
  const char byte = value ? 1 : 0;
  fixed(&byte, 1);
}

// Definition levels: 0 no list, 1 an empty one, 2 an element (which is never null).
void ColumnWriter::strings(const std::vector<std::string>& values) {
  LM_CHECK(!given_, "a row has one value a column");
  if (values.empty()) {
    def_.push_back(1);
    rep_.push_back(0);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    append_plain(values[i]);
    def_.push_back(2);
    rep_.push_back(i == 0 ? 0 : 1);
  }
  given_ = true;
}

void ColumnWriter::end_row() {
  if (!given_) {
    def_.push_back(0);
    if (type_ == ColumnType::kStrings) rep_.push_back(0);
    ++nulls_;
  }
  given_ = false;
}

i64 ColumnWriter::held() const {
  return static_cast<i64>(plain_.capacity() + def_.capacity() + rep_.capacity()) + table_.bytes();
}

// Values of the levels [first, last).
void ColumnWriter::append_values(i64 first, i64 last, std::string& body) {
  const u8 there = type_ == ColumnType::kStrings ? 2 : 1;
  const i64 count = std::count(def_.begin() + first, def_.begin() + last, there);
  const i64 begin = next_byte_;
  if (type_ == ColumnType::kBoolean) {
    for (i64 i = 0; i < count; i += 8) {
      u8 byte = 0;
      for (i64 bit = 0; bit < 8 && i + bit < count; ++bit)
        byte |= static_cast<u8>(plain_[usize(begin + i + bit)] << bit);
      body.push_back(static_cast<char>(byte));
    }
    next_byte_ += count;
  } else if (type_ == ColumnType::kInteger || type_ == ColumnType::kNumber) {
    body.append(plain_, usize(begin), usize(count * 8));
    next_byte_ += count * 8;
  } else if (indexed_) {
    const int width = std::bit_width(static_cast<u32>(table_.size() - 1));
    body.push_back(static_cast<char>(width));
    const std::vector<u32> part(table_.indices().begin() + next_value_,
                                table_.indices().begin() + next_value_ + count);
    append_runs(body, part, width);
  } else {
    for (i64 i = 0; i < count; ++i)
      next_byte_ += 4 + i64{load<u32>(plain_.data() + next_byte_)};
    body.append(plain_, usize(begin), usize(next_byte_ - begin));
  }
  next_value_ += count;
}

// Where pages go: each is compressed and written with its header.
class ColumnWriter::Output {
 public:
  Output(const WriterOptions& options, io::AtomicFile& file) : options_(options), file_(file) {}

  void page(PageKind kind, i64 values, Encoding encoding, std::string_view body) {
    compressed_.clear();
    compress(options_.codec, options_.level, body, compressed_);
    const u32 crc = static_cast<u32>(
        ::crc32_z(0, reinterpret_cast<const Bytef*>(compressed_.data()), compressed_.size()));
    ThriftWriter header;
    header.integer32(1, static_cast<i64>(kind));
    header.integer32(2, isize(body));
    header.integer32(3, isize(compressed_));
    header.integer32(4, static_cast<i32>(crc));
    header.begin(kind == PageKind::kDictionary ? 7 : 5);
    header.integer32(1, values);
    header.integer32(2, static_cast<i64>(encoding));
    if (kind == PageKind::kData) {
      header.integer32(3, static_cast<i64>(Encoding::kRle));
      header.integer32(4, static_cast<i64>(Encoding::kRle));
    }
    header.end();
    const std::string bytes = header.finish();
    file_.write(bytes);
    file_.write(compressed_);
    pages.bytes += isize(bytes) + isize(compressed_);
    pages.uncompressed += isize(bytes) + isize(body);
  }

  Pages pages;

 private:
  const WriterOptions& options_;
  io::AtomicFile& file_;
  std::string compressed_;
};

void ColumnWriter::write_page(i64 first, i64 last, Output& out) {
  std::string body;
  const bool list = type_ == ColumnType::kStrings;
  if (list) append_levels(body, rep_, first, last, 1);
  append_levels(body, def_, first, last, list ? 2 : 1);
  append_values(first, last, body);
  out.page(PageKind::kData, last - first, indexed_ ? Encoding::kRleDictionary : Encoding::kPlain,
           body);
}

ColumnWriter::Pages ColumnWriter::finish(const WriterOptions& options, io::AtomicFile& file) {
  Output out(options, file);
  const bool text =
      type_ == ColumnType::kString || type_ == ColumnType::kJson || type_ == ColumnType::kStrings;
  const i64 width = std::bit_width(static_cast<u32>(table_.size()));
  indexed_ = text && table_.active() && table_.size() > 0 &&
             isize(table_.plain()) + isize(table_.indices()) * width / 8 < isize(plain_);
  if (indexed_) {
    out.page(PageKind::kDictionary, table_.size(), Encoding::kPlain, table_.plain());
    out.pages.dictionary_bytes = out.pages.bytes;
  }
  next_value_ = 0;
  next_byte_ = 0;
  // Sizes of values are taken from what they would be without a dictionary.
  const u8 there = type_ == ColumnType::kStrings ? 2 : 1;
  const i64 fixed = type_ == ColumnType::kBoolean ? 1 : 8;
  i64 first = 0;
  i64 rows = 0;
  i64 bytes = 0;
  i64 byte = 0;
  for (i64 i = 0; i < values(); ++i) {
    const bool new_row = rep_.empty() || rep_[usize(i)] == 0;
    if (new_row && (bytes >= options.page_bytes || rows >= kMaxPageRows)) {
      write_page(first, i, out);
      first = i;
      rows = 0;
      bytes = 0;
    }
    rows += new_row ? 1 : 0;
    bytes += 1;
    if (def_[usize(i)] != there) continue;
    const i64 size = text ? 4 + i64{load<u32>(plain_.data() + byte)} : fixed;
    byte += size;
    bytes += indexed_ ? 4 : size;
  }
  if (first < values()) write_page(first, values(), out);
  plain_.clear();
  def_.clear();
  rep_.clear();
  table_.clear();
  nulls_ = 0;
  return out.pages;
}

}  // namespace lm::parquet

#include "text/segment.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "core/error.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::text {

namespace {

constexpr i64 kCheckpointBytes = 1024;

constexpr std::array<bool, 128> make_ascii_space() {
  std::array<bool, 128> table{};
  for (std::size_t c = 0x09; c <= 0x0D; ++c)
    table[c] = true;
  for (std::size_t c = 0x1C; c <= 0x20; ++c)
    table[c] = true;
  return table;
}
constexpr std::array<bool, 128> kAsciiSpace = make_ascii_space();

u8 byte_at(std::string_view text, i64 at) {
  return static_cast<u8>(text[usize(at)]);
}

bool is_continuation(u8 byte) {
  return (byte & 0xC0) == 0x80;
}

i64 count_starts(std::string_view bytes) {
  i64 n = 0;
  for (const char c : bytes)
    n += !is_continuation(static_cast<u8>(c));
  return n;
}

}  // namespace

i64 py_space_size(std::string_view text, i64 at) {
  if (at >= isize(text)) return 0;
  const u8 lead = byte_at(text, at);
  if (lead < 0x80) return kAsciiSpace[lead] ? 1 : 0;
  // Every non-ASCII white space starts with C2, E1, E2 or E3.
  if (lead != 0xC2 && (lead < 0xE1 || lead > 0xE3)) return 0;
  const Decoded d = decode_at(text, at);
  return d.valid && is_py_space(d.cp) ? d.size : 0;
}

std::string_view strip(std::string_view text) {
  i64 begin = 0;
  while (begin < isize(text)) {
    const i64 size = py_space_size(text, begin);
    if (size == 0) break;
    begin += size;
  }
  i64 end = isize(text);
  while (end > begin) {
    i64 start = end - 1;
    while (start > begin && is_continuation(byte_at(text, start)))
      --start;
    if (py_space_size(text, start) != end - start) break;
    end = start;
  }
  return text.substr(usize(begin), usize(end - begin));
}

bool is_blank(std::string_view text) {
  i64 at = 0;
  while (at < isize(text)) {
    const i64 size = py_space_size(text, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

bool WordCursor::next(std::string_view& word) {
  const i64 n = isize(text_);
  while (at_ < n) {
    const i64 size = py_space_size(text_, at_);
    if (size == 0) break;
    at_ += size;
  }
  const i64 begin = at_;
  // Bytes inside a sequence are continuation bytes and never look like the start of white space.
  while (at_ < n && py_space_size(text_, at_) == 0)
    ++at_;
  word = text_.substr(usize(begin), usize(at_ - begin));
  return at_ > begin;
}

std::vector<std::string_view> words_ws(std::string_view text) {
  std::vector<std::string_view> words;
  WordCursor cursor(text);
  std::string_view word;
  while (cursor.next(word))
    words.push_back(word);
  return words;
}

namespace {

constexpr u64 kOnes = 0x0101010101010101;
constexpr u64 kHighs = kOnes * 0x80;

// The high bit of each of eight ASCII bytes that are white space: 9 to 13 or 28 to 32.
u64 ascii_spaces(u64 eight) {
  const auto from = [eight](u64 least) { return eight + kOnes * (0x80 - least); };
  return ((from(9) ^ from(14)) | (from(28) ^ from(33))) & kHighs;
}

}  // namespace

// Words are counted where white space ends; eight bytes at once where all are ASCII.
i64 count_words_ws(std::string_view text) {
  i64 n = 0;
  bool after_space = true;
  for (i64 at = 0; at < isize(text); ++at) {
    for (u64 eight; at + 8 <= isize(text); at += 8) {
      std::memcpy(&eight, text.data() + at, 8);
      if ((eight & kHighs) != 0) break;
      const u64 spaces = ascii_spaces(eight);
      const u64 before = spaces << 8 | (after_space ? u64{0x80} : 0);  // little endian
      n += std::popcount(before & ~spaces);
      after_space = (spaces >> 63) != 0;
    }
    if (at == isize(text)) break;
    const u8 byte = byte_at(text, at);
    bool space = false;
    if (byte < 0x80) {
      space = kAsciiSpace[byte];
    } else if (const i64 size = py_space_size(text, at); size > 0) {
      space = true;
      at += size - 1;
    }
    n += after_space && !space ? 1 : 0;
    after_space = space;
  }
  return n;
}

std::vector<std::string_view> lines_n(std::string_view text) {
  std::vector<std::string_view> lines;
  for (;;) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> paragraphs(std::string_view text, bool remove_blank) {
  std::vector<std::string_view> result;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::size_t size = newline == std::string_view::npos ? text.size() : newline + 1;
    const std::string_view paragraph = text.substr(0, size);
    if (!remove_blank || !is_blank(paragraph)) result.push_back(paragraph);
    text.remove_prefix(size);
  }
  return result;
}

CodePointIndex::CodePointIndex(std::string_view text) : text_(text) {
  i64 count = 0;
  for (i64 at = 0; at < isize(text); at += kCheckpointBytes) {
    checkpoints_.push_back(count);
    count += count_starts(text.substr(usize(at), usize(kCheckpointBytes)));
  }
  size_ = count;
  if (size_ == isize(text)) checkpoints_.clear();
}

i64 CodePointIndex::at(i64 byte) const {
  LM_DCHECK(byte >= 0 && byte <= isize(text_), "offset inside the text");
  if (checkpoints_.empty()) return byte;
  if (byte == isize(text_)) return size_;
  const i64 checkpoint = byte / kCheckpointBytes;
  const i64 from = checkpoint * kCheckpointBytes;
  return checkpoints_[usize(checkpoint)] +
         count_starts(text_.substr(usize(from), usize(byte - from)));
}

i64 CodePointIndex::byte_of(i64 code_point) const {
  LM_DCHECK(code_point >= 0 && code_point <= size_, "code point inside the text");
  if (checkpoints_.empty()) return code_point;
  if (code_point == size_) return isize(text_);
  const std::vector<i64>::const_iterator after =
      std::upper_bound(checkpoints_.begin(), checkpoints_.end(), code_point);
  i64 byte = (after - checkpoints_.begin() - 1) * kCheckpointBytes;
  i64 before = *(after - 1);
  for (;; ++byte) {
    if (is_continuation(byte_at(text_, byte))) continue;
    if (before == code_point) return byte;
    ++before;
  }
}

}  // namespace lm::text

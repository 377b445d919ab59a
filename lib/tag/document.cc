#include "tag/document.h"

#include <array>
#include <cstring>

#include "core/error.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::tag {

namespace {

// What a byte says about white space: nothing of the kind, white space, or a lead byte that white
// space may begin with (U+0085 and up begin with C2, E1, E2 or E3).
enum : u8 { kInk = 0, kSpace = 1, kMaybe = 2 };

constexpr std::array<u8, 256> make_kinds() {
  std::array<u8, 256> kinds{};
  for (std::size_t c = 0x09; c <= 0x0D; ++c)
    kinds[c] = kSpace;
  for (std::size_t c = 0x1C; c <= 0x20; ++c)
    kinds[c] = kSpace;
  for (const std::size_t c : {0xC2u, 0xE1u, 0xE2u, 0xE3u})
    kinds[c] = kMaybe;
  return kinds;
}
constexpr std::array<u8, 256> kKinds = make_kinds();

u8 kind(char c) {
  return kKinds[static_cast<u8>(c)];
}

bool is_continuation(char c) {
  return (static_cast<u8>(c) & 0xC0) == 0x80;
}

void cut(std::string_view text, std::vector<Range>& out, bool runs) {
  out.clear();
  const char* const base = text.data();
  const char* const end = base + text.size();
  const char* at = base;
  for (;;) {
    const void* const found =
        at == end ? nullptr : std::memchr(at, '\n', static_cast<std::size_t>(end - at));
    const char* const lf = found == nullptr ? end : static_cast<const char*>(found);
    out.push_back({at - base, lf - base});
    if (found == nullptr) return;
    at = lf + 1;
    while (runs && at < end && *at == '\n')
      ++at;
  }
}

}  // namespace

void Document::reset(std::string_view text) {
  LM_CHECK(text.size() < (u64{1} << 32), "a document is shorter than 4 GiB");
  text_ = text;
  chars_ = text::count_code_points(text);
  fields_.clear();
  has_words_ = has_ids_ = has_grams_ = has_lower_ = false;
  has_lines_n_ = has_lines_nplus_ = has_lines_py_ = has_paragraphs_ = false;
  index_.reset();
  last_byte_ = last_chars_ = 0;
}

void Document::set_field(std::string_view name, std::optional<std::string> value) {
  fields_.emplace_back(std::string(name), std::move(value));
}

const std::optional<std::string>& Document::field(std::string_view name) const {
  for (const auto& [own, value] : fields_)
    if (own == name) return value;
  LM_CHECK(false, "a tagger reads only fields that its definition names");
}

std::span<const Word> Document::words() {
  if (!has_words_) find_words();
  return words_;
}

i64 Document::word_chars() {
  if (!has_words_) find_words();
  return word_chars_;
}

void Document::find_words() {
  has_words_ = true;
  words_.clear();
  word_chars_ = 0;
  const i64 n = isize(text_);
  const char* const p = text_.data();
  i64 at = 0;
  if (ascii()) {
    for (;;) {
      while (at < n && kind(p[at]) == kSpace)
        ++at;
      if (at == n) return;
      const i64 begin = at;
      while (at < n && kind(p[at]) != kSpace)
        ++at;
      words_.push_back({begin, static_cast<u32>(at - begin), static_cast<u32>(at - begin)});
      word_chars_ += at - begin;
    }
  }
  const auto space_size = [&](i64 i) -> i64 {
    const u8 k = kind(p[i]);
    return k == kInk ? 0 : k == kSpace ? 1 : text::py_space_size(text_, i);
  };
  for (;;) {
    for (i64 size = 1; at < n && size > 0; at += size)
      size = space_size(at);
    if (at >= n) return;
    const i64 begin = at;
    i64 inner = 0;
    while (at < n && space_size(at) == 0)
      inner += is_continuation(p[at++]);
    words_.push_back({begin, static_cast<u32>(at - begin), static_cast<u32>(at - begin - inner)});
    word_chars_ += at - begin - inner;
  }
}

const WordTable& Document::word_table() {
  word_ids();
  return table_;
}

std::span<const u32> Document::word_ids() {
  if (has_ids_) return ids_;
  has_ids_ = true;
  const std::span<const Word> all = words();
  table_.reset(isize(all));
  ids_.resize(all.size());
  for (std::size_t i = 0; i < all.size(); ++i)
    ids_[i] = table_.add(slice(all[i]));
  return ids_;
}

const GramCounter& Document::grams() {
  if (!has_grams_) grams_.count(words(), word_ids(), word_table().counts());
  has_grams_ = true;
  return grams_;
}

std::span<const Range> Document::lines_n() {
  if (!has_lines_n_) cut(text_, lines_n_, false);
  has_lines_n_ = true;
  return lines_n_;
}

std::span<const Range> Document::lines_nplus() {
  if (!has_lines_nplus_) cut(text_, lines_nplus_, true);
  has_lines_nplus_ = true;
  return lines_nplus_;
}

std::span<const Range> Document::paragraphs() {
  if (has_paragraphs_) return paragraphs_;
  has_paragraphs_ = true;
  paragraphs_.clear();
  for (const Range line : lines_n())
    paragraphs_.push_back({line.begin, line.end + 1});
  // The last line has no newline; if it is empty it is no paragraph.
  --paragraphs_.back().end;
  if (paragraphs_.back().size() == 0) paragraphs_.pop_back();
  return paragraphs_;
}

std::span<const Range> Document::lines_py() {
  if (!has_lines_py_) find_lines_py();
  return lines_py_;
}

void Document::find_lines_py() {
  has_lines_py_ = true;
  lines_py_.clear();
  const i64 n = isize(text_);
  // Bytes of the separator at i, 0 if there is none: \n \v \f \r 1C 1D 1E, \r\n, U+0085 (C2 85),
  // U+2028 and U+2029 (E2 80 A8, E2 80 A9).
  const auto separator = [&](i64 i) -> i64 {
    const u8 b = static_cast<u8>(text_[usize(i)]);
    if (b == '\r') return i + 1 < n && text_[usize(i + 1)] == '\n' ? 2 : 1;
    if ((b >= 0x0A && b <= 0x0C) || (b >= 0x1C && b <= 0x1E)) return 1;
    if (b < 0x80) return 0;
    const std::string_view rest = text_.substr(usize(i));
    if (rest.starts_with("\xC2\x85")) return 2;
    return rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9") ? 3 : 0;
  };
  i64 begin = 0;
  for (i64 at = 0; at < n;) {
    const i64 size = separator(at);
    if (size == 0) {
      ++at;
      continue;
    }
    lines_py_.push_back({begin, at});
    at += size;
    begin = at;
  }
  if (begin < n) lines_py_.push_back({begin, n});
}

std::string_view Document::lower() {
  if (has_lower_) return lower_;
  has_lower_ = true;
  if (!ascii()) {
    lower_ = text::to_lower(text_);
    return lower_;
  }
  lower_.resize(text_.size());
  for (std::size_t i = 0; i < text_.size(); ++i) {
    const char c = text_[i];
    lower_[i] = static_cast<char>(c | (c >= 'A' && c <= 'Z' ? 0x20 : 0));
  }
  return lower_;
}

const text::CodePointIndex& Document::index() {
  if (!index_) index_.emplace(text_);
  return *index_;
}

i64 Document::count_chars(Range r) const {
  return text::count_code_points(text_.substr(usize(r.begin), usize(r.size())));
}

i64 Document::chars_before(i64 byte) {
  if (ascii()) return byte;
  constexpr i64 kNear = 4096;  // farther ahead the index is cheaper
  if (byte >= last_byte_ && byte - last_byte_ <= kNear) {
    last_chars_ += count_chars({last_byte_, byte});
  } else {
    last_chars_ = index().at(byte);
  }
  last_byte_ = byte;
  return last_chars_;
}

i64 Document::byte_of(i64 code_point) {
  return ascii() ? code_point : index().byte_of(code_point);
}

}  // namespace lm::tag

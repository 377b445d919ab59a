#include "tag/document.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "text/unicode.h"

namespace lm::tag {

namespace {

constexpr std::size_t kKeptEdges = 1 << 21;

/// Split at newlines, or at runs of them.
void cut(const text::ByteBits& bits, std::vector<Range>& out, bool runs) {
  out.clear();
  i64 begin = 0;
  text::each_bit(
      0, bits.size(), [&](i64 block) { return bits.newlines()[usize(block)]; },
      [&](i64 at) {
        if (!runs || at != begin || at == 0) out.push_back({begin, at});
        begin = at + 1;
      });
  out.push_back({begin, bits.size()});
}

}  // namespace

void Document::reset(std::string_view text) {
  text_ = text;
  bits_.scan(text);
  fields_.clear();
  has_words_ = has_ids_ = has_lower_ = has_lower_bits_ = has_gopher_ = false;
  has_lines_n_ = has_lines_nplus_ = has_lines_py_ = has_paragraphs_ = false;
  grams_of_.reset();
  index_.reset();
}

void Document::forget() {
  Document fresh;
  fresh.text_ = text_;
  std::swap(fresh.bits_, bits_);
  fresh.fields_.swap(fields_);
  *this = std::move(fresh);
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
  bits_.word_edges(edges_, char_edges_);
  // Of ASCII, bytes are code points.
  const std::vector<u32>& chars = ascii() ? edges_ : char_edges_;
  words_.resize(edges_.size() / 2);
  word_chars_ = 0;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    const u32 size = chars[2 * i + 1] - chars[2 * i];
    words_[i] = {edges_[2 * i], edges_[2 * i + 1] - edges_[2 * i], size};
    word_chars_ += size;
  }
  // Of a long text they are as large as itself.
  if (edges_.size() < kKeptEdges) return;
  edges_ = {};
  char_edges_ = {};
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
  const i64 last_wide = isize(text_) - 8;
  for (std::size_t i = 0; i < all.size(); ++i)
    ids_[i] = table_.add({text_.data() + all[i].begin, all[i].bytes}, all[i].begin <= last_wide);
  return ids_;
}

const GramCounter& Document::grams(GramSums sums) {
  if (!grams_of_ || *grams_of_ < sums)
    grams_.count(words(), word_ids(), word_table().counts(), sums);
  grams_of_ = std::max(grams_of_.value_or(sums), sums);
  return grams_;
}

const GopherCounts& Document::gopher() {
  if (!has_gopher_) gopher_ = gopher_counter_.count(*this);
  has_gopher_ = true;
  return gopher_;
}

std::span<const Range> Document::lines_n() {
  if (!has_lines_n_) cut(bits_, lines_n_, false);
  has_lines_n_ = true;
  return lines_n_;
}

std::span<const Range> Document::lines_nplus() {
  if (!has_lines_nplus_) cut(bits_, lines_nplus_, true);
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
  // Every separator is white space.
  text::each_bit(
      0, n, [&](i64 block) { return bits_.spaces()[usize(block)]; },
      [&](i64 at) {
        const i64 size = at < begin ? 0 : separator(at);  // the \n of \r\n is none
        if (size == 0) return;
        lines_py_.push_back({begin, at});
        begin = at + size;
      });
  if (begin < n) lines_py_.push_back({begin, n});
}

std::string_view Document::lower() {
  if (has_lower_) return lower_;
  has_lower_ = true;
  if (!ascii()) {
    lower_ = text::to_lower(text_);
    return lower_;
  }
  lower_ = lm::ascii_lower(text_);
  return lower_;
}

const text::ByteBits& Document::lower_bits() {
  if (ascii()) return bits_;  // case moves no white space
  if (!has_lower_bits_) lower_bits_.scan(lower());
  has_lower_bits_ = true;
  return lower_bits_;
}

i64 Document::byte_of(i64 code_point) {
  if (ascii()) return code_point;
  if (!index_) index_.emplace(text_);
  return index_->byte_of(code_point);
}

}  // namespace lm::tag

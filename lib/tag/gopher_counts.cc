#include "tag/gopher_counts.h"

#include <algorithm>
#include <array>

#include "tag/document.h"
#include "tag/rules.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::tag {

namespace {

// Nearly all words are short: lengths are counted, not sorted. The last is "or more".
constexpr i64 kCounted = 64;

bool has_alpha(std::string_view word) {
  const char* p = word.data();
  const char* const end = p + word.size();
  while (p < end) {
    const char c = *p;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
    if (static_cast<u8>(c) < 0x80) {
      ++p;
    } else if (text::is_alpha(text::next_valid(p))) {
      return true;
    }
  }
  return false;
}

bool has_symbol(std::string_view text) {
  return text.find('#') != std::string_view::npos || text.find(kEllipsis) != std::string_view::npos;
}

}  // namespace

GopherCounts GopherCounter::count(Document& document) {
  GopherCounts out;
  count_words(document, out);
  count_lines(document, out);
  return out;
}

void GopherCounter::count_words(Document& document, GopherCounts& out) {
  document.word_ids();
  const WordTable& table = document.word_table();
  const char* const begin = document.text().data();
  // Few documents have such symbols: asked of the text, not of each word.
  const bool symbols = has_symbol(document.text());
  std::array<u32, kCounted> lengths{};
  for (u32 id = 0; id < table.size(); ++id) {
    const std::string_view word = table.text(id);
    const i64 at = word.data() - begin;
    const i64 length = document.chars_of({at, at + isize(word)});
    const i64 times = table.count(id);
    lengths[usize(std::min<i64>(length, kCounted - 1))] += static_cast<u32>(times);
    if (has_alpha(word)) out.alpha_words += times;
    if (symbols && has_symbol(word)) out.symbol_words += times;
  }
  for (const std::string_view word : kStopWords)
    out.stop_words += table.count_of(word);
  out.median_word = median_word(document.words(), lengths);
}

f64 GopherCounter::median_word(std::span<const Word> words, std::span<const u32> counts) {
  if (words.empty()) return 0;
  const i64 half = isize(words) / 2;
  i64 below = 0;   // words of fewer than `length` code points
  u32 length = 0;  // of the middle word
  while (below + counts[length] <= half)
    below += counts[length++];
  if (length < counts.size() - 1) {
    if (isize(words) % 2 != 0 || below < half) return length;
    u32 lower = length - 1;
    while (counts[lower] == 0)
      --lower;
    return (static_cast<f64>(length) + lower) / 2;
  }
  lengths_.clear();
  for (const Word& word : words)
    lengths_.push_back(word.chars);
  const std::ptrdiff_t middle = static_cast<std::ptrdiff_t>(lengths_.size() / 2);
  std::nth_element(lengths_.begin(), lengths_.begin() + middle, lengths_.end());
  const f64 upper = lengths_[static_cast<std::size_t>(middle)];
  if (lengths_.size() % 2 != 0) return upper;
  return (upper + *std::max_element(lengths_.begin(), lengths_.begin() + middle)) / 2;
}

void GopherCounter::count_lines(Document& document, GopherCounts& out) {
  const std::span<const Range> all = document.lines_n();
  lines_.reset(2 * isize(all));  // most stand once
  for (const Range range : all) {
    if (range.size() == 0) continue;
    const std::string_view line = document.slice(range);
    out.bullets += line[0] == '*' || line[0] == '-';
    out.ellipses += line.ends_with(kEllipsis);
    ++out.lines;
    lines_.add(line);
  }
  for (u32 id = 0; id < lines_.size(); ++id) {
    const i64 times = lines_.count(id);
    if (times == 1) continue;
    const i64 begin = lines_.text(id).data() - document.text().data();
    out.copies += times;
    out.copied_chars += times * document.chars_of({begin, begin + isize(lines_.text(id))});
  }
}

}  // namespace lm::tag

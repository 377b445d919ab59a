#include "tag/word_list.h"

#include <algorithm>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"
#include "core/utf8.h"
#include "text/segment.h"

namespace lm::tag {

namespace {
u32 pair_of(char before, char after) {
  return u32{static_cast<u8>(before)} << 8 | static_cast<u8>(after);
}
std::size_t five(char c) {
  return static_cast<u8>(c) & 31u;
}
}  // namespace

std::size_t WordList::Hash::operator()(std::string_view s) const {
  return xxh3_64(s);
}

WordList::WordList(std::string_view lines, const std::string& name) {
  i64 number = 0;
  for (const std::string_view line : split(lines, '\n')) {
    ++number;
    if (!is_valid_utf8(line))
      throw Error(ErrorKind::kData, cat(name, ":", number, ": is not UTF-8"));
    const std::string_view entry = text::strip(line);
    if (entry.empty()) continue;
    const std::size_t blank = entry.find(' ');
    if (blank == std::string_view::npos) {
      add_word(entry);
      continue;
    }
    add_phrase(entry);
  }
  if (size() == 0) throw Error(ErrorKind::kData, cat(name, ": has no entries"));
  std::sort(phrases_.begin(), phrases_.end(),
            [](const Phrase& a, const Phrase& b) { return a.around < b.around; });
}

bool WordList::phrase_at(std::string_view lower, i64 blank) const {
  const u32 around = pair_of(lower[usize(blank - 1)], lower[usize(blank + 1)]);
  auto at = std::lower_bound(phrases_.begin(), phrases_.end(), around,
                             [](const Phrase& p, u32 key) { return p.around < key; });
  for (; at != phrases_.end() && at->around == around; ++at) {
    if (at->blank > blank) continue;
    if (lower.substr(usize(blank - at->blank)).starts_with(at->text)) return true;
  }
  return false;
}

// Five bits of a byte tell letters apart. Nearly all words and blanks of a text are done with after
// a look at three or four bytes; where an entry has fewer, any may stand.
void WordList::add_word(std::string_view word) {
  words_.emplace(word);
  for (std::size_t b = 0; b < 32; ++b) {
    for (std::size_t c = 0; c < 32; ++c)
      if ((word.size() < 2 || b == five(word[1])) && (word.size() < 3 || c == five(word[2])))
        looks_.set(five(word[0]) << 10 | b << 5 | c);
  }
}

void WordList::add_phrase(std::string_view phrase) {
  const std::size_t blank = phrase.find(' ');
  phrases_.push_back({std::string(phrase), static_cast<i64>(blank),
                      pair_of(phrase[blank - 1], phrase[blank + 1])});
  for (std::size_t a = 0; a < 32; ++a) {
    for (std::size_t d = 0; d < 32; ++d)
      if ((blank < 2 || a == five(phrase[blank - 2])) &&
          (blank + 2 >= phrase.size() || d == five(phrase[blank + 2])))
        joints_.set(a << 15 | five(phrase[blank - 1]) << 10 | five(phrase[blank + 1]) << 5 | d);
  }
}

bool WordList::found_in(std::string_view lower, const text::ByteBits& bits) const {
  const i64 n = isize(lower);
  const char* const p = lower.data();
  const auto at = [&](i64 i) { return i >= 0 && i < n ? five(p[i]) : std::size_t{0}; };
  bool found = false;
  text::each_bit(
      0, n, [&](i64 block) { return bits.starts(block); },
      [&](i64 begin) {
        const std::size_t look =
            begin + 2 < n ? five(p[begin]) << 10 | five(p[begin + 1]) << 5 | five(p[begin + 2])
                          : at(begin) << 10 | at(begin + 1) << 5;
        if (!looks_[look] || found) return;
        const i64 end = text::find_bit(begin, n, [&](i64 b) { return bits.spaces()[usize(b)]; });
        found = words_.contains(lower.substr(usize(begin), usize(end - begin)));
      });
  if (found || phrases_.empty()) return found;
  text::each_bit(
      1, n - 1, [&](i64 block) { return bits.spaces()[usize(block)]; },
      [&](i64 i) {
        const std::size_t inner = five(p[i - 1]) << 10 | five(p[i + 1]) << 5;
        const std::size_t outer = i >= 2 && i + 2 < n ? five(p[i - 2]) << 15 | five(p[i + 2])
                                                      : at(i - 2) << 15 | at(i + 2);
        if (joints_[inner | outer] && !found) found = p[i] == ' ' && phrase_at(lower, i);
      });
  return found;
}

}  // namespace lm::tag

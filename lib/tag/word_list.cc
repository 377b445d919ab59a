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
      words_.emplace(entry);
      looks_.set(look(entry.data(), isize(entry)));
      continue;
    }
    const u32 around = pair_of(entry[blank - 1], entry[blank + 1]);
    phrases_.push_back({std::string(entry), static_cast<i64>(blank), around});
    any_.set(around);
  }
  if (size() == 0) throw Error(ErrorKind::kData, cat(name, ": has no entries"));
  std::sort(phrases_.begin(), phrases_.end(),
            [](const Phrase& a, const Phrase& b) { return a.around < b.around; });
}

bool WordList::phrase_at(std::string_view lower, i64 blank) const {
  const u32 around = pair_of(lower[usize(blank - 1)], lower[usize(blank + 1)]);
  if (!any_[around]) return false;
  auto at = std::lower_bound(phrases_.begin(), phrases_.end(), around,
                             [](const Phrase& p, u32 key) { return p.around < key; });
  for (; at != phrases_.end() && at->around == around; ++at) {
    if (at->blank > blank) continue;
    if (lower.substr(usize(blank - at->blank)).starts_with(at->text)) return true;
  }
  return false;
}

// Five bits of each of the first three bytes tell letters apart; most words of a text end here.
std::size_t WordList::look(const char* word, i64 size) {
  const auto five = [&](i64 i) { return i < size ? static_cast<u8>(word[i]) & 31u : 0u; };
  return five(0) << 11 | five(1) << 6 | five(2) << 1 | (static_cast<unsigned>(size) & 1);
}

bool WordList::found_in(std::string_view lower, const text::ByteBits& bits) const {
  bool found = false;
  i64 begin = -1;  // of the word whose end comes next
  u64 before = 1;  // white space
  for (i64 block = 0; block < bits.blocks() && !found; ++block) {
    const u64 spaces = bits.spaces()[usize(block)];
    u64 edges = spaces ^ (spaces << 1 | before);
    before = spaces >> 63;
    for (; edges != 0; edges &= edges - 1) {
      const i64 at = 64 * block + std::countr_zero(edges);
      if (begin < 0) {
        begin = at;
        continue;
      }
      found = found || (looks_[look(lower.data() + begin, at - begin)] &&
                        words_.contains(lower.substr(usize(begin), usize(at - begin))));
      begin = -1;
    }
  }
  if (found || phrases_.empty()) return found;
  text::each_bit(
      1, isize(lower) - 1, [&](i64 block) { return bits.spaces()[usize(block)]; },
      [&](i64 at) { found = found || (lower[usize(at)] == ' ' && phrase_at(lower, at)); });
  return found;
}

}  // namespace lm::tag

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

WordList::WordList(std::string_view lines, const std::string& name) : any_(1 << 16, false) {
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
      first_[static_cast<u8>(entry[0])] = true;
      longest_ = std::max(longest_, isize(entry));
      continue;
    }
    const u32 around = pair_of(entry[blank - 1], entry[blank + 1]);
    phrases_.push_back({std::string(entry), static_cast<i64>(blank), around});
    any_[around] = true;
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

bool WordList::found_in(std::string_view lower) const {
  text::WordCursor cursor(lower);
  std::string_view word;
  while (cursor.next(word)) {
    if (first_[static_cast<u8>(word[0])] && isize(word) <= longest_ && words_.contains(word))
      return true;
  }
  if (phrases_.empty()) return false;
  for (std::size_t at = lower.find(' ', 1); at != std::string_view::npos && at + 1 < lower.size();
       at = lower.find(' ', at + 1)) {
    if (phrase_at(lower, static_cast<i64>(at))) return true;
  }
  return false;
}

}  // namespace lm::tag

// Rewordings by a model, in which marks stand for slots.

#include "core/str.h"
#include "text/segment.h"
#include "transform/noise_pass.h"

namespace lm::transform {

namespace {

/// Where a slot's words are.
struct Slot {
  i64 begin = 0;
  i64 end = 0;
};

std::vector<Slot> slots_of(std::span<const Word> words) {
  std::vector<Slot> out;
  for (i64 i = 0; i < isize(words); ++i) {
    const Word& word = words[usize(i)];
    if (is_outside(word)) continue;
    // An I- without a span before it opens one.
    const bool inside = goes_on(word) && !out.empty() && out.back().end == i &&
                        words[usize(i - 1)].label.substr(2) == word.label.substr(2);
    if (inside)
      out.back().end = i + 1;
    else
      out.push_back({i, i + 1});
  }
  return out;
}

/// What a word of a rewording says: text before a mark, the mark's number (0: none), text behind.
struct Marked {
  std::string_view before;
  i64 number = 0;
  std::string_view behind;
};

Marked read_mark(std::string_view word) {
  const std::size_t open = word.find("<s");
  const std::size_t close = open == std::string_view::npos ? open : word.find('>', open);
  if (close == std::string_view::npos) return {word, 0, {}};
  const std::optional<i64> number = parse_int(word.substr(open + 2, close - open - 2));
  if (!number || *number < 1) return {word, 0, {}};
  return {word.substr(0, open), *number, word.substr(close + 1)};
}

}  // namespace

std::string with_marks(std::span<const Word> words) {
  std::string out;
  const std::vector<Slot> slots = slots_of(words);
  std::size_t next = 0;
  for (i64 i = 0; i < isize(words);) {
    if (!out.empty()) out += ' ';
    if (next < slots.size() && slots[next].begin == i) {
      append(out, "<s", next + 1, ">");
      i = slots[next++].end;
    } else {
      out += words[usize(i++)].text;
    }
  }
  return out;
}

bool reword(std::string_view rewording, std::vector<Word>& words, std::vector<NoiseEdit>& log) {
  const std::vector<Slot> slots = slots_of(words);
  std::vector<i64> seen(slots.size());
  std::vector<Word> made;
  const auto add_outside = [&](std::string_view text) {
    if (!text.empty()) made.push_back({std::string(text), "O", " "});
  };
  text::WordCursor cursor(rewording);
  for (std::string_view word; cursor.next(word);) {
    Marked marked = read_mark(word);
    // Marks may touch each other and marks of punctuation.
    for (; marked.number > 0; marked = read_mark(marked.behind)) {
      if (marked.number > isize(slots)) return false;
      add_outside(marked.before);
      const Slot& slot = slots[usize(marked.number - 1)];
      ++seen[usize(marked.number - 1)];
      for (i64 i = slot.begin; i < slot.end; ++i) {
        made.push_back(words[usize(i)]);
        made.back().gap = " ";
      }
    }
    add_outside(marked.before);
  }
  for (const i64 count : seen)
    if (count != 1) return false;
  if (made.empty()) return false;
  NoiseEdit edit{NoiseOp::kParaphrase, 0, {}, {}};
  for (const Word& word : words)
    edit.from.push_back(word.text);
  for (const Word& word : made)
    edit.to.push_back(word.text);
  if (edit.from != edit.to) log.push_back(std::move(edit));
  if (!words.empty()) made.front().gap = words.front().gap;
  words = std::move(made);
  return true;
}

}  // namespace lm::transform

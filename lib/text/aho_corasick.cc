#include "text/aho_corasick.h"

#include <algorithm>

#include "core/error.h"

namespace lm::text {

AhoCorasick::AhoCorasick(std::span<const std::string_view> patterns, bool fold_case) {
  const auto fold = [&](u8 byte) {
    return fold_case && byte >= 'A' && byte <= 'Z' ? static_cast<u8>(byte + 32) : byte;
  };
  std::array<bool, 256> used{};
  for (const std::string_view pattern : patterns) {
    LM_CHECK(!pattern.empty(), "a pattern has a byte");
    for (const char c : pattern)
      used[fold(static_cast<u8>(c))] = true;
  }
  // Columns are u8: with all 256 bytes in use none is left for "in no pattern", nor needed.
  const bool all = std::find(used.begin(), used.end(), false) == used.end();
  width_ = all ? 0 : 1;
  std::array<u8, 256> own{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    if (used[byte]) own[byte] = static_cast<u8>(width_++);
  }
  for (std::size_t byte = 0; byte < 256; ++byte)
    column_[byte] = own[fold(static_cast<u8>(byte))];
  next_.assign(usize(width_), 0);
  hits_.push_back(kNone);
  for (std::size_t i = 0; i < patterns.size(); ++i)
    add(patterns[i], static_cast<u32>(i));
  link();
}

// A trie first: 0 is the root, and as a target "no child".
void AhoCorasick::add(std::string_view pattern, u32 number) {
  u32 state = 0;
  for (const char c : pattern) {
    const std::size_t at = usize(i64{state} * width_ + column_[static_cast<u8>(c)]);
    if (next_[at] == 0) {
      next_[at] = static_cast<u32>(hits_.size());
      hits_.push_back(kNone);
      next_.resize(next_.size() + usize(width_), 0);
    }
    state = next_[at];
  }
  entries_.push_back({number, hits_[state]});
  hits_[state] = static_cast<u32>(entries_.size() - 1);
}

// Breadth first: a state's failure is shallower, so its transitions and hits are complete.
void AhoCorasick::link() {
  std::vector<u32> queue;
  std::vector<u32> failure(hits_.size(), 0);
  for (i64 column = 0; column < width_; ++column) {
    if (next_[usize(column)] != 0) queue.push_back(next_[usize(column)]);
  }
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const u32 state = queue[i];
    const u32 shorter = failure[state];
    if (hits_[state] == kNone) {
      hits_[state] = hits_[shorter];
    } else {
      u32 last = hits_[state];
      while (entries_[last].next != kNone)
        last = entries_[last].next;
      entries_[last].next = hits_[shorter];
    }
    for (i64 column = 0; column < width_; ++column) {
      u32& target = next_[usize(i64{state} * width_ + column)];
      const u32 other = next_[usize(i64{shorter} * width_ + column)];
      if (target == 0) {
        target = other;
      } else {
        failure[target] = other;
        queue.push_back(target);
      }
    }
  }
}

bool AhoCorasick::found_in(std::string_view text) const {
  bool any = false;
  find(text, [&](i64, i64) {
    any = true;
    return false;
  });
  return any;
}

}  // namespace lm::text

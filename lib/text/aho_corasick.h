#pragma once
// Every place at which a string of a fixed set ends, in one pass over a text (Aho and Corasick
// 1975). A table of transitions: one load per byte, whatever the set. Immutable after construction.

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::text {

class AhoCorasick {
 public:
  /// patterns: not empty each; one that is there twice is found under both numbers. fold_case: A-Z
  /// in patterns and texts stand for a-z. Memory: 4 bytes times states times distinct bytes.
  AhoCorasick(std::span<const std::string_view> patterns, bool fold_case);

  /// Calls found(pattern, end) for each place, by rising end and at one end the longest pattern
  /// first; end is the offset behind it. found returns false to stop. O(|text| + places).
  template <class Found>
  void find(std::string_view text, Found&& found) const {
    u32 state = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      state = next_[usize(i64{state} * width_ + column_[static_cast<u8>(text[i])])];
      for (u32 at = hits_[state]; at != kNone; at = entries_[at].next) {
        if (!found(i64{entries_[at].pattern}, static_cast<i64>(i + 1))) return;
      }
    }
  }
  bool found_in(std::string_view text) const;

 private:
  static constexpr u32 kNone = ~u32{0};
  struct Entry {
    u32 pattern;
    u32 next;  // the next shorter pattern that ends here
  };
  void add(std::string_view pattern, u32 number);
  void link();

  std::array<u8, 256> column_{};  // of a byte; 0: in no pattern
  i64 width_ = 1;
  std::vector<u32> next_;  // [states, width]
  std::vector<u32> hits_;  // [states] into entries_
  std::vector<Entry> entries_;
};

}  // namespace lm::text

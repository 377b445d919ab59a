#pragma once
// How often each token stands in a window of a text that grows at its end.

#include <span>
#include <utility>
#include <vector>

#include "core/types.h"

namespace lm::decode {

class TokenCounts {
 public:
  /// Counts the window [first, tokens.size()) of tokens. Where tokens begins with what it was at
  /// the last call and first has not gone back, that costs the difference; else everything is
  /// counted anew.
  void count(std::span<const i32> tokens, i64 first);
  /// Token and number, ascending by token.
  const std::vector<std::pair<i32, i64>>& of() const { return counts_; }

 private:
  void add(i32 token);
  void remove(i32 token);

  std::vector<i32> tokens_;
  i64 first_ = 0;
  std::vector<std::pair<i32, i64>> counts_;
};

}  // namespace lm::decode

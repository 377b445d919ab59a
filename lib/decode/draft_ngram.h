#pragma once
// Guesses by counts of what followed the last one to four tokens: in this text, and in earlier
// ones. Source of the escape estimate: Witten and Bell 1991, with constants for short contexts.

#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "decode/draft.h"

namespace lm::decode {

/// Counts of tokens behind contexts of 1 to 4 tokens.
class NgramCounts {
 public:
  static constexpr i64 kLongest = 4;
  struct Row {
    i64 total = 0;
    std::vector<std::pair<i32, i32>> counts;  // token and how often, in order of first appearance
  };

  /// Counts text[at] behind what is before it. O(1).
  void add(std::span<const i32> text, i64 at);
  void add(std::span<const i32> text);
  /// What followed the last `size` tokens of context, null: nothing did.
  const Row* find(std::span<const i32> context, i64 size) const;

 private:
  static u64 key(std::span<const i32> context, i64 size);
  std::unordered_map<u64, Row> rows_;  // by hash: a collision spoils a guess; never iterated
};

/// The likeliest guesses, as a tree of at most 16 levels.
class NgramTree final : public Drafter {
 public:
  /// earlier: counts of other texts, to which this one is added when it is complete; or null.
  explicit NgramTree(std::shared_ptr<NgramCounts> earlier = nullptr)
      : earlier_(std::move(earlier)) {}
  void propose(std::span<const i32> history, i64 most, DraftTree& out) override;
  void finish(std::span<const i32> history) override;

 private:
  void expand(std::span<const i32> context, std::vector<std::pair<f32, i32>>& out) const;

  NgramCounts own_;
  std::shared_ptr<NgramCounts> earlier_;
  i64 known_ = 0;  // tokens of the history that own_ has
};

}  // namespace lm::decode

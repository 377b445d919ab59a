#pragma once
// Guesses of ADED (Liu et al. 2025): weights of tokens behind pairs of tokens, which adapt to the
// text that is written, and a tree search over them by visit counts. The published form knows only
// the last 16 tokens; the corrected one reads the prompt first. Its other faults are in neither:
// ties go to the heavier and smaller token, so that runs are equal, a pair without successors has
// no guess, and a draw that checks a guess is the text's next token.

#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "decode/draft.h"

namespace lm::decode {

/// Weights of tokens behind pairs of tokens: of each pair the 12 heaviest, heavier first, of equal
/// ones the smaller.
class TrigramMatrix {
 public:
  static constexpr i64 kSuccessors = 12;
  static constexpr f32 kMost = 3;
  using Row = std::vector<std::pair<i32, f32>>;  // token, weight

  /// Shares of c among what follows (a, b) in a text, for all of its trigrams; the heavier of the
  /// old and the new weight stays.
  void index(std::span<const i32> text);
  /// w(c | a, b) += by, at most kMost. A pair that is full gives up its lightest token.
  void raise(i32 a, i32 b, i32 c, f32 by);
  /// Null: nothing follows.
  const Row* find(i32 a, i32 b) const;

 private:
  static u64 key(i32 a, i32 b) { return u64{static_cast<u32>(a)} << 32 | static_cast<u32>(b); }
  static void insert(Row& row, i32 token, f32 weight);
  std::unordered_map<u64, Row> rows_;  // never iterated
};

struct AdedOptions {
  bool prompt = true;  // the prompt's trigrams are read; false: as published
  i64 window = 16;     // tokens at the end of a text whose trigrams are raised at every step
  f32 raise = 0.04f;
  i64 iterations = 150;
  f64 c1 = 32, c2 = 8;  // of the search's bound
  i64 pairs = 4;        // of a path, the first of which has been written
  i64 paths = 24;       // of the tree, the most visited
  i64 tokens = 64;      // of all paths together
};

class Aded final : public Drafter {
 public:
  /// shared: weights that other texts have left and this one changes; null: its own.
  explicit Aded(const AdedOptions& options = {}, std::shared_ptr<TrigramMatrix> shared = nullptr);
  void propose(std::span<const i32> history, i64 most, DraftTree& out) override;

 private:
  struct Node {
    i32 token = 0;
    i32 parent = -1;
    i32 first = -1;  // child; they lie side by side
    i32 children = 0;
    i32 depth = 0;
    f32 prior = 0;
    f64 visits = 0;
    f64 value = 0;  // summed rewards
  };
  void learn(std::span<const i32> history);
  void search(i32 a, i32 b);
  i32 select(i32 node) const;
  void expand(i32 node, i32 a, i32 b);
  f64 roll_out(i32 depth, i32 a, i32 b);
  std::vector<std::vector<std::pair<i32, f32>>> paths(i32 b) const;

  AdedOptions options_;
  std::shared_ptr<TrigramMatrix> matrix_;
  std::vector<Node> nodes_;
  i64 known_ = 0;  // tokens of the history when it was last seen
  u64 draws_ = 0;
};

}  // namespace lm::decode

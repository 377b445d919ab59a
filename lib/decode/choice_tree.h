#pragma once
// Alternatives of several tokens, of which a model chooses one as a whole: a trie of their tokens,
// and the rows that have to be read so that every token of every alternative has its probability.
// A few passes read them: rows of a pass see their ancestors, which 64 bits can name.

#include <span>
#include <vector>

#include "core/types.h"

namespace lm::decode {

/// A token that some alternative has behind the same beginning.
struct ChoiceNode {
  i32 token = 0;
  i32 parent = -1;     // index, -1: behind the text; parents come first
  i32 depth = 1;       // tokens to here
  bool inner = false;  // something follows it
  f64 logp = 0;        // given what is before it, once its parent's row is scored
};

class ChoiceTree {
 public:
  ChoiceTree() = default;
  /// alternatives: at least one token each, no two the same.
  explicit ChoiceTree(std::span<const std::vector<i32>> alternatives);

  i64 alternatives() const { return isize(leaves_); }
  const ChoiceNode& node(i64 at) const { return nodes_[usize(at)]; }
  /// The nodes of an alternative, first to last.
  std::vector<i32> path(i64 alternative) const;

  /// Takes logits behind a node (-1: behind the text): its children have their probabilities.
  /// False if they are not numbers.
  [[nodiscard]] bool score(i64 node, std::span<const f32> logits);
  /// ln of the product of the probabilities of an alternative's tokens.
  f64 weight(i64 alternative) const;

  /// Inner nodes of the next alternatives that are not read: as many alternatives as have at most
  /// `most` rows together, at least one; with `chain` one alone. Ascending; empty when all are
  /// read. What two reads share is read twice.
  std::vector<i32> next_read(i64 most, bool chain);
  bool all_read() const { return read_ == alternatives(); }

 private:
  std::vector<ChoiceNode> nodes_;
  std::vector<i32> leaves_;  // by alternative
  i64 read_ = 0;             // alternatives
};

/// Is every node the child of the one before it?
bool is_chain(const ChoiceTree& tree, std::span<const i32> nodes);
/// Bit j set: the j-th of `nodes` is before the one at `place` of them. At most 64 before it.
u64 ancestors_of(const ChoiceTree& tree, std::span<const i32> nodes, i64 place);

}  // namespace lm::decode

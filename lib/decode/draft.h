#pragma once
// Guesses at a sequence's next tokens, a chain or a tree. Several rows of one pass then check them:
// a token is drawn at each guessed position that is reached as it would be without the guess, and
// the guess is kept while it equals the draw. Draws are keyed by position, so the text is the same,
// byte for byte; only passes are saved. Sources: Saxena 2023 (prompt lookup decoding); Leviathan et
// al. 2023 (checking a draft in one pass); Miao et al. 2024 (trees of guesses).

#include <array>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/types.h"

namespace lm::decode {

/// A guess. Its chance is the drafter's estimate that the text goes this way: at most its parent's.
struct DraftNode {
  i32 token = 0;
  i32 parent = -1;  // index of the guess before it, -1: behind the history
  f32 chance = 1;
};

/// Parents before children; the children of a node have different tokens.
using DraftTree = std::vector<DraftNode>;

/// Most guesses of a pass and sequence: what a row's set of ancestors can name.
inline constexpr i64 kMostDraft = 64;

/// Is every guess behind the one before it?
bool is_chain(std::span<const DraftNode> tree);
/// Leaves of a tree the path of the greatest chance (of equal ones the first).
void keep_chain(DraftTree& tree);
/// Drops guesses that are no ids of a vocabulary, and what is behind them.
void drop_unknown(DraftTree& tree, i64 vocab);
/// The guess of a token behind `parent`, -1 if there is none.
i64 child_of(std::span<const DraftNode> tree, i64 parent, i32 token);
/// Bit j set: guess j - 1 (bit 0: what stands before all guesses) is before guess `node`.
u64 draft_ancestors(std::span<const DraftNode> tree, i64 node);

/// One per sequence, whose history only grows.
class Drafter {
 public:
  virtual ~Drafter() = default;
  /// Appends at most `most` (<= kMostDraft) guesses at what follows history (prompt and output) to
  /// an empty tree.
  virtual void propose(std::span<const i32> history, i64 most, DraftTree& out) = 0;
  /// The text is complete: what can be learned for others is.
  virtual void finish(std::span<const i32> history) { static_cast<void>(history); }
};

/// What followed the most recent earlier place where the last three tokens stood, else the last
/// two, else the last; round and round where the text ends first.
class PromptLookup final : public Drafter {
 public:
  void propose(std::span<const i32> history, i64 most, DraftTree& out) override;

 private:
  static constexpr i64 kLongest = 3;
  using Gram = std::array<i32, kLongest>;  // -1 before a shorter one
  struct Hash {
    std::size_t operator()(const Gram& gram) const;
  };
  static Gram gram_before(std::span<const i32> history, i64 end, i64 size);

  std::unordered_map<Gram, i64, Hash> after_;  // index of the token that followed; never iterated
  i64 known_ = 0;                              // tokens whose grams before them are in the map
};

}  // namespace lm::decode

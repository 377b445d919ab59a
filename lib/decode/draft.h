#pragma once
// Guesses at a sequence's next tokens. Several rows of one pass then check them: a token is drawn
// at each guessed position as it would be without the guess, and the guess is kept while it equals
// the draw. Draws are keyed by position, so the text is the same, byte for byte; only passes are
// saved. Sources: Saxena 2023 (prompt lookup decoding); Leviathan et al. 2023 (checking a draft in
// one pass).

#include <array>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/types.h"

namespace lm::decode {

/// One per sequence, whose history only grows.
class Drafter {
 public:
  virtual ~Drafter() = default;
  /// Appends at most `most` guesses at what follows history (prompt and output). Amortised O(1) per
  /// token of the history and guess.
  virtual void propose(std::span<const i32> history, i64 most, std::vector<i32>& out) = 0;
};

/// What followed the most recent earlier place where the last three tokens stood, else the last
/// two, else the last.
class PromptLookup final : public Drafter {
 public:
  void propose(std::span<const i32> history, i64 most, std::vector<i32>& out) override;

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

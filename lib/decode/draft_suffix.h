#pragma once
// Guesses by the longest end of the text that stood before, in it or in earlier texts: a suffix
// automaton of each. Sources: Blumer et al. 1985 (the automaton); Oliaro et al. 2024 (drafts from
// it, longer behind longer matches).

#include <map>
#include <memory>
#include <vector>

#include "decode/draft.h"

namespace lm::decode {

/// All stretches of a list of tokens that grows. O(1) amortised per token.
class SuffixAutomaton {
 public:
  SuffixAutomaton() { states_.emplace_back(); }
  void add(i32 token);
  /// A place that no stretch crosses.
  void separate() { last_ = 0; }

  /// A stretch that stands in the list: its state and length.
  struct Match {
    i32 state = 0;
    i64 length = 0;
  };
  /// The longest end of the list that stands in it a second time.
  Match repeated() const;
  /// The longest end of the matched text and `token` that stands in the list.
  Match follow(Match match, i32 token) const;
  /// Appends what follows the match in the list, to at most `most` guesses of at most `depth`
  /// levels, the most frequent first.
  void propose(const Match& match, i64 depth, i64 most, DraftTree& out) const;

 private:
  struct State {
    i64 length = 0;
    i32 link = -1;
    i32 count = 0;                 // how often its longest stretch ended, at most kCounted links up
    std::map<i32, i32> next = {};  // in order: the same guesses at every run
  };
  std::vector<State> states_;
  i32 last_ = 0;
};

class SuffixDrafter final : public Drafter {
 public:
  /// earlier: other texts, to which this one is added when it is complete; or null.
  explicit SuffixDrafter(std::shared_ptr<SuffixAutomaton> earlier = nullptr)
      : earlier_(std::move(earlier)) {}
  void propose(std::span<const i32> history, i64 most, DraftTree& out) override;
  void finish(std::span<const i32> history) override;

 private:
  SuffixAutomaton own_;
  std::shared_ptr<SuffixAutomaton> earlier_;
  SuffixAutomaton::Match elsewhere_;
  i64 known_ = 0;
};

}  // namespace lm::decode

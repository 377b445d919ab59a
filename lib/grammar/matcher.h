#pragma once
// Which tokens of a vocabulary keep a text inside a language, exactly: a token is allowed if and
// only if some text of the language begins with the text so far and the token's bytes; an end token
// if and only if the text so far is of the language.
// A state is a number that stays valid as long as the matcher lives: copies, beams and trees copy
// it. Everything may be called from any number of threads.
// Cost: what is known of the tokens inside a rule serves every place the rule stands in; a new
// place costs the tokens that leave the rule. Known masks are kept, the least lately used go first.
// Sources: Willard, Louf 2023 (masks by automaton state); Dong et al. 2024 (tokens that depend on
// the stack and those that do not); Moskal et al. 2025 (tries walked with derivatives, slices).

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "grammar/machine.h"
#include "grammar/mask_cache.h"
#include "grammar/token_trie.h"

namespace lm::grammar {

struct MatcherOptions {
  i64 state_bytes = i64{256} << 20;  // tables of states; when they are full, Fault "budget"
  i64 mask_bytes = i64{64} << 20;    // masks that are kept
  /// Both are charged there, shared with other matchers; null: nowhere.
  std::shared_ptr<TableMemory> memory = nullptr;
  i64 beside = 0;  // bytes that go with the matcher, charged with it
};

/// Bit of a token in a mask.
inline bool allows(std::span<const u32> mask, i32 token) {
  return (mask[usize(token >> 5)] >> (token & 31) & 1) != 0;
}

class Matcher {
 public:
  /// ends: ids that end a text. Fault "budget" if even the start needs more than state_bytes. This
  /// and all calls that follow throw Error{kOs} where options.memory has no room.
  static Result<std::unique_ptr<Matcher>> make(std::shared_ptr<const Grammar> grammar,
                                               std::shared_ptr<const TokenTrie> trie,
                                               std::vector<i32> ends,
                                               const MatcherOptions& options = {});

  State start() const { return machine_.start(); }
  /// Writes the allowed tokens to out [trie.words()].
  std::optional<Fault> mask(State s, std::span<u32> out);
  /// As mask, without tokens after which an end would not be nearer: with them alone a text ends
  /// after at most distance(s) tokens. Where s is accepting, the end tokens alone. Empty where no
  /// token of the vocabulary leads nearer.
  std::optional<Fault> closing_mask(State s, std::span<u32> out);
  /// The state after a token (not an end token) or after bytes; kDead if they are not allowed.
  Result<State> accept(State s, i32 token);
  Result<State> accept_bytes(State s, std::string_view bytes);
  /// Whether the text so far is of the language.
  bool accepting(State s) const;
  /// Whether the text so far is of the language and nothing may follow it.
  Result<bool> closed(State s);
  /// The least number of bytes to an accepting state.
  i32 distance(State s) const;
  /// The text that must come next, as far as there is no choice; empty where there is one or where
  /// the text may end.
  struct Forced {
    std::string text;
    State after = kDead;
  };
  Result<Forced> forced(State s);
  /// Whether some token longer than text begins with it and is allowed, given the state after text.
  Result<bool> extends(std::string_view text, State after);

  const TokenTrie& trie() const { return *trie_; }
  const Grammar& grammar() const { return machine_.grammar(); }
  i64 state_bytes_used() const;

 private:
  Matcher(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTrie> trie,
          std::vector<i32> ends, const MatcherOptions& options);
  /// How many safe characters (token_trie.h) in a row s allows, whichever they are: 0 to kLevels or
  /// kDeepestLevel for any number. ended: whether a text may end within them.
  int free_length(State s, bool& ended);
  struct FreeStep {  // of the automaton of safe characters
    int from;
    int to;
    std::vector<i32> classes;
  };
  void plan_free_steps();
  using MaskPtr = std::shared_ptr<const KeptMask>;
  MaskPtr complete(State s);
  MaskPtr inside(i32 rule_state);
  void add_frame(const Frame& frame, bool alone, TokenSink& sink);
  /// The tokens of the short tries (first = kPlain) or the long ones (kLongPlain) that s allows;
  /// on_end(part, node index) where a text may end. Returns whether it may within plain tokens,
  /// of which on_end is not told.
  template <typename OnEnd>
  bool add_tokens(State s, int first, TokenSink& sink, OnEnd on_end);
  void add_below(int part, u32 leaf, State from, TokenSink& sink);
  template <typename OnNode>
  void walk(int part, i64 begin, i64 end, State from, int skip_level, OnNode on_node);
  void set_ends(State s, std::span<u32> out) const;

  mutable std::mutex mutex_;  // guards what follows
  Machine machine_;
  std::shared_ptr<const TokenTrie> trie_;  // shared with other matchers of the model
  std::vector<i32> ends_;
  MaskCache masks_;
  std::vector<FreeStep> free_steps_;
  std::vector<i32> class_sizes_;
  std::vector<State> path_;
};

}  // namespace lm::grammar

#pragma once
// Solutions of combinatorial problems (lib/accord) that a model writes and that are feasible
// whatever it likes: it chooses among the legal steps of an automaton without dead ends, arithmetic
// is the automaton's. As choices of whole steps, or as a mask of tokens.
// Source: ACCORD (formats); the published system samples and filters.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "accord/automaton.h"
#include "decode/choice_text.h"
#include "decode/constraint.h"
#include "grammar/token_trie.h"
#include "text/tokenizer.h"

namespace lm::decode {

/// What a vocabulary can spell. Immutable.
class Spelling {
 public:
  /// vocab: of the model, at least the tokenizer's. Borrows the tokenizer, which adds no specials.
  Spelling(const text::Tokenizer& tokenizer, i64 vocab);

  const grammar::TokenTrie& trie() const { return trie_; }
  const text::Tokenizer& tokenizer() const { return tokenizer_; }
  /// Fault "tokenizer" naming a byte that no token has alone.
  std::optional<Fault> check(std::string_view bytes) const;
  /// Tokens of text where it follows `before`: as the tokenizer cuts both together if it cuts
  /// between them, else text alone; else, where those are other bytes, the longest tokens from left
  /// to right. check() must have passed for its bytes. Fault "tokenizer" as encode_record.
  Result<std::vector<i32>> spell(std::string_view before, std::string_view text,
                                 text::EncodeState& state) const;

 private:
  bool spells(std::span<const i32> ids, std::string_view text) const;
  std::vector<i32> longest(std::string_view text) const;

  const text::Tokenizer& tokenizer_;
  grammar::TokenTrie trie_;
};

/// What is said of a solution: "solution", "objective", "feasible", "decisions" as members of JSON;
/// complete null: it is none.
std::string solution_note(const accord::Automaton* complete, i64 decisions);

/// A solution as choices of whole steps. What stands before the first one is part of it. Steps are
/// cut into tokens one by one: where the tokenizer has tokens across their borders, a model of
/// whole texts reads cuts that it does not know.
class FeasibleChoices final : public ChoiceText {
 public:
  FeasibleChoices(std::shared_ptr<const Spelling> spelling,
                  std::unique_ptr<accord::Automaton> start);
  FeasibleChoices(const FeasibleChoices& other);
  Result<std::vector<Alternative>> next() override;
  void accept(i64 place) override;
  std::string note() const override;
  std::unique_ptr<ChoiceText> clone() const override;

 private:
  std::shared_ptr<const Spelling> spelling_;  // shared by all texts of a run
  std::unique_ptr<text::EncodeState> encoder_;
  std::unique_ptr<accord::Automaton> walk_;
  std::string opening_;       // while it has not come
  std::vector<i64> choices_;  // that next() gave
  std::string tail_;          // of the text, for its tokens' boundaries
  i64 decisions_ = 0;         // among several
};

/// The same as a mask over tokens: those stay whose bytes are, or begin, a way on. Ends a text with
/// reason "complete".
class FeasibleConstraint final : public Constraint {
 public:
  /// at_once: false: a complete solution is still ended by an end token, as a distribution over
  /// whole texts needs it. ends: ids that end a text.
  FeasibleConstraint(std::shared_ptr<const Spelling> spelling,
                     std::unique_ptr<accord::Automaton> start, std::vector<i32> ends,
                     bool at_once = true);
  std::optional<Fault> mask(TokenWeights& x, i64 left) const override;
  void accept(i32 token) override;
  std::optional<TextEnd> end(std::string_view text) override;
  std::string note() const override;
  std::unique_ptr<Constraint> clone() const override;

 private:
  /// Before a decision, or at the end. Immutable: texts share it.
  struct State {
    std::shared_ptr<const accord::Automaton> walk;
    std::vector<i64> choices;
    std::vector<std::string> texts;  // by choice; the opening stands alone
    i64 decisions = 0;
    bool opening = false;
  };
  /// What a text's bytes may mean: so much of that alternative has come; none: it is before them.
  struct Place {
    std::shared_ptr<const State> state;
    i64 alternative = -1;
    i64 bytes = 0;
  };
  static std::shared_ptr<const State> state_of(std::shared_ptr<const accord::Automaton> walk,
                                               i64 decisions);
  Place settled(Place place) const;
  std::vector<Place> step(const std::vector<Place>& places, u8 byte) const;
  void walk(int part, i64 begin, i64 end, const std::vector<Place>& places) const;
  const State* complete() const;

  std::shared_ptr<const Spelling> spelling_;
  std::vector<i32> ends_;
  bool at_once_;
  std::vector<Place> places_;
  bool over_ = false;  // an end token came
  i64 ended_ = 0;      // bytes of the text before it
  bool heard_ = false;
  mutable std::map<std::pair<const State*, i64>, std::shared_ptr<const State>> after_;
  mutable std::vector<u8> allowed_;  // by id
};

}  // namespace lm::decode

#pragma once
// Guesses of an n-gram model from a file: the likeliest words behind the text's last ones, as a
// tree. Nothing is learned while a text is written.

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/context.h"
#include "decode/draft.h"
#include "ngram/followers.h"
#include "ngram/model.h"
#include "text/tokenizer.h"

namespace lm::decode {

/// An n-gram model whose words are the tokens of a tokenizer. Const members may run concurrently.
class TokenNgrams {
 public:
  /// ARPA or LMNG. ctx outlives it. Throws what ngram::Model::load and ngram::Followers throw.
  TokenNgrams(const Context& ctx, std::string path);
  /// To be called once, before all else. Throws Error{kUsage} where the model says that it was
  /// trained on other words than this tokenizer's pieces or ids, and Error{kData} where none of its
  /// words is a token.
  void set_tokens(const text::Tokenizer& tokenizer);

  /// Before a text.
  ngram::State begin() const { return model_.begin_sentence(); }
  /// Behind one more token. One that the model lacks, or that begins or ends texts, begins a
  /// sentence.
  ngram::State next(const ngram::State& state, i32 token) const;
  /// Tokens of at least that probability, the likeliest first.
  void guess(const ngram::State& state, f64 least, std::vector<std::pair<f32, i32>>& out) const;

 private:
  std::string path_;
  ngram::Model model_;
  ngram::Followers followers_;
  std::vector<u32> words_;   // by token; kUnk: none
  std::vector<i32> tokens_;  // by word, the first of equal spelling; -1: none
};

class NgramModelDrafter final : public Drafter {
 public:
  explicit NgramModelDrafter(std::shared_ptr<const TokenNgrams> model);
  void propose(std::span<const i32> history, i64 most, DraftTree& out) override;

 private:
  std::shared_ptr<const TokenNgrams> model_;
  ngram::State state_;  // behind the history's first known_ tokens
  i64 known_ = 0;
  std::vector<ngram::State> states_;  // behind each guess
};

}  // namespace lm::decode

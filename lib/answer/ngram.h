#pragma once
// An n-gram model as who answers: quick, and of exactly known probabilities. Its tokens are the
// model's words, its texts words joined by blanks, or pieces one behind the other; what samples of
// other models obey (processors, stops, forms) holds here. A reply begins where a word may begin.
// One word costs a look at all of the vocabulary.

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "answer/answer.h"
#include "decode/constraint.h"
#include "decode/languages.h"
#include "ngram/scorer.h"

namespace lm::answer {

struct NgramOptions {
  std::string path;       // ARPA or LMNG
  std::string tokenizer;  // of a model over pieces
  decode::LanguagesOptions languages = {};
};

class NgramAnswerer final : public Answerer {
 public:
  /// Throws what open_ngram_scorer throws.
  NgramAnswerer(const Context& ctx, const NgramOptions& options);

  void add(Request request) override { waiting_.push_back({std::move(request), {}}); }
  i64 pending() const override { return isize(waiting_); }
  /// Answers one request.
  bool step() override;
  std::optional<Response> take() override;
  i64 count_tokens(const std::string& text) const override;
  u64 key() const override { return key_; }

  /// ln p of every word behind a prompt, -infinity for what is never written: [words].
  std::vector<f32> distribution(const std::string& prompt) const;
  /// Words of the model; ids of decode::SampleParams are theirs.
  i64 words() const { return model_.vocab_size(); }

 private:
  struct Waiting {
    Request request;
    std::optional<Response> response;
  };
  /// Of a prompt: the words of its last sentence, and where they leave the model.
  struct Read {
    std::vector<i32> words;
    ngram::State state;
  };
  Response answer(const Request& request);
  std::optional<Fault> read(std::string_view text, Read& out) const;
  Result<f64> score(const std::string& prompt, const std::string& text) const;
  Reply write(const Request& request, const Read& prompt, i64 sample,
              const decode::Constraint* form, std::optional<Fault>& fault);
  void predict(const ngram::State& state, std::vector<f32>& out) const;
  decode::Languages& languages();

  std::unique_ptr<ngram::NgramScorer> scorer_;
  const ngram::Model& model_;
  bool pieces_;
  bool lines_;
  decode::LanguagesOptions options_;
  std::vector<std::string> texts_;  // by word, as one that does not begin a text of words
  std::unique_ptr<decode::Languages> languages_;
  u64 key_;
  std::deque<Waiting> waiting_;
  i64 answered_ = 0;  // of waiting_, from its front
};

}  // namespace lm::answer

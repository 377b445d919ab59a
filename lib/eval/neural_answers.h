#pragma once
// A model as the source of answers. Requests are put in an order that shares work: equal requests
// are scored once, common beginnings of token sequences are evaluated once, the longest go first.
// Answers do not depend on that (decode/README.md).

#include <functional>

#include "decode/languages.h"
#include "decode/session.h"
#include "eval/answers.h"

namespace lm::eval {

/// Token sequences of which those from `first` on are scored.
using ScoredSequence = decode::ScoredTokens;

/// A plan of few forward rows: which sequences are branches of which prefix.
struct SharedPrefix {
  i64 length = 0;             // tokens
  std::vector<i64> branches;  // indices of sequences
  i64 rows = 0;               // tokens evaluated
};
/// The cheapest way to cut a set of sequences into groups with one prefix each, before groups of
/// more than `most` branches are cut. Sorted by rows, most first. O(n log n) comparisons, and n
/// times the nesting of common beginnings (of which 64 levels count).
std::vector<SharedPrefix> share_prefixes(std::span<const ScoredSequence> sequences, i64 most);

/// A text longer than the context in windows that do not overlap in what they score: the first
/// behind the begin token, each later one with as many tokens before as the context has room for.
/// text: the begin token, then tokens that are all scored. context >= 1.
std::vector<ScoredSequence> rolling_windows(const ScoredSequence& text, i64 context);

struct NeuralStats {
  i64 requests = 0;
  i64 unique = 0;
  i64 tokens = 0;        // of the unique requests
  i64 rows = 0;          // tokens evaluated for them
  i64 cut_contexts = 0;  // contexts that lost their beginning, longer than the model's
  i64 generated = 0;     // tokens
};

class NeuralAnswers final : public AnswerSource {
 public:
  /// Borrows the session, whose begin token (if it has one) stands before every text; the token
  /// before an empty context is that of the tokenizer, else of the model, else the end of text.
  /// status: told (done, all) now and then. Throws Error{kData} when there is no such token.
  NeuralAnswers(decode::Session& session, u64 seed,
                std::function<void(i64 done, i64 all)> status = nullptr);

  std::vector<Likelihood> likelihoods(std::span<const LikelihoodRequest> requests) override;
  std::vector<std::vector<std::string>> texts(std::span<const TextRequest> requests,
                                              const Generation& how, i64 repeats) override;
  const NeuralStats& stats() const { return stats_; }

 private:
  ScoredSequence encode(const LikelihoodRequest& request);
  /// Null where any text will do. Throws Error{kData} for what is no language.
  std::shared_ptr<const decode::Constraint> constraint_of(const TextRequest& request);
  void told(i64 done, i64 all) const {
    if (status_) status_(done, all);
  }

  decode::Session& session_;
  u64 seed_;
  std::function<void(i64, i64)> status_;
  decode::PromptEncoder encoder_;  // as the session begins texts
  decode::PromptEncoder bare_;     // behind the token before an empty context
  decode::Languages languages_;
  NeuralStats stats_;
};

}  // namespace lm::eval

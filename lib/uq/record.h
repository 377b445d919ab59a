#pragma once
// One question with everything a model said about it: what `sample` and `perturb` write, and
// `score` and `eval` read. The format stands here and nowhere else:
//
//   id, prompt, refs [text..], correct 0|1|null, temperature, vocab (size of the vocabulary)
//   greedy   {text, PER TOKEN.., emb}        the answer at temperature 0
//   samples  [{text, logp, relevance, emb} or text ..]   m answers to the prompt
//   perturb  [{prompt, kind, similarity, generation, emb, samples [..]} ..]   n rewordings with
//            their answers; kind "original" holds answers to the prompt itself, else `samples` does
//   emb      {greedy [d], samples [m][d], prompt [d], layer}   another place for the embeddings
//   sim      {answers, nli_e, nli_c}   [m][m], or [m+1][m+1] with the greedy answer last: given
//            similarity, 1 on the diagonal, of which the mean of both directions counts; P(row
//            entails column); P(row contradicts column)
//   ensemble [members][L][V]   log-probabilities of every token by several models; or what they
//            come to: {pe, ep: {total, data, pairwise, top5, top10, top15}}, see EnsembleMeasures
//   claims   [{text, token_span [first, end], p_true, nli ["e"|"n"|"c" by sample]} ..]   statements
//            that stand in the greedy answer's tokens first <= t < end
//   model    text: whose states the embeddings are, as emb.layer (a number) says after which layer
//   p_true, p_ik numbers; p_true_samples [true|false|text ..]; verbal: text with a confidence
//
// PER TOKEN, lists of the greedy answer's length L: tokens (ids); logp; entropy (nats); top [[id,
// logp]..] of the likeliest; logp0 (without the prompt); sqrt_mass (sum of the square roots of
// softmax(logits/2)); mean_logp (mean over the vocabulary); relevance (1 - similarity of the answer
// without the token); csl_weight; alternatives [[logp, "e"|"n"|"c"]..] (top candidates that entail,
// neither, contradict the chosen token); attn_self [heads][L]; attn_prev [layers][heads][L] (on the
// token before); attn_back (row t: t weights on the answer's tokens before it, or none); boosted
// (BoostedProb), focus (Focus surprise), keyword (1 or 0), see token_measures.h. Log-probabilities
// are natural. Absent and null are the same: the estimators that
// need the ingredient are absent from the output.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/types.h"

namespace lm::uq {

struct TopToken {
  i64 id = 0;
  f64 logp = 0;
};

enum class Entailment : u8 { kEntails, kNeutral, kContradicts };

struct Alternative {
  f64 logp = 0;
  Entailment relation = Entailment::kNeutral;
};

/// Row-major numbers; empty when absent.
struct Table {
  std::vector<f64> values;
  std::vector<i64> shape;
  bool empty() const { return values.empty(); }
};

/// One text with what is known of its tokens; lists are empty when absent.
struct Answer {
  std::string_view text;
  std::vector<f64> logp;
  std::vector<f64> relevance;
  std::vector<f64> emb;
};

struct GreedyAnswer : Answer {
  std::vector<i64> tokens;
  std::vector<f64> entropy;
  std::vector<f64> logp0;
  std::vector<f64> sqrt_mass;
  std::vector<f64> mean_logp;
  std::vector<f64> csl_weight;
  std::vector<f64> boosted;
  std::vector<f64> focus;
  std::vector<f64> keyword;
  std::vector<std::vector<TopToken>> top;
  std::vector<std::vector<Alternative>> alternatives;
  Table attn_self;  // [heads, L]
  Table attn_prev;  // [layers, heads, L]
  std::vector<std::vector<f64>> attn_back;
};

/// What several models' distributions come to, means over the answer's tokens (ensemble.h).
struct EnsembleMeasures {
  f64 total = 0;     // H(mean p)
  f64 data = 0;      // mean H(p)
  f64 pairwise = 0;  // mean KL(p_i || p_j) over pairs of two members; NaN for one member
  f64 top5 = 0;      // entropy of the k likeliest tokens alone, of mean p, normalised
  f64 top10 = 0;
  f64 top15 = 0;
};

/// By the two posteriors (ensemble.h); absent where the field is a table, or lacks it.
struct GivenEnsemble {
  std::optional<EnsembleMeasures> product;      // pe: of expectations
  std::optional<EnsembleMeasures> expectation;  // ep: of products
};

/// A statement of the greedy answer.
struct Claim {
  std::string_view text;
  i64 first = 0;  // tokens [first, end)
  i64 end = 0;
  std::optional<f64> p_true;
  std::vector<Entailment> nli;  // what each sample says of it
};

struct Perturbation {
  std::string_view prompt;
  std::string_view kind;
  std::optional<f64> similarity;  // to the prompt
  std::optional<i64> generation;  // of a genetic algorithm
  std::vector<f64> emb;
  std::vector<Answer> samples;
};

/// What `score` added: {"scores":{NAME:number|null..},"samples","votes","rewordings","flags":[..]}.
struct Scored {
  // null is left out; where the flags have "infinite", it is infinite.
  std::vector<std::pair<std::string_view, f64>> scores;
  i64 samples = 0;     // answers that were generated: to the prompt,
  i64 votes = 0;       // on the truth of the greedy one,
  i64 rewordings = 0;  // over all wordings
};

/// Texts are views into the reader and live until its next read().
struct UqRecord {
  std::string_view id;  // text, or the number as it is written
  std::string_view prompt;
  std::vector<std::string_view> refs;
  std::optional<f64> correct;
  std::optional<f64> temperature;
  std::optional<i64> vocab;
  std::optional<GreedyAnswer> greedy;
  std::vector<Answer> samples;
  std::vector<Perturbation> perturb;
  std::vector<f64> prompt_emb;
  std::string_view model;        // which one answered; empty: not said
  std::optional<i64> emb_layer;  // of the model's states in the embeddings
  Table sim_answers;             // [k, k], k = samples or samples + 1
  Table nli_entail;
  Table nli_contradict;
  Table ensemble;                // [members, L, V]
  GivenEnsemble ensemble_given;  // where the field has measures
  std::vector<Claim> claims;
  std::optional<f64> p_true;
  std::optional<f64> p_ik;
  std::vector<u8> p_true_samples;
  std::string_view verbal;
  std::optional<Scored> scored;
  bool answered() const { return greedy.has_value() || !samples.empty() || !perturb.empty(); }
};

/// The root fields that are read, beside the one with scores.
std::span<const std::string> record_fields();

/// The field in which scores stand.
inline constexpr const char* kScoreField = "uq";

/// Reads records; one per worker. O(bytes), no allocation beyond the record's own lists.
class RecordReader {
 public:
  /// score_field: the root field that becomes UqRecord::scored.
  explicit RecordReader(std::string score_field = kScoreField);
  ~RecordReader();
  /// line: well-formed JSON with kJsonPadding readable bytes behind it. Fills out. What stands in
  /// fields that are not read is of no matter. Faults: "json" (or a number too large to be one),
  /// "type" (a field of another type), "shape" (lists whose lengths do not fit), "range"
  /// (log-probabilities above zero; probabilities, similarities, attention outside [0,1]; negative
  /// weights, entropies and temperatures; a given similarity of an answer to itself that is not 1).
  std::optional<Fault> read(std::string_view line, UqRecord& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lm::uq

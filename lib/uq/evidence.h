#pragma once
// What estimators share about one record, each part computed when first asked for: whole-answer
// log-probabilities, similarities, clusters, the graph, the inverse family. A part whose
// ingredients the record lacks is empty. Not thread-safe: one per worker, memory kept.

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/types.h"
#include "uq/ensemble.h"
#include "uq/fitted.h"
#include "uq/inverse.h"
#include "uq/meaning.h"
#include "uq/record.h"
#include "uq/similarity.h"

namespace lm::uq {

struct ScoreOptions {
  Sim sim = Sim::kExact;           // of answers
  Sim prompt_sim = Sim::kJaccard;  // of wordings: a text kind or embed
  SimMap map = SimMap::kHalf;
  f64 threshold = 0.5;      // answers at least as similar mean the same; not for nli
  bool components = false;  // clusters are connected components, not greedy first fit
  bool loose = false;  // nli: no contradiction and not neutral both ways, instead of entailment
  i64 draws = 30;
  i64 perturbations = 0;  // wordings beside the original, drawn or repeated; 0: all there are
  u64 seed = 0;
  /// Mahalanobis distance of a state of `state_width` numbers from those of answers that can be
  /// trusted; the same from states of any text. Empty: not given. Thread-safe.
  std::function<f64(std::span<const f64>)> distance, background;
  i64 state_width = 0;
  /// What was learned from a training split, of the same width; null: nothing.
  std::shared_ptr<const Fitted> fitted;
};

/// Why a score must be read with care, or is absent although its ingredients are there.
struct EvidenceFlags {
  bool inv_nonmonotone = false;        // see inverse.h
  bool inv_identical_prompts = false;  // every similarity of wordings above 0.9999: refused
};

class Evidence {
 public:
  explicit Evidence(const ScoreOptions& options) : options_(options) {}
  /// record outlives the work on it.
  void set(const UqRecord& record);

  const UqRecord& record() const { return *record_; }
  const GreedyAnswer* greedy() const { return record_->greedy ? &*record_->greedy : nullptr; }
  i64 samples() const { return isize(record_->samples); }
  const EvidenceFlags& flags() const { return flags_; }
  /// Why the record cannot be scored: the first value that finite() refused.
  const std::optional<Fault>& fault() const { return fault_; }
  /// value; where it is not finite, NaN, and the record is refused for `field`. what: is computed.
  f64 finite(f64 value, std::string_view field, std::string_view what);
  const ScoreOptions& options() const { return options_; }

  /// [m] natural log-probabilities of the samples, as sums and as means over their tokens. Empty if
  /// a sample has none.
  std::span<const f64> sample_logp();
  std::span<const f64> sample_mean_logp();
  /// [m, m] and [m].
  std::span<const f64> similarity();
  std::span<const f64> greedy_similarity();
  /// Similarity of two kinds of given texts, whatever --sim: for lexsim and its variants.
  std::span<const f64> text_similarity(Sim kind);
  /// The words of the samples.
  const ComparedWords& sample_words();
  /// [m] labels by --cluster; by components whatever --cluster, of similar or mutually entailing
  /// answers (num_sets).
  std::span<const i32> clusters();
  std::span<const i32> components();
  /// [m] number of the first sample with the same text.
  std::span<const i32> first_equal();
  const GraphMeasures* graph();
  /// NaN if there is no graph.
  f64 kernel();
  /// [m] embeddings, or empty.
  std::span<const std::vector<f64>* const> embeddings();
  /// Null if wordings, answers or what compares them are missing, or the wordings are all alike.
  const InverseResult* inverse();
  /// Answers that the inverse family draws from, over all wordings.
  i64 inverse_answers();
  /// Null if the record has no distributions of several models, or no tokens where the posterior
  /// needs them.
  const EnsembleMeasures* ensemble(Posterior posterior);
  const Fitted* fitted() const { return options_.fitted.get(); }
  bool has_state() const { return greedy() != nullptr && !greedy()->emb.empty(); }
  stat::SymmetricEigen& eigen() { return eigen_; }

 private:
  void compare_answers();
  bool compare_nli();
  bool same_meaning(i64 i, i64 j, bool for_sets) const;
  bool collect_answers(std::vector<std::vector<i32>>& by_prompt, Similarities& alike);
  bool compare_prompts(std::vector<f64>& sx);
  std::vector<const Perturbation*> wordings() const;

  const ScoreOptions options_;
  const UqRecord* record_ = nullptr;
  EvidenceFlags flags_;
  std::optional<Fault> fault_;
  TextComparer texts_;
  stat::SymmetricEigen eigen_;
  InverseDraw worker_;
  u64 question_ = 0;

  // Each with whether it was computed for this record.
  bool has_logp_ = false;
  std::vector<f64> logp_, mean_logp_;
  bool has_similarity_ = false;
  Similarities alike_;  // of the samples, then the greedy answer
  std::vector<f64> similarity_, greedy_similarity_;
  std::vector<f64> text_similarity_;
  bool has_words_ = false;
  ComparedWords words_;
  std::optional<std::vector<i32>> clusters_, components_, first_equal_;
  std::optional<GraphMeasures> graph_;
  std::optional<f64> kernel_;
  std::vector<const std::vector<f64>*> embeddings_;
  bool has_inverse_ = false;
  std::optional<InverseResult> inverse_;
  struct OfEnsemble {
    bool computed = false;
    std::optional<EnsembleMeasures> measures;
  };
  std::array<OfEnsemble, 2> ensemble_;  // by Posterior
};

}  // namespace lm::uq

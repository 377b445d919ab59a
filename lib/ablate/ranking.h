#pragma once
// From the losses of merged models to an order of candidate sets, beside the baseline (the mean of
// the members' own losses), and, where models were trained on some of the sets, how well both
// orders foretold theirs. Source: Na et al. 2024, sections 3 and 4.
//
// Losses of means of different size are not comparable: averaging shrinks what each unit changed.
// Sets of different size are refused, or ranked by what a least-squares line over their size
// leaves.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::ablate {

/// Where a loss comes from: a mean, the model of one unit, a model trained on the set.
enum class ScoreKind : u8 { kMerged, kSingle, kTrained };
std::string_view score_kind_name(ScoreKind kind);
std::optional<ScoreKind> parse_score_kind(std::string_view text);

/// One line of scores.
struct ScoreRow {
  ScoreKind kind = ScoreKind::kMerged;
  std::vector<std::string> set;  // names of units, ascending
  std::string eval;
  f64 nll_nats = 0;  // per token
  i64 tokens = 0;
  i64 trained_tokens = 0;  // of a single or trained model
  i64 bytes_read = 0;      // of a merged one
};

/// How well values foretell those of trained models. NaN where undefined.
struct Agreement {
  f64 pearson = 0;      // of nats per token
  f64 pearson_ppl = 0;  // of perplexities; not of sizes that differ
  f64 spearman = 0;
  f64 regret_nats = 0;  // trained loss of the set chosen - that of the best
  bool best_found = false;
};

/// A set and its place by one held-out set, or by the mean over all. Ranks from 1; equal values
/// share the mean of theirs.
struct RankedSet {
  std::vector<std::string> set;
  f64 merged_rank = 0;
  f64 baseline_rank = 0;
  std::optional<f64> trained_rank;
};

struct EvalRanking {
  std::string eval;  // empty: the mean over all
  i64 tokens = 0;
  std::vector<RankedSet> sets;  // by merged_rank
  i64 truths = 0;               // sets with a trained model
  Agreement merged;
  Agreement baseline;
};

struct RankingCost {
  i64 sets = 0;
  i64 units = 0;
  i64 modular_tokens = 0;  // training each unit's model
  i64 direct_tokens = 0;   // training a model for each set
  i64 merge_bytes = 0;     // read for the means
  i64 eval_tokens = 0;     // scored, by merged and single models
};

struct Ranking {
  std::vector<i64> sizes;  // of the sets, ascending
  EvalRanking overall;
  std::vector<EvalRanking> by_eval;
  /// Means over the held-out sets of their agreements (regret too).
  Agreement mean_merged;
  Agreement mean_baseline;
  RankingCost cost;
};

class Scores {
 public:
  /// Throws Error{kData} for a row of a set and held-out set that is there already, and for a token
  /// count that differs from another model's on that held-out set.
  void add(const ScoreRow& row);
  /// Ranks the merged sets. Throws Error{kUsage} for sets of different size unless mixed;
  /// Error{kData} where there is no merged row, a merged or trained row lacks a held-out set, or a
  /// unit its single rows.
  Ranking rank(bool mixed) const;

 private:
  using Key = std::pair<std::vector<std::string>, std::string>;  // set, eval
  struct Side {
    std::map<Key, ScoreRow> rows;
    std::map<std::vector<std::string>, i64> sets;
  };
  const ScoreRow& row(ScoreKind kind, const std::vector<std::string>& set,
                      const std::string& eval) const;
  const Side& side(ScoreKind kind) const { return sides_[static_cast<std::size_t>(kind)]; }
  EvalRanking rank_values(const std::vector<std::vector<std::string>>& sets,
                          std::vector<std::vector<f64>> values, bool mixed) const;
  RankingCost cost(const std::vector<std::vector<std::string>>& sets) const;

  Side sides_[3];
  std::map<std::string, i64> tokens_;  // by held-out set
};

/// One JSON object, or a table for people. cost: with what the answer cost.
std::string ranking_json(const Ranking& ranking, bool cost);
std::string ranking_text(const Ranking& ranking, bool cost, i64 most_sets);

/// What a least-squares line of values over sizes leaves; the values where all sizes are equal.
std::vector<f64> without_size(const std::vector<f64>& values, const std::vector<f64>& sizes);

}  // namespace lm::ablate

#include "ablate/ranking.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "core/error.h"
#include "core/str.h"
#include "stat/rank.h"

namespace lm::ablate {

namespace {

constexpr f64 kNan = std::numeric_limits<f64>::quiet_NaN();

std::vector<f64> picked(const std::vector<f64>& values, const std::vector<std::size_t>& which) {
  std::vector<f64> out;
  for (const std::size_t i : which)
    out.push_back(values[i]);
  return out;
}

std::vector<f64> exp_of(std::vector<f64> values) {
  for (f64& value : values)
    value = std::exp(value);
  return values;
}

std::size_t least(const std::vector<f64>& values) {
  return static_cast<std::size_t>(std::min_element(values.begin(), values.end()) - values.begin());
}

// values and trained: of the same sets.
Agreement agreement_of(const std::vector<f64>& values, const std::vector<f64>& trained,
                       bool sizes_differ) {
  Agreement out{kNan, kNan, kNan, kNan, false};
  if (values.empty()) return out;
  out.pearson = stat::pearson(values, trained);
  if (!sizes_differ) out.pearson_ppl = stat::pearson(exp_of(values), exp_of(trained));
  out.spearman = stat::spearman(stat::Ranking(values), stat::Ranking(trained));
  out.regret_nats = trained[least(values)] - trained[least(trained)];
  out.best_found = out.regret_nats == 0;
  return out;
}

Agreement mean_of(const std::vector<EvalRanking>& all, Agreement EvalRanking::*which) {
  Agreement out;
  const f64 n = static_cast<f64>(all.size());
  out.best_found = true;
  for (const EvalRanking& one : all) {
    const Agreement& a = one.*which;
    out.pearson += a.pearson / n;
    out.pearson_ppl += a.pearson_ppl / n;
    out.spearman += a.spearman / n;
    out.regret_nats += a.regret_nats / n;
    out.best_found = out.best_found && a.best_found;
  }
  return out;
}

std::vector<f64> ranks_of(const std::vector<f64>& values) {
  return stat::mid_ranks(stat::Ranking(values));
}

}  // namespace

std::string_view score_kind_name(ScoreKind kind) {
  switch (kind) {
    case ScoreKind::kMerged:
      return "merged";
    case ScoreKind::kSingle:
      return "single";
    case ScoreKind::kTrained:
      break;
  }
  return "trained";
}

std::optional<ScoreKind> parse_score_kind(std::string_view text) {
  for (const ScoreKind kind : {ScoreKind::kMerged, ScoreKind::kSingle, ScoreKind::kTrained})
    if (text == score_kind_name(kind)) return kind;
  return std::nullopt;
}

std::vector<f64> without_size(const std::vector<f64>& values, const std::vector<f64>& sizes) {
  const f64 n = static_cast<f64>(values.size());
  const f64 mean_size = std::accumulate(sizes.begin(), sizes.end(), 0.0) / n;
  const f64 mean_value = std::accumulate(values.begin(), values.end(), 0.0) / n;
  f64 along = 0;
  f64 spread = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    along += (sizes[i] - mean_size) * (values[i] - mean_value);
    spread += (sizes[i] - mean_size) * (sizes[i] - mean_size);
  }
  if (spread == 0) return values;
  std::vector<f64> out;
  for (std::size_t i = 0; i < values.size(); ++i)
    out.push_back(values[i] - mean_value - along / spread * (sizes[i] - mean_size));
  return out;
}

void Scores::add(const ScoreRow& row) {
  Side& to = sides_[static_cast<std::size_t>(row.kind)];
  const std::string what =
      cat(score_kind_name(row.kind), " ", quote(join(row.set, "+")), " on ", quote(row.eval));
  const auto [tokens, fresh] = tokens_.emplace(row.eval, row.tokens);
  if (!fresh && tokens->second != row.tokens)
    throw Error(ErrorKind::kData, cat(what, ": ", row.tokens, " tokens, but ", tokens->second,
                                      " of another model: other texts or another tokenizer"));
  if (!to.rows.emplace(Key{row.set, row.eval}, row).second)
    throw Error(ErrorKind::kData, cat(what, ": stands there twice"));
  ++to.sets[row.set];
}

const ScoreRow& Scores::row(ScoreKind kind, const std::vector<std::string>& set,
                            const std::string& eval) const {
  const std::map<Key, ScoreRow>::const_iterator at = side(kind).rows.find(Key{set, eval});
  if (at != side(kind).rows.end()) return at->second;
  throw Error(ErrorKind::kData, cat("no ", score_kind_name(kind), " score of ",
                                    quote(join(set, "+")), " on ", quote(eval)));
}

EvalRanking Scores::rank_values(const std::vector<std::vector<std::string>>& sets,
                                std::vector<std::vector<f64>> values, bool mixed) const {
  EvalRanking out;
  std::vector<std::size_t> known;  // sets with a trained model
  std::vector<f64> sizes;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    sizes.push_back(static_cast<f64>(sets[i].size()));
    if (!std::isnan(values[2][i])) known.push_back(i);
  }
  const bool differ = *std::max_element(sizes.begin(), sizes.end()) !=
                      *std::min_element(sizes.begin(), sizes.end());
  const std::vector<f64> known_sizes = picked(sizes, known);
  std::vector<f64> trained = picked(values[2], known);
  if (mixed && differ) {
    for (const std::size_t side : {std::size_t{0}, std::size_t{1}})
      values[side] = without_size(values[side], sizes);
    if (!known.empty()) trained = without_size(trained, known_sizes);
  }
  out.truths = isize(known);
  out.merged = agreement_of(picked(values[0], known), trained, differ);
  out.baseline = agreement_of(picked(values[1], known), trained, differ);
  const std::vector<f64> merged_ranks = ranks_of(values[0]);
  const std::vector<f64> baseline_ranks = ranks_of(values[1]);
  for (std::size_t i = 0; i < sets.size(); ++i)
    out.sets.push_back({sets[i], merged_ranks[i], baseline_ranks[i], std::nullopt});
  if (!known.empty()) {
    const std::vector<f64> trained_ranks = ranks_of(trained);
    for (std::size_t i = 0; i < known.size(); ++i)
      out.sets[known[i]].trained_rank = trained_ranks[i];
  }
  std::stable_sort(out.sets.begin(), out.sets.end(), [](const RankedSet& a, const RankedSet& b) {
    return a.merged_rank < b.merged_rank;
  });
  return out;
}

RankingCost Scores::cost(const std::vector<std::vector<std::string>>& sets) const {
  RankingCost out;
  out.sets = isize(sets);
  std::set<std::string> used;
  const std::string& eval = tokens_.begin()->first;
  const auto unit_tokens = [&](const std::string& unit) {
    return row(ScoreKind::kSingle, {unit}, eval).trained_tokens;
  };
  for (const std::vector<std::string>& set : sets) {
    out.merge_bytes += row(ScoreKind::kMerged, set, eval).bytes_read;
    for (const std::string& unit : set) {
      out.direct_tokens += unit_tokens(unit);
      if (used.insert(unit).second) out.modular_tokens += unit_tokens(unit);
    }
  }
  out.units = isize(used);
  for (const auto& [name, tokens] : tokens_)
    out.eval_tokens += tokens * (out.sets + out.units);
  return out;
}

Ranking Scores::rank(bool mixed) const {
  std::vector<std::vector<std::string>> sets;
  std::set<i64> sizes;
  for (const auto& [set, count] : side(ScoreKind::kMerged).sets) {
    sets.push_back(set);
    sizes.insert(isize(set));
  }
  if (sets.empty())
    throw Error(ErrorKind::kData, "no score of a merged model",
                "lm-merge ablate eval POOL --sets pairs ... makes such scores");
  Ranking out;
  out.sizes.assign(sizes.begin(), sizes.end());
  if (sizes.size() > 1 && !mixed) {
    std::string list;
    for (const i64 size : sizes)
      append(list, list.empty() ? "" : size == *sizes.rbegin() ? " and " : ", ", size);
    throw Error(ErrorKind::kUsage,
                cat("sets of ", list,
                    " units: losses of means of different size do not compare, "
                    "for averaging shrinks what each unit changed"),
                "--allow-mixed-sizes ranks them by what a line over the size leaves");
  }
  std::vector<std::vector<f64>> sums(3, std::vector<f64>(sets.size(), 0.0));
  const f64 evals = static_cast<f64>(tokens_.size());
  for (const auto& [eval, tokens] : tokens_) {
    std::vector<std::vector<f64>> values(3);
    for (const std::vector<std::string>& set : sets) {
      values[0].push_back(row(ScoreKind::kMerged, set, eval).nll_nats);
      f64 members = 0;
      for (const std::string& unit : set)
        members += row(ScoreKind::kSingle, {unit}, eval).nll_nats;
      values[1].push_back(members / static_cast<f64>(set.size()));
      const bool trained = side(ScoreKind::kTrained).sets.count(set) > 0;
      values[2].push_back(trained ? row(ScoreKind::kTrained, set, eval).nll_nats : kNan);
    }
    for (std::size_t side = 0; side < 3; ++side)
      for (std::size_t i = 0; i < sets.size(); ++i)
        sums[side][i] += values[side][i] / evals;
    EvalRanking one = rank_values(sets, std::move(values), mixed);
    one.eval = eval;
    one.tokens = tokens;
    out.overall.tokens += tokens;
    out.by_eval.push_back(std::move(one));
  }
  const i64 tokens = out.overall.tokens;
  out.overall = rank_values(sets, std::move(sums), mixed);
  out.overall.tokens = tokens;
  out.mean_merged = mean_of(out.by_eval, &EvalRanking::merged);
  out.mean_baseline = mean_of(out.by_eval, &EvalRanking::baseline);
  out.cost = cost(sets);
  return out;
}

}  // namespace lm::ablate

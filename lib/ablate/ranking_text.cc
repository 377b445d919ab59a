// What a ranking says, for programs and for people.

#include <cmath>

#include <nlohmann/json.hpp>

#include "ablate/ranking.h"
#include "core/str.h"

namespace lm::ablate {

namespace {

using Json = nlohmann::ordered_json;

Json number(f64 value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Json agreement_json(const Agreement& one) {
  return {{"pearson", number(one.pearson)},
          {"pearson_ppl", number(one.pearson_ppl)},
          {"spearman", number(one.spearman)},
          {"regret_nats", number(one.regret_nats)},
          {"best_found", one.best_found}};
}

Json eval_json(const EvalRanking& one) {
  Json json;
  if (!one.eval.empty()) json["eval"] = one.eval;
  json["tokens"] = one.tokens;
  json["chosen"] = one.sets.front().set;
  json["sets"] = Json::array();
  for (const RankedSet& set : one.sets) {
    json["sets"].push_back({{"set", set.set},
                            {"rank", set.merged_rank},
                            {"baseline_rank", set.baseline_rank},
                            {"trained_rank", set.trained_rank ? Json(*set.trained_rank) : Json()}});
  }
  if (one.truths > 0)
    json["truth"] = {{"sets", one.truths},
                     {"merged", agreement_json(one.merged)},
                     {"baseline", agreement_json(one.baseline)}};
  return json;
}

std::string left(const std::string& text, std::size_t width) {
  return text + std::string(text.size() < width ? width - text.size() : 0, ' ');
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(text.size() < width ? width - text.size() : 0, ' ') + text;
}

std::string fixed(f64 value, int digits = 3) {
  return std::isfinite(value) ? format_fixed(value, digits) : "-";
}

std::string rank_text(f64 rank) {
  return rank == std::floor(rank) ? cat(static_cast<i64>(rank)) : format_fixed(rank, 1);
}

void agreement_line(std::string& out, std::string_view name, const Agreement& merged,
                    const Agreement& baseline) {
  const auto columns = [&](const Agreement& one) {
    append(out, right(fixed(one.pearson), 9), right(fixed(one.spearman), 10),
           right(fixed(one.regret_nats), 9), "   ");
  };
  append(out, left(std::string(name), 20));
  columns(merged);
  columns(baseline);
  while (out.back() == ' ')
    out.pop_back();
  out += "\n";
}

void truth_table(std::string& out, const Ranking& ranking) {
  append(out, "\nAgainst models trained on ", ranking.overall.truths,
         " of the sets (regret in nats a token):\n", left("", 20),
         "   merged  spearman   regret   ", " baseline  spearman   regret\n");
  for (const EvalRanking& one : ranking.by_eval)
    agreement_line(out, one.eval, one.merged, one.baseline);
  if (ranking.by_eval.size() > 1)
    agreement_line(out, "mean of these", ranking.mean_merged, ranking.mean_baseline);
  agreement_line(out, "mean loss", ranking.overall.merged, ranking.overall.baseline);
}

}  // namespace

std::string ranking_json(const Ranking& ranking, bool cost) {
  Json json;
  json["sizes"] = ranking.sizes;
  json["size_adjusted"] = ranking.sizes.size() > 1;
  json["overall"] = eval_json(ranking.overall);
  json["by_eval"] = Json::array();
  for (const EvalRanking& one : ranking.by_eval)
    json["by_eval"].push_back(eval_json(one));
  if (ranking.overall.truths > 0)
    json["mean_truth"] = {{"merged", agreement_json(ranking.mean_merged)},
                          {"baseline", agreement_json(ranking.mean_baseline)}};
  if (cost) {
    const RankingCost& c = ranking.cost;
    json["cost"] = {{"sets", c.sets},
                    {"units", c.units},
                    {"modular_tokens", c.modular_tokens},
                    {"direct_tokens", c.direct_tokens},
                    {"merge_bytes", c.merge_bytes},
                    {"eval_tokens", c.eval_tokens}};
  }
  return json.dump(1) + "\n";
}

std::string ranking_text(const Ranking& ranking, bool cost, i64 most_sets) {
  std::string out;
  const bool adjusted = ranking.sizes.size() > 1;
  const bool truth = ranking.overall.truths > 0;
  append(out, ranking.overall.sets.size(), " sets by the mean loss over ", ranking.by_eval.size(),
         " held-out sets", adjusted ? ", less a line over their size" : "",
         "; ranks only, a merged loss forecasts no trained one\n\n  merged  baseline",
         truth ? "   trained" : "", "   set\n");
  i64 shown = 0;
  for (const RankedSet& set : ranking.overall.sets) {
    if (most_sets > 0 && shown++ == most_sets) {
      append(out, "  ... ", isize(ranking.overall.sets) - most_sets, " more\n");
      break;
    }
    append(out, right(rank_text(set.merged_rank), 8), right(rank_text(set.baseline_rank), 10));
    if (truth) append(out, right(set.trained_rank ? rank_text(*set.trained_rank) : "-", 10));
    append(out, "   ", join(set.set, " + "), "\n");
  }
  append(out, "\nFirst by merged loss on each held-out set:\n");
  for (const EvalRanking& one : ranking.by_eval)
    append(out, left(one.eval, 20), " ", join(one.sets.front().set, " + "), "\n");
  if (truth) truth_table(out, ranking);
  if (cost) {
    const RankingCost& c = ranking.cost;
    append(out, "\nCost: ", c.units, " models of units, ", c.modular_tokens,
           " tokens of training; a model for each of ", c.sets, " sets, ", c.direct_tokens,
           "\n      ", c.sets, " means, ", format_bytes(c.merge_bytes), " read; ", c.eval_tokens,
           " tokens scored\n");
  }
  return out;
}

}  // namespace lm::ablate

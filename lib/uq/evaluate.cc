#include "uq/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"
#include "stat/calibration.h"
#include "stat/selective.h"

namespace lm::uq {

namespace {

using stat::Counts;

constexpr f64 kUndefined = std::numeric_limits<f64>::quiet_NaN();

f64 ece(const MetricInput& in, Counts c) {
  return in.confidence.empty()
             ? kUndefined
             : stat::calibration_equal_width(in.confidence, in.quality, in.bins, c).expected;
}

f64 mce(const MetricInput& in, Counts c) {
  return in.confidence.empty()
             ? kUndefined
             : stat::calibration_equal_width(in.confidence, in.quality, in.bins, c).largest;
}

f64 ece_mass(const MetricInput& in, Counts c) {
  return in.confidence.empty() ? kUndefined
                               : stat::calibration_equal_mass(*in.by_confidence, in.confidence,
                                                              in.quality, in.bins, c)
                                     .expected;
}

f64 brier(const MetricInput& in, Counts c) {
  return in.confidence.empty() ? kUndefined : stat::brier(in.confidence, in.quality, c);
}

f64 brier_iso(const MetricInput& in, Counts c) {
  return stat::brier_cross_fit(*in.by_score, in.score, in.quality, in.fold, in.folds, c);
}

constexpr Metric kMetrics[] = {
    {"auroc", "P(wrong is more uncertain than right), ties half", true,
     [](const MetricInput& in, Counts c) { return stat::auroc(*in.by_score, in.wrong, c); }},
    {"auprc_err", "average precision of finding wrong answers", true,
     [](const MetricInput& in, Counts c) {
       return stat::average_precision_wrong(*in.by_score, in.wrong, c);
     }},
    {"auprc_ok", "average precision of finding right answers", true,
     [](const MetricInput& in, Counts c) {
       return stat::average_precision_right(*in.by_score, in.wrong, c);
     }},
    {"prr", "prediction rejection ratio", true,
     [](const MetricInput& in, Counts c) {
       return stat::rejection_ratio(*in.by_score, *in.best, in.quality, c);
     }},
    {"prr@.5", "the same, rejecting at most half", true,
     [](const MetricInput& in, Counts c) {
       return stat::rejection_ratio(*in.by_score, *in.best, in.quality, c, 0.5);
     }},
    // Average precision of confidence over that of the labels themselves, which is 1.
    {"ap_ratio", "what the Inv-Entropy paper calls PRR: auprc_ok over that of the labels", true,
     [](const MetricInput& in, Counts c) {
       return stat::average_precision_right(*in.by_score, in.wrong, c);
     }},
    {"aurc", "mean risk over coverages", false,
     [](const MetricInput& in, Counts c) { return stat::risk_area(*in.by_score, in.quality, c); }},
    {"rcc", "aurc by its other name", false,
     [](const MetricInput& in, Counts c) { return stat::risk_area(*in.by_score, in.quality, c); }},
    {"e_aurc", "aurc minus that of a perfect order", false,
     [](const MetricInput& in, Counts c) {
       return stat::excess_risk_area(*in.by_score, *in.best, in.quality, c);
     }},
    {"ece", "expected calibration error, bins of equal width", false, ece},
    {"mce", "largest calibration error, bins of equal width", false, mce},
    {"ece_mass", "expected calibration error, bins of equal mass", false, ece_mass},
    {"brier", "Brier score of stated probabilities", false, brier},
    {"brier_iso", "Brier score after a monotone fit, cross-fitted", false, brier_iso},
    {"brier_iso_in", "the same fitted on the judged data: optimistic", false,
     [](const MetricInput& in, Counts c) {
       return stat::brier_fit(*in.by_score, in.score, in.quality, c);
     }},
    {"spearman", "rank correlation with quality", false,
     [](const MetricInput& in, Counts c) {
       return stat::spearman(*in.by_score, *in.by_quality, c);
     }},
    {"kendall", "tau-b with quality", false,
     [](const MetricInput& in, Counts c) {
       return stat::kendall(*in.by_score, *in.by_quality, c);
     }},
    {"rpp", "share of pairs in which the uncertain answer is the better one", false,
     [](const MetricInput& in, Counts c) {
       return stat::reversed_pairs(*in.by_score, *in.by_quality, c);
     }},
};

std::vector<f64> negated(std::span<const f64> x) {
  std::vector<f64> out;
  for (const f64 v : x)
    out.push_back(-v);
  return out;
}

MetricInput input_of(std::span<const Question> questions, i64 estimator, const std::string& name,
                     const EvalOptions& options, std::span<const u8> folds) {
  MetricInput in;
  in.bins = options.bins;
  in.folds = options.folds;
  bool in_range = true;
  for (i64 i = 0; i < isize(questions); ++i) {
    const Question& q = questions[usize(i)];
    const f64 score = q.scores[usize(estimator)];
    if (std::isnan(score)) continue;
    in.item.push_back(i);
    in.score.push_back(score);
    in.quality.push_back(q.quality);
    in.wrong.push_back(q.quality < options.right_from ? 1 : 0);
    in.fold.push_back(folds[usize(i)]);
    in_range = in_range && score >= 0 && score <= 1;
  }
  const Estimator* known = find_estimator(name);
  if (known != nullptr && known->probability && in_range) {
    for (const f64 score : in.score)
      in.confidence.push_back(1 - score);
  }
  in.rank();
  return in;
}

// The counts of the questions that take part.
void gather(Counts counts, const std::vector<i64>& items, std::vector<u32>& out) {
  out.resize(items.size());
  for (std::size_t k = 0; k < items.size(); ++k)
    out[k] = counts[items[k]];
}

void summarise(std::span<const Question> questions, const EvalOptions& options, Evaluation& out) {
  out.questions = isize(questions);
  out.mean_quality = out.accuracy = 0;
  for (const Question& q : questions) {
    out.mean_quality += q.quality / static_cast<f64>(questions.size());
    out.accuracy += q.quality >= options.right_from ? 1 / static_cast<f64>(questions.size()) : 0;
  }
  if (questions.empty()) out.mean_quality = out.accuracy = kUndefined;
}

f64 mean_generations(std::span<const Question> questions, const MetricInput& in,
                     const std::string& name) {
  const Estimator* known = find_estimator(name);
  if (known == nullptr) return kUndefined;
  f64 sum = 0;
  for (const i64 item : in.item)
    sum += static_cast<f64>(generations(known->cost, questions[usize(item)].generated));
  return sum / static_cast<f64>(in.item.size());
}

}  // namespace

void MetricInput::rank() {
  by_score.emplace(score);
  if (!confidence.empty()) by_confidence.emplace(confidence);
  by_quality.emplace(quality);
  best.emplace(negated(quality));
}

std::span<const Metric> metrics() {
  return kMetrics;
}

const Metric* find_metric(std::string_view name) {
  for (const Metric& one : kMetrics) {
    if (name == one.name) return &one;
  }
  return nullptr;
}

Evaluation evaluate(std::span<const Question> questions, std::span<const std::string> names,
                    const EvalOptions& options) {
  Evaluation out;
  summarise(questions, options, out);
  const std::vector<u8> folds =
      stat::random_folds(isize(questions), options.folds, options.bootstrap.seed);
  std::vector<MetricInput> inputs;
  for (i64 e = 0; e < isize(names); ++e) {
    MetricInput in = input_of(questions, e, names[usize(e)], options, folds);
    if (in.item.empty()) continue;
    EstimatorResult& result = out.estimators.emplace_back();
    result.name = names[usize(e)];
    result.questions = isize(in.item);
    result.generations = mean_generations(questions, in, result.name);
    for (const Metric* metric : options.chosen)
      result.values.push_back({metric->value(in, {}), {kUndefined, kUndefined, 0}});
    inputs.push_back(std::move(in));
  }
  if (options.bootstrap.draws == 0 || inputs.empty()) return out;

  const i64 metric_count = isize(options.chosen);
  const stat::BootstrapDraws draws(isize(questions), isize(inputs) * metric_count,
                                   options.bootstrap, [&](Counts counts, std::span<f64> values) {
                                     std::vector<u32> own;
                                     for (i64 e = 0; e < isize(inputs); ++e) {
                                       const MetricInput& in = inputs[usize(e)];
                                       gather(counts, in.item, own);
                                       const bool none = Counts(own).total(isize(own)) == 0;
                                       for (i64 k = 0; k < metric_count; ++k)
                                         values[usize(e * metric_count + k)] =
                                             none ? kUndefined
                                                  : options.chosen[usize(k)]->value(in, own);
                                     }
                                   });
  const auto of = [&](i64 e, i64 k) { return draws.of(e * metric_count + k); };
  for (i64 e = 0; e < isize(inputs); ++e) {
    for (i64 k = 0; k < metric_count; ++k)
      out.estimators[usize(e)].values[usize(k)].interval = stat::percentile_interval(of(e, k));
  }
  if (!options.differences) return out;
  for (i64 k = 0; k < metric_count; ++k) {
    for (i64 a = 0; a < isize(inputs); ++a) {
      for (i64 b = a + 1; b < isize(inputs); ++b) {
        if (inputs[usize(a)].item != inputs[usize(b)].item) continue;
        const EstimatorResult& first = out.estimators[usize(a)];
        const EstimatorResult& second = out.estimators[usize(b)];
        out.differences.push_back({first.name,
                                   second.name,
                                   k,
                                   {first.values[usize(k)].value - second.values[usize(k)].value,
                                    stat::difference_interval(of(a, k), of(b, k))}});
      }
    }
  }
  return out;
}

SelectiveCurve selective_curve(std::span<const Question> questions, i64 estimator, std::string name,
                               const EvalOptions& options) {
  SelectiveCurve out;
  out.name = std::move(name);
  const std::vector<u8> folds(questions.size(), 0);
  const MetricInput in = input_of(questions, estimator, out.name, options, folds);
  constexpr i64 kPoints = 20;
  for (i64 k = 1; k <= kPoints; ++k)
    out.coverage.push_back(static_cast<f64>(k) / kPoints);
  std::vector<f64> values(out.coverage.size());
  stat::quality_at(*in.by_score, in.quality, out.coverage, values);
  for (const f64 value : values)
    out.quality.push_back({value, {kUndefined, kUndefined, 0}});
  if (options.bootstrap.draws == 0 || in.item.empty()) return out;
  const stat::BootstrapDraws draws(
      isize(questions), kPoints, options.bootstrap, [&](Counts counts, std::span<f64> found) {
        std::vector<u32> own;
        gather(counts, in.item, own);
        stat::quality_at(*in.by_score, in.quality, out.coverage, found, own);
      });
  for (i64 k = 0; k < kPoints; ++k)
    out.quality[usize(k)].interval = stat::percentile_interval(draws.of(k));
  return out;
}

std::vector<TsuResult> temperature_order(std::span<const Question> questions,
                                         std::span<const std::string> names,
                                         std::span<const f64> temperatures,
                                         const stat::BootstrapOptions& bootstrap) {
  const i64 m = isize(temperatures);
  // Which question is where, by id; ordered, so that the result has one order.
  std::map<std::string_view, std::vector<i64>> by_id;
  for (i64 i = 0; i < isize(questions); ++i) {
    const auto at =
        std::find(temperatures.begin(), temperatures.end(), questions[usize(i)].temperature);
    if (at == temperatures.end()) continue;
    std::vector<i64>& places = by_id[questions[usize(i)].id];
    places.resize(usize(m), -1);
    places[static_cast<std::size_t>(at - temperatures.begin())] = i;
  }
  std::erase_if(by_id, [](const auto& entry) {
    return std::find(entry.second.begin(), entry.second.end(), -1) != entry.second.end();
  });
  std::vector<TsuResult> out;
  for (i64 e = 0; e < isize(names); ++e) {
    std::vector<f64> scores;
    for (const auto& [id, places] : by_id) {
      for (const i64 place : places)
        scores.push_back(questions[usize(place)].scores[usize(e)]);
    }
    TsuResult result{names[usize(e)], stat::rising_share(scores, m), {kUndefined, kUndefined, 0}};
    if (result.share.items == 0) continue;
    if (bootstrap.draws > 0) {
      const stat::BootstrapDraws draws(static_cast<i64>(by_id.size()), 1, bootstrap,
                                       [&](Counts counts, std::span<f64> value) {
                                         value[0] = stat::rising_share(scores, m, counts).percent;
                                       });
      result.interval = stat::percentile_interval(draws.of(0));
    }
    out.push_back(std::move(result));
  }
  return out;
}

}  // namespace lm::uq

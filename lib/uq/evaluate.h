#pragma once
// How good estimators are: metrics of scored and judged questions, with intervals and differences
// from one set of resamples. An estimator is measured on the questions that have its score; the
// resample is drawn over all questions, so that estimators on the same questions are paired.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "stat/bootstrap.h"
#include "stat/rank.h"
#include "uq/estimators.h"

namespace lm::uq {

/// What a metric is computed from: the questions that have the estimator's score.
struct MetricInput {
  std::vector<i64> item;     // which question of all
  std::vector<f64> score;    // uncertainty
  std::vector<f64> quality;  // [0,1]
  std::vector<u8> wrong;
  std::vector<f64> confidence;  // 1 - score if the estimator states probabilities, else empty
  std::vector<u8> fold;
  std::optional<stat::Ranking> by_score, by_confidence, best, by_quality;
  i64 bins = 15;
  i64 folds = 5;
  /// After the lists: the rankings.
  void rank();
};

struct Metric {
  const char* name;
  const char* what;  // one line
  bool larger_is_better;
  f64 (*value)(const MetricInput& input, stat::Counts counts);  // NaN: undefined
};
std::span<const Metric> metrics();
const Metric* find_metric(std::string_view name);

/// One question at one temperature.
struct Question {
  std::string id;
  f64 temperature = 0;  // NaN: not said
  f64 quality = 0;
  std::vector<f64> scores;  // by estimator; NaN: absent
  Generated generated;
};

struct EvalOptions {
  std::vector<const Metric*> chosen;
  f64 right_from = 0.5;
  i64 bins = 15;
  i64 folds = 5;
  stat::BootstrapOptions bootstrap;  // draws = 0: no intervals
  bool differences = false;
};

struct Measured {
  f64 value = 0;
  stat::Interval interval;
};

struct EstimatorResult {
  std::string name;
  i64 questions = 0;
  f64 generations = 0;           // mean per question
  std::vector<Measured> values;  // by metric
};

struct Difference {
  std::string first;
  std::string second;
  i64 metric = 0;
  Measured value;  // of first - second
};

struct Evaluation {
  i64 questions = 0;
  f64 mean_quality = 0;
  f64 accuracy = 0;
  std::vector<EstimatorResult> estimators;
  std::vector<Difference> differences;  // only between estimators of the same questions
};

/// names: of the estimators, as in Question::scores; those without any score are left out.
Evaluation evaluate(std::span<const Question> questions, std::span<const std::string> names,
                    const EvalOptions& options);

/// Mean quality of the most certain share of questions at 20 coverages, with intervals.
struct SelectiveCurve {
  std::string name;
  std::vector<f64> coverage;
  std::vector<Measured> quality;
};
SelectiveCurve selective_curve(std::span<const Question> questions, i64 estimator, std::string name,
                               const EvalOptions& options);

/// How often an estimator's score rises with the temperature.
struct TsuResult {
  std::string name;
  stat::RisingShare share;
  stat::Interval interval;
};
/// questions: several temperatures of the same ids. temperatures ascend; ids without all of them
/// are left out.
std::vector<TsuResult> temperature_order(std::span<const Question> questions,
                                         std::span<const std::string> names,
                                         std::span<const f64> temperatures,
                                         const stat::BootstrapOptions& bootstrap);

}  // namespace lm::uq

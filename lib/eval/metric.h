#pragma once
// Metrics. A document gives a row of numbers (its part of the sums), a metric is a function of rows
// and of how often each counts; so means, quotients and corpus scores are bootstrapped, replayed
// from files and compared alike. Definitions are those of lm-evaluation-harness 0.4: acc_norm
// divides by characters, acc_bytes by bytes. Undefined values are NaN.

#include <span>
#include <string>
#include <vector>

#include "eval/prompts.h"
#include "eval/task.h"
#include "stat/rank.h"

namespace lm::eval {

/// The answer to a document, after the filter.
struct Answer {
  std::vector<f64> logprobs;  // nats, by likelihood request
  std::vector<u8> greedy;     // 1: every token of the continuation is the likeliest
  std::string text;           // of generate_until
};

/// Rows of one width.
struct MetricRows {
  i64 width = 1;
  std::vector<f64> values;
  i64 size() const { return isize(values) / width; }
  std::span<const f64> row(i64 i) const {
    return std::span(values).subspan(usize(i * width), usize(width));
  }
};

struct MetricDef {
  const char* name;
  OutputType type;
  const char* aggregation;
  bool higher_is_better;
  i64 width;
  /// Fills a row. args: ignore_case and the like.
  void (*row)(const DocRequests&, const Answer&, const text::Value& args, std::span<f64> out);
  /// NaN where undefined.
  f64 (*score)(const MetricRows&, stat::Counts);
  /// The score is the mean of rows of one number.
  bool is_mean() const {
    const std::string_view how = aggregation;
    return how == "mean" || how == "brier_score";
  }
};

/// Null if that type of task has no such metric.
const MetricDef* find_metric(const std::string& name, OutputType type);
/// By name and width alone, for rows that were read from a file; null if there is none.
const MetricDef* find_metric(const std::string& name, i64 width);
std::vector<std::string> default_metrics(OutputType type);
/// Throws Error{kConfig} for an unknown metric, aggregation or argument.
void check_metric(const MetricSpec& metric, OutputType type);

/// A score with its uncertainty.
struct Estimate {
  f64 value = 0;
  f64 standard_error = 0;  // means: sample deviation / sqrt(n); else deviation of the draws
  f64 low = 0, high = 0;   // the middle 95 % of the draws
  i64 n = 0;
};
/// draws: 0 for no interval (NaN), and no error but of means.
Estimate estimate(const MetricDef& metric, const MetricRows& rows, i64 draws, u64 seed);

/// The index of the right choice, -1 where the target is none.
std::vector<i64> gold_of(const DocRequests& doc);
/// What a text is compared with: doc_to_target as texts.
std::vector<std::string> references_of(const DocRequests& doc);

/// Comparison of exact_match, with its options in args. Throws Error{kConfig} for bad patterns.
bool exact_match(const std::string& answer, const std::string& reference, const text::Value& args);
/// F1 of the bags of words of text::answer_key (SQuAD).
f64 token_f1(std::string_view answer, std::string_view reference);

}  // namespace lm::eval

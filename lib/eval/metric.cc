#include "eval/metric.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/error.h"
#include "core/str.h"
#include "eval/regex.h"
#include "stat/bootstrap.h"
#include "stat/mean.h"
#include "text/overlap.h"
#include "text/translation.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace lm::eval {

using stat::Counts;
using text::Value;

namespace {

constexpr f64 kNan = std::numeric_limits<f64>::quiet_NaN();
constexpr f64 kLn2 = 0.693147180559945309;

using Row = std::span<f64>;

bool is_ascii_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

/// The smallest index of the largest value.
i64 argmax(std::span<const f64> values) {
  return std::max_element(values.begin(), values.end()) - values.begin();
}

std::span<const f64> conditional(const DocRequests& doc, const Answer& answer) {
  return std::span(answer.logprobs).first(doc.choices.size());
}

f64 is_gold(const DocRequests& doc, i64 choice) {
  const std::vector<i64> gold = gold_of(doc);
  return std::find(gold.begin(), gold.end(), choice) != gold.end() ? 1 : 0;
}

// Rows --------------------------------------------------------------------------------------------
void greedy_row(const DocRequests&, const Answer& a, const Value&, Row out) {
  out[0] = a.greedy[0];
}
void logprob_row(const DocRequests&, const Answer& a, const Value&, Row out) {
  out[0] = a.logprobs[0];
}
void per_word_row(const DocRequests& doc, const Answer& a, const Value&, Row out) {
  // Pieces between white space; at the ends of the text they may be empty, and count.
  const std::string& text = doc.likelihoods[0].continuation;
  i64 pieces = 1;
  bool blank = false;
  for (const char32_t cp : text::to_utf32(text)) {
    const bool here = text::is_py_space(cp);
    pieces += here && !blank ? 1 : 0;
    blank = here;
  }
  out[0] = a.logprobs[0];
  out[1] = static_cast<f64>(pieces);
}
void per_byte_row(const DocRequests& doc, const Answer& a, const Value&, Row out) {
  out[0] = a.logprobs[0];
  out[1] = static_cast<f64>(doc.likelihoods[0].continuation.size());
}

void acc_row(const DocRequests& doc, const Answer& a, const Value&, Row out) {
  out[0] = is_gold(doc, argmax(conditional(doc, a)));
}
template <typename Length>
void normalised_acc(const DocRequests& doc, const Answer& a, Row out, Length length) {
  std::vector<f64> scores;
  for (std::size_t i = 0; i < doc.choices.size(); ++i)
    scores.push_back(a.logprobs[i] / static_cast<f64>(length(doc.choices[i])));
  out[0] = is_gold(doc, argmax(scores));
}
void acc_norm_row(const DocRequests& doc, const Answer& a, const Value&, Row out) {
  normalised_acc(doc, a, out, [](const std::string& c) { return text::count_code_points(c); });
}
void acc_bytes_row(const DocRequests& doc, const Answer& a, const Value&, Row out) {
  normalised_acc(doc, a, out, [](const std::string& c) { return isize(c); });
}
void mutual_row(const DocRequests& doc, const Answer& a, const Value&, Row out) {
  std::vector<f64> scores;
  for (std::size_t i = 0; i < doc.choices.size(); ++i)
    scores.push_back(a.logprobs[i] - a.logprobs[doc.choices.size() + i]);
  out[0] = is_gold(doc, argmax(scores));
}
void greedy_choice_row(const DocRequests& doc, const Answer& a, const Value&, Row out) {
  out[0] = 0;
  for (const i64 gold : gold_of(doc))
    if (gold >= 0 && a.greedy[usize(gold)] != 0) out[0] = 1;
}
void gold_pred_row(const DocRequests& doc, const Answer& a, const Value&, Row out) {
  out[0] = static_cast<f64>(gold_of(doc)[0]);
  out[1] = static_cast<f64>(argmax(conditional(doc, a)));
}
void brier_row(const DocRequests& doc, const Answer& a, const Value&, Row out) {
  const std::span<const f64> scores = conditional(doc, a);
  const f64 top = *std::max_element(scores.begin(), scores.end());
  f64 sum = 0;
  for (const f64 score : scores)
    sum += std::exp(score - top);
  const std::vector<i64> gold = gold_of(doc);
  out[0] = 0;
  for (i64 i = 0; i < isize(scores); ++i) {
    const f64 difference = std::exp(scores[usize(i)] - top) / sum - (i == gold[0] ? 1 : 0);
    out[0] += difference * difference;
  }
}

template <typename F>
f64 best_of(const DocRequests& doc, F f) {
  f64 best = 0;
  for (const std::string& reference : references_of(doc))
    best = std::max(best, f(reference));
  return best;
}
void exact_match_row(const DocRequests& doc, const Answer& a, const Value& args, Row out) {
  out[0] =
      best_of(doc, [&](const std::string& r) { return exact_match(a.text, r, args) ? 1.0 : 0.0; });
}
/// Large and small letters are alike.
void contains_row(const DocRequests& doc, const Answer& a, const Value&, Row out) {
  const std::string text = text::to_lower(a.text);
  out[0] = best_of(doc, [&](const std::string& r) {
    return text.find(text::to_lower(r)) != std::string::npos ? 1.0 : 0.0;
  });
}
void token_f1_row(const DocRequests& doc, const Answer& a, const Value&, Row out) {
  out[0] = best_of(doc, [&](const std::string& r) { return token_f1(a.text, r); });
}
void rouge_row(const DocRequests& doc, const Answer& a, const Value&, Row out) {
  out[0] = best_of(doc, [&](const std::string& r) {
    text::WordIds ids;
    std::vector<i32> own, other;
    ids.add_words(a.text, own);
    ids.add_words(r, other);
    return text::rouge_l(own, other).f1;
  });
}
void bleu_row(const DocRequests& doc, const Answer& a, const Value&, Row out) {
  const text::BleuStats stats = text::bleu_stats(a.text, references_of(doc));
  std::copy(stats.begin(), stats.end(), out.begin());
}
void chrf_row(const DocRequests& doc, const Answer& a, const Value&, Row out) {
  const text::ChrfStats stats = text::chrf_stats(a.text, references_of(doc));
  std::copy(stats.begin(), stats.end(), out.begin());
}
void ter_row(const DocRequests& doc, const Answer& a, const Value&, Row out) {
  const text::TerStats stats = text::ter_stats(a.text, references_of(doc));
  std::copy(stats.begin(), stats.end(), out.begin());
}

// Scores ------------------------------------------------------------------------------------------
template <std::size_t N>
std::array<f64, N> sums(const MetricRows& rows, Counts counts) {
  std::array<f64, N> out{};
  for (i64 i = 0; i < rows.size(); ++i)
    for (std::size_t k = 0; k < N; ++k)
      out[k] += static_cast<f64>(counts[i]) * rows.row(i)[k];
  return out;
}

f64 mean_score(const MetricRows& rows, Counts counts) {
  const i64 n = counts.total(rows.size());
  return n == 0 ? kNan : sums<1>(rows, counts)[0] / static_cast<f64>(n);
}
f64 perplexity_score(const MetricRows& rows, Counts counts) {
  return std::exp(-mean_score(rows, counts));
}
f64 weighted_mean(const MetricRows& rows, Counts counts) {
  const std::array<f64, 2> s = sums<2>(rows, counts);
  return s[1] == 0 ? kNan : s[0] / s[1];
}
f64 weighted_perplexity_score(const MetricRows& rows, Counts counts) {
  return std::exp(-weighted_mean(rows, counts));
}
f64 bits_score(const MetricRows& rows, Counts counts) {
  return -weighted_mean(rows, counts) / kLn2;
}
f64 bleu_metric(const MetricRows& rows, Counts counts) {
  return text::bleu_score(sums<10>(rows, counts));
}
f64 chrf_metric(const MetricRows& rows, Counts counts) {
  return text::chrf_score(sums<18>(rows, counts));
}
f64 ter_metric(const MetricRows& rows, Counts counts) {
  return text::ter_score(sums<2>(rows, counts));
}

/// F1 of class 1; 0 where it never occurs on either side.
f64 f1_score(const MetricRows& rows, Counts counts) {
  f64 both = 0;
  f64 either = 0;
  for (i64 i = 0; i < rows.size(); ++i) {
    const f64 gold = rows.row(i)[0] == 1 ? 1 : 0;
    const f64 pred = rows.row(i)[1] == 1 ? 1 : 0;
    both += static_cast<f64>(counts[i]) * gold * pred;
    either += static_cast<f64>(counts[i]) * (gold + pred);
  }
  return either == 0 ? 0 : 2 * both / either;
}

/// Matthews' correlation for any number of classes (Gorodkin 2004); 0 where a side is constant.
f64 mcc_score(const MetricRows& rows, Counts counts) {
  std::map<f64, std::pair<f64, f64>> classes;  // how often gold, how often predicted
  f64 n = 0;
  f64 right = 0;
  for (i64 i = 0; i < rows.size(); ++i) {
    const f64 weight = static_cast<f64>(counts[i]);
    const std::span<const f64> row = rows.row(i);
    classes[row[0]].first += weight;
    classes[row[1]].second += weight;
    n += weight;
    right += row[0] == row[1] ? weight : 0;
  }
  f64 cross = 0;
  f64 gold = 0;
  f64 pred = 0;
  for (const auto& [name, count] : classes) {
    cross += count.first * count.second;
    gold += count.first * count.first;
    pred += count.second * count.second;
  }
  const f64 scale = std::sqrt((n * n - pred) * (n * n - gold));
  return scale == 0 ? 0 : (right * n - cross) / scale;
}

constexpr OutputType kLl = OutputType::kLoglikelihood;
constexpr OutputType kRoll = OutputType::kRolling;
constexpr OutputType kMc = OutputType::kMultipleChoice;
constexpr OutputType kGen = OutputType::kGenerate;

constexpr MetricDef kMetrics[] = {
    {"acc", kLl, "mean", true, 1, greedy_row, mean_score},
    {"perplexity", kLl, "perplexity", false, 1, logprob_row, perplexity_score},
    {"word_perplexity", kRoll, "weighted_perplexity", false, 2, per_word_row,
     weighted_perplexity_score},
    {"byte_perplexity", kRoll, "weighted_perplexity", false, 2, per_byte_row,
     weighted_perplexity_score},
    {"bits_per_byte", kRoll, "bits_per_byte", false, 2, per_byte_row, bits_score},
    {"acc", kMc, "mean", true, 1, acc_row, mean_score},
    {"acc_norm", kMc, "mean", true, 1, acc_norm_row, mean_score},
    {"acc_bytes", kMc, "mean", true, 1, acc_bytes_row, mean_score},
    {"acc_mutual_info", kMc, "mean", true, 1, mutual_row, mean_score},
    {"exact_match", kMc, "mean", true, 1, greedy_choice_row, mean_score},
    {"f1", kMc, "f1", true, 2, gold_pred_row, f1_score},
    {"mcc", kMc, "matthews_corrcoef", true, 2, gold_pred_row, mcc_score},
    {"brier_score", kMc, "brier_score", false, 1, brier_row, mean_score},
    {"exact_match", kGen, "mean", true, 1, exact_match_row, mean_score},
    {"contains", kGen, "mean", true, 1, contains_row, mean_score},
    {"f1", kGen, "mean", true, 1, token_f1_row, mean_score},
    {"bleu", kGen, "bleu", true, 10, bleu_row, bleu_metric},
    {"chrf", kGen, "chrf", true, 18, chrf_row, chrf_metric},
    {"ter", kGen, "ter", false, 2, ter_row, ter_metric},
    {"rougeL", kGen, "mean", true, 1, rouge_row, mean_score},
};

bool flag_arg(const Value& args, const char* name) {
  const Value* found = args.find(name);
  return found != nullptr && found->truth();
}

}  // namespace

const MetricDef* find_metric(const std::string& name, OutputType type) {
  for (const MetricDef& metric : kMetrics)
    if (name == metric.name && type == metric.type) return &metric;
  return nullptr;
}

const MetricDef* find_metric(const std::string& name, i64 width) {
  for (const MetricDef& metric : kMetrics)
    if (name == metric.name && width == metric.width) return &metric;
  return nullptr;
}

std::vector<std::string> default_metrics(OutputType type) {
  switch (type) {
    case OutputType::kLoglikelihood:
      return {"perplexity", "acc"};
    case OutputType::kRolling:
      return {"word_perplexity", "byte_perplexity", "bits_per_byte"};
    case OutputType::kMultipleChoice:
      return {"acc", "acc_norm"};
    case OutputType::kGenerate:
      return {"exact_match"};
  }
  return {};
}

void check_metric(const MetricSpec& metric, OutputType type) {
  const auto fail = [&](const std::string& what, const std::string& hint = {}) {
    throw Error(ErrorKind::kConfig, cat(metric.where, ": ", what), hint);
  };
  const MetricDef* def = find_metric(metric.name, type);
  if (def == nullptr) {
    std::vector<std::string> names;
    for (const MetricDef& each : kMetrics)
      if (each.type == type) names.emplace_back(each.name);
    fail(cat(output_type_name(type), " has no metric ", quote(metric.name)),
         cat("known: ", join(names, ", ")));
  }
  if (!metric.aggregation.empty() && metric.aggregation != def->aggregation)
    fail(cat("the aggregation of ", metric.name, " is ", def->aggregation, ", not ",
             quote(metric.aggregation)));
  const bool exact = metric.name == "exact_match" && type == OutputType::kGenerate;
  for (const auto& [key, value] : metric.args.map()) {
    const std::string name = key.to_text();
    const bool known = exact && (name == "ignore_case" || name == "ignore_punctuation" ||
                                 name == "ignore_numbers" || name == "regexes_to_ignore");
    if (!known) fail(cat("the metric ", quote(metric.name), " has no argument ", quote(name)));
    if (name != "regexes_to_ignore" && !value.is_bool())
      fail(cat(name, " is ", value.repr(), ", expected true or false"));
    if (name != "regexes_to_ignore") continue;
    if (!value.is_list()) fail("regexes_to_ignore is no list");
    for (const Value& pattern : value.list())
      Regex(pattern.to_text(), metric.where);
  }
}

std::vector<i64> gold_of(const DocRequests& doc) {
  const auto index = [&](const Value& target) -> i64 {
    if (const std::optional<i64> at = target.as_whole())
      return *at >= 0 && *at < isize(doc.choices) ? *at : -1;
    const auto found = std::find(doc.choices.begin(), doc.choices.end(), target.to_text());
    return found == doc.choices.end() ? -1 : found - doc.choices.begin();
  };
  if (!doc.target.is_list()) return {index(doc.target)};
  std::vector<i64> out;
  for (const Value& each : doc.target.list())
    out.push_back(index(each));
  if (out.empty()) out.push_back(-1);
  return out;
}

std::vector<std::string> references_of(const DocRequests& doc) {
  if (doc.target.is_list() && !doc.target.list().empty()) {
    std::vector<std::string> out;
    for (const Value& each : doc.target.list())
      out.push_back(each.to_text());
    return out;
  }
  const std::optional<i64> index = doc.target.as_whole();
  if (index && *index >= 0 && *index < isize(doc.choices)) return {doc.choices[usize(*index)]};
  return {doc.target.is_list() ? std::string() : doc.target.to_text()};
}

bool exact_match(const std::string& answer, const std::string& reference, const Value& args) {
  const auto reduced = [&](std::string text) {
    if (const Value* patterns = args.find("regexes_to_ignore"))
      for (const Value& pattern : patterns->list())
        text = Regex(pattern.to_text(), "regexes_to_ignore").without(text);
    if (flag_arg(args, "ignore_case")) text = text::to_lower(text);
    if (flag_arg(args, "ignore_punctuation")) std::erase_if(text, is_ascii_punctuation);
    if (flag_arg(args, "ignore_numbers"))
      std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
    return text;
  };
  return reduced(answer) == reduced(reference);
}

f64 token_f1(std::string_view answer, std::string_view reference) {
  text::WordIds ids;
  const auto words = [&](std::string_view from) {
    const std::string key = text::answer_key(from);
    std::vector<i32> out;
    if (key.empty()) return out;
    for (const std::string_view word : split(key, ' '))
      out.push_back(ids.id(word));
    return out;
  };
  return text::rouge_n(words(answer), words(reference), 1).f1;
}

Estimate estimate(const MetricDef& metric, const MetricRows& rows, i64 draws, u64 seed) {
  Estimate out;
  out.n = rows.size();
  out.value = metric.score(rows, {});
  out.standard_error = out.low = out.high = kNan;
  if (metric.is_mean()) out.standard_error = stat::mean_error(rows.values).standard_error;
  if (draws == 0 || rows.size() == 0) return out;
  const stat::BootstrapDraws resampled(
      rows.size(), 1, {draws, seed},
      [&](Counts counts, std::span<f64> values) { values[0] = metric.score(rows, counts); });
  const stat::Interval interval = stat::percentile_interval(resampled.of(0));
  out.low = interval.low;
  out.high = interval.high;
  if (!std::isnan(out.standard_error) || rows.size() < 2) return out;
  std::vector<f64> finite;
  for (const f64 value : resampled.of(0))
    if (std::isfinite(value)) finite.push_back(value);
  const stat::MeanError spread = stat::mean_error(finite);
  out.standard_error = spread.standard_error * std::sqrt(static_cast<f64>(spread.n));
  return out;
}

}  // namespace lm::eval

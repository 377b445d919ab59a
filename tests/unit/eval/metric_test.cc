// Golden values: scikit-learn 1.7 (f1_score, matthews_corrcoef), lm-evaluation-harness 0.4.

#include "eval/metric.h"

#include <algorithm>
#include <cmath>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"

namespace lm::eval {
namespace {

using text::Value;
using text::ValueList;
using text::ValueMap;

const Value kNoArgs(ValueMap{});

DocRequests choice_doc(Value target, std::vector<std::string> choices) {
  DocRequests out;
  out.target = std::move(target);
  out.choices = std::move(choices);
  return out;
}

std::vector<f64> row(const char* name, OutputType type, const DocRequests& doc,
                     const Answer& answer, const Value& args = kNoArgs) {
  const MetricDef* metric = find_metric(name, type);
  REQUIRE(metric != nullptr);
  std::vector<f64> out(usize(metric->width));
  metric->row(doc, answer, args, out);
  return out;
}

f64 choice(const char* name, const DocRequests& doc, const std::vector<f64>& logprobs,
           std::vector<u8> greedy = {}) {
  greedy.resize(logprobs.size());
  return row(name, OutputType::kMultipleChoice, doc, {logprobs, greedy, ""})[0];
}

f64 generated(const char* name, const Value& target, const std::string& text,
              const Value& args = kNoArgs) {
  return row(name, OutputType::kGenerate, choice_doc(target, {}), {{}, {}, text}, args)[0];
}

TEST_CASE("the likeliest choice is compared by sum, per character and per byte", "[eval]") {
  // Sums -4, -5, -6. Per character: -4/1, -5/4, -6/4. Per byte: -4/1, -5/4, -6/8.
  const std::vector<std::string> choices = {"a", "long", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"};
  const std::vector<f64> sums = {-4, -5, -6};
  CHECK(choice("acc", choice_doc(i64{0}, choices), sums) == 1);
  CHECK(choice("acc_norm", choice_doc(i64{1}, choices), sums) == 1);
  CHECK(choice("acc_bytes", choice_doc(i64{2}, choices), sums) == 1);
  CHECK(choice("acc_norm", choice_doc(i64{2}, choices), sums) == 0);
  CHECK(choice("acc", choice_doc("long", choices), sums) == 0);
  CHECK(choice("acc", choice_doc("a", choices), sums) == 1);
}

TEST_CASE("of equal choices the first is taken, and a target that is none is missed", "[eval]") {
  const std::vector<f64> equal = {-1, -1, -1};
  CHECK(choice("acc", choice_doc(i64{0}, {"x", "y", "z"}), equal) == 1);
  CHECK(choice("acc", choice_doc(i64{1}, {"x", "y", "z"}), equal) == 0);
  CHECK(choice("acc", choice_doc(i64{7}, {"x", "y", "z"}), equal) == 0);
  CHECK(choice("acc", choice_doc("w", {"x", "y", "z"}), equal) == 0);
  CHECK(choice("acc", choice_doc(ValueList{i64{0}, i64{2}}, {"x", "y", "z"}), equal) == 1);
}

TEST_CASE("mutual information takes off what a choice has without its context", "[eval]") {
  const DocRequests doc = choice_doc(i64{1}, {"x", "y"});
  CHECK(choice("acc", doc, {-1, -2, -1, -4}) == 0);
  CHECK(choice("acc_mutual_info", doc, {-1, -2, -1, -4}) == 1);  // 0 against 2
}

TEST_CASE("exact match of a choice is that its tokens are the likeliest", "[eval]") {
  const DocRequests doc = choice_doc(i64{1}, {"x", "y"});
  CHECK(choice("exact_match", doc, {-1, -2}, {1, 0}) == 0);
  CHECK(choice("exact_match", doc, {-1, -2}, {0, 1}) == 1);
  CHECK(choice("exact_match", choice_doc(i64{5}, {"x", "y"}), {-1, -2}, {1, 1}) == 0);
}

TEST_CASE("Brier score of softmaxed log-likelihoods", "[eval]") {
  // softmax(ln 1, ln 3) = (.25, .75): gold 1 gives .25^2 + .25^2.
  CHECK(choice("brier_score", choice_doc(i64{1}, {"x", "y"}), {0, std::log(3.0)}) == Approx(0.125));
  CHECK(choice("brier_score", choice_doc(i64{0}, {"x", "y"}), {-1000, -1000 + std::log(3.0)}) ==
        Approx(1.125));
}

TEST_CASE("exact match options are those of the harness", "[eval]") {
  CHECK(generated("exact_match", "Paris", "Paris") == 1);
  CHECK(generated("exact_match", "Paris", "paris.") == 0);
  CHECK(generated("exact_match", "Paris", "paris.",
                  ValueMap{{"ignore_case", true}, {"ignore_punctuation", true}}) == 1);
  CHECK(generated("exact_match", i64{18}, "18") == 1);
  CHECK(generated("exact_match", "a1", "a2", ValueMap{{"ignore_numbers", true}}) == 1);
  CHECK(generated("exact_match", "$1,000", "1000",
                  ValueMap{{"regexes_to_ignore", ValueList{",", "\\$"}}}) == 1);
  CHECK(generated("exact_match", ValueList{"x", "y"}, "y") == 1);
  CHECK(generated("exact_match", ValueList{"x", "y"}, "z") == 0);
}

TEST_CASE("an answer contains a reference, in large letters or small ones", "[eval]") {
  CHECK(generated("contains", "Paris", " in paris, I think") == 1);
  CHECK(generated("contains", "\xC3\x84rzte", "die \xC3\xA4RZTE.") == 1);
  CHECK(generated("contains", "Paris", "par is") == 0);
  CHECK(generated("contains", ValueList{"x", "Cat"}, "a caT.") == 1);
  CHECK(generated("contains", i64{18}, "in 2018") == 1);
}

TEST_CASE("token F1 is SQuAD's", "[eval]") {
  CHECK(token_f1("The cat!", "a cat") == 1);
  CHECK(token_f1("cat cat dog", "cat dog dog") == Approx(2.0 / 3));
  CHECK(token_f1("", "") == 1);
  CHECK(token_f1("the", "") == 1);
  CHECK(token_f1("x", "") == 0);
  CHECK(generated("f1", ValueList{"one", "cat dog"}, "cat") == Approx(2.0 / 3));
}

MetricRows pairs(const std::vector<i64>& gold, const std::vector<i64>& pred) {
  MetricRows out{2, {}};
  for (std::size_t i = 0; i < gold.size(); ++i) {
    out.values.push_back(static_cast<f64>(gold[i]));
    out.values.push_back(static_cast<f64>(pred[i]));
  }
  return out;
}

f64 score(const char* name, i64 width, const MetricRows& rows, stat::Counts counts = {}) {
  return find_metric(name, width)->score(rows, counts);
}

TEST_CASE("F1 and Matthews' correlation equal scikit-learn's", "[eval]") {
  const std::vector<i64> gold = {0, 1, 1, 0, 1, 0, 1, 1, 0, 0};
  const std::vector<i64> pred = {0, 1, 0, 0, 1, 1, 1, 1, 0, 1};
  CHECK(score("f1", 2, pairs(gold, pred)) == Approx(0.7272727272727273).epsilon(1e-15));
  CHECK(score("mcc", 2, pairs(gold, pred)) == Approx(0.408248290463863).epsilon(1e-15));
  CHECK(score("mcc", 2, pairs({0, 1, 2, 2, 1, 0, 3, 1}, {0, 2, 2, 2, 1, 1, 0, 1})) ==
        Approx(0.47776654295295456).epsilon(1e-15));
  CHECK(score("mcc", 2, pairs({1, 1}, {0, 1})) == 0);
  CHECK(score("f1", 2, pairs({0, 0}, {0, 0})) == 0);
}

TEST_CASE("Matthews' correlation equals the correlation of indicators", "[eval]") {
  const RandomStream random(9, RandomPurpose::kOther);
  u64 draw = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<i64> gold, pred;
    const u64 n = 1 + random.below(draw++, 12);
    for (u64 i = 0; i < n; ++i) {
      gold.push_back(static_cast<i64>(random.below(draw++, 3)));
      pred.push_back(static_cast<i64>(random.below(draw++, 3)));
    }
    // Sum over classes of the covariances of "is of the class".
    const auto covariance = [&](const std::vector<i64>& a, const std::vector<i64>& b) {
      f64 sum = 0;
      for (i64 c = 0; c < 3; ++c) {
        f64 ab = 0, as = 0, bs = 0;
        for (std::size_t i = 0; i < a.size(); ++i) {
          ab += a[i] == c && b[i] == c ? 1 : 0;
          as += a[i] == c ? 1 : 0;
          bs += b[i] == c ? 1 : 0;
        }
        const f64 size = static_cast<f64>(a.size());
        sum += ab / size - as / size * bs / size;
      }
      return sum;
    };
    const f64 scale = std::sqrt(covariance(gold, gold) * covariance(pred, pred));
    const f64 expected = scale < 1e-12 ? 0 : covariance(gold, pred) / scale;
    CHECK(score("mcc", 2, pairs(gold, pred)) == Approx(expected).margin(1e-12));
  }
}

TEST_CASE("a score with counts is the score of repeated rows", "[eval]") {
  const RandomStream random(3, RandomPurpose::kOther);
  u64 draw = 0;
  struct Case {
    const char* name;
    i64 width;
  };
  for (const Case& each :
       {Case{"acc", 1}, Case{"perplexity", 1}, Case{"word_perplexity", 2}, Case{"bits_per_byte", 2},
        Case{"f1", 2}, Case{"mcc", 2}, Case{"bleu", 10}, Case{"chrf", 18}, Case{"ter", 2}}) {
    INFO(each.name);
    MetricRows rows{each.width, {}};
    MetricRows repeated{each.width, {}};
    std::vector<u32> counts;
    for (int i = 0; i < 12; ++i) {
      std::vector<f64> one;
      for (i64 k = 0; k < each.width; ++k)
        one.push_back(static_cast<f64>(1 + random.below(draw++, 3)));
      counts.push_back(static_cast<u32>(random.below(draw++, 4)));
      rows.values.insert(rows.values.end(), one.begin(), one.end());
      for (u32 c = 0; c < counts.back(); ++c)
        repeated.values.insert(repeated.values.end(), one.begin(), one.end());
    }
    CHECK(score(each.name, each.width, rows, counts) ==
          Approx(score(each.name, each.width, repeated)).epsilon(1e-12));
  }
}

TEST_CASE("perplexities and bits are quotients of sums", "[eval]") {
  const MetricRows rows{2, {-10, 4, -20, 6}};
  CHECK(score("word_perplexity", 2, rows) == Approx(std::exp(3.0)));
  CHECK(score("bits_per_byte", 2, rows) == Approx(3 / std::log(2.0)));
  CHECK(score("perplexity", 1, {1, {-1, -3}}) == Approx(std::exp(2.0)));
  CHECK(std::isnan(score("acc", 1, {1, {}})));
  CHECK(std::isnan(score("bits_per_byte", 2, {2, {}})));
}

TEST_CASE("words are the pieces between runs of white space", "[eval]") {
  const auto words = [](const std::string& text) {
    DocRequests doc;
    doc.likelihoods.push_back({"", text, true});
    return row("word_perplexity", OutputType::kRolling, doc, {{-1}, {1}, ""})[1];
  };
  CHECK(words("one two") == 2);
  CHECK(words(" one  two\n") == 4);  // as re.split counts
  CHECK(words("") == 1);
}

TEST_CASE("errors of means are exact, others come from the draws", "[eval]") {
  const MetricDef* acc = find_metric("acc", OutputType::kMultipleChoice);
  const Estimate e = estimate(*acc, {1, {1, 0, 0, 1, 1}}, 500, 0);
  CHECK(e.value == Approx(0.6));
  CHECK(e.standard_error == Approx(std::sqrt(0.3 / 5)));  // sample variance 0.3
  CHECK(e.low >= 0);
  CHECK(e.high <= 1);
  CHECK(e.low < 0.6);
  const MetricDef* bits = find_metric("bits_per_byte", OutputType::kRolling);
  const Estimate same = estimate(*bits, {2, {-1, 2, -1, 2, -1, 2}}, 100, 0);
  CHECK(same.standard_error == Approx(0).margin(1e-12));
  CHECK(same.low == Approx(same.high));
  CHECK(std::isnan(estimate(*acc, {1, {1}}, 100, 0).standard_error));
  CHECK(std::isnan(estimate(*acc, {1, {1, 0}}, 0, 0).low));
}

TEST_CASE("metrics are refused with their place", "[eval]") {
  const auto refusal = [](MetricSpec metric, OutputType type) {
    try {
      check_metric(metric, type);
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::kConfig);
      return e.message();
    }
    return std::string();
  };
  const auto spec = [](const char* name, const char* how, Value args) {
    return MetricSpec{name, how, std::nullopt, std::move(args), "t.yaml:3"};
  };
  CHECK(refusal(spec("accuracy", "", kNoArgs), OutputType::kMultipleChoice) ==
        "t.yaml:3: multiple_choice has no metric \"accuracy\"");
  CHECK(refusal(spec("acc", "median", kNoArgs), OutputType::kMultipleChoice) ==
        "t.yaml:3: the aggregation of acc is mean, not \"median\"");
  CHECK(
      refusal(spec("exact_match", "mean", ValueMap{{"ignore_cas", true}}), OutputType::kGenerate) ==
      "t.yaml:3: the metric \"exact_match\" has no argument \"ignore_cas\"");
  CHECK_THAT(refusal(spec("exact_match", "mean", ValueMap{{"regexes_to_ignore", ValueList{"("}}}),
                     OutputType::kGenerate),
             Catch::Matchers::ContainsSubstring("t.yaml:3: the pattern \"(\""));
  CHECK(refusal(spec("bleu", "bleu", kNoArgs), OutputType::kGenerate).empty());
}

}  // namespace
}  // namespace lm::eval

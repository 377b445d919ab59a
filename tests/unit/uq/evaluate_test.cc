// Judging answers and scores: worked numbers through the whole evaluation, pairs on one resample.

#include "uq/evaluate.h"

#include <cmath>

#include "catch.h"
#include "core/parallel.h"
#include "core/random.h"
#include "uq/correctness.h"
#include "uq/similarity.h"

namespace {

using lm::f64;
using lm::i64;
using lm::uq::Correct;
using lm::uq::EvalOptions;
using lm::uq::Evaluation;
using lm::uq::Question;

EvalOptions all_metrics(i64 draws) {
  EvalOptions options;
  for (const lm::uq::Metric& metric : lm::uq::metrics())
    options.chosen.push_back(&metric);
  options.bins = 5;
  options.bootstrap = {draws, 1};
  return options;
}

f64 value(const Evaluation& evaluation, std::size_t estimator, const std::string& metric) {
  for (std::size_t k = 0; k < lm::uq::metrics().size(); ++k) {
    if (metric == lm::uq::metrics()[k].name)
      return evaluation.estimators[estimator].values[k].value;
  }
  FAIL("no metric " + metric);
  return 0;
}

std::vector<Question> six() {
  const std::vector<f64> quality = {1, 0, 1, 0, 1, 0};
  const std::vector<f64> u = {.1, .5, .5, .5, .2, .9};
  std::vector<Question> out;
  for (std::size_t i = 0; i < 6; ++i)
    out.push_back({std::to_string(i), std::nan(""), quality[i], {u[i]}, {10, 0, 0}});
  return out;
}

// n questions with two noisy scores; the second is missing for the first `without`.
std::vector<Question> noisy(i64 n, i64 without) {
  const lm::RandomStream random(4, lm::RandomPurpose::kOther);
  std::vector<Question> out;
  for (i64 i = 0; i < n; ++i) {
    const lm::u64 at = static_cast<lm::u64>(i);
    const f64 quality = static_cast<f64>(random.below(3 * at, 2));
    const f64 a = 1 - quality + 2 * random.uniform(3 * at + 1);
    const f64 b = 1 - quality + random.uniform(3 * at + 2);
    out.push_back({std::to_string(i), 1, quality, {a, i < without ? std::nan("") : b}, {5, 0, 0}});
  }
  return out;
}

}  // namespace

TEST_CASE("six questions have the metrics worked out by hand", "[uq]") {
  const std::vector<std::string> names = {"label_prob"};
  const Evaluation got = lm::uq::evaluate(six(), names, all_metrics(0));
  CHECK(got.questions == 6);
  CHECK(got.accuracy == Approx(.5));
  CHECK(got.estimators[0].generations == 10);
  CHECK(value(got, 0, "auroc") == Approx(.888889).margin(1e-6));
  CHECK(value(got, 0, "prr") == Approx(.834835).margin(1e-6));
  CHECK(value(got, 0, "ap_ratio") == Approx(.866667).margin(1e-6));
  CHECK(value(got, 0, "aurc") == Approx(1 - .757407).margin(1e-6));
  CHECK(value(got, 0, "ece") == Approx(.15).margin(1e-12));
  CHECK(value(got, 0, "brier_iso_in") == Approx(.111111).margin(1e-6));
  CHECK(value(got, 0, "brier") == Approx(.135).margin(1e-12));
  CHECK(std::isnan(got.estimators[0].values[0].interval.low));
}

TEST_CASE("only scores that are meant as probabilities are asked for calibration", "[uq]") {
  const std::vector<std::string> names = {"msp"};
  const Evaluation got = lm::uq::evaluate(six(), names, all_metrics(0));
  CHECK(std::isnan(value(got, 0, "ece")));
  CHECK(std::isnan(value(got, 0, "brier")));
  CHECK(value(got, 0, "auroc") == Approx(.888889).margin(1e-6));
}

TEST_CASE("no questions, one question and one class are undefined, not wrong", "[uq]") {
  const std::vector<std::string> names = {"label_prob"};
  CHECK(lm::uq::evaluate({}, names, all_metrics(10)).estimators.empty());
  std::vector<Question> one = six();
  one.resize(1);
  const Evaluation got = lm::uq::evaluate(one, names, all_metrics(10));
  CHECK(std::isnan(value(got, 0, "auroc")));
  CHECK(std::isnan(value(got, 0, "prr")));
  CHECK(value(got, 0, "aurc") == 0);
  CHECK(std::isnan(value(got, 0, "brier_iso")));
  CHECK(got.estimators[0].values[0].interval.defined == 0);
}

TEST_CASE("an evaluation does not depend on the number of threads", "[uq]") {
  const std::vector<Question> questions = noisy(60, 7);
  const std::vector<std::string> names = {"a", "b"};
  std::vector<std::vector<f64>> seen;
  for (const int threads : {1, 2, 7}) {
    lm::set_threads(threads);
    const Evaluation got = lm::uq::evaluate(questions, names, all_metrics(50));
    std::vector<f64>& numbers = seen.emplace_back();
    for (const lm::uq::EstimatorResult& one : got.estimators) {
      for (const lm::uq::Measured& m : one.values) {
        for (const f64 v : {m.value, m.interval.low, m.interval.high})
          numbers.push_back(std::isnan(v) ? -7 : v);
      }
    }
  }
  CHECK(seen[0] == seen[1]);
  CHECK(seen[0] == seen[2]);
}

TEST_CASE("differences are paired and only between scores of the same questions", "[uq]") {
  EvalOptions options;
  options.chosen = {lm::uq::find_metric("auroc")};
  options.bootstrap = {300, 2};
  options.differences = true;
  const std::vector<std::string> names = {"a", "b"};
  const Evaluation got = lm::uq::evaluate(noisy(200, 0), names, options);
  REQUIRE(got.differences.size() == 1);
  const lm::uq::Difference& d = got.differences[0];
  CHECK(d.value.value ==
        Approx(got.estimators[0].values[0].value - got.estimators[1].values[0].value));
  CHECK(d.value.interval.high < 0);  // the second is the less noisy one
  CHECK(lm::uq::evaluate(noisy(200, 1), names, options).differences.empty());
  // A score and its copy: no difference in any resample.
  std::vector<Question> twice = noisy(50, 0);
  for (Question& q : twice)
    q.scores[1] = q.scores[0];
  const Evaluation same = lm::uq::evaluate(twice, names, options);
  CHECK(same.differences[0].value.interval.low == 0);
  CHECK(same.differences[0].value.interval.high == 0);
}

TEST_CASE("a selective curve ends at the mean quality", "[uq]") {
  EvalOptions options;
  options.bootstrap = {100, 1};
  const lm::uq::SelectiveCurve curve = lm::uq::selective_curve(noisy(100, 0), 1, "b", options);
  f64 mean = 0;
  for (const Question& q : noisy(100, 0))
    mean += q.quality / 100;
  CHECK(curve.coverage.back() == 1);
  CHECK(curve.quality.back().value == Approx(mean));
  CHECK(curve.quality.front().value == 1);  // five most certain of a separable kind
  CHECK(curve.quality[10].interval.low <= curve.quality[10].value);
}

TEST_CASE("scores are compared between temperatures of one id", "[uq]") {
  std::vector<Question> questions;
  const auto add = [&](const char* id, f64 temperature, f64 score) {
    questions.push_back({id, temperature, 1, {score}, {}});
  };
  add("a", 1.4, 3);
  add("a", .7, 1);
  add("a", 1, 2);  // rises
  add("b", .7, 1);
  add("b", 1, 1);
  add("b", 1.4, 2);  // tied
  add("c", .7, 1);
  add("c", 1, 2);  // incomplete
  const std::vector<std::string> names = {"u"};
  const std::vector<f64> temperatures = {.7, 1, 1.4};
  const std::vector<lm::uq::TsuResult> got =
      lm::uq::temperature_order(questions, names, temperatures, {0, 0});
  REQUIRE(got.size() == 1);
  CHECK(got[0].share.items == 2);
  CHECK(got[0].share.percent == Approx(50));
  CHECK(got[0].share.tied_percent == Approx(50));
  CHECK(got[0].share.chance_percent == Approx(100.0 / 6));
}

TEST_CASE("answers are right in as many ways as there are rules", "[uq]") {
  const std::vector<std::string_view> refs = {"the Eiffel Tower", "42"};
  const auto quality = [&](Correct kind, std::string_view answer) {
    return *lm::uq::answer_quality(kind, answer, refs);
  };
  CHECK(quality(Correct::kExact, "Eiffel tower!") == 1);
  CHECK(quality(Correct::kExact, "It is the Eiffel Tower") == 0);
  CHECK(quality(Correct::kContains, "It is the Eiffel Tower.") == 1);
  CHECK(quality(Correct::kContains, "1424") == 0);
  CHECK(quality(Correct::kF1, "Eiffel building") == Approx(.5));
  CHECK(quality(Correct::kRougeL, "tower Eiffel") == Approx(.5));
  CHECK(quality(Correct::kNumeric, "so 6 x 7 = 42.0") == 1);
  CHECK(quality(Correct::kNumeric, "none") == 0);
  CHECK(!lm::uq::answer_quality(Correct::kExact, "x", {}));
  CHECK(lm::uq::right_from(Correct::kRougeL) == .3);
}

TEST_CASE("the letter of a choice is found and an article is none", "[uq]") {
  using lm::uq::chosen_letter;
  CHECK(chosen_letter("b") == 'B');
  CHECK(chosen_letter("(C)") == 'C');
  CHECK(chosen_letter("D. because") == 'D');
  CHECK(chosen_letter("B) Paris") == 'B');
  CHECK(chosen_letter("The answer is (B).") == 'B');
  CHECK(chosen_letter("Answer: a") == 'A');
  CHECK(!chosen_letter("A dog"));
  CHECK(!chosen_letter("Paris"));
  CHECK(!chosen_letter(""));
}

TEST_CASE("equal answers share a row under every comparison of texts", "[uq]") {
  lm::uq::TextComparer comparer;
  const std::vector<std::string_view> texts = {"The cat", "a dog ran", "the cat", "The cat", "cat"};
  lm::uq::Similarities got;
  for (i64 kind = 0; kind < lm::uq::kTextSims; ++kind) {
    CAPTURE(kind);
    comparer.compare(static_cast<lm::uq::Sim>(kind), texts, got);
    CHECK(got.row[0] == got.row[3]);
    for (i64 i = 0; i < got.items(); ++i) {
      CHECK(got.at(i, i) == 1);
      for (i64 j = 0; j < got.items(); ++j) {
        CHECK(got.at(i, j) == got.at(j, i));
        CHECK(got.at(i, j) >= 0);
        CHECK(got.at(i, j) <= 1);
      }
    }
    CHECK(got.at(0, 1) < got.at(0, 2));
  }
  comparer.compare(lm::uq::Sim::kExact, texts, got);
  CHECK(got.rows == 2);
  comparer.compare(lm::uq::Sim::kNumeric, std::vector<std::string_view>{"3", "is 3.0", "x"}, got);
  CHECK(got.rows == 2);
}

TEST_CASE("cosines are mapped as asked, and embeddings that do not fit refused", "[uq]") {
  const std::vector<f64> a = {1, 0};
  const std::vector<f64> b = {-1, 0};
  const std::vector<f64> zero = {0, 0};
  const std::vector<f64> longer = {1, 0, 0};
  lm::uq::Similarities got;
  const std::vector<const std::vector<f64>*> pair = {&a, &b};
  const auto value_of = [&](lm::uq::SimMap map) {
    REQUIRE(lm::uq::compare_embeddings(map, pair, got));
    return got.at(0, 1);
  };
  CHECK(value_of(lm::uq::SimMap::kHalf) == 0);
  CHECK(value_of(lm::uq::SimMap::kAbs) == 1);
  CHECK(value_of(lm::uq::SimMap::kRelu) == 0);
  const std::vector<const std::vector<f64>*> with_zero = {&a, &zero};
  CHECK(!lm::uq::compare_embeddings(lm::uq::SimMap::kHalf, with_zero, got));
  const std::vector<const std::vector<f64>*> unequal = {&a, &longer};
  CHECK(!lm::uq::compare_embeddings(lm::uq::SimMap::kHalf, unequal, got));
}

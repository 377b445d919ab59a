#include "mix/weights.h"

#include <cmath>

#include "catch.h"
#include "core/error.h"

using namespace lm;
using namespace lm::mix;

namespace {

std::map<std::string, f64> rates(const std::string& weights, std::optional<f64> budget,
                                 const std::map<std::string, SourceSize>& sources) {
  std::map<std::string, f64> out;
  const Weights parsed = weights.empty() ? Weights() : parse_weights(weights);
  for (const SourceRate& one : source_rates(parsed, budget, sources))
    out[one.source] = one.rate;
  return out;
}

std::string refusal(const std::string& weights,
                    const std::map<std::string, SourceSize>& sources = {{"a", {1, 1}}}) {
  try {
    rates(weights, std::nullopt, sources);
  } catch (const Error& e) {
    return e.message();
  }
  return "accepted";
}

const std::map<std::string, SourceSize> kThree = {
    {"books", {10, 100}}, {"web", {50, 800}}, {"wiki", {20, 100}}};

}  // namespace

TEST_CASE("a budget alone takes the same part of everything", "[mix]") {
  const auto got = rates("", 250, kThree);
  for (const auto& [source, rate] : got)
    CHECK(rate == Approx(0.25));
  CHECK(rates("", std::nullopt, kThree).at("web") == Approx(1));
}

TEST_CASE("explicit weights are shares of what is written", "[mix]") {
  // A half of 1,000 from books: five times 100; a quarter each: 250 of 800, 250 of 100.
  const auto got = rates("books=2,web=1,wiki=1", std::nullopt, kThree);
  CHECK(got.at("books") == Approx(5));
  CHECK(got.at("web") == Approx(0.3125));
  CHECK(got.at("wiki") == Approx(2.5));
  CHECK(rates("books=1,web=1,wiki=0", 200, kThree).at("wiki") == 0);
}

TEST_CASE("a temperature flattens the sizes", "[mix]") {
  // Roots of 100, 800, 100: 10, 28.284, 10; of 1,000 books get 10 / 48.284.
  const auto got = rates("temperature:0.5", std::nullopt, kThree);
  CHECK(got.at("books") == Approx(1000 * 10 / (20 + std::sqrt(800.0)) / 100));
  CHECK(got.at("wiki") == got.at("books"));
  CHECK(rates("temperature:1", std::nullopt, kThree).at("web") == Approx(1));
  CHECK(rates("temperature:0", 300, kThree).at("web") == Approx(0.125));
}

TEST_CASE("unimax gives small sources at most their epochs and shares the rest", "[mix]") {
  // Of 1,200 a third would be 400: books and wiki are capped at 2 * 100, web takes the other 800.
  const auto got = rates("unimax:2", 1200, kThree);
  CHECK(got.at("books") == Approx(2));
  CHECK(got.at("wiki") == Approx(2));
  CHECK(got.at("web") == Approx(1));
  // Of 150 each takes 50.
  const auto small = rates("unimax:2", 150, kThree);
  CHECK(small.at("books") == Approx(0.5));
  CHECK(small.at("web") == Approx(0.0625));
  // No more than the epochs, though the budget has more.
  CHECK(rates("unimax:1", 5000, kThree).at("web") == Approx(1));
}

TEST_CASE("sources without anything, and weights that do not fit", "[mix]") {
  const std::map<std::string, SourceSize> some = {{"a", {3, 30}}, {"empty", {2, 0}}};
  CHECK(rates("temperature:0", std::nullopt, some).at("empty") == 0);
  CHECK(rates("unimax:1", std::nullopt, some).at("empty") == 0);
  CHECK(rates("unimax:1", std::nullopt, some).at("a") == Approx(1));
  CHECK(rates("a=1,empty=0", std::nullopt, some).at("empty") == 0);
  CHECK(refusal("a=1,empty=1", some) == "--weights: there is nothing of source \"empty\"");
  CHECK(refusal("a=1", some) == "--weights: source \"empty\" has no weight");
  CHECK(refusal("a=1,b=1") == "--weights: there is nothing of source \"b\"");
  CHECK(refusal("a=1,b=0") == "accepted");
  CHECK(refusal("a") == "--weights: \"a\": \"a\" is not SOURCE=WEIGHT");
  CHECK(refusal("a=x") == "--weights: \"a=x\": \"x\" is no number of 0 or more");
  CHECK(refusal("a=-1") == "--weights: \"a=-1\": \"-1\" is no number of 0 or more");
  CHECK(refusal("a=1,a=2") == "--weights: \"a=1,a=2\": source \"a\" is named twice");
  CHECK(refusal("a=0") == "--weights: \"a=0\": no weight is above 0");
  CHECK(refusal("temperature:") == "--weights: \"temperature:\": \"\" is no number of 0 or more");
  try {
    rates("", 101 * 30.0, some);
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.message() == "source \"a\" would be written 101.0 times over, expected at most 100");
  }
  CHECK(rates("", 3000, some).at("a") == Approx(100));
  CHECK(rates("a=b=2", std::nullopt, {{"a=b", {1, 1}}}).at("a=b") == Approx(1));
}

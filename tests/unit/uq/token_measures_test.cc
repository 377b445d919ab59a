// Measures of one token among the likeliest, by hand.

#include "uq/token_measures.h"

#include <cmath>
#include <string>

#include "catch.h"

namespace {

using namespace lm;
using namespace lm::uq;

std::vector<TopToken> tokens(const std::vector<f64>& p) {
  std::vector<TopToken> out;
  for (std::size_t i = 0; i < p.size(); ++i)
    out.push_back({static_cast<i64>(i), std::log(p[i])});
  return out;
}

}  // namespace

TEST_CASE("a dominant token has the probability of all dominant ones", "[uq]") {
  // Drops of 40, 50, 73 and 75 %; the last, of .03, still counts.
  const std::vector<TopToken> steep = tokens({.5, .3, .15, .04, .01});
  CHECK(*boosted_probability(steep, 0, std::log(.5), 5) == Approx(.99));
  CHECK(*boosted_probability(steep, 3, std::log(.04), 5) == Approx(.99));
  CHECK(*boosted_probability(steep, 4, std::log(.01), 5) == Approx(.01));
  // No drop takes 30 %: nobody dominates.
  CHECK(*boosted_probability(tokens({.3, .28, .22, .2}), 1, std::log(.28), 4) == Approx(.28));
  // A drop of half of .008 is below .005, so that the one before it is the last.
  CHECK(*boosted_probability(tokens({.9, .008, .004}), 0, std::log(.9), 99) == Approx(.9));
  // A token that is not in the list has its own.
  CHECK(*boosted_probability(tokens({.9, .004}), 7, std::log(.001), 99) == Approx(.001));
  // A later drop would not be seen.
  CHECK_FALSE(boosted_probability(steep, 0, std::log(.5), 6));
  CHECK_FALSE(boosted_probability({}, 0, 0, 6));
}

TEST_CASE("a token's focus is its surprise and the breadth of its choice", "[uq]") {
  const std::vector<TopToken> top = tokens({.5, .25, .25});
  // 1.5 bits.
  CHECK(*focus_surprise(top, 0, 3, nullptr) == Approx(std::pow(2, 1.5) - std::log(.5 + 1e-5)));
  // Of no weight: the other two share the rest.
  CHECK(*focus_surprise(top, 0, 3, [](i64 id) { return id == 0 ? 0.0 : 2.0; }) ==
        Approx(2 - std::log(1e-5)));
  // Below .01 counts nothing.
  CHECK(*focus_surprise(tokens({.992, .008}), 0, 9, nullptr) == Approx(1).margin(1e-4));
  CHECK_FALSE(focus_surprise(top, 0, 4, nullptr));  // more may be above .01
  CHECK_FALSE(focus_surprise(top, 0, 3, [](i64) { return 0.0; }));
}

TEST_CASE("keywords inherit the surprise of what they look back at", "[uq]") {
  const std::vector<f64> surprise = {1, 2, 3};
  const std::vector<std::vector<f64>> back = {{}, {}, {.1, .3}};
  // f_2 = 3 + .9 (.1 * 1 + .3 * 2) / .4 = 4.575; the mean over the first and the last.
  CHECK(focus_score(surprise, std::vector<f64>{1, 0, 1}, back) == Approx((1 + 4.575) / 2));
  CHECK(std::isnan(focus_score(surprise, std::vector<f64>{0, 0, 0}, back)));
}

TEST_CASE("keywords are names, numbers and words with a meaning", "[uq]") {
  const std::string text = "The capital of France was Paris in 1789. It will be so again";
  const std::vector<u8> got = keyword_bytes(text);
  std::string kept;
  for (std::size_t i = 0; i < text.size(); ++i)
    kept += got[i] != 0 ? text[i] : '.';
  CHECK(kept == "....capital....France.....Paris....1789.....................");
  CHECK(keyword_bytes("I however am").back() == 0);
}

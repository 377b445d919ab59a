#include "answer/oracle.h"

#include <algorithm>
#include <cmath>

#include "catch.h"
#include "core/str.h"

namespace lm::answer {
namespace {

constexpr i64 kDraws = 20000;

std::string reply(const Oracle& oracle, std::string_view input, i64 sample = 0,
                  std::string_view needle = "", std::string_view id = "a", u64 seed = 1) {
  const Result<std::string> out =
      oracle_reply(oracle, input, needle, oracle_draws(seed, id, sample));
  REQUIRE(out);
  return *out;
}

Oracle oracle_of(Oracle::Kind kind, Noise::Kind noise = Noise::Kind::kNone, f64 rate = 0) {
  Oracle out;
  out.kind = kind;
  out.noise.kind = noise;
  out.noise.rate = rate;
  return out;
}

struct Moments {
  f64 mean = 0, variance = 0;
};
Moments counts(const Oracle& oracle, std::string_view input) {
  f64 sum = 0;
  f64 squares = 0;
  for (i64 i = 0; i < kDraws; ++i) {
    const f64 value = static_cast<f64>(*parse_int(reply(oracle, input, i)));
    sum += value;
    squares += value * value;
  }
  const f64 n = static_cast<f64>(kDraws);
  return {sum / n, squares / n - (sum / n) * (sum / n)};
}

/// Chi-square of counts against probabilities.
f64 chi_square(const std::vector<i64>& seen, const std::vector<f64>& p) {
  i64 all = 0;
  for (const i64 count : seen)
    all += count;
  f64 out = 0;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const f64 expected = p[i] * static_cast<f64>(all);
    out +=
        (static_cast<f64>(seen[i]) - expected) * (static_cast<f64>(seen[i]) - expected) / expected;
  }
  return out;
}

f64 binomial(i64 n, i64 k, f64 p) {
  return std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) +
                  static_cast<f64>(k) * std::log(p) + static_cast<f64>(n - k) * std::log(1 - p));
}

}  // namespace

TEST_CASE("oracles without noise are right", "[oracle]") {
  CHECK(reply(oracle_of(Oracle::Kind::kCountDigits), "a1b22\xC3\xA9 3") == "4");
  CHECK(reply(oracle_of(Oracle::Kind::kCountDigits), "") == "0");
  CHECK(reply(oracle_of(Oracle::Kind::kSortNumbers), "0.5, -2 and 10; 0.25 (0.50) x-1 9.") ==
        "-2, 0.25, 0.5, 0.50, 1, 9, 10");
  CHECK(reply(oracle_of(Oracle::Kind::kEcho), "as it is") == "as it is");
  const Oracle find = oracle_of(Oracle::Kind::kFindNeedle);
  const std::string text = "The code of the red lamp is 482915. The code of the blue box is 77.";
  CHECK(reply(find, text, 0, "red lamp") == "482915");
  CHECK(reply(find, text, 0, "blue box") == "77");
  CHECK(reply(find, text, 0, "green box") == "none");
  CHECK(reply(find, text, 0, "77.") == "none");
  Oracle path = oracle_of(Oracle::Kind::kJsonPath);
  path.path = "a.1.b";
  path.prefix = "<";
  path.suffix = ">";
  CHECK(reply(path, R"({"a":[0,{"b":"x y"}]})") == "<x y>");
  CHECK(reply(path, R"({"a":[0,{"b":[1,null]}]})") == "<[1,null]>");
  CHECK(!oracle_reply(path, R"({"a":[0]})", "", oracle_draws(1, "a", 0)));
  CHECK(!oracle_reply(path, "{", "", oracle_draws(1, "a", 0)));
}

TEST_CASE("a miss rate grows with the input as its curve says", "[oracle]") {
  Noise noise;
  noise.rate = 0.1;
  noise.rate_per_char = 0.001;
  noise.rate_power = 1.5;
  CHECK(noise.curve(100) == Approx(0.1 + 0.001 * 1000));
  CHECK(noise.chance(100) == 1);
  CHECK(noise.chance(0) == Approx(0.1));
  CHECK(noise.chance(25) == Approx(0.1 + 0.001 * 125));
}

TEST_CASE("counts with misses are binomial", "[oracle]") {
  // 30 digits and 20 others: of 50 characters p = 0.1 + 0.002 * 50 = 0.2 and f = 0.1, so the mean
  // is 30 * 0.8 + 20 * 0.1 = 26, the variance 30 * 0.16 + 20 * 0.09 = 6.6.
  Oracle oracle = oracle_of(Oracle::Kind::kCountDigits, Noise::Kind::kBinomialMiss, 0.1);
  oracle.noise.rate_per_char = 0.002;
  oracle.noise.false_rate = 0.1;
  const std::string input = std::string(30, '7') + std::string(20, 'x');
  const Moments both = counts(oracle, input);
  const f64 deviation = std::sqrt(6.6 / static_cast<f64>(kDraws));
  CHECK(std::abs(both.mean - 26) < 4 * deviation);
  CHECK(both.variance == Approx(6.6).epsilon(0.06));
  // Another rate is told from it.
  oracle.noise.rate = 0.12;
  CHECK(std::abs(counts(oracle, input).mean - 26) > 8 * deviation);

  // The whole distribution of misses alone: 12 digits, p = 0.3.
  oracle = oracle_of(Oracle::Kind::kCountDigits, Noise::Kind::kBinomialMiss, 0.3);
  std::vector<i64> seen(8, 0);
  std::vector<f64> p(8, 0);
  for (i64 k = 0; k <= 12; ++k)
    p[usize(std::min<i64>(k, 7))] += binomial(12, k, 0.3);
  std::vector<f64> other(8, 0);
  for (i64 k = 0; k <= 12; ++k)
    other[usize(std::min<i64>(k, 7))] += binomial(12, k, 0.33);
  for (i64 i = 0; i < kDraws; ++i)
    ++seen[usize(std::min<i64>(12 - *parse_int(reply(oracle, "123456789012", i)), 7))];
  CHECK(chi_square(seen, p) < 24.3);  // 7 degrees of freedom, 0.1 %
  CHECK(chi_square(seen, other) > 100);
}

TEST_CASE("sorted lists lose, swap and move numbers as documented", "[oracle]") {
  const std::string input = "5 3 1 4 2 6";
  Oracle drop = oracle_of(Oracle::Kind::kSortNumbers, Noise::Kind::kDrop, 0.25);
  drop.separator = " ";
  std::vector<i64> lengths(7, 0);
  for (i64 i = 0; i < kDraws; ++i) {
    const std::string text = reply(drop, input, i);
    const std::vector<std::string_view> kept = numbers_in(text);
    ++lengths[usize(isize(kept))];
    CHECK(std::is_sorted(kept.begin(), kept.end()));
  }
  std::vector<f64> p(7);
  for (i64 k = 0; k <= 6; ++k)
    p[usize(k)] = binomial(6, k, 0.75);
  CHECK(chi_square(lengths, p) < 22.5);  // 6 degrees of freedom, 0.1 %

  const Oracle swap = oracle_of(Oracle::Kind::kSortNumbers, Noise::Kind::kSwap, 0.5);
  std::vector<i64> patterns(8, 0);
  for (i64 i = 0; i < kDraws; ++i) {
    const std::string text = reply(swap, input, i);
    const std::vector<std::string_view> got = numbers_in(text);
    REQUIRE(isize(got) == 6);
    i64 pattern = 0;
    for (i64 k = 0; k < 3; ++k) {
      const bool swapped = got[usize(2 * k)] != cat(2 * k + 1);
      CHECK(got[usize(2 * k)] == cat(2 * k + (swapped ? 2 : 1)));
      CHECK(got[usize(2 * k + 1)] == cat(2 * k + (swapped ? 1 : 2)));
      pattern |= i64{swapped} << k;
    }
    ++patterns[usize(pattern)];
  }
  CHECK(chi_square(patterns, std::vector<f64>(8, 1.0 / 8)) < 24.3);

  // Multiples of 0.01 moved by -3 to 3 of them: 0.02 to 0.08 for 0.05, and below 0.
  const Oracle jitter = oracle_of(Oracle::Kind::kSortNumbers, Noise::Kind::kJitter, 0.03);
  std::vector<i64> moved(7, 0);
  for (i64 i = 0; i < kDraws; ++i) {
    const std::string text = reply(jitter, "0.05 0.01", i);
    const std::vector<std::string_view> got = numbers_in(text);
    REQUIRE(isize(got) == 2);
    ++moved[usize(std::llround(*parse_float(got[1]) * 100) - 2)];
    CHECK(std::abs(*parse_float(got[0]) - 0.01) < 0.0301);
  }
  CHECK(chi_square(moved, std::vector<f64>(7, 1.0 / 7)) < 22.5);
  CHECK(chi_square(moved, {0.17, 0.13, 1.0 / 7, 1.0 / 7, 1.0 / 7, 1.0 / 7, 1.0 / 7}) > 60);
}

TEST_CASE("needles are missed and invented", "[oracle]") {
  Oracle oracle = oracle_of(Oracle::Kind::kFindNeedle, Noise::Kind::kNeedle, 0.3);
  oracle.noise.false_rate = 0.02;
  oracle.noise.digits = 3;
  i64 missed = 0;
  i64 invented = 0;
  std::vector<i64> firsts(10, 0);
  for (i64 i = 0; i < kDraws; ++i) {
    const std::string there = reply(oracle, "red lamp: 123456", i, "red lamp");
    CHECK((there == "123456" || there == "none"));
    missed += there == "none" ? 1 : 0;
    const std::string absent = reply(oracle, "blue box: 123456", i, "red lamp");
    if (absent == "none") continue;
    ++invented;
    REQUIRE(absent.size() == 3);
    ++firsts[usize(absent[0] - '0')];
  }
  const f64 n = static_cast<f64>(kDraws);
  CHECK(std::abs(static_cast<f64>(missed) - 0.3 * n) < 4 * std::sqrt(n * 0.21));
  CHECK(std::abs(static_cast<f64>(invented) - 0.02 * n) < 4 * std::sqrt(n * 0.02 * 0.98));
  CHECK(chi_square(firsts, std::vector<f64>(10, 0.1)) < 27.9);  // 9 degrees of freedom, 0.1 %
}

TEST_CASE("draws belong to seed, id and sample", "[oracle]") {
  Oracle oracle = oracle_of(Oracle::Kind::kEcho, Noise::Kind::kDrop, 0.5);
  const std::string input = "abcdefghijklmnopqrstuvwxyz";
  const std::string one = reply(oracle, input);
  CHECK(reply(oracle, input) == one);
  CHECK(reply(oracle, input, 1) != one);
  CHECK(reply(oracle, input, 0, "", "b") != one);
  CHECK(reply(oracle, input, 0, "", "a", 2) != one);
  oracle = oracle_of(Oracle::Kind::kCountDigits, Noise::Kind::kWrong, 0.4);
  oracle.noise.wrong = "many";
  i64 wrong = 0;
  for (i64 i = 0; i < kDraws; ++i)
    wrong += reply(oracle, "1", i) == "many" ? 1 : 0;
  const f64 n = static_cast<f64>(kDraws);
  CHECK(std::abs(static_cast<f64>(wrong) - 0.4 * n) < 4 * std::sqrt(n * 0.24));
}

}  // namespace lm::answer

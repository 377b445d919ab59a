#include "model/masking.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"

using namespace lm;
using model::NoiseWeight;

namespace {

/// A source of four symbols out of three, by its 81 probabilities.
constexpr i64 kLength = 4, kSymbols = 3, kTexts = 81;
using Source = std::array<f64, kTexts>;
using Text = std::array<i64, kLength>;

Text text_of(i64 number) {
  Text out;
  for (i64& symbol : out) {
    symbol = number % kSymbols;
    number /= kSymbols;
  }
  return out;
}

Source random_source(u64 seed) {
  const RandomStream draw(seed, RandomPurpose::kOther);
  Source out;
  for (i64 x = 0; x < kTexts; ++x)
    out[usize(x)] = std::pow(-std::log(draw.uniform(static_cast<u64>(x))), 2.0);
  const f64 all = std::accumulate(out.begin(), out.end(), 0.0);
  for (f64& p : out)
    p /= all;
  return out;
}

/// All symbols of a text are the same one.
Source equal_source() {
  Source out = {};
  for (const i64 x : {0, 40, 80})
    out[usize(x)] = 1.0 / 3;
  return out;
}

f64 entropy(const Source& source) {
  f64 out = 0;
  for (const f64 p : source)
    out -= p > 0 ? p * std::log(p) : 0;
  return out;
}

/// Probability of what agrees with a text where `fixed` says so.
f64 agreeing(const Source& source, const Text& text, const std::function<bool(i64)>& fixed) {
  f64 out = 0;
  for (i64 x = 0; x < kTexts; ++x) {
    const Text other = text_of(x);
    bool agrees = true;
    for (i64 j = 0; j < kLength; ++j)
      agrees = agrees && (!fixed(j) || other[usize(j)] == text[usize(j)]);
    out += agrees ? source[usize(x)] : 0;
  }
  return out;
}

/// Nats of the hidden symbols under exact conditionals: of each given what is seen, or of all.
f64 hidden_nats(const Source& source, const Text& text, std::span<const u8> hidden, bool joint) {
  const auto seen = [&](i64 j) { return hidden[usize(j)] == 0; };
  const f64 given = agreeing(source, text, seen);
  if (joint) return -std::log(agreeing(source, text, [](i64) { return true; }) / given);
  f64 out = 0;
  for (i64 i = 0; i < kLength; ++i) {
    if (seen(i)) continue;
    out -= std::log(agreeing(source, text, [&](i64 j) { return seen(j) || j == i; }) / given);
  }
  return out;
}

/// The integral over noise levels of the nats of a text, by the count of hidden symbols: the
/// integral of t^(m-1) (1-t)^(L-m) over t, times the subsets of m, is 1 / m.
f64 integral(const Source& source, const Text& text, bool joint) {
  f64 out = 0;
  for (i64 m = 1; m <= kLength; ++m) {
    f64 sum = 0;
    i64 subsets = 0;
    for (u32 bits = 1; bits < 1u << kLength; ++bits) {
      std::array<u8, kLength> hidden;
      for (i64 j = 0; j < kLength; ++j)
        hidden[usize(j)] = bits >> j & 1;
      if (std::count(hidden.begin(), hidden.end(), 1) != m) continue;
      sum += hidden_nats(source, text, hidden, joint);
      ++subsets;
    }
    out += sum / static_cast<f64>(subsets) / static_cast<f64>(m);
  }
  return out;
}

f64 mean_integral(const Source& source, bool joint) {
  f64 out = 0;
  for (i64 x = 0; x < kTexts; ++x)
    if (source[usize(x)] > 0) out += source[usize(x)] * integral(source, text_of(x), joint);
  return out;
}

f64 mean_of(const std::vector<f64>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<f64>(x.size());
}
f64 deviation(const std::vector<f64>& x) {
  f64 square = 0;
  for (const f64 v : x)
    square += (v - mean_of(x)) * (v - mean_of(x));
  return std::sqrt(square / static_cast<f64>(x.size() - 1));
}

}  // namespace

TEST_CASE("exact conditionals of an enumerated source have its entropy as their bound", "[model]") {
  for (const u64 seed : {1, 2, 3}) {
    const Source source = random_source(seed);
    CHECK(mean_integral(source, false) == Approx(entropy(source)).epsilon(1e-9));
    // With joint probabilities the same integral is below the entropy: no bound (Han's inequality).
    CHECK(mean_integral(source, true) < 0.95 * entropy(source));
  }
  const Source equal = equal_source();
  CHECK(entropy(equal) == Approx(std::log(3.0)));
  CHECK(mean_integral(equal, false) == Approx(std::log(3.0)));
  CHECK(mean_integral(equal, true) == Approx(std::log(3.0) / 4));  // 0.275
}

TEST_CASE("counts estimate the bound without bias and with half the deviation of levels",
          "[model]") {
  const Source source = random_source(7);
  const Text text = text_of(46);
  const f64 expected = integral(source, text, false);
  constexpr i64 kDraws = 32, kRuns = 2000;
  std::vector<f64> by_counts, by_levels;
  for (u64 run = 0; run < kRuns; ++run) {
    const RandomStream random(run, RandomPurpose::kDiffusion);
    f64 counts = 0, levels = 0;
    std::array<u8, kLength> hidden;
    for (i64 draw = 0; draw < kDraws; ++draw) {
      const model::HiddenDraw one = model::hidden_draw(random, kLength, draw, kDraws);
      counts += one.weight() * hidden_nats(source, text, one.hidden, false) / kDraws;
      const u64 at = u64{1000} * static_cast<u64>(draw + 1);
      const f64 t = random.uniform(at);
      model::hide_each(random, at + 1, t, hidden);
      levels += hidden_nats(source, text, hidden, false) / t / kDraws;
    }
    by_counts.push_back(counts);
    by_levels.push_back(levels);
  }
  CHECK(std::abs(mean_of(by_counts) - expected) <
        4 * deviation(by_counts) / std::sqrt(1.0 * kRuns));
  CHECK(std::abs(mean_of(by_levels) - expected) <
        4 * deviation(by_levels) / std::sqrt(1.0 * kRuns));
  CHECK(deviation(by_counts) < 0.5 * deviation(by_levels));
}

TEST_CASE("points are spread evenly however many there are", "[model]") {
  for (const f64 shift : {0.0, 0.3, 0.999999}) {
    for (const u64 first : {0, 8, 4096}) {
      std::vector<f64> points;
      for (u64 i = first; i < first + 8; ++i)
        points.push_back(model::spread_point(shift, i));
      std::sort(points.begin(), points.end());
      CHECK(points[0] < 0.125);
      for (std::size_t i = 1; i < 8; ++i)
        CHECK(points[i] - points[i - 1] == Approx(0.125));
    }
  }
  CHECK(model::spread_point(0, 1) == 0.5);
  CHECK(model::spread_point(0, 6) == 0.375);  // 110 backwards
  CHECK(model::spread_point(0.75, 1) == 0.25);
  CHECK(model::spread_point(0, ~u64{0}) < 1);
}

TEST_CASE("so many tokens are hidden, each choice as often as any other", "[model]") {
  std::map<std::vector<u8>, i64> times;
  std::vector<u8> hidden(5), more(5);
  for (u64 draw = 0; draw < 20000; ++draw) {
    const RandomStream random(draw, RandomPurpose::kDiffusion);
    model::hide_count(random, 3, 2, hidden);
    ++times[hidden];
    model::hide_count(random, 3, 3, more);
    for (std::size_t j = 0; j < 5; ++j)
      REQUIRE(more[j] >= hidden[j]);
  }
  CHECK(times.size() == 10);
  for (const auto& [which, count] : times)
    CHECK(std::abs(count - 2000) < 170);  // 4 standard deviations
  const RandomStream random(1, RandomPurpose::kDiffusion);
  model::hide_count(random, 0, 5, hidden);
  CHECK(hidden == std::vector<u8>(5, 1));
  model::hide_count(random, 0, 0, hidden);
  CHECK(hidden == std::vector<u8>(5, 0));
  CHECK_THROWS_AS(model::hide_count(random, 0, 6, hidden), Error);
  // Draws of an estimate have all counts: with as many draws as tokens each once.
  std::set<i64> counts;
  for (i64 draw = 0; draw < 7; ++draw)
    counts.insert(model::hidden_draw(random, 7, draw, 7).count);
  CHECK(counts.size() == 7);
  CHECK(model::hidden_draw(random, 1, 0, 3).weight() == 1);
  CHECK(model::count_at(0, 4) == 1);
  CHECK(model::count_at(0.9999, 4) == 4);
  i64 some = 0;
  std::vector<u8> many(10000);
  some = model::hide_each(random, 0, 0.3, many);
  CHECK(some == std::count(many.begin(), many.end(), 1));
  CHECK(std::abs(some - 3000) < 184);
}

TEST_CASE("weights of noise levels are read and capped", "[model]") {
  CHECK(model::parse_noise_weight("elbo").at(0.25) == 4);
  CHECK(model::parse_noise_weight("uniform").at(0.25) == 1);
  CHECK(model::parse_noise_weight("clip:3").at(0.25) == 3);
  CHECK(model::parse_noise_weight("clip:3").at(0.5) == 2);
  for (const char* const bad : {"", "elb", "clip", "clip:", "clip:0.5", "clip:x", "clip:1e9"})
    CHECK_THROWS_AS(model::parse_noise_weight(bad), Error);
}

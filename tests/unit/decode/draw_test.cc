#include "decode/draw.h"

#include <cmath>
#include <vector>

#include "catch.h"
#include "core/hash.h"
#include "core/random.h"

using namespace lm;
using namespace lm::decode;

namespace {

/// Every token's noise, no shortcuts.
i32 slow_draw(const DrawPoint& at, const std::vector<i32>& ids, const std::vector<f64>& weights) {
  i32 best = -1;
  f64 most = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Philox4 w = philox({static_cast<u32>(ids[i] >> 1), static_cast<u32>(at.position),
                              static_cast<u32>(at.sample), 1},
                             at.key);
    const f64 u = ids[i] % 2 == 0 ? uniform53(w[0], w[1]) : uniform53(w[2], w[3]);
    const f64 value = weights[i] - std::log(-std::log(u));
    if (best < 0 || value > most) {
      best = ids[i];
      most = value;
    }
  }
  return best;
}

}  // namespace

TEST_CASE("the key of a record is the mixed hash of its id under the seed", "[decode]") {
  // fnv1a64("") is the offset basis.
  const u64 key = mix64(u64{7} ^ u64{0xcbf29ce484222325});
  CHECK(draw_key(7, "") == DrawKey{static_cast<u32>(key), static_cast<u32>(key >> 32)});
  CHECK(draw_key(7, "a") != draw_key(7, "b"));
  CHECK(draw_key(7, "a") != draw_key(8, "a"));
}

TEST_CASE("draws skip noise that cannot win without changing the result", "[decode]") {
  const RandomStream random(5, RandomPurpose::kOther);
  for (u64 trial = 0; trial < 400; ++trial) {
    std::vector<i32> ids;
    std::vector<f64> weights;
    const f64 spread = trial % 4 == 0 ? 0 : 0.1 * static_cast<f64>(trial % 97);
    // Ranges of ids, whole or with gaps, and ids that lie far apart.
    const i32 begin = static_cast<i32>(trial % 5);
    const f64 gaps = trial % 3 == 0 ? 0 : trial % 3 == 1 ? 0.3 : 0.97;
    for (i32 id = begin; id < (trial % 7 == 0 ? 3000 : 200); ++id) {
      if (random.uniform(trial * 10000 + static_cast<u64>(id)) < gaps) continue;
      ids.push_back(id);
      weights.push_back(spread * random.normal(trial * 7777 + static_cast<u64>(id)));
    }
    if (ids.empty()) continue;
    DrawPoint at;
    at.key = draw_key(trial, "r");
    at.position = static_cast<i64>(trial % 13);
    at.sample = static_cast<i64>(trial % 3);
    REQUIRE(draw_token(at, ids, weights) == slow_draw(at, ids, weights));
  }
}

TEST_CASE("the largest weight of a tie is the one with the smaller id", "[decode]") {
  const std::vector<i32> ids = {3, 5, 9, 11};
  const std::vector<f64> weights = {1, 2, 2, 0};
  CHECK(largest(ids, weights) == 5);
}

TEST_CASE("positions, samples and streams draw different numbers", "[decode]") {
  DrawPoint at;
  at.key = draw_key(0, "x");
  const f64 base = draw_uniform(at, 4);
  DrawPoint other = at;
  other.position = 1;
  CHECK(draw_uniform(other, 4) != base);
  other = at;
  other.sample = 1;
  CHECK(draw_uniform(other, 4) != base);
  other = at;
  other.stream = DrawStream::kOther;
  CHECK(draw_uniform(other, 4) != base);
  CHECK(draw_uniform(at, 5) != base);
}

namespace {

/// Chi-square of 20,000 draws of weights at temperature t against the softmax of weights.
f64 chi_square(f64 t, const char* id) {
  const std::vector<f64> weights = {1.5, 0.0, -1.0, 0.5, 0.5, -2.0, 1.0, -0.3};
  std::vector<i32> ids;
  f64 sum = 0;
  for (i32 i = 0; i < 8; ++i) {
    ids.push_back(i);
    sum += std::exp(weights[static_cast<std::size_t>(i)]);
  }
  std::vector<f64> used;
  for (const f64 w : weights)
    used.push_back(w / t);
  std::vector<f64> seen(8, 0);
  const f64 draws = 20000;
  DrawPoint at;
  at.key = draw_key(3, id);
  for (i64 n = 0; n < 20000; ++n) {
    at.position = n % 500;
    at.sample = n / 500;
    seen[static_cast<std::size_t>(draw_token(at, ids, used))] += 1;
  }
  f64 chi = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const f64 expected = draws * std::exp(weights[i]) / sum;
    chi += (seen[i] - expected) * (seen[i] - expected) / expected;
  }
  return chi;
}

}  // namespace

TEST_CASE("draws follow the softmax of their weights", "[decode]") {
  // 7 degrees of freedom, p = 0.001: 7 (1 - 2/63 + 3.0902 sqrt(2/63))^3 = 24.35.
  const f64 critical = 7 * std::pow(1 - 2.0 / 63 + 3.0902 * std::sqrt(2.0 / 63), 3);
  for (const char* const id : {"a", "b", "c"})
    CHECK(chi_square(1.0, id) < critical);
  // Negative control: a temperature that is a tenth off is noticed.
  CHECK(chi_square(1.1, "a") > critical);
}

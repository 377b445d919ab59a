#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/random.h"
#include "decode/sampler.h"
#include "io/file.h"

using namespace lm;
using namespace lm::decode;

namespace {

constexpr f32 kNoWay = -std::numeric_limits<f32>::infinity();

TokenWeights weights(const std::vector<f32>& logits) {
  TokenWeights x;
  REQUIRE(x.assign(logits));
  return x;
}

std::vector<i32> typical(const std::vector<f32>& logits, f64 tau, bool cut) {
  TokenWeights x = weights(logits);
  keep_typical(x, tau, cut, 1);
  return x.ids;
}

using Ids = std::vector<i32>;

/// The obvious versions: full sorts, one pass per rule, over all ids with -infinity for the
/// removed.
struct Slow {
  explicit Slow(const std::vector<f32>& logits) : s(logits.begin(), logits.end()) {}
  std::vector<f64> s;

  std::vector<f64> p() const {
    const f64 top = *std::max_element(s.begin(), s.end());
    std::vector<f64> out;
    f64 sum = 0;
    for (const f64 v : s) {
      out.push_back(std::exp(v - top));
      sum += out.back();
    }
    for (f64& v : out)
      v /= sum;
    return out;
  }
  void drop(const std::vector<bool>& keep) {
    for (std::size_t i = 0; i < s.size(); ++i)
      if (!keep[i]) s[i] = -std::numeric_limits<f64>::infinity();
  }
  Ids ids() const {
    Ids out;
    for (std::size_t i = 0; i < s.size(); ++i)
      if (std::isfinite(s[i])) out.push_back(static_cast<i32>(i));
    return out;
  }
  f64 entropy() const {
    const f64 top = *std::max_element(s.begin(), s.end());
    f64 sum = 0;
    for (const f64 v : s)
      sum += std::exp(v - top);
    f64 h = 0;
    const std::vector<f64> q = p();
    for (std::size_t i = 0; i < s.size(); ++i)
      if (q[i] > 0) h -= q[i] * (s[i] - (top + std::log(sum)));
    return h;
  }
  void top_k(std::size_t k) {
    std::vector<f64> sorted = s;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    const f64 least = sorted[std::min(k, sorted.size()) - 1];
    std::vector<bool> keep;
    for (const f64 v : s)
      keep.push_back(v >= least);
    drop(keep);
  }
  void top_p(f64 limit) {
    const std::vector<f64> q = p();
    std::vector<std::size_t> order(s.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return q[a] != q[b] ? q[a] < q[b] : a > b;
    });
    std::vector<bool> keep(s.size(), true);
    f64 sum = 0;
    for (std::size_t r = 0; r + 1 < order.size(); ++r) {
      sum += q[order[r]];
      if (sum <= 1 - limit) keep[order[r]] = false;
    }
    drop(keep);
  }
  void typical(f64 tau, bool cut) {
    const std::vector<f64> q = p();
    const f64 top = *std::max_element(s.begin(), s.end());
    f64 sum = 0;
    for (const f64 v : s)
      sum += std::exp(v - top);
    const f64 log_sum = top + std::log(sum);
    const f64 h = entropy();
    std::vector<f64> delta;
    for (const f64 v : s)
      delta.push_back(std::abs(log_sum - v - h));
    std::vector<std::size_t> order(s.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return delta[a] < delta[b]; });
    std::size_t last = 0;
    f64 mass = 0;
    for (; last < order.size(); ++last) {
      mass += q[order[last]];
      if (cut ? mass > tau : mass >= tau) break;
    }
    last = std::min(last, order.size() - 1);
    std::vector<bool> keep(s.size(), false);
    for (std::size_t r = 0; r < order.size(); ++r)
      keep[order[r]] = cut ? r <= last : delta[order[r]] <= delta[order[last]];
    drop(keep);
  }
  void at_least(f64 bound) {
    const std::vector<f64> q = p();
    const f64 top = *std::max_element(q.begin(), q.end());
    std::vector<bool> keep;
    for (const f64 v : q)
      keep.push_back(v >= bound || v == top);
    drop(keep);
  }
};

/// Rows of several shapes: smooth, with many ties, with banned ids.
std::vector<f32> random_row(i64 vocab, u64 row) {
  const RandomStream random(77, RandomPurpose::kOther, row);
  const f64 spread = 0.2 + 0.3 * static_cast<f64>(row % 17);
  std::vector<f32> out;
  for (i64 i = 0; i < vocab; ++i) {
    f64 v = spread * random.normal(static_cast<u64>(i));
    if (row % 3 == 1) v = std::round(v);  // ties
    out.push_back(static_cast<f32>(v));
    if (row % 5 == 2 && random.uniform(static_cast<u64>(i + 1000000)) < 0.4 && i > 0)
      out.back() = kNoWay;
  }
  return out;
}

void compare_rows(i64 vocab, u64 rows) {
  for (u64 row = 0; row < rows; ++row) {
    CAPTURE(vocab, row);
    const std::vector<f32> logits = random_row(vocab, row);
    const f64 level = 0.05 + 0.9 * static_cast<f64>(row % 19) / 19;
    const auto check = [&](auto fast, auto slow) {
      TokenWeights x = weights(logits);
      Slow y(logits);
      fast(x);
      slow(y);
      REQUIRE(x.ids == y.ids());
    };
    const i64 k = 1 + static_cast<i64>(row % 50);
    check([&](TokenWeights& x) { keep_top_k(x, k, 1); }, [&](Slow& y) { y.top_k(usize(k)); });
    check([&](TokenWeights& x) { keep_top_p(x, level, 1); }, [&](Slow& y) { y.top_p(level); });
    check([&](TokenWeights& x) { keep_typical(x, level, false, 1); },
          [&](Slow& y) { y.typical(level, false); });
    check([&](TokenWeights& x) { keep_typical(x, level, true, 1); },
          [&](Slow& y) { y.typical(level, true); });
    check([&](TokenWeights& x) { keep_epsilon(x, level / 100, 1); },
          [&](Slow& y) { y.at_least(level / 100); });
    check([&](TokenWeights& x) { keep_eta(x, level / 100, 1); },
          [&](Slow& y) {
            y.at_least(std::min(level / 100, std::sqrt(level / 100) * std::exp(-y.entropy())));
          });
    check([&](TokenWeights& x) { keep_min_p(x, level, 1); },
          [&](Slow& y) {
            const f64 top = *std::max_element(y.s.begin(), y.s.end());
            std::vector<bool> keep;
            for (const f64 v : y.s)
              keep.push_back(std::exp(v - top) >= level);
            y.drop(keep);
          });
  }
}

}  // namespace

TEST_CASE("typical sets are those of the table in both tie modes", "[decode]") {
  const std::vector<f32> a = {4, 3, 2.5f, 1, 0, -1};  // H = 1.08595
  CHECK(typical(a, 0.2, false) == Ids{1});            // the likeliest token (p = 0.600) is dropped
  CHECK(typical(a, 0.5, false) == Ids{0, 1});
  CHECK(typical(a, 0.9, false) == Ids{0, 1, 2});
  CHECK(typical(a, 0.2, true) == Ids{1});
  CHECK(typical(a, 0.5, true) == Ids{0, 1});
  CHECK(typical(a, 0.9, true) == Ids{0, 1, 2});
  const std::vector<f32> b = {2, 2, 1, 1, 0, 0};  // H = 1.52554
  CHECK(typical(b, 0.2, false) == Ids{0, 1});
  CHECK(typical(b, 0.2, true) == Ids{0});
  CHECK(typical(b, 0.5, false) == Ids{0, 1});
  CHECK(typical(b, 0.5, true) == Ids{0, 1});
  CHECK(typical(b, 0.9, false) == Ids{0, 1, 2, 3});
  CHECK(typical(b, 0.9, true) == Ids{0, 1, 2, 3});
  const std::vector<f32> c = {6, 1, 1, 0, 0, 0};  // H = 0.13040
  for (const f64 tau : {0.2, 0.5, 0.9}) {
    CHECK(typical(c, tau, false) == Ids{0});
    CHECK(typical(c, tau, true) == Ids{0});
  }
  const std::vector<f32> d = {0, 0, 0, 0};  // H = ln 4
  for (const f64 tau : {0.2, 0.5, 0.9})
    CHECK(typical(d, tau, false) == Ids{0, 1, 2, 3});
  CHECK(typical(d, 0.2, true) == Ids{0});
  CHECK(typical(d, 0.5, true) == Ids{0, 1, 2});
  CHECK(typical(d, 0.9, true) == Ids{0, 1, 2, 3});
}

TEST_CASE("truncations keep what an obvious implementation keeps", "[decode]") {
  compare_rows(1, 20);
  compare_rows(7, 200);
  compare_rows(500, 200);
  compare_rows(5000, 20);
}

TEST_CASE("truncations of full vocabularies keep what an obvious implementation keeps",
          "[.slow][decode]") {
  compare_rows(32000, 1000);
}

TEST_CASE("ties at the k-th place all survive top-k", "[decode]") {
  TokenWeights x = weights({1, 3, 2, 2, 0});
  keep_top_k(x, 2, 1);
  CHECK(x.ids == Ids{1, 2, 3});
}

TEST_CASE("min_keep holds tokens that a truncation would remove", "[decode]") {
  const std::vector<f32> logits = {5, 1, 0, -1};
  TokenWeights x = weights(logits);
  keep_top_p(x, 0.1, 3);
  CHECK(x.ids == Ids{0, 1, 2});
  x = weights(logits);
  keep_typical(x, 0.1, false, 2);
  CHECK(x.ids.size() == 2);
  x = weights(logits);
  keep_min_p(x, 0.9, 2);
  CHECK(x.ids == Ids{0, 1});
}

TEST_CASE("n-sigma measures from the largest logit in standard deviations", "[decode]") {
  // Mean 0, variance (9 + 1 + 1 + 9) / 4 = 5, sigma 2.236: one sigma below 3 is 0.764.
  TokenWeights x = weights({3, 1, -1, -3});
  keep_top_n_sigma(x, 1, 1);
  CHECK(x.ids == Ids{0, 1});
  x = weights({3, 1, -1, -3});
  keep_top_n_sigma(x, 2, 1);  // bound -1.47
  CHECK(x.ids == Ids{0, 1, 2});
}

TEST_CASE("excluding top choices leaves the least likely of them", "[decode]") {
  // p = 0.6, 0.22, 0.13, 0.03, ...: two reach 0.2.
  TokenWeights x = weights({4, 3, 2.5f, 1, 0, -1});
  exclude_top_choices(x, 0.2, 1);
  CHECK(x.ids == Ids{1, 2, 3, 4, 5});
  x = weights({4, 3, 2.5f, 1, 0, -1});
  exclude_top_choices(x, 0.5, 1);  // only one: nothing happens
  CHECK(x.ids.size() == 6);
}

TEST_CASE("penalties count history as documented", "[decode]") {
  const std::vector<i32> tokens = {0, 1, 1, 2, 1};
  const History history{tokens, 3};  // output: 2, 1
  const auto seen = [&](bool all, i64 last_n) {
    TokenCounts out;
    out.count(tokens, window_begin(history, all, last_n));
    return out;
  };
  TokenWeights x = weights({2, -2, 1, 5});
  apply_repetition(x, seen(true, 0), 2);
  CHECK(x.w == std::vector<f64>{1, -4, 0.5, 5});
  x = weights({2, -2, 1, 5});
  apply_repetition(x, seen(true, 1), 2);  // only the last token
  CHECK(x.w == std::vector<f64>{2, -4, 1, 5});
  x = weights({0, 0, 0, 0});
  apply_frequency(x, seen(false, 0), 0.5, 0.25);
  CHECK(x.w == std::vector<f64>{0, -0.75, -0.75, 0});
  x = weights({0, 0, 0, 0});
  apply_frequency(x, seen(true, 0), 0.5, 0.25);
  CHECK(x.w == std::vector<f64>{-0.75, -1.75, -0.75, 0});
}

TEST_CASE("n-grams that occurred are not completed again", "[decode]") {
  const std::vector<i32> tokens = {4, 5, 6, 4, 5};
  TokenWeights x = weights({0, 0, 0, 0, 0, 0, 0});
  ban_repeated_ngrams(x, {tokens, 0}, 3);
  CHECK(x.ids == Ids{0, 1, 2, 3, 4, 5});  // 4 5 -> 6
  x = weights({0, 0, 0, 0, 0, 0, 0});
  ban_repeated_ngrams(x, {tokens, 0}, 1);
  CHECK(x.ids == Ids{0, 1, 2, 3});
  x = weights({0, 0, 0, 0, 0, 0, 0});
  ban_repeated_ngrams(x, {tokens, 0}, 6);
  CHECK(x.ids.size() == 7);
}

TEST_CASE("DRY penalises what would go on with a repetition", "[decode]") {
  // ... 1 2 3 9 | 0 1 2 3: after 1 2 3 came 9; matching suffix of length 3.
  const std::vector<i32> tokens = {1, 2, 3, 9, 0, 1, 2, 3};
  const std::vector<u8> none(10, 0);
  TokenWeights x = weights(std::vector<f32>(10, 0));
  apply_dry(x, {tokens, 0}, 2, 1.5, 2, none);
  for (std::size_t i = 0; i < 10; ++i)
    CHECK(x.w[i] == (i == 9 ? -2 * 1.5 : 0));
  std::vector<u8> breaker(10, 0);
  breaker[1] = 1;  // the match shrinks to 2 3
  x = weights(std::vector<f32>(10, 0));
  apply_dry(x, {tokens, 0}, 2, 1.5, 2, breaker);
  CHECK(x.w[9] == -2);
  breaker[2] = 1;  // now it is too short
  x = weights(std::vector<f32>(10, 0));
  apply_dry(x, {tokens, 0}, 2, 1.5, 2, breaker);
  CHECK(x.w[9] == 0);
}

TEST_CASE("DRY equals a search over all suffixes", "[decode]") {
  const RandomStream random(3, RandomPurpose::kOther);
  const std::vector<u8> breaker = {0, 0, 0, 1, 0};
  for (u64 trial = 0; trial < 200; ++trial) {
    std::vector<i32> tokens;
    for (u64 i = 0; i < 5 + trial % 40; ++i)
      tokens.push_back(static_cast<i32>(random.below(trial * 100 + i, trial % 2 == 0 ? 5 : 3)));
    const i64 n = isize(tokens);
    std::vector<f64> expected(5, 0);
    for (i32 v = 0; v < 5; ++v) {
      i64 best = 0;
      for (i64 i = 1; i < n; ++i) {
        if (tokens[usize(i)] != v || breaker[usize(v)] != 0) continue;
        i64 m = 0;
        while (m < i && tokens[usize(i - 1 - m)] == tokens[usize(n - 1 - m)] &&
               breaker[usize(tokens[usize(n - 1 - m)])] == 0)
          ++m;
        best = std::max(best, m);
      }
      if (best >= 2) expected[usize(v)] = -0.5 * std::pow(1.75, static_cast<f64>(best - 2));
    }
    TokenWeights x = weights(std::vector<f32>(5, 0));
    apply_dry(x, {tokens, 0}, 0.5, 1.75, 2, breaker);
    REQUIRE(x.w == expected);
  }
}

TEST_CASE("greedy takes the smaller id of a tie and skips temperature and truncation", "[decode]") {
  SampleParams params;
  params.temperature = 0;
  params.typical = 0.2;  // would drop the likeliest
  params.top_k = 1;
  Sampler sampler(params, {}, nullptr);
  const std::vector<f32> logits = {1, 4, 4, 3};
  CHECK(*sampler.draw(logits, {}, {}) == 1);
}

TEST_CASE("the order of steps is the one asked for", "[decode]") {
  // Temperature 4 flattens: afterwards 0.3 of the largest is reached by both, before by one.
  const std::vector<f32> logits = {2, 0};
  SampleParams params;
  params.temperature = 4;
  params.min_p = 0.3;
  Sampler hf(params, {}, nullptr);
  CHECK(hf.draw(logits, {}, {}));
  CHECK(hf.weights().ids == Ids{0, 1});
  params.sampler_order = "llama";
  Sampler llama(params, {}, nullptr);
  CHECK(llama.draw(logits, {}, {}));
  CHECK(llama.weights().ids == Ids{0});
  params.sampler_order = "temperature";  // min_p is not named
  params.min_p = 0.99;
  Sampler custom(params, {}, nullptr);
  CHECK(custom.draw(logits, {}, {}));
  CHECK(custom.weights().ids == Ids{0, 1});
}

TEST_CASE("ends are banned until the minimum length", "[decode]") {
  SampleParams params;
  params.temperature = 0;
  params.min_tokens = 2;
  Sampler sampler(params, {1}, nullptr);
  const std::vector<f32> logits = {0, 9, 1};
  const std::vector<i32> tokens = {0, 0, 0};
  CHECK(*sampler.draw(logits, {tokens, 2}, {}) == 2);
  CHECK(*sampler.draw(logits, {tokens, 1}, {}) == 1);
}

TEST_CASE("rows without a possible token and rows that are not numbers are faults", "[decode]") {
  SampleParams params;
  params.logit_bias = {{0, -std::numeric_limits<f64>::infinity()}};
  Sampler sampler(params, {}, nullptr);
  CHECK(sampler.draw(std::vector<f32>{1}, {}, {}).fault().code == "no_token");
  CHECK(sampler.draw(std::vector<f32>{1, std::nanf("")}, {}, {}).fault().code == "logits");
  CHECK(sampler.draw(std::vector<f32>{1, -kNoWay}, {}, {}).fault().code == "logits");
  CHECK(*sampler.draw(std::vector<f32>{1, 2}, {}, {}) == 1);
}

TEST_CASE("biases add to logits", "[decode]") {
  SampleParams params;
  params.temperature = 0;
  params.logit_bias = {{0, 5}, {2, -1}};
  Sampler sampler(params, {}, nullptr);
  CHECK(*sampler.draw(std::vector<f32>{0, 4, 4.5f}, {}, {}) == 0);
}

TEST_CASE("what is left is what transformers leaves", "[decode]") {
  // scripts/bench/parity_processors recorded it, in double precision.
  const nlohmann::json golden =
      nlohmann::json::parse(io::read_file(test::golden_file("decode/processors.json")));
  REQUIRE(golden["cases"].size() > 200);
  for (const nlohmann::json& one : golden["cases"]) {
    INFO(one["params"].dump() << " of " << one["logits"].dump());
    SampleParams params;
    REQUIRE_FALSE(apply_params(one["params"].dump(), params));
    const std::vector<i32> tokens = one["tokens"];
    Sampler sampler(params, {golden["eos"].get<i32>()}, nullptr, true);
    CHECK(sampler.draw(one["logits"].get<std::vector<f32>>(), {tokens, one["prompt"].get<i64>()},
                       {}));
    // Which of equal tokens top_p and min_keep keep is chance there (an unstable sort); how many is
    // not.
    if (!one["params"].contains("top_p") && !one["params"].contains("min_keep"))
      CHECK(sampler.weights().ids == one["ids"].get<Ids>());
    std::vector<f64> expected = one["weights"];
    std::vector<f64> got = sampler.weights().w;
    std::sort(expected.begin(), expected.end());
    std::sort(got.begin(), got.end());
    REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      CHECK(std::abs(got[i] - expected[i]) < 1e-12);
  }
}

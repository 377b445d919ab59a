// Examples that can be followed by hand.

#include <cmath>
#include <limits>

#include "fixture.h"
#include "merge/gram.h"

using namespace lm;
using lm::test::check_close;
using lm::test::Numbers;
using lm::test::VectorMerge;

TEST_CASE("slerp turns from the base to the other model", "[merge]") {
  const auto slerp = [](Numbers a, Numbers b, const std::string& t) {
    // The base, listed as the second model, is the first of the two all the same.
    const test::TempDir dir;
    merge::Recipe recipe;
    recipe.method = merge::find_method("slerp");
    recipe.base = test::write_model(dir, "a", {{"x", DType::kF64, {isize(a)}, a}});
    recipe.models.resize(2);
    recipe.models[0].path = test::write_model(dir, "b", {{"x", DType::kF64, {isize(b)}, b}});
    recipe.models[1].path = recipe.base;
    merge::parse_setting("t=" + t, *recipe.method, "--set", recipe.params);
    const merge::MemorySink sink = test::merged(recipe, *LocalContext());
    return test::numbers(DType::kF64, sink.tensors().find("x")->second.bytes);
  };
  const f64 half = std::sqrt(0.5);
  check_close(slerp({1, 0}, {0, 1}, "0.5"), {half, half});
  check_close(slerp({2, 0}, {0, 1}, "0.25"), {1.8477590650225735, 0.3826834323650898});
  CHECK(slerp({0.1, 0.3}, {0.7, -0.2}, "0") == Numbers{0.1, 0.3});
  CHECK(slerp({0.1, 0.3}, {0.7, -0.2}, "1") == Numbers{0.7, -0.2});
  // Antiparallel: a line through 0.
  check_close(slerp({1, 1}, {-1, -1}, "0.25"), {0.5, 0.5});
}

TEST_CASE("ties trims, elects and averages", "[merge]") {
  VectorMerge ties{
      "ties",
      DType::kF64,
      {},
      Numbers(6, 0.0),
      {{.9, -.5, .1, .4, -.2, .3}, {-.8, -.6, .7, .05, .3, .3}, {.4, .2, -.3, .6, -.1, -.7}}};
  ties.settings = {":density=.5", ":density=.5", ":density=.5"};
  check_close(ties(), {.65, -.55, .7, .5, 0, -.7});
  ties.set = {"normalize=false"};
  check_close(ties(), {1.3, -1.1, .7, 1.0, 0, -.7});
  ties.set = {};
  ties.settings = {":.5:density=.5", ":.3:density=.5", ":density=.5:.2"};
  check_close(ties(), {.53 / .7, -.43 / .8, .7, .32 / .7, 0, -.7});
  ties.set = {"lambda=2"};
  check_close(ties(), {2 * .53 / .7, -2 * .43 / .8, 1.4, .64 / .7, 0, -1.4});
}

TEST_CASE("model_stock goes as far as the task vectors agree", "[merge]") {
  VectorMerge stock{"model_stock", DType::kF64, {}, {0, 0}, {{1, 0}, {.6, .8}}};
  check_close(stock(), {.6, .3});
  stock.models = {{.3, .4}, {.3, .4}};
  check_close(stock(), {.3, .4});
  stock.models = {{1, 0}, {0, 1}};
  CHECK(stock() == Numbers{0, 0});
  stock.base = {5, 5};
  stock.models = {{6, 5}, {4, 5}};  // opposite: 1 + c is 0
  CHECK(stock() == Numbers{5, 5});
}

TEST_CASE("breadcrumbs keeps its share of small tensors, the large end too", "[merge]") {
  const auto kept = [](i64 count, const std::string& settings) {
    Numbers delta;
    for (i64 i = 1; i <= count; ++i)
      delta.push_back(static_cast<f64>(i));
    const Numbers out = VectorMerge{"breadcrumbs", DType::kF64, {}, Numbers(delta.size(), 0.0),
                                    {delta},       {settings}}();
    i64 lowest = count + 1;
    i64 highest = 0;
    i64 many = 0;
    for (i64 i = 0; i < count; ++i) {
      if (out[usize(i)] == 0) continue;
      CHECK(out[usize(i)] == delta[usize(i)]);
      lowest = std::min(lowest, i + 1);
      highest = std::max(highest, i + 1);
      ++many;
    }
    return std::array{many, lowest, highest};
  };
  CHECK(kept(64, ":density=.9:gamma=.01") == std::array<i64, 3>{57, 8, 64});
  CHECK(kept(1000, ":density=.9:gamma=.01") == std::array<i64, 3>{900, 91, 990});
  CHECK(kept(1000, ":density=.9:gamma=0") == std::array<i64, 3>{900, 101, 1000});
  CHECK(kept(100, ":density=.95:gamma=.2") == std::array<i64, 3>{95, 1, 95});
  CHECK(kept(10, ":density=1") == std::array<i64, 3>{10, 1, 10});
  CHECK(kept(10, ":density=0")[0] == 0);
}

TEST_CASE("sce, ram, nearswap: small examples", "[merge]") {
  check_close(VectorMerge{"sce", DType::kF64, {}, {0, 0, 0}, {{1, -2, .5}, {3, 1, .5}}}(),
              {(1.75 * 1 + 3.0 * (10.25 / 3)) / (1.75 + 10.25 / 3), -2, .5});
  check_close(VectorMerge{"ram", DType::kF64, {}, {0, 0, 0}, {{1, 0, 2}, {0, 0, 4}}}(), {1, 0, 3});
  // One unique and one shared element for the first model, none unique for the second.
  check_close(VectorMerge{"ramplus_tl",
                          DType::kF64,
                          {},
                          {0, 0, 0},
                          {{1, 0, 2}, {0, 0, 4}},
                          {},
                          {"r=0.1", "alpha=0.2"}}(),
              {1.02, 0, 3});
  check_close(
      VectorMerge{
          "nearswap", DType::kF64, {}, {1, 1, 1, 1}, {{1, 1.0005, 1.01, 2}}, {}, {"t=.001"}}(),
      {1, 1.0005, 1.001, 1.001});
}

TEST_CASE("checkpoints: exponential and plain means of the newest", "[merge]") {
  const std::vector<Numbers> run = {{1}, {2}, {4}};
  check_close(VectorMerge{"ema", DType::kF64, {}, {}, run, {}, {"decay=.5"}}(),
              {(.25 * 1 + .5 * 2 + 4) / 1.75});
  CHECK(VectorMerge{"ema", DType::kF64, {}, {}, run, {}, {"decay=0"}}() == Numbers{4});
  check_close(VectorMerge{"lawa", DType::kF64, {}, {}, run, {}, {"last=2"}}(), {3});
  check_close(VectorMerge{"lawa", DType::kF64, {}, {}, run}(), {7.0 / 3});
}

TEST_CASE("interpolations of several agree with slerp and with what is plain", "[merge]") {
  const Numbers a = test::normal(50, 1);
  const Numbers b = test::normal(50, 2);
  f64 dot = 0;
  f64 aa = 0;
  f64 bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  // The mean of two on the sphere is in the middle of the arc: for unit vectors slerp at one half.
  Numbers ua = a;
  Numbers ub = b;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ua[i] /= std::sqrt(aa);
    ub[i] /= std::sqrt(bb);
  }
  const Numbers middle = VectorMerge{"nuslerp", DType::kF64, {}, {}, {ua, ub}}();
  check_close(VectorMerge{"karcher", DType::kF64, {}, {}, {ua, ub}}(), middle, 1e-9);
  check_close(VectorMerge{"multislerp", DType::kF64, {}, {}, {ua, ub}}(), middle, 1e-9);
  // Equal models give themselves, opposite ones are mixed linearly or refused.
  check_close(VectorMerge{"karcher", DType::kF64, {}, {}, {a, a, a}}(), a);
  check_close(VectorMerge{"multislerp", DType::kF64, {}, {}, {a, a, a}}(), a);
  Numbers minus = a;
  for (f64& one : minus)
    one = -2 * one;
  check_close(VectorMerge{"multislerp", DType::kF64, {}, {}, {a, minus}}(),
              VectorMerge{"linear", DType::kF64, {}, {}, {a, minus}}());
  const VectorMerge cancelled{"multislerp", DType::kF64, {}, {}, {a, minus, Numbers(50, 0.0)}};
  CHECK_THROWS_WITH(cancelled(),
                    Catch::Matchers::ContainsSubstring("tensor \"x\": the directions"));
}

TEST_CASE("the karcher mean is where the pulls of all directions balance", "[merge]") {
  const i64 k = 4;
  const i64 n = 6;
  std::vector<Numbers> x;
  for (i64 m = 0; m < k; ++m)
    x.push_back(test::normal(n, static_cast<u64>(m) + 10));
  const Numbers out =
      VectorMerge{"karcher", DType::kF64, {}, {}, x, {}, {"max_iter=200", "tol=1e-12"}}();
  const auto norm = [](const Numbers& v) {
    f64 sum = 0;
    for (const f64 one : v)
      sum += one * one;
    return std::sqrt(sum);
  };
  f64 mean_norm = 0;
  Numbers pull(usize(n), 0.0);
  for (const Numbers& v : x) {
    mean_norm += norm(v) / static_cast<f64>(k);
    f64 c = 0;
    for (i64 i = 0; i < n; ++i)
      c += v[usize(i)] * out[usize(i)] / norm(v) / norm(out);
    for (i64 i = 0; i < n; ++i) {
      pull[usize(i)] += std::acos(c) / std::sin(std::acos(c)) *
                        (v[usize(i)] / norm(v) - c * out[usize(i)] / norm(out));
    }
  }
  CHECK(norm(pull) < 1e-9);
  CHECK(std::fabs(norm(out) - mean_norm) < 1e-12 * mean_norm);
}

TEST_CASE("consensus keeps what several models want", "[merge]") {
  // Task vectors (2, 10, 0), (2, .1, 0), (2, .1, -1): all want the first sum, one the others.
  const VectorMerge merge{
      "consensus", DType::kF64, {}, {1, 1, 1}, {{3, 11, 1}, {3, 1.1, 1}, {3, 1.1, 0}}};
  check_close(merge(), {7, 1, 1}, 1e-12);
}

TEST_CASE("arcee_fusion keeps deltas above median and quartiles", "[merge]") {
  // One row: the divergence is a common factor, so importance orders as |delta|.
  const Numbers base(8, 0.0);
  const Numbers x = {.01, .02, .03, .04, .05, .06, .07, 3};
  const Numbers out = VectorMerge{"arcee_fusion", DType::kF64, {}, base, {x}}();
  // quartiles .0275, .0625, median .045: bound .0975.
  CHECK(out == Numbers{0, 0, 0, 0, 0, 0, 0, 3});
}

TEST_CASE("an election may count signs instead of adding values", "[merge]") {
  VectorMerge ties{"ties", DType::kF64, {}, {0.0}, {{5}, {-1}, {-2}}};
  check_close(ties(), {5});
  ties.set = {"elect=count"};
  check_close(ties(), {-1.5});
}

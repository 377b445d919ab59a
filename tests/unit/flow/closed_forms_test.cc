// Costs, schedules and errors against enumeration, brute force and the figures of the
// specification.

#include <algorithm>
#include <cmath>
#include <numeric>

#include "catch.h"
#include "core/random.h"
#include "flow/cost.h"
#include "flow/error_model.h"
#include "flow/reduce.h"
#include "flow/schedule.h"

using namespace lm;
using namespace lm::flow;
using text::Value;
using text::ValueList;

namespace {

std::vector<CostSample> samples_of(const CostModel& model, f64 noise) {
  std::vector<CostSample> out;
  const RandomStream draws(3, RandomPurpose::kOther);
  for (const i64 in : {10, 60, 200, 900, 2000})
    for (const i64 decode : {1, 7, 30})
      out.push_back({{in, decode}, model.of({in, decode}) + noise * draws.normal(out.size()), 1});
  return out;
}

f64 squares(const CostModel& model, const std::vector<CostSample>& samples) {
  f64 out = 0;
  for (const CostSample& one : samples)
    out += std::pow(model.of(one.tokens) - one.cost, 2);
  return out;
}

}  // namespace

TEST_CASE("a fitted cost has the coefficients that made it", "[flow]") {
  const CostModel made{0.5, 0.01, 2e-6, 0.03, 1e-5};
  const CostModel got = fit_cost(samples_of(made, 0));
  CHECK(got.a0 == Approx(made.a0).epsilon(1e-6));
  CHECK(got.a1 == Approx(made.a1).epsilon(1e-6));
  CHECK(got.a2 == Approx(made.a2).epsilon(1e-6));
  CHECK(got.b1 == Approx(made.b1).epsilon(1e-6));
  CHECK(got.b2 == Approx(made.b2).epsilon(1e-6));
  // Answers of one length: what b1 and a0 do is not told apart, and the curve is right all the
  // same.
  std::vector<CostSample> one_length;
  for (const i64 in : {10, 60, 200, 900})
    one_length.push_back({{in, 4}, made.of({in, 4}), 1});
  const CostModel plain = fit_cost(one_length);
  for (const i64 in : {10, 100, 800})
    CHECK(plain.of({in, 4}) == Approx(made.of({in, 4})).epsilon(1e-6));
  CHECK(fit_cost({}).of({10, 10}) == 0);
}

TEST_CASE("no cost without negative terms is nearer than the fitted one", "[flow]") {
  // The best fit without the condition has negative terms: costs that fall with the prompt.
  std::vector<CostSample> samples = samples_of({1, 0.002, 0, 0.01, 0}, 0.3);
  for (CostSample& one : samples)
    one.cost = std::max(0.0, one.cost - 0.0005 * static_cast<f64>(one.tokens.prefill));
  const CostModel got = fit_cost(samples);
  const f64 least = squares(got, samples);
  CHECK(std::min({got.a0, got.a1, got.a2, got.b1, got.b2}) >= 0);
  const RandomStream draws(5, RandomPurpose::kOther);
  for (u64 i = 0; i < 2000; ++i) {
    CostModel other = got;
    const f64 step = std::pow(10, -1 - 8 * draws.uniform(3 * i));
    f64* const terms[] = {&other.a0, &other.a1, &other.a2, &other.b1, &other.b2};
    f64& term = *terms[draws.below(3 * i + 1, 5)];
    term = std::max(0.0, term + (draws.uniform(3 * i + 2) < 0.5 ? -step : step));
    CHECK(squares(other, samples) >= least * (1 - 1e-9));
  }
}

TEST_CASE("the cheapest piece is where the total cost is least", "[flow]") {
  const CostModel cost{0.2, 0.01, 3e-5, 0.02, 1e-5};
  const f64 system = 40;
  const f64 per_unit = 1.3;
  const f64 answer = 6;
  const f64 best = *cheapest_piece(cost, system, per_unit, answer);
  const auto total = [&](f64 m) { return 10000 / m * cost.of(system + per_unit * m, answer); };
  CHECK(total(best) < total(best * 1.01));
  CHECK(total(best) < total(best / 1.01));
  CHECK(!cheapest_piece({0.2, 0.01, 0, 0.02, 0}, system, per_unit, answer));
}

TEST_CASE("latency is a staircase in the size of windows", "[flow]") {
  // n = 10,000 characters, windows that overlap by half, an instruction of 200, p = 4.
  const auto latency = [](i64 m) {
    const i64 k = piece_count(10000, m, (m + 1) / 2);
    return block_latency(std::vector<f64>(usize(k), static_cast<f64>(200 + m)), 4);
  };
  CHECK(piece_count(10000, 4000, 2000) == 4);
  CHECK(latency(4000) == 4200);
  CHECK(latency(5000) == 5200);
  CHECK(latency(2000) == 6600);
  CHECK(latency(10000) == 10200);
  CHECK(overlap_piece(10000, 4) == 4000);
  for (i64 m = 1000; m <= 10000; m += 250)
    CHECK(latency(m) >= latency(4000));
}

TEST_CASE("list scheduling keeps its bounds and never loses to blocks", "[flow]") {
  const RandomStream draws(11, RandomPurpose::kOther);
  u64 at = 0;
  i64 better = 0;
  for (i64 round = 0; round < 500; ++round) {
    std::vector<f64> times(usize(1 + static_cast<i64>(draws.below(at++, 30))));
    for (f64& time : times)
      time = std::exp(draws.normal(at++));
    const f64 sum = std::accumulate(times.begin(), times.end(), 0.0);
    const f64 longest = *std::max_element(times.begin(), times.end());
    std::vector<Step> steps;
    for (const f64 time : times)
      steps.push_back({time, 1, true, {}});
    for (const i64 p : {1, 2, 4, 7}) {
      const f64 workers = static_cast<f64>(p);
      const f64 list = list_latency(times, p);
      const f64 slack = 1e-9 * sum;
      CHECK(list >= std::max(longest, sum / workers) - slack);
      CHECK(list <= sum / workers + (1 - 1 / workers) * longest + slack);
      CHECK(list <= block_latency(times, p) + slack);
      better += list < block_latency(times, p) - slack ? 1 : 0;
      CHECK(list_timeline(steps, p).seconds == Approx(list));
      CHECK(block_timeline(steps, p) == Approx(block_latency(times, p)));
      CHECK(list_timeline(steps, p).peak_tokens == std::min(p, isize(times)));
    }
    CHECK(list_latency(times, 1) == Approx(sum));
    CHECK(list_timeline(steps, 0).seconds == longest);
  }
  CHECK(better > 500);
}

TEST_CASE("steps wait for those before them", "[flow]") {
  // Two calls, a program step behind both, then a call: 3, 5 -> 2.
  const std::vector<Step> steps = {
      {3, 10, true, {}}, {5, 20, true, {}}, {0, 0, false, {0, 1}}, {2, 40, true, {2}}};
  CHECK(list_timeline(steps, 0).seconds == 7);
  CHECK(list_timeline(steps, 1).seconds == 10);
  CHECK(list_timeline(steps, 2).seconds == 7);
  CHECK(block_timeline(steps, 2) == 7);
  CHECK(block_timeline(steps, 1) == 10);
  CHECK(list_timeline(steps, 0).peak_tokens == 40);
  CHECK(list_timeline(steps, 1).peak_tokens == 40);
  CHECK(list_timeline({}, 3).seconds == 0);
  CHECK_THROWS(list_timeline(std::vector<Step>{{1, 1, true, {1}}, {1, 1, true, {0}}}, 1));
}

TEST_CASE("sums of errors are folded normals", "[flow]") {
  for (const f64 mean : {0.0, 0.7, -3.0}) {
    for (const f64 sd : {0.5, 2.0}) {
      f64 first = 0;
      f64 second = 0;
      const f64 step = 1e-3;
      for (f64 x = mean - 9 * sd; x < mean + 9 * sd; x += step) {
        const f64 z = (x - mean) / sd;
        const f64 density = std::exp(-z * z / 2) / (sd * std::sqrt(2 * M_PI));
        first += std::abs(x) * density * step;
        second += x * x * density * step;
      }
      CHECK(folded_mean(mean, sd) == Approx(first).epsilon(1e-4));
      CHECK(folded_sd(mean, sd) == Approx(std::sqrt(second - first * first)).epsilon(1e-3));
    }
  }
  CHECK(folded_mean(-2, 0) == 2);
  CHECK(sum_error(16, 0, 0.25).sd == 2);
  CHECK(sum_error(16, 0, 0.25).absolute() == Approx(4 * sum_error(1, 0, 0.25).absolute()));
}

TEST_CASE("retrieval's error is that of all its outcomes", "[flow]") {
  const f64 miss = 0.3;
  const f64 h = 0.2;
  for (const i64 holding : {0, 1, 2}) {
    for (const i64 k : {2, 3, 6}) {
      f64 error = 0;
      for (i64 outcome = 0; outcome < i64{1} << k; ++outcome) {
        f64 p = 1;
        i64 right = 0;
        i64 others = 0;
        for (i64 i = 0; i < k; ++i) {
          const bool said = (outcome >> i & 1) != 0;
          p *= i < holding ? (said ? 1 - miss : miss) : (said ? h : 1 - h);
          (i < holding ? right : others) += said ? 1 : 0;
        }
        const f64 wrong = right == 0 ? 1 : right > 1 ? 0 : 1 - 1 / static_cast<f64>(1 + others);
        error += p * wrong;
      }
      CHECK(retrieval_error(miss, h, holding, k) == Approx(error));
    }
  }
  CHECK(retrieval_error(0.3, 0, 1, 5) == Approx(0.3));
  CHECK(any_of(0.02, 9) == Approx(1 - std::pow(0.98, 9)));
  CHECK(any_of(0, 9) == 0);
}

TEST_CASE("a majority of samples errs as counted and below its bound", "[flow]") {
  for (const i64 q : {1, 2, 3, 5, 9}) {
    for (const f64 a : {0.55, 0.7, 0.9}) {
      f64 error = 0;
      for (i64 outcome = 0; outcome < i64{1} << q; ++outcome) {
        f64 p = 1;
        i64 right = 0;
        for (i64 i = 0; i < q; ++i) {
          const bool said = (outcome >> i & 1) != 0;
          p *= said ? a : 1 - a;
          right += said ? 1 : 0;
        }
        error += 2 * right < q ? p : 2 * right == q ? p / 2 : 0;
      }
      CHECK(majority_error(a, q) == Approx(error));
      CHECK(majority_error(a, q) <= majority_bound(a, q));
    }
  }
  CHECK(majority_bound(0.4, 9) == 1);
}

TEST_CASE("trees have as many merges and levels as reducing makes", "[flow]") {
  for (i64 k = 0; k <= 40; ++k) {
    for (const i64 arity : {2, 3, 4}) {
      i64 merges = 0;
      i64 depth = 0;
      for (std::vector<i64> level(usize(k), 1); level.size() > 1; ++depth) {
        std::vector<i64> next;
        for (std::size_t i = 0; i < level.size(); i += usize(arity)) {
          merges += i + 1 < level.size() ? 1 : 0;
          next.push_back(1);
        }
        level = next;
      }
      CHECK(tree_shape(k, arity).merges == merges);
      CHECK(tree_shape(k, arity).depth == depth);
    }
  }
  CHECK(tree_sum_error(8, 2, 0.1, 0.01) == Approx(0.8 + 0.07));
  CHECK(tree_max_error(8, 2, 0.1, 0.01) == Approx(0.13));
  CHECK(union_bound(std::vector<f64>{0.6, 0.7}) == 1);
}

TEST_CASE("merging sorted lists never enlarges their largest error", "[flow]") {
  const RandomStream draws(17, RandomPurpose::kOther);
  u64 at = 0;
  bool reached = false;
  bool broken = false;  // by a list that is too short, which the bound does not speak of
  for (i64 round = 0; round < 1000; ++round) {
    ValueList truths;
    ValueList noisy;
    std::vector<f64> errors;
    std::vector<f64> means;
    std::vector<i64> lengths;
    for (u64 k = draws.below(at++, 6) + 1; k > 0; --k) {
      ValueList list;
      for (u64 i = draws.below(at++, 12) + 1; i > 0; --i)
        list.emplace_back(draws.uniform(at++));
      const auto less = [](const Value& a, const Value& b) { return a.real() < b.real(); };
      std::sort(list.begin(), list.end(), less);
      ValueList moved = list;
      for (Value& value : moved)
        value = Value(value.real() + 0.1 * (draws.uniform(at++) - 0.5));
      std::sort(moved.begin(), moved.end(), less);
      f64 largest = 0;
      f64 sum = 0;
      for (std::size_t i = 0; i < list.size(); ++i) {
        largest = std::max(largest, std::abs(list[i].real() - moved[i].real()));
        sum += std::abs(list[i].real() - moved[i].real());
      }
      errors.push_back(largest);
      means.push_back(sum / static_cast<f64>(list.size()));
      lengths.push_back(isize(list));
      truths.emplace_back(std::move(list));
      noisy.emplace_back(std::move(moved));
    }
    const auto error = [&](MergeWay way) {
      const Result<Value> a = merge_lists(truths, way);
      const Result<Value> b = merge_lists(noisy, way);
      REQUIRE(a);
      REQUIRE(b);
      REQUIRE(a->list().size() == b->list().size());
      f64 largest = 0;
      f64 sum = 0;
      for (std::size_t i = 0; i < a->list().size(); ++i) {
        const f64 d = std::abs(a->list()[i].real() - b->list()[i].real());
        largest = std::max(largest, d);
        sum += d;
      }
      return std::pair{largest, sum / static_cast<f64>(a->list().size())};
    };
    const auto [largest, mean] = error(MergeWay::kTree);
    CHECK(largest <= merge_max_bound(errors) + 1e-12);
    CHECK(mean <= merge_mean_bound(means, lengths) + 1e-12);
    reached = reached || largest > 0.9 * merge_max_bound(errors);
    CHECK(error(MergeWay::kIncremental) == std::pair{largest, mean});
    if (truths.size() > 1 && truths[0].list().size() > 1) {
      noisy[0].list().pop_back();
      truths[0].list().erase(truths[0].list().begin());
      broken = broken || error(MergeWay::kTree).first > merge_max_bound(errors);
    }
  }
  CHECK(reached);
  CHECK(broken);
}

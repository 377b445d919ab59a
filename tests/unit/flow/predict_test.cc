// Predictions beside runs: noisy oracles of known errors. Seeds are fixed; every statistical claim
// has a control that it would fail for.

#include "flow/predict.h"

#include <cmath>
#include <fstream>

#include "catch.h"
#include "flow/error_model.h"
#include "flow/measure.h"
#include "flow/scheduler.h"
#include "oracle.h"
#include "stat/mean.h"

using namespace lm;
using namespace lm::flow;
using Catch::Matchers::ContainsSubstring;
using test::Oracle;
using test::OracleNoise;
using text::Value;

namespace {

const CostModel kTime{0.2, 0.01, 1e-5, 0.03, 0};

std::function<Graph(i64)> graphs(const std::string& name) {
  return [name](i64 m) { return parse_graph(*builtin_graph(name), name, {{"m", Value(m)}}); };
}

CountTokens characters() {
  return [](const std::string& text) { return text::count_code_points(text); };
}

/// Errors of runs on instances.
std::vector<f64> errors(Oracle& oracle, Problem problem, const InstanceOptions& options, i64 m,
                        i64 trials, u64 seed = 1) {
  const Graph graph = graphs(problem_names()[static_cast<std::size_t>(problem)])(m);
  const i64 winners = graph.find("winners");
  Scheduler scheduler(oracle, {64, nullptr});
  std::vector<f64> out;
  for (i64 t = 0; t < trials; ++t) {
    const Instance one = make_instance(problem, options, seed, t);
    std::vector<Value> fields;
    for (const auto& [key, value] : one.fields)
      fields.push_back(value);
    scheduler.add(std::make_unique<RecordFlow>(
        graph, one.id, fields, FlowOptions{.seed = seed, .count_tokens = characters()}));
    std::optional<Outcome> outcome;
    while (!(outcome = scheduler.take()))
      REQUIRE(scheduler.step());
    REQUIRE(!outcome->fault);
    const Value* const tied = winners >= 0 ? &outcome->values[usize(winners)] : nullptr;
    out.push_back(errors_of(problem, one.answer, outcome->answer, tied, options.length)[0].second);
  }
  return out;
}

/// How many standard errors the mean is from a figure.
f64 off(const std::vector<f64>& values, f64 figure) {
  const stat::MeanError mean = stat::mean_error(values);
  return std::abs(mean.mean - figure) / std::max(mean.standard_error, 1e-12);
}

MeasureOptions measuring(Problem problem, Oracle& oracle, i64 trials) {
  MeasureOptions out;
  out.problem = problem;
  out.graph = graphs(problem_names()[static_cast<std::size_t>(problem)]);
  out.trials = trials;
  out.seed = 11;
  out.clock = oracle.clock();
  return out;
}

}  // namespace

TEST_CASE("instances are functions of seed and number, with exact lengths", "[flow]") {
  for (const std::string& name : problem_names()) {
    const Problem problem = *problem_of(name);
    const InstanceOptions options{.length = 700};
    const std::string first =
        instance_json(problem, options, make_instance(problem, options, 3, 4));
    CHECK(first == instance_json(problem, options, make_instance(problem, options, 3, 4)));
    CHECK(first != instance_json(problem, options, make_instance(problem, options, 3, 5)));
    CHECK(first != instance_json(problem, options, make_instance(problem, options, 4, 4)));
    const Instance one = make_instance(problem, options, 3, 4);
    const Value& input = one.fields[0].second;
    CHECK((input.is_list() ? isize(input.list()) : text::count_code_points(input.str())) == 700);
  }
  // A target that is not there, and one that has no room.
  const Instance without = make_instance(Problem::kNeedle, {.length = 700, .target = false}, 3, 4);
  CHECK(without.answer.is_none());
  CHECK(without.fields[0].second.str().find("to the " + without.fields[1].second.str()) ==
        std::string::npos);
  CHECK_THROWS_AS(make_instance(Problem::kNeedle, {.length = 20}, 3, 4), Error);
  // Halves are apart.
  for (i64 a = 0; a < 50; ++a)
    for (i64 b = 0; b < 50; ++b)
      CHECK(calibration_number(a) != check_number(b));
  // Depths are as asked for.
  for (i64 i = 0; i < 100; ++i) {
    const Instance deep = make_instance(Problem::kNeedle, {.length = 5000}, 3, i);
    const f64 depth =
        static_cast<f64>(deep.fields[0].second.str().find("the " + deep.fields[1].second.str())) /
        5000;
    CHECK(depth > 0.03);
    CHECK(depth < 0.57);
  }
}

TEST_CASE("errors of answers are those of the definitions", "[flow]") {
  const auto named = [](const Errors& all, const std::string& name) {
    for (const auto& [key, value] : all)
      if (name == key) return value;
    FAIL(name);
    return 0.0;
  };
  const Errors sorted = sort_errors({0.1, 0.2, 0.5}, {0.1, 0.4, 0.3});
  CHECK(named(sorted, "max_abs") == Approx(0.2));
  CHECK(named(sorted, "mean_abs") == Approx(0.4 / 3));
  CHECK(named(sorted, "drops") == Approx(0.1));
  CHECK(named(sorted, "wrong") == 1);
  const Errors shorter = sort_errors({0.1, 0.2, 0.5}, {0.1, 0.3});
  CHECK(named(shorter, "mean_abs") == 1);
  CHECK(named(shorter, "fuzzy_max_abs") == Approx(0.2));
  CHECK(named(shorter, "length") == 1);
  CHECK(named(sort_errors({0.1, 0.2}, {0.1, 0.2, 0.9}), "fuzzy_max_abs") == 0);
  const Value tied(text::ValueList{Value("1"), Value("2"), Value("3")});
  CHECK(errors_of(Problem::kNeedle, Value("2"), Value("1"), &tied, 9)[0].second == Approx(2.0 / 3));
  CHECK(errors_of(Problem::kNeedle, Value("4"), Value("1"), &tied, 9)[0].second == 1);
  CHECK(errors_of(Problem::kNeedle, Value(), Value(), nullptr, 9)[0].second == 0);
  CHECK(errors_of(Problem::kCount, Value(i64{40}), Value(i64{50}), nullptr, 100)[0].second ==
        Approx(0.1));
  CHECK(errors_of(Problem::kCount, Value(i64{40}), Value("x"), nullptr, 100)[0].second ==
        Approx(0.4));
  CHECK(named(errors_of(Problem::kMultiNeedle, Value("1234"), Value("1294"), nullptr, 9),
              "digits") == Approx(0.25));
}

TEST_CASE("independent errors of counting grow like the root of k", "[flow]") {
  // Rounding adds a variance of 1/12.
  Oracle oracle(Problem::kCount, {.count_variance = 0.5});
  f64 before = 0;
  for (const i64 k : {1, 4, 16}) {
    const i64 m = 20;
    std::vector<f64> got = errors(oracle, Problem::kCount, {.length = k * m}, m, 400);
    for (f64& e : got)
      e *= static_cast<f64>(k * m);  // absolute
    const f64 figure = sum_error(k, 0, 0.5 * static_cast<f64>(m) + 1.0 / 12).absolute();
    CHECK(off(got, figure) < 3);
    // A sum that grew like k would be elsewhere.
    if (k > 1) CHECK(off(got, static_cast<f64>(k) * sum_error(1, 0, 10).absolute()) > 3);
    const f64 mean = stat::mean_error(got).mean;
    if (before > 0) CHECK(mean / before == Approx(2).epsilon(0.15));
    before = mean;
  }
}

TEST_CASE("retrieval without a target errs at 1 - (1 - h)^k", "[flow]") {
  Oracle oracle(Problem::kNeedle, {.invent = 0.05});
  for (const i64 m : {400, 1000, 4000}) {
    const std::vector<f64> got =
        errors(oracle, Problem::kNeedle, {.length = 4000, .target = false}, m, 300);
    const i64 k = piece_count(4000, m, m / 2);
    CHECK(off(got, any_of(0.05, k)) < 3);
    if (k > 5) CHECK(off(got, 0.05) > 3);
  }
}

TEST_CASE("the error of retrieval is lowest between small and large pieces", "[flow]") {
  // A miss that grows like m^1.5, an answer from nothing at 2 %.
  const auto curve = [](f64 invent) {
    Oracle oracle(Problem::kNeedle, {.miss = 4e-6, .miss_power = 1.5, .invent = invent});
    std::vector<std::vector<f64>> out;
    for (const i64 m : {120, 500, 4000})
      out.push_back(errors(oracle, Problem::kNeedle, {.length = 4000}, m, 300));
    return out;
  };
  const auto above = [](const std::vector<f64>& a, const std::vector<f64>& b) {
    std::vector<f64> difference;
    for (std::size_t i = 0; i < a.size(); ++i)
      difference.push_back(a[i] - b[i]);
    const stat::MeanError mean = stat::mean_error(difference);
    return mean.mean > 3 * mean.standard_error;
  };
  const std::vector<std::vector<f64>> u = curve(0.02);
  CHECK(above(u[2], u[1]));
  // Most needles stand whole in two windows, whose votes agree: what is invented has no say there.
  // Where no window is asked for what it has not, small pieces cost nothing.
  const std::vector<std::vector<f64>> flat = curve(0);
  CHECK(above(flat[2], flat[1]));
  CHECK(!above(flat[0], flat[1]));
  CHECK(above(u[0], u[1]));
}

TEST_CASE("predictions hold on every point of the grid", "[flow]") {
  struct Case {
    Problem problem;
    OracleNoise noise;
    std::vector<i64> sizes;
    i64 length;
  };
  const std::vector<Case> cases = {
      {Problem::kCount, {.count_variance = 0.1}, {10, 20, 40, 100}, 200},
      {Problem::kCount,
       {.count_variance = 0.002, .count_bias = 0.01, .power = 2},
       {10, 20, 40, 100},
       200},
      {Problem::kSort, {.jitter = 0.05}, {10, 20, 50}, 100},
      {Problem::kSort, {.drop = 0.1}, {10, 20, 50}, 100},
      {Problem::kNeedle, {.miss = 1e-5, .miss_power = 1.4, .invent = 0.03}, {300, 800, 2000}, 3000},
  };
  for (const Case& one : cases) {
    Oracle oracle(one.problem, one.noise, kTime);
    MeasureOptions options = measuring(one.problem, oracle, 400);
    const Calibration calibration = calibrate(oracle, one.sizes, options);
    const Predictor predictor(calibration);
    std::vector<Prediction> predicted;
    std::vector<f64> got;
    for (const i64 m : one.sizes) {
      options.trials = 30;
      const std::vector<PlannedRecord> planned =
          plan_instances(options.graph(m), one.length, options, characters());
      predicted.push_back(predictor.predict(planned, one.length, {.draws = 200}));
      const std::vector<f64> runs = errors(oracle, one.problem, {.length = one.length}, m, 400, 77);
      const f64 own = stat::mean_error(runs).standard_error;
      // The prediction has an error of its own: the spread of its interval is that of 30 runs.
      const f64 spread = (predicted.back().error.high - predicted.back().error.low) / 3.92;
      INFO(problem_names()[static_cast<std::size_t>(one.problem)]
           << " m " << m << ": predicted " << predicted.back().error.mean << ", measured "
           << stat::mean_error(runs).mean);
      CHECK(std::abs(stat::mean_error(runs).mean - predicted.back().error.mean) <
            3 * std::sqrt(own * own + spread * spread / 4) + 1e-9);
      if (!std::isnan(predicted.back().formula))
        CHECK(predicted.back().formula ==
              Approx(predicted.back().error.mean).epsilon(0.15).margin(0.02));
      if (!std::isnan(predicted.back().bound))
        CHECK(stat::mean_error(runs).mean <= predicted.back().bound + 3 * own);
      got.push_back(stat::mean_error(runs).mean);
    }
    // The planner's size is within a step of the best one.
    const i64 best = std::min_element(got.begin(), got.end()) - got.begin();
    CHECK(std::abs(best_of(predicted) - best) <= 1);
  }
}

TEST_CASE("a check passes where the model is the calibrated one", "[flow]") {
  struct Case {
    Problem problem;
    OracleNoise noise;
    std::vector<i64> sizes;
    CheckOptions cells;
  };
  const std::vector<Case> cases = {
      {Problem::kCount,
       {.count_variance = 0.1},
       {10, 20, 50, 100, 200},
       {.lengths = {100, 150, 200}, .sizes = {15, 30, 40, 67}, .workers = {1, 4}}},
      {Problem::kSort,
       {.drop = 0.05, .jitter = 0.02},
       {10, 20, 50, 100},
       {.lengths = {80, 120, 150}, .sizes = {15, 30, 40, 67}, .workers = {1, 4}}},
      {Problem::kNeedle,
       {.miss = 1e-5, .miss_power = 1.4, .invent = 0.03},
       {300, 800, 2000, 3000},
       {.lengths = {2500, 3000}, .sizes = {500, 1000}, .workers = {1, 4}}},
      {Problem::kMultiNeedle,
       {.miss = 1e-4, .invent = 0.02},
       {300, 800, 2000},
       {.lengths = {1500, 2000}, .sizes = {500, 1000}, .workers = {1, 4}}},
  };
  for (const Case& one : cases) {
    INFO(problem_names()[static_cast<std::size_t>(one.problem)]);
    Oracle oracle(one.problem, one.noise, kTime);
    MeasureOptions options = measuring(one.problem, oracle, 40);
    const Calibration calibration = calibrate(oracle, one.sizes, options);
    options.trials = 20;
    const CheckResult result = check(oracle, calibration, one.cells, options);
    CHECK(result.calls);
    CHECK(result.prefill);
    CHECK(result.latency);
    CHECK(result.error_share >= 0.9);
    CHECK(result.all());
    CHECK(result.cells.size() ==
          one.cells.lengths.size() * one.cells.sizes.size() * one.cells.workers.size());
    for (const CheckCell& cell : result.cells) {
      if (cell.p == 1) CHECK(cell.measured.latency_p == Approx(cell.measured.latency));
      CHECK(cell.predicted.latency_ideal.mean <= cell.predicted.latency_p.mean * 1.0001);
    }
  }
}

TEST_CASE("a check fails where the model is another one", "[flow]") {
  const CheckOptions cells{.lengths = {200}, .sizes = {15, 40, 67}, .workers = {1, 4}};
  Oracle calm(Problem::kCount, {.count_variance = 0.02}, kTime);
  MeasureOptions options = measuring(Problem::kCount, calm, 40);
  const Calibration calibration = calibrate(calm, {10, 20, 50, 100}, options);
  SECTION("noisier") {
    Oracle other(Problem::kCount, {.count_variance = 0.5}, kTime);
    options.clock = other.clock();
    const CheckResult result = check(other, calibration, cells, options);
    CHECK(result.calls);
    CHECK(result.prefill);
    CHECK(!result.error);
    CHECK(!result.all());
  }
  SECTION("slower") {
    CHECK(check(calm, calibration, cells, options).latency);
    calm.slowness = 1.3;
    const CheckResult result = check(calm, calibration, cells, options);
    CHECK(!result.latency);
    CHECK(!result.all());
  }
  SECTION("another prompt") {
    class Longer final : public Oracle {
     public:
      using Oracle::Oracle;
      std::optional<answer::Response> take() override {
        std::optional<answer::Response> out = Oracle::take();
        if (out) ++out->prompt_tokens;
        return out;
      }
    };
    Longer other(Problem::kCount, {.count_variance = 0.02}, kTime);
    options.clock = other.clock();
    const CheckResult result = check(other, calibration, cells, options);
    CHECK(!result.prefill);
    CHECK(result.calls);
  }
}

TEST_CASE("a calibration is the same once it was written", "[flow]") {
  for (const Problem problem : {Problem::kSort, Problem::kMultiNeedle, Problem::kCount}) {
    Oracle oracle(problem, {.count_variance = 0.1, .drop = 0.2, .miss = 1e-4}, kTime);
    const MeasureOptions options = measuring(problem, oracle, 5);
    Calibration calibration =
        calibrate(oracle,
                  problem == Problem::kMultiNeedle ? std::vector<i64>{300, 900}
                                                   : std::vector<i64>{20, 10, 20},
                  options);
    calibration.graph_key = 0xfedcba9876543210;
    for (const CallSample& one : calibration.samples)
      CHECK(calibration.time.of(one.tokens) == Approx(kTime.of(one.tokens)).epsilon(1e-3));
    CHECK(extra_tokens(calibration, false) == 1);
    const test::TempDir dir;
    const std::string path = dir.file("c.json");
    std::ofstream(path) << calibration_json(calibration);
    const Calibration read = read_calibration(path);
    CHECK(calibration_json(read) == calibration_json(calibration));
    std::string broken = calibration_json(calibration);
    broken.replace(broken.find("\"prefill\":"), 10, "\"prefil\":");
    std::ofstream(path) << broken;
    CHECK_THROWS_AS(read_calibration(path), Error);
  }
}

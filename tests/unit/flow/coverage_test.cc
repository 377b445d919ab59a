// What intervals promise: a figure that is run lies in its interval in 95 of 100 cases. Where calls
// are right or wrong, exactly, by summing over what a calibration and a check can come to; where
// errors are numbers, by calibrations of known noise. Seeds are fixed.

#include <cmath>

#include "catch.h"
#include "core/random.h"
#include "core/str.h"
#include "flow/predict.h"

using namespace lm;
using namespace lm::flow;
using text::Value;

namespace {

constexpr i64 kSize = 1000;  // of every piece
const std::vector<i64> kTrials = {5, 10, 20, 100};

CallSample sample_of(Value truth, Value value, i64 needles) {
  CallSample out;
  out.size = kSize;
  out.needles = needles;
  out.truth = std::move(truth);
  out.value = std::move(value);
  out.tokens = {100, 1};
  out.seconds = 1;
  return out;
}

Calibration calibration_of(Problem problem, std::vector<CallSample> samples) {
  Calibration out;
  out.problem = problem;
  out.trials = 1;
  out.sizes = {kSize};
  out.samples = std::move(samples);
  out.time = fit_time(out.samples);
  return out;
}

PlannedCall one_needle() {
  PlannedCall out;
  out.needles = 1;
  return out;
}

PlannedRecord record_of(std::vector<PlannedCall> calls) {
  PlannedRecord out;
  for (PlannedCall& call : calls) {
    call.size = kSize;
    out.steps.emplace_back().call = true;
    out.calls.push_back(std::move(call));
  }
  return out;
}

Interval predicted(const Calibration& calibration, const std::vector<PlannedRecord>& records,
                   i64 draws, u64 seed) {
  return Predictor(calibration).predict(records, 1, {.draws = draws, .seed = seed}).error;
}

/// P(k of n) at rate p.
f64 binomial(i64 k, i64 n, f64 p) {
  const f64 a = static_cast<f64>(k);
  const f64 b = static_cast<f64>(n);
  return std::exp(std::lgamma(b + 1) - std::lgamma(a + 1) - std::lgamma(b - a + 1) +
                  a * std::log(p) + (b - a) * std::log1p(-p));
}

}  // namespace

TEST_CASE("errors of calls that are right or wrong lie in their intervals", "[flow]") {
  constexpr i64 kRecords = 10;
  const std::vector<f64> rates = {0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.8};
  const std::vector<PlannedRecord> records(kRecords, record_of({one_needle()}));
  f64 all = 0;
  for (const i64 n : kTrials) {
    // The interval that a calibration with k misses gives.
    std::vector<Interval> by_misses;
    for (i64 k = 0; k <= n; ++k) {
      std::vector<CallSample> samples;
      for (i64 i = 0; i < n; ++i) {
        samples.push_back(sample_of("123456", i < k ? Value() : Value("123456"), 1));
        samples.push_back(sample_of(Value(), Value(), 0));
      }
      by_misses.push_back(
          predicted(calibration_of(Problem::kNeedle, samples), records, 200, static_cast<u64>(n)));
    }
    f64 mean = 0;
    for (const f64 p : rates) {
      f64 covered = 0;
      for (i64 k = 0; k <= n; ++k)
        for (i64 run = 0; run <= kRecords; ++run)
          if (by_misses[usize(k)].holds(static_cast<f64>(run) / kRecords))
            covered += binomial(k, n, p) * binomial(run, kRecords, p);
      INFO(n << " trials, rate " << p << ": " << covered);
      CHECK(covered > 0.9);
      mean += covered / static_cast<f64>(rates.size());
    }
    INFO(n << " trials: " << mean);
    CHECK(mean >= 0.93);
    all += mean / static_cast<f64>(kTrials.size());
    // An interval that holds everything would be no interval.
    const Interval& none = by_misses[0];
    CHECK(none.high < (n < 10 ? 0.8 : n < 100 ? 0.6 : 0.25));
    CHECK(by_misses[usize(n)].low > (n < 10 ? 0.2 : n < 100 ? 0.4 : 0.75));
  }
  CHECK(all >= 0.94);
}

TEST_CASE("errors of sums lie in their intervals", "[flow]") {
  // Errors of a call: by (draw k of a stream).
  struct Noise {
    const char* name;
    std::function<f64(const RandomStream&, u64)> error;
    f64 widest;  // how wide intervals of 100 trials may be, as a share of the mean error
  };
  const std::vector<Noise> noises = {
      {"normal, off by -2",
       [](const RandomStream& draws, u64 k) { return std::round(-2 + 3 * draws.normal(k)); }, 1.2},
      {"normal", [](const RandomStream& draws, u64 k) { return std::round(4 * draws.normal(k)); },
       1.4},
      {"misses, one in twenty calls",
       [](const RandomStream& draws, u64 k) { return draws.uniform(k) < 0.05 ? -1.0 : 0.0; }, 4},
      {"misses, two a call",
       [](const RandomStream& draws, u64 k) {
         f64 out = 0;
         for (u64 i = 0; i < 40; ++i)
           out -= draws.uniform(40 * k + i) < 0.05 ? 1 : 0;
         return out;
       },
       0.9},
  };
  constexpr i64 kRecords = 10;
  constexpr i64 kCalls = 5;
  constexpr i64 kRounds = 60;
  f64 all = 0;
  for (const Noise& noise : noises) {
    for (const i64 n : kTrials) {
      i64 covered = 0;
      f64 width = 0;
      f64 size = 0;
      for (i64 round = 0; round < kRounds; ++round) {
        const RandomStream draws(static_cast<u64>(1000 * n + round), RandomPurpose::kOther, 77);
        u64 at = 0;
        const auto truth = [&] {
          return Value(static_cast<i64>(300 + draws.below(1u << 30 | at++, 400)));
        };
        std::vector<CallSample> samples;
        for (i64 i = 0; i < n; ++i) {
          const Value count = truth();
          samples.push_back(
              sample_of(count, Value(count.whole() + static_cast<i64>(noise.error(draws, at))), 0));
          ++at;
        }
        std::vector<PlannedRecord> records;
        f64 run = 0;
        for (i64 r = 0; r < kRecords; ++r) {
          std::vector<PlannedCall> calls(kCalls);
          f64 sum = 0;
          for (PlannedCall& call : calls) {
            call.truth = truth();
            sum += noise.error(draws, at++);
          }
          run += std::abs(sum) / kRecords;
          records.push_back(record_of(std::move(calls)));
        }
        const Interval own = predicted(calibration_of(Problem::kCount, samples), records, 120,
                                       static_cast<u64>(round));
        covered += own.holds(run) ? 1 : 0;
        width += (own.high - own.low) / kRounds;
        size += run / kRounds;
      }
      const f64 share = static_cast<f64>(covered) / kRounds;
      INFO(noise.name << ", " << n << " trials: " << share << ", width " << width / size);
      CHECK(share >= 0.85);
      if (n == 100) CHECK(width / size < noise.widest);
      all += share / static_cast<f64>(kTrials.size() * noises.size());
    }
  }
  INFO("all: " << all);
  CHECK(all >= 0.93);
}

TEST_CASE("errors of sorted lists lie in their intervals", "[flow]") {
  // Lists of ten numbers, each moved by up to 0.05; one list in eight lacks a number.
  constexpr i64 kRecords = 10;
  constexpr i64 kCalls = 3;
  constexpr i64 kRounds = 40;
  f64 all = 0;
  for (const i64 n : kTrials) {
    for (const f64 drop : {0.0, 0.02, 0.1}) {
      i64 covered = 0;
      for (i64 round = 0; round < kRounds; ++round) {
        const RandomStream draws(static_cast<u64>(1000 * n + round), RandomPurpose::kOther, 78);
        u64 at = 0;
        const auto lists = [&](std::vector<f64>& truth, std::vector<f64>& value) {
          for (i64 i = 0; i < 10; ++i) {
            truth.push_back(draws.uniform(at++));
            value.push_back(truth.back() + 0.05 * (2 * draws.uniform(at++) - 1));
          }
          std::sort(truth.begin(), truth.end());
          std::sort(value.begin(), value.end());
          if (draws.uniform(at++) < drop) value.pop_back();
        };
        const auto list_of = [](const std::vector<f64>& numbers) {
          text::ValueList out;
          for (const f64 x : numbers)
            out.emplace_back(x);
          return Value(std::move(out));
        };
        std::vector<CallSample> samples;
        for (i64 i = 0; i < n; ++i) {
          std::vector<f64> truth;
          std::vector<f64> value;
          lists(truth, value);
          samples.push_back(sample_of(list_of(truth), list_of(value), 0));
        }
        f64 run = 0;
        for (i64 r = 0; r < kRecords; ++r) {
          std::vector<f64> truth;
          std::vector<f64> value;
          for (i64 i = 0; i < kCalls; ++i)
            lists(truth, value);
          std::sort(truth.begin(), truth.end());
          std::sort(value.begin(), value.end());
          run += sort_errors(truth, value)[0].second / kRecords;
        }
        const std::vector<PlannedRecord> records(kRecords,
                                                 record_of(std::vector<PlannedCall>(kCalls)));
        covered += predicted(calibration_of(Problem::kSort, samples), records, 120,
                             static_cast<u64>(round))
                           .holds(run)
                       ? 1
                       : 0;
      }
      const f64 share = static_cast<f64>(covered) / kRounds;
      INFO(n << " trials, a number missing at " << drop << ": " << share);
      CHECK(share >= 0.85);
      all += share / static_cast<f64>(3 * kTrials.size());
    }
  }
  INFO("all: " << all);
  CHECK(all >= 0.93);
}

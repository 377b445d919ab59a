#pragma once
// What a graph will cost and get wrong, from calls that were calibrated: tokens of prompts and
// calls exactly, by building every prompt; the rest from draws of calibrated calls. Draws are a
// function of the seed.

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/calibration.h"
#include "flow/graph.h"
#include "flow/record_flow.h"

namespace lm::flow {

/// A call that a record will make, where calls say what they should.
struct PlannedCall {
  std::string name;
  i64 size = 0;
  i64 needles = 0;
  std::vector<i64> which;
  bool last = false;      // makes its answer of others'
  i64 prompt_tokens = 0;  // of the text alone
  text::Value truth;      // what it should say
  i64 reply_tokens = 0;   // of that
};
struct PlannedRecord {
  std::vector<PlannedCall> calls;  // in the order of the graph
  std::vector<Step> steps;
  bool target = true;  // what is asked for is there
};

/// A record whose calls all answer rightly. Throws Error{kData} for a graph with calls that are
/// none of the problem's, and for one that fails.
PlannedRecord plan_record(const Graph& graph, Problem problem, const Instance& instance,
                          const CountTokens& count, MemoryBudget* memory = nullptr);

/// A mean with what it will be in 95 of 100 cases.
struct Interval {
  f64 mean = 0;
  f64 low = 0;
  f64 high = 0;
  /// Up to rounding.
  bool holds(f64 x) const {
    const f64 slack = 1e-9 * (1 + std::abs(x));
    return low - slack <= x && x <= high + slack;
  }
};

/// What is predicted of the mean over some records.
struct Prediction {
  f64 calls = 0;    // exact
  f64 prefill = 0;  // exact for calls whose prompts no reply shapes
  Interval decode;
  Interval latency;  // one call after the other
  Interval latency_ideal;
  Interval latency_p;  // blocks or list scheduling
  Interval error;      // errors_of(...)[0]
  f64 formula = 0;     // the error in closed form; NaN where there is none
  f64 bound = 0;       // what it is at most, in closed form; NaN where there is none
  f64 peak_tokens = 0;
  f64 price = 0;
  bool beyond = false;  // pieces are smaller or larger than calibrated ones
};

struct PredictOptions {
  i64 workers = 1;
  bool blocks = true;  // latency_p by blocks of calls, else by list scheduling
  i64 draws = 400;     // of calibrations that might have been
  u64 seed = 0;
  std::optional<CostModel> prices = {};
};

class Predictor {
 public:
  /// calibration outlives this. Throws Error{kData} where samples of some kind are missing.
  explicit Predictor(const Calibration& calibration);
  ~Predictor();
  /// Of instances of length n. At least one.
  Prediction predict(const std::vector<PlannedRecord>& records, i64 n,
                     const PredictOptions& options) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Of several predictions the one of least error, of equal ones that of the fewest prompt tokens.
/// Index.
i64 best_of(const std::vector<Prediction>& predictions);

}  // namespace lm::flow

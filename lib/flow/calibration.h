#pragma once
// What single calls cost and get wrong by the size of their piece: measured once, kept in a file.
// Source: Chen et al. 2024 (node errors as functions of the input's size).

#include <string>
#include <vector>

#include "flow/cost.h"
#include "flow/problems.h"
#include "io/json_node.h"

namespace lm::flow {

/// One call with one piece.
struct CallSample {
  i64 size = 0;       // of the piece, in the problem's units
  i64 needles = 0;    // of the target in it; 0 for problems without
  bool last = false;  // the call that answers from what the others extracted
  text::Value truth;  // what a call without errors says
  text::Value value;  // what it said
  CallTokens tokens;
  i64 extra_tokens = 0;  // of the prompt, beyond those of its text
  f64 seconds = 0;
};

struct Calibration {
  Problem problem = Problem::kCount;
  u64 graph_key = 0;
  u64 answerer_key = 0;
  std::string model;  // who answered, as headers of streams have it; empty in older files
  u64 seed = 0;
  i64 trials = 0;
  std::vector<i64> sizes;  // ascending
  std::vector<CallSample> samples;
  CostModel time;  // seconds of a call, fitted
};

/// Fits the time: squared errors weighed by 1 / mean^2 of the samples of that size, so that every
/// size counts alike.
CostModel fit_time(const std::vector<CallSample>& samples);

/// Tokens of a prompt beyond those of its text, if that is the same for all samples of the kind.
std::optional<i64> extra_tokens(const Calibration& calibration, bool last);

/// What a size's calls come to.
struct SizeSummary {
  i64 size = 0;
  i64 calls = 0;
  f64 error_mean = 0;      // count: of y' - y; sort: mean_abs; needles: share missed
  f64 error_variance = 0;  // of the same; 0 for rates
  f64 false_rate = 0;      // needles: of pieces without one, answers all the same; sort: lists of a
                           // wrong length
  f64 prefill = 0;         // means
  f64 decode = 0;
  f64 seconds = 0;
};
SizeSummary summarise(const Calibration& calibration, i64 size);

/// As a JSON document with its version; the same samples give the same bytes.
std::string calibration_json(const Calibration& calibration);
/// Throws Error{kData} naming file and key: also for figures of sizes, and times, that are not
/// those of the samples.
Calibration read_calibration(const std::string& path);

/// The numbers of a list; of what is none nothing.
std::vector<f64> numbers_of(const text::Value& value);
/// Sorting: the value has as many numbers as the truth.
bool has_length(const CallSample& sample);
/// The error of one call's value, as error_mean counts it.
f64 value_error(Problem problem, const CallSample& sample);
/// Whether a call said what is there, or nothing where nothing is.
bool is_right(Problem problem, const CallSample& sample);

}  // namespace lm::flow

#pragma once
// What a user may ask of generation: one table of names from which the command line's flags, a
// record's "params" object and the effective parameters in the output all come. Defaults are
// neutral: temperature 1, every truncation and penalty off.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/types.h"
#include "tensor/tensor.h"

namespace lm::decode {

/// The steps that --sampler-order can arrange. Bias and minimum length always come first.
enum class Step : u8 {
  kRepetition,
  kFrequency,
  kNoRepeat,
  kDry,
  kTemperature,
  kTopK,
  kTopP,
  kMinP,
  kTypical,
  kEpsilon,
  kEta,
  kTopNSigma,
  kXtc,
};

struct SampleParams {
  // Length and end.
  i64 n = 1;
  i64 max_tokens = 256;
  i64 min_tokens = 0;
  std::vector<std::string> stop;  // not empty strings
  std::vector<i32> stop_ids;
  bool include_stop = false;
  bool ignore_eos = false;
  i64 loop_size = 0;        // longest repeated n-gram that ends a text; 0: off
  i64 loop_count = 4;       // after that many repetitions in a row
  std::optional<u64> seed;  // of this record instead of the run's

  // Processors.
  std::vector<std::pair<i32, f64>> logit_bias;  // by id; -infinity bans
  f64 repetition_penalty = 1;
  f64 frequency_penalty = 0;
  f64 presence_penalty = 0;
  i64 penalty_last_n = 0;    // 0: all
  bool penalty_all = false;  // frequency and presence count the prompt too
  i64 no_repeat_ngram = 0;
  f64 dry_multiplier = 0;
  f64 dry_base = 1.75;
  i64 dry_allowed = 2;
  std::vector<std::string> dry_breakers = {"\n", ":", "\"", "*"};
  f64 temperature = 1;
  i64 top_k = 0;
  f64 top_p = 1;
  f64 min_p = 0;
  f64 typical = 1;
  bool typical_cut = false;
  f64 epsilon = 0;
  f64 eta = 0;
  f64 top_n_sigma = 0;
  f64 xtc_probability = 0;
  f64 xtc_threshold = 0.1;
  i64 min_keep = 1;
  std::string sampler_order = "hf";  // hf, llama, or step names joined by ';'
};

/// One numeric parameter: its snake-case name (options use dashes), range and help.
struct NumberParam {
  const char* name;
  i64 SampleParams::*whole;  // one of the two is set
  f64 SampleParams::*real;
  f64 low;
  f64 high;
  const char* help;
};
std::span<const NumberParam> number_params();

/// Names of all parameters a record may set, for messages.
std::vector<std::string> param_names();

/// Applies a record's params object (its JSON text) to params. Fault "params": not an object, an
/// unknown name (the nearest is suggested), a value of the wrong type or outside its range.
std::optional<Fault> apply_params(std::string_view json, SampleParams& params);

/// Draws are from the model's own distribution, with its biases: temperature 1, no penalty, no
/// truncation.
bool is_own_distribution(const SampleParams& params);

/// The steps an order names. Fault "params" for an unknown one.
Result<std::vector<Step>> parse_order(std::string_view order);

/// "ID:VALUE" with VALUE a number or -inf. Fault "params".
Result<std::pair<i32, f64>> parse_bias(std::string_view text);

/// The effective parameters as one JSON object, in table order; then the type of the model's
/// activations, unless it is f32. apply_params takes the latter for what it is: a note.
std::string params_json(const SampleParams& params, DType activation = DType::kF32);
/// The named ones alone: numbers, stop and logit_bias.
std::string params_json(const SampleParams& params, const std::vector<std::string>& names);

}  // namespace lm::decode

#pragma once
// The problems that flows are measured with: instances with their answers, graphs that solve them,
// errors of answers, and a solver that makes no errors. An instance is a function of (problem,
// seed, number) and its options. Source: Chen et al. 2024, whose problems these are.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "answer/answer.h"
#include "text/value.h"

namespace lm::flow {

enum class Problem : u8 {
  kCount,        // letters and digits, share of digits U[0.3, 0.7]: how many digits
  kSort,         // numbers in [0, 1] of two decimals: the same ascending
  kNeedle,       // sentences that give codes of coloured objects: the code of one
  kMultiNeedle,  // the digits of that code in a sentence each
};
const std::vector<std::string>& problem_names();
std::optional<Problem> problem_of(std::string_view name);

struct InstanceOptions {
  i64 length = 200;    // characters, of kSort numbers
  bool target = true;  // kNeedle, kMultiNeedle: what is asked for is there
  i64 needles = 6;     // kMultiNeedle: digits of the code; one for single pieces
  /// Where the target stands, as a share of the sentences: U[low, high].
  f64 depth_low = 0.05;
  f64 depth_high = 0.55;
};

struct Instance {
  std::string id;
  text::ValueMap fields;  // what graphs read: text or numbers, question
  text::Value answer;     // null: nothing is there
};

/// Texts have exactly `length` characters: sentences, then blanks. Throws Error{kUsage} for a
/// length that has no room for the target.
Instance make_instance(Problem problem, const InstanceOptions& options, u64 seed, i64 number);
/// {"id","problem","n",fields...,"answer"}
std::string instance_json(Problem problem, const InstanceOptions& options, const Instance& one);

/// The graph of a problem or of a part of one, in YAML, or nothing. The size of pieces is its
/// parameter m. "multineedle_final" is the last call of "multineedle".
std::optional<std::string_view> builtin_graph(std::string_view name);
std::vector<std::string> builtin_names();

/// One error of an answer, by name. The first of a problem is the one that predictions are of.
using Errors = std::vector<std::pair<const char*, f64>>;
/// count: relative |y - y'| / n, absolute, wrong (1 or 0). sort: mean_abs and max_abs (1 where
/// lengths differ), fuzzy_mean_abs and fuzzy_max_abs (extended by the last value or cut), length,
/// drops (sum of what each item is smaller than the one before), wrong. needle: error (1 - 1/t
/// where t values share the most votes and the truth is one; `winners` is their list), wrong.
/// multineedle: wrong, digits (share of the code's that are wrong). An answer of another type
/// counts as none.
Errors errors_of(Problem problem, const text::Value& truth, const text::Value& answer,
                 const text::Value* winners, i64 length);
/// The same of sorted lists as numbers.
Errors sort_errors(const std::vector<f64>& truth, const std::vector<f64>& answer);

/// What a call that makes no errors answers, of the graphs above and of others whose calls have the
/// same inputs: by role and inputs in meta. Nothing for a call that is none of the problem's.
struct PerfectReply {
  std::string text;
  text::Value value;       // what it says
  i64 size = 0;            // characters or items of the piece
  i64 needles = 0;         // sentences of the target that are whole in it
  std::vector<i64> which;  // kMultiNeedle: their digits' places, from 0
};
std::optional<PerfectReply> perfect_reply(Problem problem, const answer::Request& request);

}  // namespace lm::flow

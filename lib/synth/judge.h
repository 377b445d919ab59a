#pragma once
// Texts of a model held against what they were asked for: solutions of combinatorial problems, and
// completions of task prefs by their reward.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "accord/check.h"
#include "synth/reward.h"

namespace lm::synth {

/// Names of instances' problems: accord's in their order, then prefs.
const std::vector<std::string>& judged_names();

struct Judged {
  bool feasible = false;
  f64 objective = 0;       // of a feasible one
  std::optional<f64> gap;  // of a feasible one, where the best known is given and not 0
  /// Members of an object: feasible, and objective, gap and solution or reason.
  std::string json;
};

/// Reads instances and judges texts. Not thread-safe: one per worker.
class Judge {
 public:
  /// Fault "missing", "type", "range", "json" or "utf8" for an instance that means nothing.
  std::optional<Fault> read(std::string_view instance_json);
  /// Of the last instance: its place among judged_names().
  i64 problem() const { return problem_; }
  bool maximised() const;
  /// form: accord's, where it is asked for. best: the best known objective.
  Judged operator()(std::string_view text, std::optional<accord::Format> form,
                    std::optional<i64> best) const;

 private:
  Judged by_reward(std::string_view text) const;

  i64 problem_ = 0;
  accord::Instance instance_;
  std::string reward_json_;  // what reward_ was read from: records of one run share it
  std::optional<Reward> reward_;
};

/// The first of the best among the first `count`, or -1 if none is feasible. Knows no optimum.
i64 best_of(std::span<const Judged> all, i64 count, bool maximised);
/// How many are taken until one is within the share of the best known: all where none is.
i64 taken_until(std::span<const Judged> all, f64 share);

}  // namespace lm::synth

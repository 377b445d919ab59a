#pragma once
// Where the rewards of completions come from: a reward model, or a command of the user's that can
// verify them. One thread at a time.

#include <span>
#include <string>

#include "align/rollout.h"
#include "decode/reward.h"
#include "decode/session.h"
#include "io/child.h"
#include "io/json.h"

namespace lm::align {

class RewardSource {
 public:
  virtual ~RewardSource() = default;
  /// Sets Rollout::reward. A reward depends on prompt and completion only. Throws Error naming the
  /// record where there is none.
  virtual void score(std::span<const Prompt> prompts, std::span<Rollout> rollouts) = 0;
  /// After the last one; throws if what it gave was wrong.
  virtual void finish() {}
};

/// A model with a head of one score, of the last token's state; one that came to an end is scored
/// with its end token.
class ModelReward final : public RewardSource {
 public:
  /// Borrows a session of such a model, opened without logits.
  explicit ModelReward(decode::Session& session);
  void score(std::span<const Prompt> prompts, std::span<Rollout> rollouts) override;

 private:
  decode::Session& session_;
  decode::RewardScorer scorer_;
};

/// A child process for the whole run. It is asked {...the record's fields, "completion", whether it
/// is "truncated"} in a line, and answers in a line with a number or an object with one as
/// "reward". What it answers must depend on that line alone.
class CommandReward final : public RewardSource {
 public:
  /// Starts it. Throws what io::ChildProcess throws.
  CommandReward(const std::string& command, i64 timeout_s);
  /// Throws Error{kUnavailable} where it has ended or does not answer in time, Error{kData} where
  /// it answers something else or more than a line.
  void score(std::span<const Prompt> prompts, std::span<Rollout> rollouts) override;
  /// Throws Error{kData} where it answered more than it was asked.
  void finish() override { child_.finish(); }

 private:
  f64 ask(const Prompt& prompt, const Rollout& rollout);

  io::ChildProcess child_;
  i64 timeout_ms_;
  io::JsonReader json_;
  std::string record_, line_;
};

}  // namespace lm::align

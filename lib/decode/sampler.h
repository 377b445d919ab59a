#pragma once
// Logits of a position to a token: penalties, constraints, truncations (processors.h) in their
// order, and the draw. One Sampler per sequence and thread; results depend on the arguments only.
// Cost: where the first step that removes tokens is a count or a share of the likeliest, and for
// greedy draws, only tokens that can be among those are looked at: two readings of the logits.

#include <memory>
#include <span>
#include <vector>

#include "core/result.h"
#include "decode/draw.h"
#include "decode/params.h"
#include "decode/processors.h"

namespace lm::decode {

class Constraint;

class Sampler {
 public:
  /// ends: ids that min_tokens bans. breaker: for DRY, may be empty without it; shared by all
  /// sequences with the same strings. params must have a valid order.
  /// whole: weights() are asked for where a greedy draw needs no more than the largest.
  Sampler(const SampleParams& params, std::vector<i32> ends,
          std::shared_ptr<const std::vector<u8>> breaker, bool whole = false);

  /// Processes logits [vocab] and draws; constraints mask what biases have left. left: tokens that
  /// the text may still get. Fault "logits" (not numbers), "no_token" (everything is banned), or a
  /// constraint's.
  Result<i32> draw(std::span<const f32> logits, const History& history, const DrawPoint& at,
                   std::span<const std::unique_ptr<Constraint>> constraints = {}, i64 left = 0);
  /// Draws one of several alternatives, ids ascending, weights the logs of their probabilities. Of
  /// the steps those that take history leave them alone; temperature and truncations work on
  /// alternatives as on tokens. Fault "logits" or "no_token".
  Result<i32> choose(std::span<const i32> ids, std::span<const f64> weights, const DrawPoint& at);
  /// The distribution that the last draw came from; of a greedy draw, only if `whole` was said.
  const TokenWeights& weights() const { return x_; }

 private:
  /// What the first step that removes tokens leaves at most: the `count` likeliest, or those of at
  /// least `share` of the likeliest one's probability at a temperature. count 0: something else.
  struct Bound {
    i64 count = 0;
    f64 share = 0;
    f64 temperature = 1;
    bool penalised = false;
  };
  Bound bound(bool whole) const;
  bool removes(Step step) const;
  void count_seen(const History& history);
  /// The ids that biases, bans and penalties may move, and those that they may raise.
  void note_moved(i64 vocab, i64 output);
  f64 reached(std::span<const f32> logits);
  /// Takes what can be among what bound_ leaves. False, with nothing taken, where that is no help.
  bool take_likely(std::span<const f32> logits, i64 output);
  void rules(i64 output);
  void step(Step step, const History& history, const DrawPoint& at);

  SampleParams params_;
  std::vector<Step> order_;
  std::vector<i32> ends_;
  std::shared_ptr<const std::vector<u8>> breaker_;
  Bound bound_;
  TokenWeights x_;
  TokenCounts repeated_, frequent_, all_;  // of the history
  std::vector<i32> moved_, raised_, likely_, some_;
  std::vector<f32> tops_, sorted_tops_;
};

}  // namespace lm::decode

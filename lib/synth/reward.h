#pragma once
// The hidden reward of task prefs: what preferences were drawn from, and what texts of a model can
// be held against.

#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "text/value.h"

namespace lm::synth {

/// Reward of a completion: weights of its symbols and of its pairs of neighbours, normal draws of
/// the seed, less 0.1 for each symbol. Immutable.
class Reward {
 public:
  Reward(u64 seed, i64 vocab, f64 scale);
  /// text: symbols below the vocabulary.
  f64 operator()(std::span<const i64> text) const;
  i64 vocab() const { return vocab_; }
  /// {"problem":"prefs","seed":"1","vocab":16,"scale":0.5}: all that it is made of. The seed is a
  /// text, because it may have 64 bits.
  std::string json() const;

 private:
  u64 seed_;
  i64 vocab_;
  f64 scale_;
  std::vector<f64> weights_;
};

/// Bounds of what a reward is made of.
inline constexpr i64 kMostRewarded = 1000;
inline constexpr f64 kMostScale = 100;

/// Reads what json() wrote. Fault "missing", "type" or "range".
Result<Reward> read_reward(const text::Value& instance);

}  // namespace lm::synth

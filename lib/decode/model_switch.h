#pragma once
// Which of two models with one vocabulary makes a text's next token: the large one while the mean
// entropy of the last distributions is above a threshold. Nothing is verified: the text is neither
// model's own. Source: Simonds 2024 (entropy adaptive decoding); the least stay with a model, what
// the first model is and that the mean runs on over a change are ours to set.

#include <vector>

#include "decode/draw.h"

namespace lm::decode {

struct SwitchOptions {
  enum class Rule : u8 { kEntropy, kRandom, kFirst };
  Rule rule = Rule::kEntropy;
  f64 threshold = 1;         // bits
  i64 window = 5;            // distributions whose mean counts
  i64 dwell = 10;            // tokens of a model at least, before another takes over
  bool start_large = false;  // what makes the first token
  bool reset = false;        // the mean begins anew with a model
  f64 share = 0.5;           // kRandom: how often the large model is drawn
  i64 first = 0;             // kFirst: the large model makes so many tokens, the small one the rest
};

/// Entropy of softmax(logits), bits. -infinity has no part in it.
f64 entropy_bits(std::span<const f32> logits);

class ModelSwitch {
 public:
  ModelSwitch(const SwitchOptions& options, const DrawKey& key, i64 sample);
  bool large() const { return large_; }
  /// A token was drawn from a distribution of this entropy, of the model that large() says. at: its
  /// position in the text.
  void note(f64 entropy, i64 at);

  struct Counts {
    i64 large_tokens = 0;
    i64 small_tokens = 0;
    i64 switches = 0;
    f64 entropy = 0;  // sum, bits
  };
  const Counts& counts() const { return counts_; }

 private:
  bool wants_large(i64 at) const;

  SwitchOptions options_;
  DrawPoint draw_;
  bool large_ = false;
  std::vector<f64> recent_;  // the last `window` entropies, round and round
  i64 seen_ = 0;             // entropies since the mean began
  i64 stayed_ = 0;           // tokens since the last change
  Counts counts_;
};

}  // namespace lm::decode

#pragma once
// Guesses of a smaller model with the same tokens. It draws with the text's own noise, so that it
// agrees with the larger model about as often as rejection sampling would accept its tokens.
// Source: Leviathan et al. 2023.

#include <memory>
#include <vector>

#include "decode/draft.h"
#include "decode/draw.h"
#include "decode/sampler.h"
#include "model/engine.h"

namespace lm::decode {

/// Whose text is guessed.
struct DraftSubject {
  DrawKey key = {};
  i64 sample = 0;
  SampleParams params;
  std::vector<i32> ends;  // ids that end it
  i64 prompt = 0;         // tokens of the prompt
};

class ModelDrafter final : public Drafter {
 public:
  /// Borrows the engine, which several drafters may share; one thread drives them. A guess of less
  /// than `least` probability is the last one.
  ModelDrafter(model::Engine& engine, const DraftSubject& subject, f64 least = 0.4);
  ~ModelDrafter() override;
  void propose(std::span<const i32> history, i64 most, DraftTree& out) override;
  void finish(std::span<const i32> history) override;

 private:
  bool catch_up(std::span<const i32> history);
  bool evaluate(std::span<const i32> tokens);

  model::Engine& engine_;
  DraftSubject subject_;
  Sampler sampler_;
  f64 least_;
  i32 seq_ = -1;
  std::vector<i32> cached_;  // tokens in the engine's memory
  std::vector<f32> logits_;  // behind them
};

}  // namespace lm::decode

#pragma once
// What a policy writes: prompts, the completions it draws from its own distribution, and what is
// known of their tokens. The draws are a function of (seed, number of the prompt in the run, token,
// position, sample), so that a resumed run writes the same again.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/context.h"
#include "decode/generate.h"
#include "decode/score.h"
#include "model/checkpoint.h"
#include "model/engine.h"
#include "text/tokenizer.h"

namespace lm::align {

struct Prompt {
  std::string id;
  std::vector<i32> tokens;  // at least one
  std::string record;       // the JSON object it came from, where a reward command reads it
};

struct Rollout {
  i64 prompt = 0;           // index among the run's prompts
  std::vector<i32> tokens;  // of the completion, its end token included; at least one
  std::string text;         // without the end token
  bool truncated = false;   // it came to no end
  f64 reward = 0;
  // By token:
  std::vector<f32> logp;       // of the policy that wrote it
  std::vector<f32> ref_logp;   // of the reference
  std::vector<f32> entropies;  // of the policy's distribution, nats
  std::vector<f32> values;     // of what stands before it, where the policy has a value head
};

struct RollOptions {
  i64 samples = 1;  // of a prompt
  i64 max_tokens = 256;
  u64 seed = 0;
  decode::ScoreOptions size = {};  // sequences at once, rows of a pass
};

class Roller {
 public:
  /// Borrows all; the engine reads the policy's weights and is this object's alone.
  Roller(model::Engine& engine, const text::Tokenizer& tokenizer, const RollOptions& options);

  /// Completions of the prompts that `picks` number, samples of each behind one another. first:
  /// number of the first pick in the run. The engine takes the policy's weights anew. Nothing when
  /// a stop was asked for. Throws Error{kData} naming the record where the model gives no
  /// distribution.
  std::optional<std::vector<Rollout>> roll(std::span<const Prompt> prompts,
                                           std::span<const i64> picks, i64 first,
                                           const StopToken& stop);

 private:
  model::Engine& engine_;
  RollOptions options_;
  decode::Generator generator_;
};

}  // namespace lm::align

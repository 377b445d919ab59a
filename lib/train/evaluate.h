#pragma once
// Loss on held-out shards: every token but a set's first is predicted once, in windows of the
// training length, in the order of the files; a rest that fills no window is left out. Of models of
// masked diffusion it is a bound: an estimate by counts (model/masking.h) of what mdlm and bd3
// minimise, by the same masks whenever it is asked for, of every token but a set's last.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/comm.h"
#include "core/context.h"
#include "graph/exec.h"
#include "model/build.h"
#include "model/checkpoint.h"
#include "text/tokenizer.h"
#include "train/data.h"
#include "train/objective_table.h"

namespace lm::train {

/// Bytes of text that each id stands for: what bits per byte divide by. Specials count nothing.
std::vector<i32> token_byte_table(const text::Tokenizer& tokenizer);

struct EvalResult {
  f64 loss = 0;  // nats per target
  i64 targets = 0;
  std::optional<f64> bits_per_byte;
  bool bound = false;  // loss is no less than that, in the mean (masked diffusion)
  f64 perplexity() const;
};

struct EvalOptions {
  i64 seq_len = 0;
  i64 micro_batch = 1;
  bool doc_mask = false;
  i64 max_tokens = 0;  // targets to look at, rounded up to whole windows; 0: all
  i64 prefix_len = 0;  // of each window: no targets (objective_jrt.h)
  u64 seed = 0;        // of drawn embeddings and masks
  /// ... tables that each window is predicted with, whose losses count alike; 0: one of a gaussian
  /// model, the learnt table of a semi one.
  i64 embed_draws = 0;
  i64 mask_draws = 1;  // of masked diffusion: estimates of each window
};

/// Sum of bits over bytes; nullopt without bytes.
std::optional<f64> bits_per_byte(f64 nats, i64 bytes);
/// Bytes of the targets that count.
i64 target_bytes(const std::vector<i32>& targets, const std::vector<i32>& table);

class Evaluator {
 public:
  /// Opens the shards (throws as ShardSource). weights: the model's, or what a trainer computes
  /// with, in backend's memory; activations have their type. All references outlive this;
  /// byte_table may be empty.
  Evaluator(const model::Model& model, const ParamSlab& weights, const Backend& backend,
            const std::vector<std::string>& manifests, const EvalOptions& options,
            std::vector<i32> byte_table, comm::Comm& comm, const Context& ctx);

  /// The ranks share the micro-batches: a collective call with the same result on all of them.
  /// nullopt when a stop was asked for meanwhile, on any of them.
  std::optional<EvalResult> run();
  const std::vector<text::ShardSet>& sets() const { return source_.sets(); }

 private:
  EvalOptions options_;
  comm::Comm& comm_;
  const Context& ctx_;
  ShardSource source_;
  std::vector<i32> byte_table_;
  i64 draws_ = 1;        // passes over a window
  bool masked_ = false;  // the loss is a bound, by masks
  std::unique_ptr<Objective> objective_;
  std::unique_ptr<TrainGraph> graph_;
  std::unique_ptr<Executor> executor_;
};

}  // namespace lm::train

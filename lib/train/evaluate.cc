#include "train/evaluate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "train/trainer.h"

namespace lm::train {

std::vector<i32> token_byte_table(const text::Tokenizer& tokenizer) {
  std::vector<i32> out(usize(tokenizer.vocab_size()));
  for (i64 id = 0; id < tokenizer.vocab_size(); ++id)
    out[usize(id)] = static_cast<i32>(tokenizer.token_bytes(static_cast<i32>(id)).size());
  return out;
}

std::optional<f64> bits_per_byte(f64 nats, i64 bytes) {
  if (bytes <= 0) return std::nullopt;
  return nats / (std::numbers::ln2 * static_cast<f64>(bytes));
}

i64 target_bytes(const std::vector<i32>& targets, const std::vector<i32>& table) {
  i64 bytes = 0;
  for (const i32 id : targets)
    if (id >= 0 && id < isize(table)) bytes += table[usize(id)];
  return bytes;
}

f64 EvalResult::perplexity() const {
  return std::exp(loss);
}

namespace {
ObjectiveOptions objective_of(const model::ModelCfg& cfg, const EvalOptions& options) {
  ObjectiveOptions out;
  out.doc_mask = options.doc_mask;
  if (options.prefix_len > 0) {
    out.name = "jrt";
    out.jrt = {.prefix = options.prefix_len, .share = 0};
  }
  if (cfg.embed.kind == model::EmbedKind::kGaussian || options.embed_draws > 0)
    out.drawn = {cfg.embed, cfg.vocab, cfg.width};
  if (!cfg.diffusion) return out;
  out.name = cfg.diffusion->block > 0 ? "bd3" : "mdlm";
  out.masked.mask = cfg.diffusion->mask;
  out.masked.block = cfg.diffusion->block;
  out.masked.held_out = true;
  return out;
}

/// Passes over a window.
i64 draws_of(const model::ModelCfg& cfg, const EvalOptions& options) {
  return std::max<i64>(1, cfg.diffusion ? options.mask_draws : options.embed_draws);
}

/// Bytes of the tokens that a window of masked diffusion is asked for: all that its rows have.
i64 window_bytes(const Examples& batch, i64 seq_len, const std::vector<i32>& table) {
  i64 bytes = 0;
  for (const Example& example : batch)
    bytes += target_bytes({example.tokens.begin(), example.tokens.begin() + seq_len}, table);
  return bytes;
}
}  // namespace

Evaluator::Evaluator(const model::Model& model, const ParamSlab& weights, const Backend& backend,
                     const std::vector<std::string>& manifests, const EvalOptions& options,
                     std::vector<i32> byte_table, comm::Comm& comm, const Context& ctx)
    : options_(options),
      comm_(comm),
      ctx_(ctx),
      source_(manifests, {.seq_len = options.seq_len,
                          .shuffle = false,
                          .boundaries = options.doc_mask,
                          .weights = {}}),
      byte_table_(std::move(byte_table)),
      draws_(draws_of(model.cfg, options)),
      masked_(model.cfg.diffusion.has_value()),
      objective_(make_objective(objective_of(model.cfg, options))) {
  TrainOptions shape;
  shape.seq_len = options.seq_len;
  shape.micro_batch = options.micro_batch;
  shape.activation = weights.dtype();
  graph_ = std::make_unique<TrainGraph>(model.cfg, *model.params, *objective_,
                                        forward_options(model.cfg, shape));
  ExecOptions exec;
  exec.record = true;
  executor_ = std::make_unique<Executor>(graph_->graph, backend, exec);
  graph_->model.bind(*executor_, weights);
}

std::optional<EvalResult> Evaluator::run() {
  i64 samples = source_.samples_per_epoch();
  if (options_.max_tokens > 0)
    samples = std::min(samples, (options_.max_tokens + options_.seq_len - 1) / options_.seq_len);
  std::array<f64, 3> sums = {0, 0, 0};  // nats, targets, bytes
  Examples batch;
  const i64 round = options_.micro_batch * comm_.size();
  for (i64 done = 0; done < samples; done += round) {
    f64 stop = ctx_.stop->requested() ? 1 : 0;
    comm_.all_reduce({&stop, 1});
    if (stop > 0) return std::nullopt;
    const i64 first = done + comm_.rank() * options_.micro_batch;
    if (first >= samples) continue;
    batch.clear();
    source_.seek({first, {}});
    source_.next(std::min(options_.micro_batch, samples - first), batch);
    for (i64 draw = 0; draw < draws_; ++draw) {
      FillCtx fill;
      fill.seed = options_.seed;
      fill.step = ~static_cast<u32>(draw);  // no step's
      sums[1] += objective_->fill(batch, fill, graph_->inputs);
      graph_->inputs.set(*executor_);
      executor_->run(RunCtx{});
      sums[0] += static_cast<f64>(executor_->scalar(graph_->loss.sum));
      if (byte_table_.empty()) continue;
      sums[2] += static_cast<f64>(masked_ ? window_bytes(batch, options_.seq_len, byte_table_)
                                          : target_bytes(graph_->inputs.targets, byte_table_));
    }
  }
  comm_.all_reduce(sums);
  EvalResult result;
  result.bound = masked_;
  result.targets = static_cast<i64>(sums[1]) / draws_;
  if (result.targets > 0) result.loss = sums[0] / sums[1];
  result.bits_per_byte = bits_per_byte(sums[0], static_cast<i64>(sums[2]));
  return result;
}

}  // namespace lm::train

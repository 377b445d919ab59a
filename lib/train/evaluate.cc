#include "train/evaluate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cpu/backend.h"
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

i64 target_bytes(const MicroBatch& micro, const std::vector<i32>& table) {
  i64 bytes = 0;
  for (const i32 id : micro.targets)
    if (id >= 0 && id < isize(table)) bytes += table[usize(id)];
  return bytes;
}

f64 EvalResult::perplexity() const {
  return std::exp(loss);
}

Evaluator::Evaluator(const model::Model& model, const std::vector<std::string>& manifests,
                     const EvalOptions& options, std::vector<i32> byte_table, const Context& ctx)
    : model_(model),
      options_(options),
      ctx_(ctx),
      source_(manifests, {.seq_len = options.seq_len,
                          .shuffle = false,
                          .boundaries = options.doc_mask,
                          .weights = {}}),
      byte_table_(std::move(byte_table)),
      micro_(options.micro_batch, options.seq_len, options.doc_mask) {
  TrainOptions shape;
  shape.seq_len = options.seq_len;
  shape.micro_batch = options.micro_batch;
  model::TrainGraph::Options graph = graph_options(model.cfg, shape);
  graph.backward = false;
  graph.build.trainable = false;
  graph_ = std::make_unique<model::TrainGraph>(model.cfg, *model.params, graph);
  executor_ = std::make_unique<Executor>(graph_->graph, cpu_backend());
  graph_->model.bind(*executor_, model_.weights);
  bind_micro_batch(*executor_, *graph_, micro_);
}

std::optional<EvalResult> Evaluator::run() {
  i64 samples = source_.samples_per_epoch();
  if (options_.max_tokens > 0)
    samples = std::min(samples, (options_.max_tokens + options_.seq_len - 1) / options_.seq_len);
  source_.seek({});
  EvalResult result;
  f64 nats = 0;
  i64 bytes = 0;
  SequenceBatch batch;
  for (i64 done = 0; done < samples; done += options_.micro_batch) {
    if (ctx_.stop->requested()) return std::nullopt;
    batch.clear();
    source_.next(std::min(options_.micro_batch, samples - done), batch);
    micro_.fill(batch, 0);
    executor_->run(RunCtx{});
    nats += static_cast<f64>(executor_->scalar(graph_->loss_sum));
    result.targets += micro_.target_count;
    if (!byte_table_.empty()) bytes += target_bytes(micro_, byte_table_);
  }
  if (result.targets > 0) result.loss = nats / static_cast<f64>(result.targets);
  result.bits_per_byte = bits_per_byte(nats, bytes);
  return result;
}

}  // namespace lm::train

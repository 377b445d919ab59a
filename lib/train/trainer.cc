#include "train/trainer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"

namespace lm::train {

std::vector<i32> muon_params(const model::ModelCfg& cfg, const ParamSet& set,
                             const TrainOptions& options) {
  std::vector<i32> out;
  if (!options.muon) return out;
  for (const MuonMatrix& matrix : muon_matrices(cfg, set))
    if (out.empty() || out.back() != matrix.param) out.push_back(matrix.param);
  return out;
}

TrainGraph::Options graph_options(const model::ModelCfg& cfg, const TrainOptions& options) {
  if (cfg.position == model::PositionKind::kLearned && options.seq_len > cfg.context)
    throw Error(ErrorKind::kUsage,
                cat("sequences of ", options.seq_len, " tokens, but the model has ", cfg.context,
                    " learned positions"),
                cat("--seq-len ", cfg.context, " or less"));
  TrainGraph::Options out;
  out.slots = options.micro_batch;
  out.seq_len = options.seq_len;
  out.build.trainable = true;
  out.build.dropout = options.dropout;
  out.build.moe = options.moe;
  out.routers = options.routers;
  out.build.checkpoint = options.recompute;
  out.build.positions = options.seq_len;
  out.build.activation = options.activation;
  return out;
}

TrainGraph::Options forward_options(const model::ModelCfg& cfg, const TrainOptions& options) {
  TrainGraph::Options out = graph_options(cfg, options);
  out.backward = false;
  out.build.trainable = false;
  out.build.checkpoint = {};
  out.build.dropout = 0;
  return out;
}

f64 useful_flops_per_token(const model::ModelCfg& cfg, i64 seq_len) {
  f64 sum =
      6 * static_cast<f64>((cfg.scores > 0 ? cfg.scores : cfg.vocab) * cfg.width);  // the head
  for (const model::LayerCfg& layer : cfg.layers)
    sum += model::layer_flops(layer, cfg.width, seq_len);
  if (!cfg.lora) return sum;
  const ParamSet set = model::make_params(cfg).set;
  f64 frozen = static_cast<f64>(cfg.vocab * cfg.width);  // matrices that have no gradient
  for (const ParamInfo& info : set.list())
    if (!info.trainable && info.name.starts_with("blocks.") && info.shape.rank == 2)
      frozen += static_cast<f64>(info.count) * model::active_share(cfg, info.name);
  return sum - 2 * frozen + 6 * static_cast<f64>(set.trained_count());
}

f64 useful_flops_per_token(const model::ModelCfg& cfg, const Objective& objective, i64 seq_len) {
  const f64 rows = static_cast<f64>(objective.slot_rows(seq_len)) /
                   static_cast<f64>(objective.slot_tokens(seq_len));
  const f64 head = 6 * static_cast<f64>(cfg.vocab * cfg.width);  // of one of them
  return rows * useful_flops_per_token(cfg, objective.seen_rows(seq_len)) - (rows - 1) * head;
}

Trainer::Trainer(model::Model& model, const TrainOptions& options, comm::Comm& comm,
                 const Context& ctx, const Backend& backend)
    : model_(model),
      options_(options),
      comm_(comm),
      ctx_(ctx),
      backend_(backend),
      grads_(model.params->set, comm.size(), backend, DType::kF32, SlabOf::kTrained),
      optimizer_(model.params->set, options.adamw, comm.size(), backend,
                 muon_params(model.cfg, model.params->set, options)),
      objective_(make_objective(options.objective)) {
  LM_CHECK(options.batch % (options.micro_batch * comm.size()) == 0,
           "a step is a whole number of micro-batches on every rank");
  LM_CHECK(comm.size() == 1 || (on_host() && options.activation == DType::kF32),
           "several ranks compute in f32 in host memory");
  const ParamSet& set = model.params->set;
  LM_CHECK(comm.size() == 1 || !options.muon, "one process has whole matrices");
  if (options.muon)
    muon_ = std::make_unique<Muon>(
        model.cfg, set, MuonOptions{options.muon_momentum, options.adamw.weight_decay}, backend);
  if (!on_host()) master_ = ParamSlab(set, comm.size(), backend);
  if (options.activation == DType::kBf16)
    half_ = ParamSlab(set, comm.size(), backend, DType::kBf16);
  take_weights();
  graph_ = std::make_unique<TrainGraph>(model.cfg, *model.params, *objective_,
                                        graph_options(model.cfg, options));
  ExecOptions exec;
  exec.check_nan = options.check_nan;
  exec.profile = options.profile;
  exec.record = true;
  executor_ = make_executor(graph_->graph, exec);
  graph_->model.bind(*executor_, compute_weights());
  executor_->bind_grads([this](i32 index) { return grads_[index]; });
  if (objective_->before() != nullptr) {
    before_ = std::make_unique<TrainGraph>(model.cfg, *model.params, *objective_->before(),
                                           forward_options(model.cfg, options));
    before_executor_ = make_executor(before_->graph, exec);
    before_->model.bind(*before_executor_, compute_weights());
  }
  if (!options.dump_node.empty())
    dump_ = dump_hook(graph_->graph, backend, options.dump_node, options.dump_path);
}

i64 Trainer::step_tokens() const {
  return options_.batch * objective_->slot_tokens(options_.seq_len);
}

std::unique_ptr<Executor> Trainer::make_executor(const Graph& graph,
                                                 const ExecOptions& exec) const {
  try {
    return std::make_unique<Executor>(graph, backend_, exec);
  } catch (const Error& e) {
    if (on_host() || e.kind() != ErrorKind::kOs) throw;
    throw Error(e.kind(),
                cat("activations of a micro-batch of ", options_.micro_batch, " x ",
                    options_.seq_len, " tokens: ", e.message()),
                "a smaller --micro-batch, or --recompute block, needs less; --plan tells how much");
  }
}

const ParamSlab& Trainer::compute_weights() const {
  return options_.activation == DType::kBf16 ? half_ : master();
}

void Trainer::fetch(ParamSlab& weights, ParamSlab& m, ParamSlab& v) const {
  backend_.to_host(weights.data(), master().data(), weights.bytes());
  backend_.to_host(m.data(), optimizer_.m().data(), m.bytes());
  backend_.to_host(v.data(), optimizer_.v().data(), v.bytes());
}

void Trainer::take_weights() {
  if (!on_host()) backend_.to_device(master_.data(), model_.weights.data(), master_.bytes());
  if (options_.activation == DType::kBf16)
    backend_.round_to_bf16(half_.elements(), master().data(), half_.bf16_data());
}

void Trainer::fail_step(const StepResult& result) const {
  throw comm::CommonError(
      ErrorKind::kData,
      cat("step ", counters.step + 1, ": loss ", result.loss, ", gradient norm ", result.grad_norm,
          ", expected finite numbers",
          counters.skipped_in_row > 0 ? cat(" (", counters.skipped_in_row + 1, " steps in a row)")
                                      : std::string()),
      "a lower --lr or more --warmup helps a diverging run; --check nan names the first "
      "operator that fails");
}

void Trainer::gather_moments() {
  if (comm_.size() == 1) return;
  for (ParamSlab* slab : {&optimizer_.m(), &optimizer_.v()})
    comm_.gather({slab->data(), usize(slab->elements())}, 0);
}

void Trainer::share_state() {
  if (comm_.size() == 1) return;
  const ParamSlab& weights = model_.weights;
  comm_.broadcast({reinterpret_cast<u8*>(weights.data()), usize(weights.elements() * 4)}, 0);
  for (ParamSlab* slab : {&optimizer_.m(), &optimizer_.v()})
    comm_.scatter({slab->data(), usize(slab->elements())}, 0);
}

void Trainer::run_graph(const RunCtx& run) {
  try {
    if (!dump_) return executor_->run(run);
    executor_->run(run, std::exchange(dump_, nullptr));
  } catch (const Error& e) {
    // What the check finds is the run's numbers, not our invariant.
    if (!options_.check_nan || e.kind() != ErrorKind::kInternal) throw;
    throw Error(ErrorKind::kData, cat("step ", counters.step + 1, ": ", e.message()));
  }
  if (!io::path_exists(options_.dump_path))
    throw Error(ErrorKind::kUsage, cat(quote(options_.dump_node),
                                       " is not computed: an input or a weight, or unused"));
}

std::span<const Example> Trainer::part(std::span<const Example> batch, i64 round) const {
  return batch.subspan(usize(number(round) * options_.micro_batch), usize(options_.micro_batch));
}

std::optional<f64> Trainer::mean_before(std::span<const Example> batch) {
  if (!before_) return 0;
  std::array<f64, 3> sums = {0, 0, 0};  // values, normaliser, stop requests
  const i64 rounds = options_.batch / (options_.micro_batch * comm_.size());
  for (i64 round = 0; round < rounds && sums[2] == 0; ++round) {
    const FillCtx ctx{options_.seed, static_cast<u32>(counters.step),
                      static_cast<u32>(number(round)), 0};
    sums[1] += objective_->before()->fill(part(batch, round), ctx, before_->inputs);
    before_->inputs.set(*before_executor_);
    before_executor_->run(RunCtx{});
    sums[0] += static_cast<f64>(before_executor_->scalar(before_->loss.sum));
    if (ctx_.stop->requested()) sums[2] = 1;
  }
  comm_.all_reduce(sums);
  if (sums[2] > 0) return std::nullopt;
  return sums[1] > 0 ? sums[0] / sums[1] : 0;
}

StepResult Trainer::step(std::span<const Example> batch) {
  const StepResult result = update(batch);
  if (!result.stopped) ++counters.step;
  return result;
}

StepResult Trainer::step_of(std::span<const Examples> updates) {
  LM_CHECK(!updates.empty(), "a step has an update");
  const i64 micro_steps = options_.batch / options_.micro_batch;
  const f64 share = 1 / static_cast<f64>(isize(updates));
  StepResult out;
  for (i64 u = 0; u < isize(updates); ++u) {
    const StepResult one = update(updates[usize(u)], u * micro_steps, u == 0);
    if (one.stopped) return one;
    if (u == 0) {
      out = one;
      out.loss = out.grad_norm = 0;
      for (auto& metric : out.metrics)
        metric.second = 0;
    } else {
      out.loss_sum += one.loss_sum;
      out.targets += one.targets;
    }
    out.skipped = out.skipped || one.skipped;
    out.layers = one.layers;
    out.loss += share * one.loss;
    out.grad_norm += share * one.grad_norm;
    for (std::size_t i = 0; i < out.metrics.size(); ++i)
      out.metrics[i].second += share * one.metrics[i].second;
  }
  ++counters.step;
  return out;
}

StepResult Trainer::update(std::span<const Example> batch, i64 before_micro, bool heeded) {
  LM_CHECK(isize(batch) == options_.batch, "a step takes options.batch examples");
  StepResult result;
  result.lr = options_.schedule.lr(counters.step);
  const std::optional<f64> before = mean_before(batch);
  if (!before) {
    result.stopped = true;
    return result;
  }
  backend_.zero(grads_.data(), grads_.bytes());
  const i64 rounds = options_.batch / (options_.micro_batch * comm_.size());
  RunCtx run;
  run.seed = options_.seed;
  run.step = static_cast<u32>(counters.step);
  run.training = true;
  const std::vector<LossMetric>& metrics = graph_->loss.metrics;
  // Loss, targets, stop requests, metrics, routers.
  const i64 routers_at = 3 + 2 * isize(metrics);
  std::vector<f64> sums(usize(routers_at + router_numbers(graph_->routers)));
  for (i64 round = 0; round < rounds && sums[2] == 0; ++round) {
    const std::span<const Example> some = part(batch, round);
    if (std::all_of(some.begin(), some.end(), [](const Example& e) { return e.tokens.empty(); }))
      continue;
    run.micro_step = static_cast<u32>(before_micro + number(round));
    const f64 share =
        objective_->fill(some, {run.seed, run.step, run.micro_step, *before}, graph_->inputs);
    graph_->weigh(share);
    graph_->inputs.set(*executor_);
    run_graph(run);
    add_router_numbers(graph_->routers, *executor_, std::span(sums).subspan(usize(routers_at)));
    sums[0] += static_cast<f64>(executor_->scalar(graph_->loss.sum));
    sums[1] += share;
    for (i64 i = 0; i < isize(metrics); ++i) {
      const LossMetric& m = metrics[usize(i)];
      sums[usize(3 + 2 * i)] += static_cast<f64>(executor_->scalar(m.sum));
      sums[usize(4 + 2 * i)] += m.weight ? static_cast<f64>(executor_->scalar(m.weight)) : share;
    }
    if (heeded && ctx_.stop->requested()) sums[2] = 1;
  }
  comm_.all_reduce(sums);
  // A stop request after the last micro-batch is seen at the step's end by the caller.
  if (sums[2] > 0) {
    result.stopped = true;
    return result;
  }
  result.loss_sum = sums[0];
  result.targets = static_cast<i64>(sums[1]);
  const f64 mean = sums[1] > 0 ? 1 / sums[1] : 0;
  result.loss = sums[0] * mean;
  for (i64 i = 0; i < isize(metrics); ++i)
    result.metrics.emplace_back(metrics[usize(i)].name,
                                sums[usize(3 + 2 * i)] / sums[usize(4 + 2 * i)]);
  const std::span<const f64> routed = std::span(sums).subspan(usize(routers_at));
  result.layers = router_figures(graph_->routers, routed);
  if (comm_.size() > 1) comm_.reduce_scatter({grads_.data(), usize(grads_.elements())});
  const comm::Part part = comm::own_part(comm_, grads_.elements());
  result.grad_norm = gradient_norm(grads_, part, comm_, backend_) * mean;
  if (!std::isfinite(result.loss) || !std::isfinite(result.grad_norm)) {
    if (options_.on_non_finite == OnNonFinite::kStop || counters.skipped_in_row + 1 >= kMostSkips)
      fail_step(result);
    result.skipped = true;
    ++counters.skipped;
    ++counters.skipped_in_row;
  } else {
    ++counters.updates;
    optimizer_.update(counters.updates, result.lr,
                      mean * clip_scale(result.grad_norm, options_.clip), grads_, master(),
                      options_.activation == DType::kBf16 ? &half_ : nullptr, part);
    if (muon_)
      muon_->update(result.lr, mean * clip_scale(result.grad_norm, options_.clip), grads_, master(),
                    options_.activation == DType::kBf16 ? &half_ : nullptr, optimizer_.m());
    if (comm_.size() > 1) comm_.all_gather({master().data(), usize(grads_.elements())});
    if (options_.routers.bias_update > 0)
      move_biases(graph_->routers, routed, options_.routers.bias_update, model_.params->set,
                  master());
    counters.skipped_in_row = 0;
  }
  for (const Example& example : batch)
    counters.tokens += objective_->tokens_read(example);
  return result;
}

}  // namespace lm::train

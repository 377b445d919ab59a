#include "train/run.h"

#include <cmath>

#include "core/clock.h"
#include "core/error.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::train {

Run::Run(const RunFolder& folder, Trainer& trainer, Evaluator* evaluator, RunOptions options,
         const std::optional<TrainState>& from, const Context& ctx)
    : folder_(folder),
      trainer_(trainer),
      evaluator_(evaluator),
      options_(std::move(options)),
      ctx_(ctx),
      checkpointer_(folder, trainer, options_.save_in_background),
      flops_per_token_(useful_flops_per_token(trainer.model().cfg, trainer.objective(),
                                              trainer.options().seq_len)) {
  if (writes())
    metrics_.emplace(options_.metrics_path, from ? from->counters.step : 0, options_.files.output);
  if (!from) return;
  data_ = from->data;
  eval_ = from->eval;
  best_ = from->best;
  last_loss_ = from->loss;
  if (agreed(writes() && io::path_exists(folder.step_path(from->counters.step))))
    saved_step_ = from->counters.step;
  // A kill between a checkpoint and its name as the best.
  if (writes() && options_.keep_best && best_ && io::path_exists(folder.step_path(best_->step)))
    folder.point("best", best_->step);
}

bool Run::agreed(bool mine) const {
  f64 votes = mine ? 1 : 0;
  trainer_.comm().all_reduce({&votes, 1});
  return votes > 0;
}

std::string Run::status() const {
  const std::lock_guard<std::mutex> lock(status_mutex_);
  return status_;
}

void Run::log_step(std::span<const Example> batch, const StepResult& result, i64 rows,
                   f64 seconds) {
  const TrainOptions& train = trainer_.options();
  const TrainCounters& counters = trainer_.counters;
  StepSpeed speed;
  speed.seconds = seconds;
  speed.tokens_per_s = static_cast<f64>(rows) / seconds;
  if (options_.peak_flops > 0)
    speed.of_peak = speed.tokens_per_s * flops_per_token_ / options_.peak_flops;
  const f64 left_s = static_cast<f64>(options_.steps - counters.step) * seconds;
  {
    const std::lock_guard<std::mutex> lock(status_mutex_);
    status_ = cat("step ", counters.step, "/", options_.steps, "  loss ",
                  format_fixed(result.loss, 4), "  ", format_count(speed.tokens_per_s),
                  " tokens/s  ", format_fixed(100 * speed.of_peak, 1), "% of peak  ",
                  format_fixed(left_s / 60, 1), " min left");
  }
  const bool due = counters.step % options_.log_every == 0 || finished() || result.skipped;
  if (!due || !metrics_) return;
  std::optional<f64> bpb;
  if (!options_.byte_table.empty() && !batch.empty() && trainer_.objective().is_cross_entropy()) {
    RowInputs counted(isize(batch), train.seq_len);
    trainer_.objective().fill(batch, {}, counted);
    bpb = bits_per_byte(result.loss_sum, target_bytes(counted.targets, options_.byte_table));
  }
  metrics_->append(step_line(counters, result, speed, bpb));
}

bool Run::evaluated() const {
  return evaluator_ == nullptr || (eval_ && eval_->step == trainer_.counters.step);
}

bool Run::evaluation_due() const {
  const i64 step = trainer_.counters.step;
  return options_.eval_every > 0 && step > 0 && step % options_.eval_every == 0 && !evaluated();
}

void Run::evaluate() {
  const TrainCounters& counters = trainer_.counters;
  if (evaluated()) return;
  const std::optional<EvalResult> result = evaluator_->run();
  if (!result) return;  // a stop was asked for: the resumed run evaluates before its first step
  eval_ = HeldOutLoss{result->loss, counters.step};
  if (saved_step_ == counters.step) saved_step_ = -1;  // that checkpoint lacks the result
  if (metrics_) metrics_->append(eval_line(counters, *result));
  ctx_.log->message(LogLevel::kInfo, cat("step ", counters.step, ": held-out loss ", result->loss));
  if (!std::isfinite(result->loss) || (best_ && result->loss >= best_->loss)) return;
  best_ = eval_;
  if (!options_.keep_best) return;
  save(true, false);
}

std::string Run::training_json() const {
  std::string out = options_.training_head;
  const TrainCounters& counters = trainer_.counters;
  append(out, ",\"step\":", counters.step, ",\"tokens\":", counters.tokens, ",\"loss\":");
  if (last_loss_)
    io::append_json_number(out, *last_loss_);
  else
    out += "null";
  if (eval_) {
    out += ",\"eval_loss\":";
    io::append_json_number(out, eval_->loss);
  }
  return out + "}\n";
}

std::vector<i64> Run::needed(i64 step) const {
  std::vector<i64> out = {step};
  if (options_.keep_best && best_) out.push_back(best_->step);
  return out;
}

void Run::save(bool best, bool now) {
  const i64 step = trainer_.counters.step;
  if (now) checkpointer_.wait();
  if (saved_step_ == step) return;
  trainer_.gather_moments();
  if (writes()) {
    CheckpointJob job;
    job.state.counters = trainer_.counters;
    job.state.seed = trainer_.options().seed;
    job.state.world_size = trainer_.comm().size();
    job.state.data = data_;
    job.state.eval = eval_;
    job.state.best = best_;
    if (last_loss_ && std::isfinite(*last_loss_)) job.state.loss = last_loss_;
    job.state.params = options_.params;
    job.files = options_.files;
    job.files.training_json = training_json();
    job.best = best;
    job.keep = options_.keep;
    job.keep_every = options_.keep_every;
    job.protect = needed(step);
    // Of the run that this one extends, until there is another.
    if (const std::optional<i64> last = folder_.final_step()) job.protect.push_back(*last);
    checkpointer_.save(job, now);
  }
  trainer_.comm().barrier();
  saved_step_ = step;
}

void Run::stop() {
  save(false, true);
  throw comm::CommonError(ErrorKind::kTemporary,
                          cat("stopped at step ", trainer_.counters.step, " of ", options_.steps,
                              ", state saved in ", folder_.step_path(trainer_.counters.step)),
                          "the same command goes on from there");
}

void Run::take(std::span<const Example> batch, const DataState& after) {
  take([&] { return trainer_.step(batch); }, batch, after);
}

void Run::take(const std::function<StepResult()>& step, const DataState& after) {
  take(step, {}, after);
}

void Run::take(const std::function<StepResult()>& make_step, std::span<const Example> batch,
               const DataState& after) {
  checkpointer_.check();
  if (evaluation_due()) evaluate();
  const f64 start_s = monotonic_s();
  const i64 tokens = trainer_.counters.tokens;
  const StepResult result = make_step();
  if (result.stopped) stop();
  data_ = after;
  last_loss_ = result.loss;
  if (result.skipped)
    ctx_.log->message(LogLevel::kWarning,
                      cat("step ", trainer_.counters.step, ": loss ", result.loss,
                          ", gradient norm ", result.grad_norm, "; update skipped"));
  // With padding where rows are the step's measure of work.
  const i64 rows = batch.empty() ? trainer_.counters.tokens - tokens : trainer_.step_tokens();
  log_step(batch, result, rows, monotonic_s() - start_s);
  const i64 step = trainer_.counters.step;
  if (evaluation_due()) evaluate();
  if (options_.save_every > 0 && step % options_.save_every == 0 && !finished()) save(false, false);
  if (agreed(ctx_.stop->requested())) stop();
}

void Run::finish() {
  evaluate();
  if (!evaluated()) stop();  // a stop was asked for meanwhile
  save(false, true);
  if (!writes()) return;
  const i64 step = trainer_.counters.step;
  folder_.link_final(step);
  if (options_.keep > 0) folder_.retire(options_.keep - 1, options_.keep_every, needed(step));
}

}  // namespace lm::train

#include "flow/measure.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <utility>

#include "core/str.h"
#include "flow/scheduler.h"

namespace lm::flow {

using text::Value;

namespace {

std::vector<Value> fields_of(const Graph& graph, const Instance& instance) {
  std::vector<Value> out;
  for (const std::string& path : graph.fields) {
    for (const auto& [key, value] : instance.fields)
      if (key.str() == path) out.push_back(value);
  }
  return out;
}

/// Runs instances, one call after the other.
class Runner {
 public:
  Runner(answer::Answerer& answerer, const MeasureOptions& options)
      : options_(options),
        count_([&answerer](const std::string& text) { return answerer.count_tokens(text); }),
        scheduler_(answerer, {1, options.call_time ? nullptr : options.clock}) {}

  const CountTokens& count() const { return count_; }
  MemoryBudget* memory() const { return options_.memory; }

  /// id: keys the draws of its calls.
  Outcome run(const Graph& graph, const Instance& instance, const std::string& id) {
    scheduler_.add(std::make_unique<RecordFlow>(
        graph, id, fields_of(graph, instance),
        FlowOptions{.seed = options_.seed, .count_tokens = count_, .memory = options_.memory}));
    std::optional<Outcome> out;
    while (!(out = scheduler_.take()))
      LM_CHECK(scheduler_.step(), "a record ends");
    if (out->fault) throw Error(ErrorKind::kData, cat("instance ", id, ": ", out->fault->detail));
    if (options_.call_time) set_seconds(*out, *options_.call_time, true);
    return std::move(*out);
  }

  void note_progress(i64 all) {
    ++done_;
    if (options_.progress) options_.progress(done_, all);
  }

 private:
  const MeasureOptions& options_;
  CountTokens count_;
  Scheduler scheduler_;
  i64 done_ = 0;
};

void add_samples(Runner& runner, const Graph& graph, Problem problem, const Instance& instance,
                 i64 size, std::vector<CallSample>& out) {
  const PlannedRecord planned =
      plan_record(graph, problem, instance, runner.count(), runner.memory());
  std::map<std::string, const PlannedCall*> by_name;
  for (const PlannedCall& call : planned.calls)
    by_name[call.name] = &call;
  const Outcome outcome = runner.run(graph, instance, instance.id);
  for (const CallRecord& call : outcome.calls) {
    const auto found = by_name.find(call.name);
    if (found == by_name.end() || call.retry) continue;
    const PlannedCall& plan = *found->second;
    // The last call of a whole graph is calibrated on its own, with all it needs.
    if (plan.last && size > 0) continue;
    CallSample& sample = out.emplace_back();
    sample.size = size > 0 ? size : plan.size;
    sample.needles = plan.needles;
    sample.last = plan.last;
    sample.truth = plan.truth;
    sample.value = call.value;
    sample.tokens = call.tokens;
    sample.extra_tokens = call.tokens.prefill - plan.prompt_tokens;
    sample.seconds = call.seconds.value_or(0);
  }
}

/// The sentences that the last call of kMultiNeedle answers from.
Instance last_instance(u64 seed, i64 number) {
  const InstanceOptions whole{.length = 1000};
  Instance out = make_instance(Problem::kMultiNeedle, whole, seed, number);
  answer::Request request;
  Value meta((text::ValueMap()));
  meta.set(Value("item"), out.fields[0].second);
  meta.set(Value("question"), out.fields[1].second);
  request.meta = text::to_json(meta);
  const std::optional<PerfectReply> notes = perfect_reply(Problem::kMultiNeedle, request);
  LM_CHECK(notes.has_value(), "notes of the instance");
  out.fields = {{Value("notes"), notes->value}, out.fields[1]};
  return out;
}

/// The instances that calibrate. They run trial by trial over all sizes, so that a machine that
/// changes its speed does so for all of them; what they show is in the order of the sizes.
class Calibrating {
 public:
  Calibrating(const answer::Answerer& answerer, std::vector<i64> sizes, i64 trials,
              const MeasureOptions& options)
      : options_(options) {
    std::sort(sizes.begin(), sizes.end());
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    out_.problem = options.problem;
    out_.answerer_key = answerer.key();
    out_.seed = options.seed;
    out_.trials = trials;
    out_.sizes = sizes;
    const bool last = options.problem == Problem::kMultiNeedle;
    const bool needles = last || options.problem == Problem::kNeedle;
    for (const i64 size : sizes) {
      graphs_.push_back(options.graph(size));
      for (const bool target : {true, false})
        if (target || needles) kinds_.push_back({isize(graphs_) - 1, size, target});
    }
    if (last) {
      graphs_.push_back(parse_graph(*builtin_graph("multineedle_final"), "multineedle_final"));
      kinds_.push_back({isize(graphs_) - 1, 0, true});
    }
    samples_.resize(usize(count()));
  }

  i64 count() const { return isize(kinds_) * out_.trials; }
  void run(Runner& runner, i64 turn) {
    const i64 kind = turn % isize(kinds_);
    const i64 trial = turn / isize(kinds_);
    const Kind& k = kinds_[usize(kind)];
    // Pieces have their target anywhere.
    const InstanceOptions piece{
        .length = k.size, .target = k.target, .needles = 1, .depth_low = 0, .depth_high = 1};
    const i64 number = calibration_number(trial);
    const Instance instance = k.size > 0
                                  ? make_instance(options_.problem, piece, options_.seed, number)
                                  : last_instance(options_.seed, number);
    add_samples(runner, graphs_[usize(k.graph)], options_.problem, instance, k.size,
                samples_[usize(kind * out_.trials + trial)]);
  }
  Calibration finish() {
    for (std::vector<CallSample>& some : samples_)
      std::move(some.begin(), some.end(), std::back_inserter(out_.samples));
    out_.time = fit_time(out_.samples);
    return std::move(out_);
  }

 private:
  struct Kind {
    i64 graph = 0;
    i64 size = 0;  // 0: the call that answers from what others extracted
    bool target = true;
  };
  const MeasureOptions& options_;
  Calibration out_;
  std::vector<Graph> graphs_;
  std::vector<Kind> kinds_;
  std::vector<std::vector<CallSample>> samples_;  // by kind and trial
};

}  // namespace

Calibration calibrate(answer::Answerer& answerer, const std::vector<i64>& sizes,
                      const MeasureOptions& options) {
  Runner runner(answerer, options);
  Calibrating all(answerer, sizes, options.trials, options);
  for (i64 turn = 0; turn < all.count(); ++turn) {
    all.run(runner, turn);
    runner.note_progress(all.count());
  }
  return all.finish();
}

std::vector<PlannedRecord> plan_instances(const Graph& graph, i64 length,
                                          const MeasureOptions& options, const CountTokens& count) {
  std::vector<PlannedRecord> out;
  const InstanceOptions whole{.length = length, .target = options.target};
  for (i64 t = 0; t < options.trials; ++t)
    out.push_back(plan_record(graph, options.problem,
                              make_instance(options.problem, whole, options.seed, check_number(t)),
                              count, options.memory));
  return out;
}

namespace {

/// The runs of one (n, m).
struct Runs {
  i64 n = 0;
  i64 m = 0;
  Graph graph;
  std::vector<PlannedRecord> planned;
  std::vector<Outcome> outcomes;
  f64 error = 0;  // summed
};

void run_trial(Runner& runner, i64 trial, const MeasureOptions& options, Runs& runs) {
  const InstanceOptions whole{.length = runs.n, .target = options.target};
  const Instance instance =
      make_instance(options.problem, whole, options.seed, check_number(trial));
  // Errors of other sizes are other draws.
  Outcome outcome = runner.run(runs.graph, instance, cat(instance.id, "-", runs.m));
  const i64 winners = runs.graph.find("winners");
  const Value* const tied = winners >= 0 ? &outcome.values[usize(winners)] : nullptr;
  runs.error += errors_of(options.problem, instance.answer, outcome.answer, tied, runs.n)[0].second;
  runs.outcomes.push_back(std::move(outcome));
}

/// Whether calls, and tokens of prompts that no reply shapes, are those planned.
std::pair<bool, bool> exact(const Runs& runs, i64 extra) {
  bool calls = true;
  bool prefill = true;
  for (std::size_t t = 0; t < runs.outcomes.size(); ++t) {
    const Outcome& outcome = runs.outcomes[t];
    const PlannedRecord& plan = runs.planned[t];
    calls = calls && outcome.calls.size() == plan.calls.size();
    for (std::size_t i = 0; i < std::min(outcome.calls.size(), plan.calls.size()); ++i) {
      const PlannedCall& call = plan.calls[i];
      if (call.last) continue;  // its prompt is made of replies
      prefill = prefill && outcome.calls[i].tokens.prefill == call.prompt_tokens + extra;
    }
  }
  return {calls, prefill};
}

Measured measured_of(const Runs& runs, i64 workers, bool blocks) {
  Measured out;
  out.error = runs.error / static_cast<f64>(runs.outcomes.size());
  for (const Outcome& outcome : runs.outcomes) {
    const CostFigures cost = cost_of(outcome, workers, std::nullopt);
    out.calls += static_cast<f64>(cost.calls);
    out.prefill += static_cast<f64>(cost.tokens.prefill);
    out.decode += static_cast<f64>(cost.tokens.decode);
    out.latency += cost.latency;
    out.latency_p += (blocks ? cost.latency_block : cost.latency_p);
  }
  for (f64* const mean : {&out.calls, &out.prefill, &out.decode, &out.latency, &out.latency_p})
    *mean /= static_cast<f64>(runs.outcomes.size());
  return out;
}

bool near(f64 predicted, f64 measured, f64 tolerance) {
  return std::abs(predicted - measured) <= tolerance * measured;
}

std::vector<Runs> all_runs(Runner& runner, const CheckOptions& cells,
                           const MeasureOptions& options) {
  std::vector<Runs> out;
  for (const i64 n : cells.lengths)
    for (const i64 m : cells.sizes) {
      Runs& runs = out.emplace_back(Runs{n, m, options.graph(m), {}, {}, 0});
      runs.planned = plan_instances(runs.graph, n, options, runner.count());
    }
  return out;
}

CheckResult result_of(const std::vector<Runs>& all, const Calibration& calibration,
                      const CheckOptions& cells) {
  const Predictor predictor(calibration);
  const i64 extra = extra_tokens(calibration, false).value_or(0);
  CheckResult out;
  i64 inside = 0;
  i64 decode_inside = 0;
  for (const Runs& runs : all) {
    const auto [calls_exact, prefill_exact] = exact(runs, extra);
    for (const i64 p : cells.workers) {
      PredictOptions predict = cells.predict;
      predict.workers = p;
      CheckCell cell{.n = runs.n, .m = runs.m, .p = p};
      cell.predicted = predictor.predict(runs.planned, runs.n, predict);
      cell.measured = measured_of(runs, p, predict.blocks);
      cell.calls_exact = calls_exact;
      cell.prefill_exact = prefill_exact;
      cell.decode_inside = cell.predicted.decode.holds(cell.measured.decode);
      const f64 tolerance = cells.latency_tolerance;
      cell.latency_near = near(cell.predicted.latency.mean, cell.measured.latency, tolerance) &&
                          near(cell.predicted.latency_p.mean, cell.measured.latency_p, tolerance);
      cell.error_inside = cell.predicted.error.holds(cell.measured.error);
      out.calls = out.calls && cell.calls_exact;
      out.prefill = out.prefill && cell.prefill_exact;
      out.latency = out.latency && cell.latency_near;
      inside += cell.error_inside ? 1 : 0;
      decode_inside += cell.decode_inside ? 1 : 0;
      out.cells.push_back(std::move(cell));
    }
  }
  const f64 count = static_cast<f64>(std::max<i64>(isize(out.cells), 1));
  out.error_share = static_cast<f64>(inside) / count;
  out.decode_share = static_cast<f64>(decode_inside) / count;
  out.error = out.error_share >= cells.error_share;
  return out;
}

}  // namespace

CheckResult check(answer::Answerer& answerer, const Calibration& calibration,
                  const CheckOptions& cells, const MeasureOptions& options) {
  Runner runner(answerer, options);
  std::vector<Runs> all = all_runs(runner, cells, options);
  for (i64 t = 0; t < options.trials; ++t)
    for (Runs& runs : all) {
      run_trial(runner, t, options, runs);
      runner.note_progress(isize(all) * options.trials);
    }
  return result_of(all, calibration, cells);
}

CheckResult calibrate_and_check(answer::Answerer& answerer, const std::vector<i64>& sizes,
                                i64 calibrating_trials, const CheckOptions& cells,
                                const MeasureOptions& options, Calibration& calibration) {
  Runner runner(answerer, options);
  Calibrating calls(answerer, sizes, calibrating_trials, options);
  std::vector<Runs> all = all_runs(runner, cells, options);
  const i64 total = calls.count() + isize(all) * options.trials;
  for (i64 t = 0, turn = 0; t < options.trials; ++t) {
    for (; turn < calls.count() * (t + 1) / options.trials; ++turn) {
      calls.run(runner, turn);
      runner.note_progress(total);
    }
    for (Runs& runs : all) {
      run_trial(runner, t, options, runs);
      runner.note_progress(total);
    }
  }
  calibration = calls.finish();
  return result_of(all, calibration, cells);
}

}  // namespace lm::flow

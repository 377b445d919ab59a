#include "flow/measure.h"

#include <algorithm>
#include <cmath>
#include <map>

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
                 i64 size, Calibration& out) {
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
    CallSample& sample = out.samples.emplace_back();
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

}  // namespace

Calibration calibrate(answer::Answerer& answerer, const std::vector<i64>& sizes,
                      const MeasureOptions& options) {
  const bool needles =
      options.problem == Problem::kNeedle || options.problem == Problem::kMultiNeedle;
  const bool last = options.problem == Problem::kMultiNeedle;
  Calibration out;
  out.problem = options.problem;
  out.answerer_key = answerer.key();
  out.seed = options.seed;
  out.trials = options.trials;
  out.sizes = sizes;
  std::sort(out.sizes.begin(), out.sizes.end());
  out.sizes.erase(std::unique(out.sizes.begin(), out.sizes.end()), out.sizes.end());
  const i64 all =
      (needles ? 2 : 1) * options.trials * isize(out.sizes) + (last ? options.trials : 0);
  Runner runner(answerer, options);
  for (const i64 size : out.sizes) {
    const Graph graph = options.graph(size);
    for (const bool target : {true, false}) {
      if (!target && !needles) continue;
      // Pieces have their target anywhere.
      const InstanceOptions piece{
          .length = size, .target = target, .needles = 1, .depth_low = 0, .depth_high = 1};
      for (i64 t = 0; t < options.trials; ++t) {
        const Instance instance =
            make_instance(options.problem, piece, options.seed, calibration_number(t));
        add_samples(runner, graph, options.problem, instance, size, out);
        runner.note_progress(all);
      }
    }
  }
  if (last) {
    const Graph graph = parse_graph(*builtin_graph("multineedle_final"), "multineedle_final");
    for (i64 t = 0; t < options.trials; ++t) {
      add_samples(runner, graph, options.problem,
                  last_instance(options.seed, calibration_number(t)), 0, out);
      runner.note_progress(all);
    }
  }
  out.time = fit_time(out.samples);
  return out;
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

/// What the runs of one (n, m) came to.
struct Runs {
  std::vector<Outcome> outcomes;
  bool calls_exact = true;
  bool prefill_exact = true;
  f64 error = 0;
};

Runs run_instances(Runner& runner, const Graph& graph, i64 length, i64 size,
                   const std::vector<PlannedRecord>& planned, const Calibration& calibration,
                   const MeasureOptions& options, i64 all) {
  Runs out;
  const InstanceOptions whole{.length = length, .target = options.target};
  const i64 winners = graph.find("winners");
  const i64 extra = extra_tokens(calibration, false).value_or(0);
  for (i64 t = 0; t < options.trials; ++t) {
    const Instance instance = make_instance(options.problem, whole, options.seed, check_number(t));
    // Errors of other sizes are other draws.
    Outcome outcome = runner.run(graph, instance, cat(instance.id, "-", size));
    const PlannedRecord& plan = planned[usize(t)];
    out.calls_exact = out.calls_exact && outcome.calls.size() == plan.calls.size();
    for (std::size_t i = 0; i < std::min(outcome.calls.size(), plan.calls.size()); ++i) {
      const PlannedCall& call = plan.calls[i];
      if (call.last) continue;  // its prompt is made of replies
      const i64 expected = call.prompt_tokens + extra;
      out.prefill_exact = out.prefill_exact && outcome.calls[i].tokens.prefill == expected;
    }
    const Value* const tied = winners >= 0 ? &outcome.values[usize(winners)] : nullptr;
    out.error +=
        errors_of(options.problem, instance.answer, outcome.answer, tied, length)[0].second;
    out.outcomes.push_back(std::move(outcome));
    runner.note_progress(all);
  }
  out.error /= static_cast<f64>(options.trials);
  return out;
}

Measured measured_of(const Runs& runs, i64 workers, bool blocks) {
  Measured out;
  out.error = runs.error;
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

}  // namespace

CheckResult check(answer::Answerer& answerer, const Calibration& calibration,
                  const CheckOptions& cells, const MeasureOptions& options) {
  Runner runner(answerer, options);
  const Predictor predictor(calibration);
  CheckResult out;
  const i64 all = isize(cells.lengths) * isize(cells.sizes) * options.trials;
  i64 inside = 0;
  i64 decode_inside = 0;
  for (const i64 n : cells.lengths) {
    for (const i64 m : cells.sizes) {
      const Graph graph = options.graph(m);
      const std::vector<PlannedRecord> planned = plan_instances(graph, n, options, runner.count());
      const Runs runs = run_instances(runner, graph, n, m, planned, calibration, options, all);
      for (const i64 p : cells.workers) {
        PredictOptions predict = cells.predict;
        predict.workers = p;
        CheckCell cell{.n = n, .m = m, .p = p};
        cell.predicted = predictor.predict(planned, n, predict);
        cell.measured = measured_of(runs, p, predict.blocks);
        cell.calls_exact = runs.calls_exact;
        cell.prefill_exact = runs.prefill_exact;
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
  }
  const f64 count = static_cast<f64>(std::max<i64>(isize(out.cells), 1));
  out.error_share = static_cast<f64>(inside) / count;
  out.decode_share = static_cast<f64>(decode_inside) / count;
  out.error = out.error_share >= cells.error_share;
  return out;
}

}  // namespace lm::flow

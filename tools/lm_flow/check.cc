// check: predictions beside runs. Status 1 if a bar does not hold.

#include <atomic>
#include <cmath>

#include "common/text_output.h"
#include "core/str.h"
#include "flow.h"
#include "stat/chart.h"

namespace lm::flow_tool {

namespace {

using flow::CheckCell;
using flow::CheckResult;
using flow::Interval;

std::string figure(f64 value) {
  return format_fixed(value, std::abs(value) >= 100 ? 1 : std::abs(value) >= 1 ? 3 : 4);
}

std::string mark(bool good) {
  return good ? "ok" : "OFF";
}

std::string table_of(const CheckResult& result) {
  std::vector<std::vector<std::string>> table = {{"n", "m", "p", "calls", "prompt tokens", "others",
                                                  "seconds: predicted", "run", "on p workers",
                                                  "run", "", "error: predicted", "run", ""}};
  for (const CheckCell& c : result.cells) {
    table.push_back(
        {cat(c.n), cat(c.m), cat(c.p), cat(figure(c.measured.calls), " ", mark(c.calls_exact)),
         cat(figure(c.measured.prefill), " ", mark(c.prefill_exact)),
         cat(figure(c.predicted.decode.mean), " ", figure(c.measured.decode)),
         figure(c.predicted.latency.mean), figure(c.measured.latency),
         figure(c.predicted.latency_p.mean), figure(c.measured.latency_p), mark(c.latency_near),
         cat(figure(c.predicted.error.mean), " [", figure(c.predicted.error.low), ", ",
             figure(c.predicted.error.high), "]"),
         figure(c.measured.error), mark(c.error_inside)});
  }
  return tool_options::aligned_table(table);
}

std::string bars_of(const CheckResult& result, const flow::CheckOptions& cells) {
  const auto line = [](bool good, const std::string& text) {
    return cat(good ? "holds: " : "FAILS: ", text, "\n");
  };
  return cat(
      line(result.calls, "calls are exactly those predicted"),
      line(result.prefill, "so are the tokens of every prompt that no reply shapes"),
      line(result.latency,
           cat("latencies within ", 100 * cells.latency_tolerance, " % in every cell")),
      line(result.error,
           cat("errors inside their intervals in ", format_fixed(100 * result.error_share, 1),
               " % of cells, at least ", 100 * cells.error_share, " % wanted")),
      "beside: other tokens inside theirs in ", format_fixed(100 * result.decode_share, 1), " %\n");
}

std::string interval_json(const Interval& x) {
  return cat("{\"mean\":", number_json(x.mean), ",\"low\":", number_json(x.low),
             ",\"high\":", number_json(x.high), "}");
}

std::string bars_json(const CheckResult& result) {
  return cat("{\"calls\":", result.calls, ",\"prefill_tokens\":", result.prefill,
             ",\"latency\":", result.latency, ",\"error\":", result.error,
             ",\"error_inside_share\":", number_json(result.error_share),
             ",\"decode_inside_share\":", number_json(result.decode_share),
             ",\"all\":", result.all(), "}");
}

std::string json_of(const CheckResult& result) {
  std::string out = cat("{\"bars\":", bars_json(result), ",\n\"cells\":[");
  bool first = true;
  for (const CheckCell& c : result.cells) {
    append(out, first ? "" : ",", "\n{\"n\":", c.n, ",\"m\":", c.m, ",\"p\":", c.p,
           ",\"calls\":{\"predicted\":", number_json(c.predicted.calls),
           ",\"run\":", number_json(c.measured.calls), ",\"exact\":", c.calls_exact,
           "},\"prefill_tokens\":{\"predicted\":", number_json(c.predicted.prefill),
           ",\"run\":", number_json(c.measured.prefill), ",\"exact\":", c.prefill_exact,
           "},\"decode_tokens\":{\"predicted\":", interval_json(c.predicted.decode),
           ",\"run\":", number_json(c.measured.decode), ",\"inside\":", c.decode_inside,
           "},\"latency_s\":{\"predicted\":", number_json(c.predicted.latency.mean),
           ",\"run\":", number_json(c.measured.latency),
           ",\"predicted_p\":", number_json(c.predicted.latency_p.mean),
           ",\"run_p\":", number_json(c.measured.latency_p), ",\"near\":", c.latency_near,
           "},\"error\":{\"predicted\":", interval_json(c.predicted.error),
           ",\"run\":", number_json(c.measured.error), ",\"inside\":", c.error_inside,
           ",\"formula\":", number_json(c.predicted.formula),
           ",\"bound\":", number_json(c.predicted.bound), "}}");
    first = false;
  }
  return out + "]}\n";
}

/// Errors by length and size: no worker changes them.
std::string plot_of(const CheckResult& result, const std::string& problem) {
  stat::BarChart chart{.title = cat("Errors of ", problem, ", predicted and run"),
                       .value_name = "error",
                       .bars = {},
                       .series = {"predicted, 95 %", "run"}};
  const CheckCell* before = nullptr;
  for (const CheckCell& c : result.cells) {
    if (before != nullptr && before->n == c.n && before->m == c.m) continue;
    before = &c;
    const Interval& e = c.predicted.error;
    chart.bars.push_back(
        {.label = cat(c.n, " in pieces of ", c.m), .value = e.mean, .low = e.low, .high = e.high});
    chart.bars.push_back({.label = "the same, run", .value = c.measured.error, .series = 1});
  }
  return stat::svg(chart);
}

}  // namespace

void run_check(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const flow::Problem problem = take_problem(tool);
  refuse_files(tool);
  flow::MeasureOptions measure = measure_options(tool, problem);
  const Grid& grid = default_grid(problem);
  flow::CheckOptions cells;
  cells.lengths = whole_list(options, "length", 1, grid.lengths);
  cells.sizes = whole_list(options, "check-sizes", 1, grid.check_sizes);
  cells.workers = whole_list(options, "workers", 1, {});
  cells.latency_tolerance = options.real("tolerance");
  cells.error_share = options.real("inside");
  cells.predict.blocks = options.text("latency") == "blocks";
  cells.predict.draws = options.integer("draws");
  cells.predict.seed = tool.seed();
  const std::vector<i64> sizes = whole_list(options, "sizes", 1, grid.sizes);
  std::optional<flow::Calibration> calibration;
  if (options.given("calibration")) {
    for (const char* const name : {"sizes", "trials"})
      if (options.asked(name))
        throw Error(ErrorKind::kUsage,
                    cat("--", name, " is for calibrating, which --calibration FILE stands for"));
    calibration = open_calibration(tool, problem);
  }
  tool_options::TextOutput out(tool);
  io::AtomicFile* const plot =
      options.given("plot") ? &tool.other_output(options.text("plot")) : nullptr;
  Engine engine(tool);
  if (calibration) {
    compare_calibration(tool, *calibration, engine.identity(), measure.graph);
    tool.console().message(LogLevel::kInfo, describe(*calibration));
  }
  // Read by the thread that shows progress.
  std::atomic<i64> done{0};
  std::atomic<i64> all{0};
  const cli::StatusScope status = tool.set_status([&] {
    return cat(calibration ? "checking: " : "calibrating and checking: ", done.load(), " of ",
               all.load(), " instances");
  });
  measure.progress = [&](i64 now, i64 total) {
    done = now;
    all = total;
  };
  const i64 calibrating = measure.trials;
  measure.trials = options.integer("check-trials");
  const CheckResult result = [&] {
    const StageTimer timer(tool.ctx().stages->stage("check"));
    if (calibration) return flow::check(engine.answerer(), *calibration, cells, measure);
    flow::Calibration made;
    const CheckResult found =
        flow::calibrate_and_check(engine.answerer(), sizes, calibrating, cells, measure, made);
    tool.console().message(LogLevel::kInfo, describe(made));
    return found;
  }();
  out.write(options.text("format") == "json" ? json_of(result)
                                             : table_of(result) + bars_of(result, cells));
  if (plot != nullptr)
    plot->write(plot_of(result, flow::problem_names()[static_cast<std::size_t>(problem)]));
  tool.add_metric("check", bars_json(result));
  if (!result.all()) tool.set_exit(1);
}

}  // namespace lm::flow_tool

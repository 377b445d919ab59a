// plan: what a graph will cost and get wrong, by the size of its pieces.

#include <cmath>

#include "common/text_output.h"
#include "core/str.h"
#include "flow.h"

namespace lm::flow_tool {

namespace {

using flow::Interval;
using flow::Prediction;

struct PlanRow {
  i64 n = 0;
  i64 m = 0;
  i64 p = 1;
  Prediction predicted = {};
  bool best = false;  // of its n and p
};

std::string short_number(f64 value) {
  if (std::isnan(value)) return "-";
  const f64 size = std::abs(value);
  return format_fixed(value, size >= 100 ? 0 : size >= 1 ? 2 : 4);
}

std::string range(const Interval& x) {
  return cat(short_number(x.mean), " [", short_number(x.low), ", ", short_number(x.high), "]");
}

std::string table_of(const std::vector<PlanRow>& rows, bool priced) {
  std::vector<std::vector<std::string>> table = {{"n", "m", "p", "calls", "prompt tokens", "others",
                                                  "seconds", "on p workers", "at best",
                                                  "peak tokens", "error", "formula", "bound", ""}};
  if (priced) table[0].insert(table[0].end() - 1, "price");
  for (const PlanRow& row : rows) {
    const Prediction& x = row.predicted;
    std::vector<std::string> line = {cat(row.n),
                                     cat(row.m),
                                     cat(row.p),
                                     short_number(x.calls),
                                     short_number(x.prefill),
                                     short_number(x.decode.mean),
                                     short_number(x.latency.mean),
                                     short_number(x.latency_p.mean),
                                     short_number(x.latency_ideal.mean),
                                     short_number(x.peak_tokens),
                                     range(x.error),
                                     short_number(x.formula),
                                     short_number(x.bound)};
    if (priced) line.push_back(format_float(x.price));
    line.push_back(cat(row.best ? "least error" : "", row.best && x.beyond ? ", " : "",
                       x.beyond ? "beyond calibrated sizes" : ""));
    table.push_back(std::move(line));
  }
  return tool_options::aligned_table(table);
}

std::string interval_json(const Interval& x) {
  return cat("{\"mean\":", number_json(x.mean), ",\"low\":", number_json(x.low),
             ",\"high\":", number_json(x.high), "}");
}

std::string json_of(const std::vector<PlanRow>& rows, bool priced) {
  std::string out = "[";
  for (const PlanRow& row : rows) {
    const Prediction& x = row.predicted;
    append(
        out, out.size() > 1 ? "," : "", "\n{\"n\":", row.n, ",\"m\":", row.m, ",\"p\":", row.p,
        ",\"calls\":", number_json(x.calls), ",\"prefill_tokens\":", number_json(x.prefill),
        ",\"decode_tokens\":", interval_json(x.decode), ",\"latency_s\":", interval_json(x.latency),
        ",\"latency_ideal_s\":", interval_json(x.latency_ideal),
        ",\"latency_p_s\":", interval_json(x.latency_p),
        ",\"peak_kv_tokens\":", number_json(x.peak_tokens), ",\"error\":", interval_json(x.error),
        ",\"formula\":", number_json(x.formula), ",\"bound\":", number_json(x.bound),
        ",\"least_error\":", row.best, ",\"beyond\":", x.beyond);
    if (priced) append(out, ",\"price\":", number_json(x.price));
    out += "}";
  }
  return out + "]\n";
}

}  // namespace

void run_plan(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const flow::Problem problem = take_problem(tool);
  refuse_files(tool);
  if (!options.given("calibration"))
    throw Error(ErrorKind::kUsage, "--calibration FILE is needed", "lm-flow calibrate makes one");
  const flow::Calibration calibration = open_calibration(tool, problem);
  const flow::MeasureOptions measure = measure_options(tool, problem);
  flow::PredictOptions predict;
  predict.blocks = options.text("latency") == "blocks";
  predict.draws = options.integer("draws");
  predict.seed = tool.seed();
  predict.prices = prices(options);
  const std::vector<i64> lengths =
      whole_list(options, "length", 1,
                 problem == flow::Problem::kCount || problem == flow::Problem::kSort
                     ? std::vector<i64>{100, 200}
                     : std::vector<i64>{4000});
  const std::vector<i64> sizes = whole_list(options, "sizes", 1, calibration.sizes);
  const std::vector<i64> workers = whole_list(options, "workers", 1, {});
  tool_options::TextOutput out(tool);
  const Counter counter = open_counter(tool);
  compare_calibration(tool, calibration, counter.identity, measure.graph);
  const StageTimer timer(tool.ctx().stages->stage("predict"));
  const flow::Predictor predictor(calibration);
  std::vector<PlanRow> rows;
  for (const i64 n : lengths) {
    std::vector<std::vector<flow::PlannedRecord>> planned;
    for (const i64 m : sizes)
      planned.push_back(flow::plan_instances(measure.graph(m), n, measure, counter.count));
    for (const i64 p : workers) {
      std::vector<Prediction> by_size;
      for (const std::vector<flow::PlannedRecord>& records : planned) {
        predict.workers = p;
        by_size.push_back(predictor.predict(records, n, predict));
      }
      const i64 best = flow::best_of(by_size);
      for (i64 i = 0; i < isize(sizes); ++i)
        rows.push_back({n, sizes[usize(i)], p, by_size[usize(i)], i == best});
    }
  }
  const bool priced = predict.prices.has_value();
  out.write(options.text("format") == "json" ? json_of(rows, priced) : table_of(rows, priced));
}

}  // namespace lm::flow_tool

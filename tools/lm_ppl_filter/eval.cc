// eval: how well scores of strategies foretold what training on each of them gave.

#include <algorithm>
#include <cmath>
#include <map>

#include "common/text_output.h"
#include "core/str.h"
#include "filter.h"
#include "io/json.h"
#include "outcomes.h"

namespace lm::filter_tool {

namespace {

std::vector<RankedBy> ranked_by(std::string_view text) {
  std::vector<RankedBy> out;
  for (const std::string_view part : split(text, ',')) {
    const std::string_view name = trim(part);
    const std::size_t colon = name.find(':');
    const std::string_view way = colon == name.npos ? "lowest" : name.substr(colon + 1);
    const std::string path(name.substr(0, colon));
    if (path.empty() || (way != "lowest" && way != "highest"))
      throw Error(ErrorKind::kUsage,
                  cat("--metric: ", quote(name), " is not PATH or PATH:highest"));
    for (const RankedBy& one : out) {
      if (one.path == path)
        throw Error(ErrorKind::kUsage, cat("--metric names ", quote(path), " twice"));
    }
    out.push_back({path, way == "highest"});
  }
  return out;
}

/// Mean of what was read of one thing.
struct Mean {
  f64 sum = 0;
  i64 n = 0;
  void add(f64 x) {
    sum += x;
    ++n;
  }
  f64 value() const { return sum / static_cast<f64>(n); }
};

struct Strategy {
  std::vector<Mean> scores;  // by metric
  Mean accuracy;
};

class Evaluation {
 public:
  explicit Evaluation(cli::Tool& tool) : tool_(tool), options_(tool.options()) {
    out_.metrics = ranked_by(options_.text("metric"));
  }

  void read();
  void compare();
  const Outcomes& outcomes() const { return out_; }

 private:
  std::optional<Fault> take(io::JsonReader& json, bool accuracy);

  cli::Tool& tool_;
  const cli::Options& options_;
  Outcomes out_;
  std::map<std::string, std::map<std::string, Strategy>> read_;  // task, strategy
  i64 held_ = 0;
};

std::optional<Fault> Evaluation::take(io::JsonReader& json, bool accuracy) {
  const std::optional<std::string> strategy = json.text_of(1);
  if (!strategy) return Fault{"missing", cat("field ", quote(json.path(1)), " is missing"), -1};
  std::vector<f64> values;
  for (i64 i = 2; i < json.path_count(); ++i) {
    const Result<f64> value = json.number(i);
    if (!value) return value.fault();
    values.push_back(*value);
  }
  const std::string task = json.text_of(0).value_or("");
  Strategy& one = read_[task][*strategy];
  if (one.scores.empty()) {
    one.scores.resize(out_.metrics.size());
    const i64 bytes = isize(task) + isize(*strategy) + 256 + 16 * isize(out_.metrics);
    tool_.ctx().memory->charge_growing(held_, bytes, "the strategies");
    held_ += bytes;
  }
  if (accuracy) {
    one.accuracy.add(values[0]);
  } else {
    for (std::size_t m = 0; m < values.size(); ++m)
      one.scores[m].add(values[m]);
  }
  return std::nullopt;
}

void Evaluation::read() {
  const std::vector<std::string> key = {options_.text("task"), options_.text("strategy")};
  std::vector<std::string> paths = key;
  paths.push_back(options_.text("accuracy"));
  io::check_apart(paths);
  read_aside(tool_, options_.text("accuracies"), paths,
             [&](io::JsonReader& json) { return take(json, true); });
  paths = key;
  for (const RankedBy& metric : out_.metrics)
    paths.push_back(metric.path);
  io::check_apart(paths);
  io::JsonReader json(paths);
  io::RecordRun& records = tool_.records_only();
  records.run({{StageMode::kSerial, [&](io::Batch& batch) {
                  records.each_record(batch, json, [&](io::Record&) { return take(json, false); });
                }}});
}

void Evaluation::compare() {
  for (const auto& [name, strategies] : read_) {
    std::vector<std::string> names;
    std::vector<f64> accuracies;
    std::vector<std::vector<f64>> scores(out_.metrics.size());
    for (const auto& [strategy, one] : strategies) {
      if (one.accuracy.n == 0 || one.scores[0].n == 0) {
        ++out_.unmatched;
        continue;
      }
      names.push_back(strategy);
      accuracies.push_back(one.accuracy.value());
      for (std::size_t m = 0; m < out_.metrics.size(); ++m)
        scores[m].push_back(one.scores[m].value());
    }
    if (names.empty()) {
      out_.unmatched_tasks.push_back(name);
      continue;
    }
    Task& task = out_.tasks.emplace_back();
    task.name = name;
    task.strategies = isize(names);
    for (std::size_t m = 0; m < out_.metrics.size(); ++m) {
      task.by_metric.push_back(stat::foresight(scores[m], accuracies, out_.metrics[m].highest));
      task.chosen.push_back(names[usize(task.by_metric.back().chosen)]);
    }
  }
  if (out_.tasks.empty())
    throw Error(ErrorKind::kData,
                cat("no strategy of the records has an accuracy in ", options_.text("accuracies")),
                "both have the fields of --task and --strategy");
  if (out_.unmatched > 0)
    tool_.console().message(LogLevel::kWarning, cat(out_.unmatched,
                                                    " strategies are left out: they have scores or "
                                                    "accuracies, not both"));
  if (!out_.unmatched_tasks.empty())
    tool_.console().message(LogLevel::kWarning,
                            cat(out_.unmatched_tasks.size(),
                                " tasks are left out: ", shown_names(out_.unmatched_tasks)));
  out_.summarise({.draws = options_.integer("boot"), .seed = tool_.seed()});
}

}  // namespace

std::vector<cli::Flag> eval_flags() {
  using cli::FlagKind;
  const std::string g = "Evaluation";
  return {
      {.name = "accuracies",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = g,
       .help = "what training gave: records with task, strategy and accuracy",
       .details = "Several of one strategy, such as repetitions with other seeds, count as their "
                  "mean.",
       .semantic = false,
       .main = true},
      {.name = "metric",
       .kind = FlagKind::kString,
       .value_name = "PATH[:highest],...",
       .group = g,
       .def = "sppl",
       .help = "the fields with the scores to rank by, the lowest first or the highest",
       .details =
           "Several records of one strategy, such as scores of each question, count as their "
           "mean.",
       .main = true},
      {.name = "task",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .def = "task",
       .help = "the field that says what was trained for; strategies are ranked inside a task",
       .details = "Records without the field are of one task.",
       .main = true},
      {.name = "strategy",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .def = "strategy",
       .help = "the field that says how the answers were made",
       .main = true},
      {.name = "accuracy",
       .kind = FlagKind::kString,
       .value_name = "PATH",
       .group = g,
       .def = "accuracy",
       .help = "the field of the outcome, the higher the better"},
      {.name = "format",
       .kind = FlagKind::kChoice,
       .value_name = "HOW",
       .group = g,
       .def = "table",
       .help = "a table, or JSON with every task",
       .choices = {"table", "json"},
       .main = true},
      {.name = "boot",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "1000",
       .help = "resamples of the tasks, for intervals",
       .min = 0,
       .max = 1e6},
  };
}

void run_eval(cli::Tool& tool) {
  tool_options::refuse_output_options(tool);
  if (!tool.options().given("accuracies"))
    throw Error(ErrorKind::kUsage,
                "--accuracies FILE is needed: what training on each strategy gave");
  Evaluation evaluation(tool);
  tool_options::TextOutput out(tool);
  evaluation.read();
  evaluation.compare();
  const Outcomes& outcomes = evaluation.outcomes();
  const std::string json = outcomes.json();
  tool.add_metric("eval", json);
  out.write(tool.options().text("format") == "json" ? json + "\n" : outcomes.table());
}

}  // namespace lm::filter_tool

// run: task files through a model, or through an earlier run's answers.

#include "eval/run.h"

#include <atomic>
#include <filesystem>
#include <optional>

#include "common/model_options.h"
#include "core/clock.h"
#include "core/str.h"
#include "eval/neural_answers.h"
#include "eval/samples.h"
#include "eval_tool.h"
#include "io/output.h"

namespace lm::eval_tool {

namespace {

using text::Value;
using text::ValueList;
using text::ValueMap;

constexpr const char* kResults = "results.json";

bool is_result(const std::string& name) {
  return name == kResults || (name.starts_with("samples_") && name.ends_with(".jsonl.zst"));
}

eval::RunOptions run_options(const cli::Tool& tool) {
  const cli::Options& options = tool.options();
  eval::RunOptions out;
  if (const std::optional<f64> limit = options.maybe_real("limit")) {
    if (*limit == 0) throw Error(ErrorKind::kUsage, "--limit: no document would be left");
    if (*limit < 1) {
      out.limit_share = *limit;
    } else {
      out.limit = static_cast<i64>(*limit);
      if (static_cast<f64>(out.limit) != *limit)
        throw Error(ErrorKind::kUsage, "--limit: a number above 1 must be whole");
    }
  }
  out.num_fewshot = options.maybe_integer("num-fewshot");
  out.fewshot_seed = static_cast<u64>(options.integer("fewshot-seed"));
  out.draws = options.integer("bootstrap");
  out.seed = tool.seed();
  return out;
}

/// Where results go: a folder that appears complete, or standard output for results.json alone.
class ResultFolder {
 public:
  explicit ResultFolder(cli::Tool& tool) : tool_(tool), path_(tool.options().text("output")) {
    if (path_ == "-") return;
    tool.claim_folder(path_);
    tool.claim_output((std::filesystem::path(path_) / kResults).string());  // no report goes there
    io::check_replaceable(path_, "result", is_result);
    folder_.emplace(path_, tool.output_options(), true);
  }

  bool samples() const { return folder_.has_value() && tool_.options().on("log-samples"); }

  /// A stream for a task's samples.
  std::unique_ptr<io::OutputStream> open(const std::string& task) {
    io::StreamOutputOptions form;
    form.path = folder_->file(cat("samples_", task, ".jsonl.zst"));
    form.compression.codec = io::Codec::kZstd;
    form.file = tool_.output_options();
    std::unique_ptr<io::OutputStream> out = std::make_unique<io::OutputStream>(form, tool_.ctx());
    out->begin(tool_.header());
    return out;
  }

  void finish(std::string_view results) {
    if (!folder_) {
      io::write_full(1, results.data(), isize(results), "<stdout>");
      return;
    }
    io::write_file(folder_->file(kResults), results, tool_.output_options());
    folder_->commit();
  }

 private:
  cli::Tool& tool_;
  std::string path_;
  std::optional<io::AtomicDir> folder_;
};

/// Whoever answers, and what the results say of it.
struct Source {
  std::unique_ptr<decode::Session> session;
  std::unique_ptr<eval::AnswerSource> answers;
  eval::NeuralAnswers* neural = nullptr;  // answers, if a model gives them
};

/// done of all: how far the requests of a task are, for the progress line.
Source open_source(cli::Tool& tool, std::atomic<i64>& done, std::atomic<i64>& all) {
  Source out;
  const std::string& replay = tool.options().text("replay");
  if (!replay.empty()) {
    check_device(tool);
    out.answers = std::make_unique<eval::RecordedAnswers>(replay, tool.ctx());
    return out;
  }
  if (tool.options().text("model").empty())
    throw Error(ErrorKind::kUsage, "--model FOLDER is needed, or --replay FOLDER");
  out.session = tool_options::open_model(tool);
  std::unique_ptr<eval::NeuralAnswers> neural = std::make_unique<eval::NeuralAnswers>(
      *out.session, tool.seed(), [&done, &all](i64 now, i64 total) {
        done.store(now);
        all.store(total);
      });
  out.neural = neural.get();
  out.answers = std::move(neural);
  return out;
}

Value config_value(const cli::Tool& tool, const Source& source, const eval::RunOptions& run) {
  const cli::Options& options = tool.options();
  Value out(ValueMap{{"tool", "lm-eval"}, {"version", cli::kToolkitVersion}});
  if (source.session) {
    out.set("model", source.session->digest());
    out.set("tokenizer", source.session->tokenizer().digest());
    out.set("dtype", dtype_name(source.session->activation()));
    out.set("bos", options.on("bos"));
    out.set("special", options.text("special"));
    out.set("context", source.session->engine().positions());
  } else {
    out.set("replay", true);
  }
  if (const std::optional<f64> limit = options.maybe_real("limit")) out.set("limit", *limit);
  if (run.num_fewshot) out.set("num_fewshot", *run.num_fewshot);
  out.set("fewshot_seed", static_cast<i64>(run.fewshot_seed));
  out.set("bootstrap", run.draws);
  out.set("seed", cat(run.seed));
  return out;
}

void say(cli::Tool& tool, const eval::TaskResult& result) {
  for (const eval::MetricResult& metric : result.metrics)
    tool.console().message(LogLevel::kInfo,
                           cat(result.task, ": ", metric.metric, ",", metric.filter, " ",
                               format_fixed(metric.estimate.value, 4), " +- ",
                               format_fixed(metric.estimate.standard_error, 4), " (",
                               result.evaluated, " documents)"));
  if (result.bad_targets > 0)
    tool.console().message(LogLevel::kWarning,
                           cat(result.task, ": the targets of ", result.bad_targets,
                               " documents are none of their choices and count as missed"));
}

void report(cli::Tool& tool, const eval::NeuralStats& stats, f64 wall_s) {
  tool.add_metric("throughput", cat("{\"requests\":", stats.requests, ",\"unique\":", stats.unique,
                                    ",\"tokens\":", stats.tokens, ",\"rows\":", stats.rows,
                                    ",\"generated_tokens\":", stats.generated,
                                    ",\"cut_contexts\":", stats.cut_contexts,
                                    ",\"wall_s\":", format_fixed(wall_s, 3), "}"));
  if (stats.cut_contexts > 0)
    tool.console().message(LogLevel::kWarning, cat(stats.cut_contexts,
                                                   " prompts were longer than the model's context "
                                                   "and lost their beginning"));
}

/// No output may be a task file, one that it includes, or its data.
void add_inputs(cli::Tool& tool, const eval::TaskSet& set) {
  for (const std::string& file : set.files)
    tool.add_input(file);
  for (const eval::TaskSpec& task : set.tasks)
    for (const eval::DataSplit& split : task.splits)
      for (const std::string& file : split.files)
        tool.add_input(file);
}

/// --check: what the files hold, as JSON.
std::string listing(const eval::TaskSet& set) {
  ValueList tasks;
  for (const eval::TaskSpec& task : set.tasks)
    tasks.push_back(ValueMap{{"task", task.name},
                             {"output_type", eval::output_type_name(task.output_type)},
                             {"num_fewshot", task.num_fewshot}});
  ValueList groups;
  for (const eval::GroupSpec& group : set.groups)
    groups.push_back(ValueMap{{"group", group.name},
                              {"tasks", ValueList(group.members.begin(), group.members.end())}});
  return text::to_json(Value(ValueMap{{"tasks", tasks}, {"groups", groups}}), {.indent = 2}) + "\n";
}

}  // namespace

void run_tasks(cli::Tool& tool) {
  if (tool.files().empty()) {
    tool.need_input();
    throw Error(ErrorKind::kUsage, "run takes task files: lm-eval -m MODEL TASK.yaml...");
  }
  tool_options::add_model_inputs(tool);
  if (const std::string& replay = tool.options().text("replay"); !replay.empty())
    tool.add_input_folder(replay);
  const eval::RunOptions options = run_options(tool);
  const eval::TaskSet set = eval::read_tasks(tool.files());
  add_inputs(tool, set);
  if (tool.options().on("check")) return TextOutput(tool).write(listing(set));
  ResultFolder out(tool);
  std::atomic<i64> done{0};
  std::atomic<i64> all{0};
  const Source source = open_source(tool, done, all);
  std::atomic<const eval::TaskSpec*> current{nullptr};
  const cli::StatusScope status = tool.set_status([&] {
    const eval::TaskSpec* task = current.load();
    return task == nullptr ? std::string("reading")
                           : cat(task->name, ": ", done.load(), " of ", all.load(), " requests");
  });
  const f64 start = monotonic_s();
  std::vector<eval::TaskResult> results;
  i64 documents = 0;
  for (const eval::TaskSpec& task : set.tasks) {
    current.store(&task);
    std::unique_ptr<io::OutputStream> samples = out.samples() ? out.open(task.name) : nullptr;
    const eval::SampleSink sink = [&](std::string_view line) {
      io::StreamTotals totals;
      totals.add_line(line.substr(0, line.size() - 1));
      samples->write(line, totals);
    };
    results.push_back(
        eval::run_task(task, *source.answers, options, tool.ctx(), samples ? sink : nullptr));
    if (samples) {
      samples->finish({});
      samples->commit();
    }
    documents += results.back().evaluated;
    say(tool, results.back());
  }
  const std::vector<eval::GroupResult> groups = eval::run_groups(set, results);
  out.finish(eval::results_json(set, results, groups, config_value(tool, source, options)));
  if (source.neural != nullptr) report(tool, source.neural->stats(), monotonic_s() - start);
  tool.set_summary(cat(set.tasks.size(), " tasks, ", documents, " documents in ",
                       format_duration(monotonic_s() - start)));
}

}  // namespace lm::eval_tool

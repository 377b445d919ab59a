#pragma once
// A task from its documents to its results: requests, answers, filters, metrics; and what the
// results and the samples files say. Results are a function of (tasks, data, answers, seeds): the
// order of tasks is that of the files, of samples that of the documents.

#include <functional>
#include <string>
#include <vector>

#include "core/context.h"
#include "eval/answers.h"
#include "eval/metric.h"
#include "eval/task.h"

namespace lm::eval {

struct RunOptions {
  i64 limit = 0;                   // documents of a task; 0: all
  f64 limit_share = 0;             // instead: this part of them, rounded up
  std::optional<i64> num_fewshot;  // instead of the task's
  u64 fewshot_seed = 1234;
  i64 draws = 1000;  // of bootstrap intervals
  u64 seed = 0;      // of these
};

struct MetricResult {
  std::string metric;
  std::string filter;
  bool higher_is_better = true;
  bool is_mean = true;
  Estimate estimate;
};

struct TaskResult {
  std::string task;
  i64 original = 0;   // documents of the split
  i64 evaluated = 0;  // of them asked
  i64 shots = 0;
  i64 bad_targets = 0;  // choices' targets that are no choice
  std::vector<MetricResult> metrics;
  const MetricResult* find(const std::string& metric, const std::string& filter) const;
};

/// Called with a line of the samples file (with its newline) for every document and filter.
using SampleSink = std::function<void(std::string_view line)>;

/// Throws what reading data, rendering and answering throw; Error{kData} for a task without
/// documents.
TaskResult run_task(const TaskSpec& task, AnswerSource& source, const RunOptions& options,
                    const Context& ctx, const SampleSink& sink);

/// The mean of a metric over a group's tasks and its error from theirs (pooled variance).
struct GroupResult {
  std::string group;
  std::vector<std::string> tasks;  // of the group and of its groups
  std::vector<MetricResult> metrics;
};
/// Throws Error{kConfig} for groups that contain themselves, or a metric that a task lacks.
std::vector<GroupResult> run_groups(const TaskSet& set, const std::vector<TaskResult>& results);

/// results.json: results, groups, versions, n-shot, higher_is_better, n-samples, configs. config:
/// how it was run, a map.
std::string results_json(const TaskSet& set, const std::vector<TaskResult>& results,
                         const std::vector<GroupResult>& groups, const text::Value& config);

}  // namespace lm::eval

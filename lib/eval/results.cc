// Groups and results.json.

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/str.h"
#include "eval/run.h"

namespace lm::eval {

using text::Value;
using text::ValueList;
using text::ValueMap;

namespace {

/// Tasks of a group and of the groups in it, each once.
void collect(const TaskSet& set, const GroupSpec& group, i64 depth, std::vector<std::string>& out) {
  if (depth > 50)
    throw Error(ErrorKind::kConfig,
                cat(group.where, ": the group ", quote(group.name), " contains itself"));
  for (const std::string& member : group.members) {
    const auto inner = std::find_if(set.groups.begin(), set.groups.end(),
                                    [&](const GroupSpec& each) { return each.name == member; });
    if (inner != set.groups.end()) {
      collect(set, *inner, depth + 1, out);
    } else if (std::find(out.begin(), out.end(), member) == out.end()) {
      out.push_back(member);
    }
  }
}

const TaskResult& result_of(const std::vector<TaskResult>& results, const std::string& task) {
  const auto found = std::find_if(results.begin(), results.end(),
                                  [&](const TaskResult& each) { return each.task == task; });
  LM_CHECK(found != results.end(), "members of groups are tasks that ran");
  return *found;
}

/// Null if a task lacks the metric.
std::optional<MetricResult> aggregate(const GroupResult& group,
                                      const std::vector<TaskResult>& results,
                                      const std::string& metric, const std::string& filter,
                                      bool weighted) {
  MetricResult out{metric, filter, true, true, {}};
  f64 sum = 0;
  f64 weights = 0;
  f64 variance = 0;
  i64 n = 0;
  for (const std::string& task : group.tasks) {
    const MetricResult* own = result_of(results, task).find(metric, filter);
    if (own == nullptr) return std::nullopt;
    const f64 size = static_cast<f64>(own->estimate.n);
    const f64 weight = weighted ? size : 1;
    sum += weight * own->estimate.value;
    weights += weight;
    variance += (size - 1) * size * own->estimate.standard_error * own->estimate.standard_error;
    n += own->estimate.n;
    out.higher_is_better = own->higher_is_better;
    out.is_mean = out.is_mean && own->is_mean;
  }
  const f64 freedom = static_cast<f64>(n) - static_cast<f64>(group.tasks.size());
  out.estimate.value = sum / weights;
  out.estimate.n = n;
  out.estimate.standard_error = freedom > 0 ? std::sqrt(variance / freedom / static_cast<f64>(n))
                                            : std::numeric_limits<f64>::quiet_NaN();
  out.estimate.low = out.estimate.high = std::numeric_limits<f64>::quiet_NaN();
  return out;
}

[[noreturn]] void refuse(const GroupSpec& group, const GroupMetric& metric) {
  throw Error(ErrorKind::kConfig, cat(group.where, ": not every task of the group ",
                                      quote(group.name), " has the metric ", quote(metric.metric)));
}

Value number(f64 value) {
  return std::isfinite(value) ? Value(value) : Value();
}

void set_metrics(Value& out, const std::vector<MetricResult>& metrics, bool interval) {
  for (const MetricResult& each : metrics) {
    const Estimate& e = each.estimate;
    out.set(cat(each.metric, ",", each.filter), number(e.value));
    out.set(cat(each.metric, "_stderr,", each.filter), number(e.standard_error));
    if (interval && std::isfinite(e.low))
      out.set(cat(each.metric, "_interval,", each.filter), ValueList{e.low, e.high});
  }
}

}  // namespace

std::vector<GroupResult> run_groups(const TaskSet& set, const std::vector<TaskResult>& results) {
  std::vector<GroupResult> out;
  for (const GroupSpec& group : set.groups) {
    GroupResult result;
    result.group = group.name;
    collect(set, group, 0, result.tasks);
    if (result.tasks.empty())
      throw Error(ErrorKind::kConfig,
                  cat(group.where, ": the group ", quote(group.name), " has no tasks"));
    for (const GroupMetric& metric : group.metrics) {
      std::vector<std::string> filters = {metric.filter};
      if (metric.filter.empty()) {  // every one that the first task has
        filters.clear();
        for (const MetricResult& own : result_of(results, result.tasks[0]).metrics)
          if (own.metric == metric.metric) filters.push_back(own.filter);
      }
      for (const std::string& filter : filters) {
        std::optional<MetricResult> mean =
            aggregate(result, results, metric.metric, filter, metric.weight_by_size);
        if (!mean) refuse(group, metric);
        result.metrics.push_back(std::move(*mean));
      }
      if (filters.empty()) refuse(group, metric);
    }
    if (group.metrics.empty()) {
      for (const MetricResult& own : result_of(results, result.tasks[0]).metrics) {
        std::optional<MetricResult> mean = aggregate(result, results, own.metric, own.filter, true);
        if (mean && mean->is_mean) result.metrics.push_back(std::move(*mean));
      }
    }
    out.push_back(std::move(result));
  }
  return out;
}

std::string results_json(const TaskSet& set, const std::vector<TaskResult>& results,
                         const std::vector<GroupResult>& groups, const Value& config) {
  const auto empty = [] { return Value(ValueMap{}); };
  Value out = empty();
  Value figures = empty();
  Value group_figures = empty();
  Value members = empty();
  Value configs = empty();
  Value versions = empty();
  Value shots = empty();
  Value better = empty();
  Value sizes = empty();
  for (std::size_t i = 0; i < results.size(); ++i) {
    const TaskResult& result = results[i];
    const TaskSpec& task = set.tasks[i];
    Value own = empty();
    own.set("alias", task.name);
    set_metrics(own, result.metrics, true);
    figures.set(task.name, std::move(own));
    configs.set(task.name, task.config);
    versions.set(task.name, task.version);
    shots.set(task.name, result.shots);
    Value directions = empty();
    for (const MetricResult& metric : result.metrics)
      directions.set(metric.metric, metric.higher_is_better);
    better.set(task.name, std::move(directions));
    Value counts = empty();
    counts.set("original", result.original);
    counts.set("effective", result.evaluated);
    if (result.bad_targets > 0) counts.set("targets_that_are_no_choice", result.bad_targets);
    sizes.set(task.name, std::move(counts));
  }
  for (const GroupResult& group : groups) {
    Value own = empty();
    own.set("alias", group.group);
    i64 n = 0;
    for (const std::string& task : group.tasks)
      n += result_of(results, task).evaluated;
    own.set("sample_len", n);
    set_metrics(own, group.metrics, false);
    group_figures.set(group.group, std::move(own));
    members.set(group.group, ValueList(group.tasks.begin(), group.tasks.end()));
  }
  out.set("results", std::move(figures));
  out.set("groups", std::move(group_figures));
  out.set("group_subtasks", std::move(members));
  out.set("configs", std::move(configs));
  out.set("versions", std::move(versions));
  out.set("n-shot", std::move(shots));
  out.set("higher_is_better", std::move(better));
  out.set("n-samples", std::move(sizes));
  out.set("config", config);
  return text::to_json(out, {.indent = 2}) + "\n";
}

}  // namespace lm::eval

#pragma once
// lm-ppl-filter eval: rankings of strategies by scores, task by task, beside the accuracies that
// training on each strategy gave.

#include <string>
#include <vector>

#include "core/types.h"
#include "stat/bootstrap.h"
#include "stat/choice.h"

namespace lm::filter_tool {

struct RankedBy {
  std::string path;
  bool highest = false;
};

struct Task {
  std::string name;
  i64 strategies = 0;
  std::vector<stat::Foresight> by_metric;
  std::vector<std::string> chosen;
};

/// A figure over tasks with the middle 95 % of the resamples of tasks.
struct Figure {
  f64 value = 0;
  stat::Interval interval;
};

struct MetricFigures {
  Figure spearman, weighted, accuracy;
  f64 best_found = 0;
  Figure first_less;  // accuracy of the first metric's choices less that of this one's
};

/// The first of them, and how many there are more.
std::string shown_names(const std::vector<std::string>& names);

struct Outcomes {
  std::vector<RankedBy> metrics;
  std::vector<Task> tasks;
  i64 unmatched = 0;  // strategies of a task with scores or accuracies alone, left out
  std::vector<std::string> unmatched_tasks;  // those of no other strategies, left out
  std::vector<MetricFigures> figures;

  /// Fills figures from tasks, of which there is at least one.
  void summarise(const stat::BootstrapOptions& options);
  /// Names of tasks without a correlation by this metric: of one strategy, or where all have the
  /// same score or accuracy.
  std::vector<std::string> without_rho(std::size_t metric) const;
  /// Mean over tasks.
  f64 mean_of(f64 stat::Foresight::*what) const;
  /// Everything as one JSON object, or the figures as lines for people.
  std::string json() const;
  std::string table() const;
};

}  // namespace lm::filter_tool

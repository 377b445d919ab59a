#include "outcomes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "common/text_output.h"
#include "core/str.h"
#include "io/json.h"

namespace lm::filter_tool {

namespace {

/// Over tasks, each as often as counts say: mean correlation, the same weighted by the spread of
/// the accuracies, and mean accuracy of the choices.
std::array<f64, 3> over_tasks(std::span<const Task> tasks, std::size_t metric,
                              stat::Counts counts) {
  f64 rho = 0, rhos = 0, weighted = 0, weights = 0, accuracy = 0, all = 0;
  for (i64 t = 0; t < isize(tasks); ++t) {
    const stat::Foresight& one = tasks[usize(t)].by_metric[metric];
    const f64 times = counts[t];
    accuracy += times * one.outcome;
    all += times;
    if (std::isnan(one.spearman)) continue;
    rho += times * one.spearman;
    rhos += times;
    weighted += times * one.spread * one.spearman;
    weights += times * one.spread;
  }
  return {rho / rhos, weighted / weights, accuracy / all};
}

void append_figure(std::string& out, std::string_view name, const Figure& figure) {
  append(out, ",\"", name, "\":");
  io::append_json_number(out, figure.value);
  append(out, ",\"", name, "_low\":");
  io::append_json_number(out, figure.interval.low);
  append(out, ",\"", name, "_high\":");
  io::append_json_number(out, figure.interval.high);
}

}  // namespace

std::string shown_names(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 5;
  std::string out;
  for (std::size_t i = 0; i < std::min(kMost, names.size()); ++i)
    append(out, i > 0 ? ", " : "", names[i].empty() ? "\"\"" : tool_options::table_cell(names[i]));
  if (names.size() > kMost) append(out, " and ", names.size() - kMost, " more");
  return out;
}

void Outcomes::summarise(const stat::BootstrapOptions& options) {
  const i64 kinds = 3;
  const stat::BootstrapDraws draws(
      isize(tasks), kinds * isize(metrics), options, [&](stat::Counts counts, std::span<f64> out) {
        for (std::size_t m = 0; m < metrics.size(); ++m)
          std::ranges::copy(over_tasks(tasks, m, counts), out.subspan(usize(kinds) * m).begin());
      });
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const std::array<f64, 3> values = over_tasks(tasks, m, {});
    const i64 at = kinds * static_cast<i64>(m);
    const auto figure = [&](i64 kind) {
      return Figure{values[usize(kind)], stat::percentile_interval(draws.of(at + kind))};
    };
    MetricFigures& one = figures.emplace_back();
    one.spearman = figure(0);
    one.weighted = figure(1);
    one.accuracy = figure(2);
    for (const Task& task : tasks)
      one.best_found += task.by_metric[m].outcome == task.by_metric[m].best ? 1 : 0;
    one.best_found /= static_cast<f64>(tasks.size());
    one.first_less = {figures[0].accuracy.value - one.accuracy.value,
                      stat::difference_interval(draws.of(2), draws.of(at + 2))};
  }
}

std::vector<std::string> Outcomes::without_rho(std::size_t metric) const {
  std::vector<std::string> out;
  for (const Task& task : tasks) {
    if (std::isnan(task.by_metric[metric].spearman)) out.push_back(task.name);
  }
  return out;
}

f64 Outcomes::mean_of(f64 stat::Foresight::*what) const {
  f64 sum = 0;
  for (const Task& task : tasks)
    sum += task.by_metric[0].*what;
  return sum / static_cast<f64>(tasks.size());
}

std::string Outcomes::json() const {
  const auto number = [](f64 x) {
    std::string out;
    io::append_json_number(out, x);
    return out;
  };
  const auto names = [](const std::vector<std::string>& list) {
    std::string out = "[";
    for (const std::string& name : list)
      append(out, out.size() > 1 ? "," : "", io::json_string(name));
    return out + "]";
  };
  std::string out = "{\"tasks\":[";
  for (const Task& task : tasks) {
    const stat::Foresight& any = task.by_metric[0];
    append(out, out.back() == '[' ? "" : ",", "{\"task\":", io::json_string(task.name),
           ",\"strategies\":", task.strategies, ",\"mean\":", number(any.mean),
           ",\"best\":", number(any.best), ",\"spread\":", number(any.spread), ",\"metrics\":[");
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      const stat::Foresight& one = task.by_metric[m];
      append(out, m > 0 ? "," : "", "{\"metric\":", io::json_string(metrics[m].path),
             ",\"rho\":", number(one.spearman), ",\"chosen\":", io::json_string(task.chosen[m]),
             ",\"accuracy\":", number(one.outcome), "}");
    }
    out += "]}";
  }
  append(out, "],\"unmatched\":", unmatched, ",\"unmatched_tasks\":", names(unmatched_tasks),
         ",\"mean\":", number(mean_of(&stat::Foresight::mean)),
         ",\"best\":", number(mean_of(&stat::Foresight::best)), ",\"metrics\":[");
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const MetricFigures& one = figures[m];
    append(out, m > 0 ? "," : "", "{\"metric\":", io::json_string(metrics[m].path));
    append_figure(out, "rho", one.spearman);
    append(out, ",\"without_rho\":", names(without_rho(m)));
    append_figure(out, "weighted_rho", one.weighted);
    append_figure(out, "accuracy", one.accuracy);
    append(out, ",\"best_found\":", number(one.best_found));
    append_figure(out, "first_less", one.first_less);
    out += "}";
  }
  return out + "]}";
}

std::string Outcomes::table() const {
  std::vector<std::vector<std::string>> rows = {{"metric", "rho", "[95 %]", "weighted", "accuracy",
                                                 "[95 %]", "best found", "first less", "[95 %]"}};
  const auto number = [](f64 x) { return std::isnan(x) ? std::string("-") : format_fixed(x, 4); };
  const auto interval = [&](const Figure& figure) {
    if (std::isnan(figure.interval.low)) return std::string("-");
    return cat("[", number(figure.interval.low), ", ", number(figure.interval.high), "]");
  };
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const MetricFigures& one = figures[m];
    rows.push_back({metrics[m].path, number(one.spearman.value), interval(one.spearman),
                    number(one.weighted.value), number(one.accuracy.value), interval(one.accuracy),
                    format_fixed(one.best_found, 3)});
    if (m > 0) {
      rows.back().push_back(number(one.first_less.value));
      rows.back().push_back(interval(one.first_less));
    }
  }
  rows.push_back({"any strategy", "", "", "", number(mean_of(&stat::Foresight::mean))});
  rows.push_back({"the best", "", "", "", number(mean_of(&stat::Foresight::best))});
  std::string notes;
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const std::vector<std::string> left = without_rho(m);
    if (!left.empty())
      append(notes, metrics[m].path, ": no rho of ", left.size(), " of ", tasks.size(),
             " tasks, whose strategies have equal scores or accuracies or are one: ",
             shown_names(left), "\n");
  }
  return cat(tasks.size(), " tasks\n", tool_options::aligned_table(rows), notes);
}

}  // namespace lm::filter_tool

// Two runs, document by document.

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/error.h"
#include "core/random.h"
#include "core/stages.h"
#include "core/str.h"
#include "eval/samples.h"
#include "io/folder.h"
#include "stat/bootstrap.h"

namespace lm::eval {

using text::Value;
using text::ValueList;
using text::ValueMap;

namespace {

constexpr f64 kNan = std::numeric_limits<f64>::quiet_NaN();

/// Names of tasks with samples in a folder.
std::set<std::string> tasks_in(const std::string& folder) {
  std::set<std::string> out;
  for (const std::string& name : io::list_folder(folder)) {
    constexpr std::string_view kHead = "samples_";
    constexpr std::string_view kTail = ".jsonl.zst";
    if (name.starts_with(kHead) && name.ends_with(kTail))
      out.insert(name.substr(kHead.size(), name.size() - kHead.size() - kTail.size()));
  }
  return out;
}

using SampleKey = std::pair<std::string, i64>;  // filter, document

std::map<SampleKey, const Value*> by_key(const std::string& file, const DocSet& docs) {
  std::map<SampleKey, const Value*> out;
  i64 number = 0;
  for (const Doc& doc : docs.docs()) {
    ++number;
    const Value* id = doc.fields.find("doc_id");
    const Value* filter = doc.fields.find("filter");
    if (id == nullptr || !id->is_whole() || filter == nullptr || !filter->is_string())
      throw Error(ErrorKind::kData, cat(file, ":", number,
                                        ": is no sample: doc_id or filter is "
                                        "missing"));
    if (!out.emplace(SampleKey{filter->str(), id->whole()}, &doc.fields).second)
      throw Error(ErrorKind::kData, cat(file, ":", number, ": the sample is there already"));
  }
  return out;
}

/// A metric's row in a sample, empty if it has none.
std::vector<f64> row_of(const Value& sample, const std::string& metric) {
  const Value* value = sample.find(metric);
  std::vector<f64> out;
  if (value == nullptr) return out;
  if (value->is_number()) return {value->number()};
  if (!value->is_list()) return out;
  for (const Value& each : value->list()) {
    if (!each.is_number()) return {};
    out.push_back(each.number());
  }
  return out;
}

class TaskComparison {
 public:
  TaskComparison(const std::string& task, const std::string& file_a, const std::string& file_b,
                 const CompareOptions& options, const Context& ctx)
      : task_(task),
        file_b_(file_b),
        options_(options),
        docs_a_(read_docs({file_a}, 0, ctx)),
        docs_b_(read_docs({file_b}, 0, ctx)),
        a_(by_key(file_a, docs_a_)),
        b_(by_key(file_b, docs_b_)) {}

  std::vector<Comparison> run() {
    std::vector<Comparison> out;
    std::set<std::string> filters;
    for (const auto& [key, sample] : a_)
      filters.insert(key.first);
    for (const std::string& filter : filters) {
      pair_up(filter);
      if (pairs_.empty()) continue;
      for (const auto& [key, value] : pairs_[0].first->map()) {
        if (!key.is_string()) continue;
        const std::vector<f64> row = row_of(*pairs_[0].first, key.str());
        const MetricDef* metric = find_metric(key.str(), isize(row));
        if (metric != nullptr) out.push_back(compare(*metric, filter));
      }
    }
    return out;
  }

 private:
  void pair_up(const std::string& filter) {
    pairs_.clear();
    only_a_ = only_b_ = 0;
    for (const auto& [key, sample] : a_) {
      if (key.first != filter) continue;
      const auto other = b_.find(key);
      if (other == b_.end()) {
        ++only_a_;
        continue;
      }
      const Value* mine = sample->find("doc_hash");
      const Value* theirs = other->second->find("doc_hash");
      if (mine == nullptr || theirs == nullptr || !(*mine == *theirs))
        throw Error(ErrorKind::kData, cat(file_b_, ": document ", key.second,
                                          " is another one than in the first run"));
      pairs_.emplace_back(sample, other->second);
    }
    for (const auto& [key, sample] : b_)
      only_b_ += key.first == filter && !a_.contains(key) ? 1 : 0;
  }

  Comparison compare(const MetricDef& metric, const std::string& filter) {
    Comparison out;
    out.task = task_;
    out.metric = metric.name;
    out.filter = filter;
    out.n = isize(pairs_);
    out.only_a = only_a_;
    out.only_b = only_b_;
    MetricRows rows_a{metric.width, {}};
    MetricRows rows_b{metric.width, {}};
    for (const auto& [sample_a, sample_b] : pairs_) {
      for (const auto& [sample, rows] :
           {std::pair(sample_a, &rows_a), std::pair(sample_b, &rows_b)}) {
        const std::vector<f64> row = row_of(*sample, metric.name);
        if (isize(row) != metric.width)
          throw Error(ErrorKind::kData,
                      cat(file_b_, ": a sample of ", quote(task_), " has no ", metric.name));
        rows->values.insert(rows->values.end(), row.begin(), row.end());
      }
    }
    out.a = metric.score(rows_a, {});
    out.b = metric.score(rows_b, {});
    out.difference = out.b - out.a;
    const stat::BootstrapDraws draws(out.n, 2, {options_.draws, options_.seed},
                                     [&](stat::Counts counts, std::span<f64> values) {
                                       values[0] = metric.score(rows_a, counts);
                                       values[1] = metric.score(rows_b, counts);
                                     });
    const stat::Interval interval = stat::difference_interval(draws.of(1), draws.of(0));
    out.low = interval.low;
    out.high = interval.high;
    out.p_value = kNan;
    out.test = "none";
    if (metric.is_mean()) test(rows_a, rows_b, out);
    return out;
  }

  void test(const MetricRows& a, const MetricRows& b, Comparison& out) const {
    std::vector<f64> differences;
    bool binary = true;
    for (i64 i = 0; i < out.n; ++i) {
      const f64 x = a.values[usize(i)];
      const f64 y = b.values[usize(i)];
      binary = binary && (x == 0 || x == 1) && (y == 0 || y == 1);
      differences.push_back(y - x);
      out.wins += y > x ? 1 : 0;
      out.losses += y < x ? 1 : 0;
      out.ties += y == x ? 1 : 0;
    }
    out.test = binary ? "mcnemar_exact" : "sign_flip";
    out.p_value = binary ? sign_test(out.wins, out.losses)
                         : sign_flip_test(differences, options_.flips, options_.seed);
  }

  std::string task_;
  std::string file_b_;
  const CompareOptions& options_;
  DocSet docs_a_, docs_b_;
  std::map<SampleKey, const Value*> a_, b_;
  std::vector<std::pair<const Value*, const Value*>> pairs_;
  i64 only_a_ = 0;
  i64 only_b_ = 0;
};

}  // namespace

f64 sign_test(i64 wins, i64 losses) {
  const i64 n = wins + losses;
  f64 tail = 0;
  for (i64 k = std::max(wins, losses); k <= n; ++k) {
    const f64 log_choose = std::lgamma(static_cast<f64>(n + 1)) -
                           std::lgamma(static_cast<f64>(k + 1)) -
                           std::lgamma(static_cast<f64>(n - k + 1));
    tail += std::exp(log_choose - static_cast<f64>(n) * std::log(2.0));
  }
  return std::min(1.0, 2 * tail);
}

f64 sign_flip_test(std::span<const f64> differences, i64 flips, u64 seed) {
  std::vector<f64> moved;  // zeros have no sign
  for (const f64 difference : differences)
    if (difference != 0) moved.push_back(difference);
  if (moved.empty()) return 1;
  const i64 n = isize(moved);
  f64 observed = 0;
  for (const f64 difference : moved)
    observed += difference;
  // Sums that differ by rounding only are as extreme.
  const f64 bound = std::fabs(observed) * (1 - 1e-12);
  const bool exact = n < 62 && (i64{1} << n) <= flips;
  const i64 draws = exact ? i64{1} << n : flips;
  const RandomStream random(seed, RandomPurpose::kOther, fnv1a64("sign flip"));
  i64 extreme = 0;
  for (i64 d = 0; d < draws; ++d) {
    f64 sum = 0;
    u64 bits = 0;
    for (i64 i = 0; i < n; ++i) {
      if (exact) {
        bits = static_cast<u64>(d) >> i;
      } else {
        bits =
            i % 64 == 0 ? random.bits(static_cast<u64>(d * ((n + 63) / 64) + i / 64)) : bits >> 1;
      }
      sum += (bits & 1) != 0 ? moved[usize(i)] : -moved[usize(i)];
    }
    extreme += std::fabs(sum) >= bound ? 1 : 0;
  }
  if (exact) return static_cast<f64>(extreme) / static_cast<f64>(draws);
  return static_cast<f64>(1 + extreme) / static_cast<f64>(1 + draws);
}

std::vector<f64> holm(std::span<const f64> p_values) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p_values.size(); ++i)
    if (!std::isnan(p_values[i])) order.push_back(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<f64> out(p_values.begin(), p_values.end());
  f64 largest = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const f64 scaled = static_cast<f64>(order.size() - k) * p_values[order[k]];
    largest = std::max(largest, std::min(1.0, scaled));
    out[order[k]] = largest;
  }
  return out;
}

namespace {

constexpr const char* kWritten = "lm-eval run -o FOLDER writes samples_TASK.jsonl.zst";

void correct(std::vector<Comparison>& all) {
  std::vector<f64> p_values;
  for (const Comparison& each : all)
    p_values.push_back(each.p_value);
  const std::vector<f64> corrected = holm(p_values);
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i].p_holm = corrected[i];
}

}  // namespace

std::vector<Comparison> compare_runs(const std::string& a, const std::string& b,
                                     const CompareOptions& options, const Context& ctx) {
  const std::set<std::string> in_b = tasks_in(b);
  std::vector<Comparison> out;
  bool common = false;
  for (const std::string& task : tasks_in(a)) {
    if (!in_b.contains(task)) continue;
    common = true;
    const StageTimer timer(ctx.stages->stage("compare"));
    std::vector<Comparison> part =
        TaskComparison(task, samples_path(a, task), samples_path(b, task), options, ctx).run();
    out.insert(out.end(), part.begin(), part.end());
  }
  if (!common)
    throw Error(ErrorKind::kNoInput, cat(a, " and ", b, " have samples of no common task"),
                kWritten);
  correct(out);
  return out;
}

std::vector<Comparison> compare_tasks(const std::string& folder,
                                      const std::vector<std::string>& tasks,
                                      const CompareOptions& options, const Context& ctx) {
  LM_CHECK(tasks.size() >= 2, "there is something to compare");
  const std::set<std::string> there = tasks_in(folder);
  for (const std::string& task : tasks)
    if (!there.contains(task))
      throw Error(ErrorKind::kNoInput, cat(folder, ": has no samples of ", quote(task)),
                  there.empty()
                      ? kWritten
                      : cat("it has those of ",
                            join(std::vector<std::string>(there.begin(), there.end()), ", ")));
  std::vector<Comparison> out;
  for (std::size_t i = 1; i < tasks.size(); ++i) {
    const StageTimer timer(ctx.stages->stage("compare"));
    for (Comparison& each : TaskComparison(tasks[i], samples_path(folder, tasks[0]),
                                           samples_path(folder, tasks[i]), options, ctx)
                                .run()) {
      each.base = tasks[0];
      out.push_back(std::move(each));
    }
  }
  correct(out);
  return out;
}

std::string compare_json(const std::vector<Comparison>& comparisons) {
  const auto number = [](f64 value) { return std::isfinite(value) ? Value(value) : Value(); };
  ValueList out;
  for (const Comparison& each : comparisons) {
    Value one(ValueMap{{"task", each.task},
                       {"metric", each.metric},
                       {"filter", each.filter},
                       {"n", each.n},
                       {"only_a", each.only_a},
                       {"only_b", each.only_b},
                       {"a", number(each.a)},
                       {"b", number(each.b)},
                       {"difference", number(each.difference)},
                       {"interval", ValueList{number(each.low), number(each.high)}}});
    if (!each.base.empty()) one.set("base", each.base);
    if (each.test != "none") {
      one.set("wins", each.wins);
      one.set("losses", each.losses);
      one.set("ties", each.ties);
      one.set("test", each.test);
      one.set("p_value", number(each.p_value));
      one.set("p_holm", number(each.p_holm));
    }
    out.push_back(std::move(one));
  }
  return text::to_json(Value(ValueMap{{"comparisons", std::move(out)}}), {.indent = 2}) + "\n";
}

}  // namespace lm::eval

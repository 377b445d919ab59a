// check: solutions in words, held against what they were asked for.

#include <any>
#include <array>
#include <cmath>
#include <optional>

#include "core/str.h"
#include "io/json.h"
#include "synth.h"
#include "synth/judge.h"
#include "text/value.h"

namespace lm::synth_tool {

namespace {

using synth::Judged;
using text::Value;

enum Field : i64 { kInstance, kOpt, kCheck, kTexts, kText };
constexpr std::size_t kProblems = 7;

struct Rules {
  std::string field;  // empty: completions, else completion
  std::optional<accord::Format> form;
  std::optional<f64> oracle_stop;
};

/// The solution that a way of choosing has taken.
struct Pick {
  bool there = false;
  f64 objective = 0;
  std::optional<f64> gap;
};
/// One record in figures.
struct Outcome {
  i64 problem = 0;
  i64 samples = 0, feasible = 0, taken = 0;
  Pick first, best, oracle;
};

/// A mean over picks.
struct Mean {
  i64 there = 0, compared = 0;
  f64 objective = 0, gap = 0;
  void add(const Pick& pick) {
    if (!pick.there) return;
    ++there;
    objective += pick.objective;
    if (!pick.gap) return;
    ++compared;
    gap += *pick.gap;
  }
};
struct Tally {
  i64 records = 0, samples = 0, feasible = 0, taken = 0;
  Mean first, best, oracle;
  void add(const Outcome& one) {
    ++records;
    samples += one.samples;
    feasible += one.feasible;
    taken += one.taken;
    first.add(one.first);
    best.add(one.best);
    oracle.add(one.oracle);
  }
};

/// Judges records; one per worker.
class Worker {
 public:
  Worker(const Rules& rules, std::vector<std::string> paths)
      : rules_(rules), json_(std::move(paths)) {}
  io::JsonReader& json() { return json_; }

  std::optional<Fault> record(std::string& out, Outcome& outcome) {
    if (!json_.has(kInstance))
      return Fault{"missing", "field \"instance\" is missing, expected a problem", -1};
    if (std::optional<Fault> fault = judge_.read(json_.raw(kInstance))) return fault;
    std::optional<i64> opt;
    if (json_.has(kOpt)) {
      const Result<i64> given = json_.integer(kOpt);
      if (!given) return given.fault();
      opt = *given;
    }
    if (rules_.oracle_stop && !opt)
      return Fault{"missing", "field \"opt\" is missing, which --oracle-stop looks at", -1};
    std::vector<std::string> texts;
    if (std::optional<Fault> fault = read_texts(texts)) return fault;
    if (std::optional<Fault> fault = json_.settable(kCheck)) return fault;
    all_.clear();
    for (const std::string& text : texts) {
      all_.push_back(judge_(text, rules_.form, opt));
      outcome.feasible += all_.back().feasible ? 1 : 0;
    }
    outcome.problem = judge_.problem();
    outcome.samples = isize(all_);
    const i64 best = synth::best_of(all_, isize(all_), judge_.maximised());
    outcome.first = pick(0);
    outcome.best = pick(best);
    std::string check = cat("{", all_[0].json);
    if (all_.size() > 1) {
      append(check, ",\"samples\":[");
      for (std::size_t i = 0; i < all_.size(); ++i)
        append(check, i > 0 ? "," : "", "{", all_[i].json, "}");
      append(check, "],\"best\":{\"sample\":", chosen(best), "}");
    }
    if (rules_.oracle_stop) {
      outcome.taken = synth::taken_until(all_, *rules_.oracle_stop);
      const i64 oracle = synth::best_of(all_, outcome.taken, judge_.maximised());
      outcome.oracle = pick(oracle);
      append(check, ",\"oracle_stop\":{\"taken\":", outcome.taken, ",\"sample\":", chosen(oracle),
             "}");
    }
    io::RecordEdit edit(json_);
    edit.set(kCheck, check + "}");
    edit.write(out);
    return std::nullopt;
  }

 private:
  std::optional<Fault> read_texts(std::vector<std::string>& out) const {
    const i64 field = !rules_.field.empty() || json_.has(kTexts) ? kTexts : kText;
    const std::string name = quote(json_.path(field));
    if (!json_.has(field))
      return Fault{"missing", cat("field ", name, " is missing, expected a solution or several"),
                   -1};
    const Fault wrong{
        "type",
        cat("field ", name, " is neither a text nor a list of texts or of objects with text"), -1};
    const Result<Value> value = text::parse_json_value(json_.raw(field));
    if (!value) return value.fault();
    if (value->is_string()) {
      out.push_back(value->str());
      return std::nullopt;
    }
    if (!value->is_list()) return wrong;
    for (const Value& one : value->list()) {
      const Value* const text = one.is_map() ? one.find(Value("text")) : &one;
      if (text == nullptr || !text->is_string()) return wrong;
      out.push_back(text->str());
    }
    if (out.empty()) return Fault{"empty", cat("field ", name, " has no solution"), -1};
    return std::nullopt;
  }
  Pick pick(i64 i) const {
    if (i < 0 || !all_[usize(i)].feasible) return {};
    return {true, all_[usize(i)].objective, all_[usize(i)].gap};
  }
  /// The sample's number and what it amounts to, as members.
  std::string chosen(i64 i) const {
    return i < 0 ? std::string("null") : cat(i, ",", all_[usize(i)].json);
  }

  const Rules& rules_;
  io::JsonReader json_;
  synth::Judge judge_;
  std::vector<Judged> all_;
};

std::string number_json(f64 value) {
  std::string out;
  io::append_json_number(out, value);  // of nothing: null
  return out;
}
std::string ratio_json(f64 part, i64 whole) {
  return whole == 0 ? "null" : number_json(part / static_cast<f64>(whole));
}
std::string mean_json(const Mean& mean, i64 records) {
  return cat("{\"feasible\":", ratio_json(static_cast<f64>(mean.there), records),
             ",\"objective\":", ratio_json(mean.objective, mean.there),
             ",\"gap\":", ratio_json(mean.gap, mean.compared), "}");
}
std::string tally_json(const Tally& t, bool oracle) {
  std::string out =
      cat("{\"records\":", t.records, ",\"samples\":", t.samples,
          ",\"feasible\":", ratio_json(static_cast<f64>(t.feasible), t.samples),
          ",\"first\":", mean_json(t.first, t.records), ",\"best\":", mean_json(t.best, t.records));
  if (oracle)
    append(out, ",\"oracle_stop\":", mean_json(t.oracle, t.records), ",\"taken\":", t.taken);
  return out + "}";
}

}  // namespace

void run_check(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  Rules rules;
  rules.field = options.text("field");
  if (options.text("form") == "accord") rules.form = accord::Format::kAccord;
  if (options.text("form") == "lists") rules.form = accord::Format::kLists;
  rules.oracle_stop = options.maybe_real("oracle-stop");
  std::vector<std::string> paths = {"instance", "opt", "check",
                                    rules.field.empty() ? "completions" : rules.field};
  io::check_apart(paths);
  if (rules.field.empty()) paths.emplace_back("completion");

  io::RecordRun& records = tool.records();
  io::WorkerPool<Worker> workers([&] { return std::make_unique<Worker>(rules, paths); });
  const auto judge = [&](io::Batch& batch) {
    std::vector<Outcome> outcomes;
    workers.with([&](Worker& worker) {
      records.each_record(batch, worker.json(), [&](io::Record&) {
        Outcome outcome;
        std::optional<Fault> fault = worker.record(batch.out, outcome);
        if (!fault) outcomes.push_back(outcome);
        return fault;
      });
    });
    batch.user = std::move(outcomes);
  };
  Tally all;
  std::array<Tally, kProblems> by_problem;
  LM_CHECK(synth::judged_names().size() == kProblems, "a tally for each problem");
  const auto count = [&](io::Batch& batch) {
    for (const Outcome& one : std::any_cast<const std::vector<Outcome>&>(batch.user)) {
      all.add(one);
      by_problem[usize(one.problem)].add(one);
    }
  };
  records.run({{StageMode::kParallel, judge, "judge"}, {StageMode::kSerial, count, "count"}});
  const bool oracle = rules.oracle_stop.has_value();
  std::string problems;
  for (std::size_t i = 0; i < kProblems; ++i)
    if (by_problem[i].records > 0)
      append(problems, problems.empty() ? "" : ",", "\"", synth::judged_names()[i],
             "\":", tally_json(by_problem[i], oracle));
  tool.add_metric("check", tally_json(all, oracle));
  tool.add_metric("problems", cat("{", problems, "}"));
}

}  // namespace lm::synth_tool

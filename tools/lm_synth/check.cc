// check: solutions in words, held against their instances.

#include "accord/check.h"

#include <array>
#include <atomic>
#include <cmath>
#include <optional>

#include "core/str.h"
#include "io/json.h"
#include "synth.h"
#include "text/value.h"

namespace lm::synth_tool {

namespace {

using accord::Format;
using accord::Verdict;
using text::Value;

enum Field : i64 { kInstance, kOpt, kCheck, kTexts, kText };

/// Sums over records, in whole numbers so that their order does not matter.
struct Tally {
  std::atomic<i64> records{0}, samples{0}, feasible_samples{0};
  std::atomic<i64> feasible_first{0}, feasible_best{0}, feasible_oracle{0};
  std::atomic<i64> compared_first{0}, compared_best{0}, compared_oracle{0};
  std::atomic<i64> gap_first{0}, gap_best{0}, gap_oracle{0};  // 10^-9
  std::atomic<i64> oracle_samples{0};
};
using Tallies = std::array<Tally, 7>;  // all, then problem by problem

i64 nano(f64 gap) {
  return std::llround(std::min(gap, 1e6) * 1e9);
}

struct Rules {
  std::string field;  // empty: completions, else completion
  std::optional<Format> format;
  std::optional<f64> oracle_stop;
};

std::string gap_json(const std::optional<f64>& gap) {
  std::string out;
  if (gap)
    io::append_json_number(out, *gap);
  else
    out = "null";
  return out;
}

class CheckMapper final : public io::RecordMapper {
 public:
  CheckMapper(const Rules& rules, Tallies& tallies) : rules_(rules), tallies_(tallies) {}

  std::optional<Fault> map(io::Record& record, std::string& out) override {
    io::JsonReader& json = record.json;
    if (!json.has(kInstance))
      return Fault{"missing", "field \"instance\" is missing, expected a problem", -1};
    const Result<accord::Instance> instance = accord::read_instance(json.raw(kInstance));
    if (!instance) return instance.fault();
    std::optional<i64> opt;
    if (json.has(kOpt)) {
      const Result<i64> given = json.integer(kOpt);
      if (!given) return given.fault();
      opt = *given;
    }
    if (rules_.oracle_stop && !opt)
      return Fault{"missing", "field \"opt\" is missing, which --oracle-stop looks at", -1};
    std::vector<std::string> texts;
    if (std::optional<Fault> fault = read_texts(json, texts)) return fault;
    if (std::optional<Fault> fault = json.settable(kCheck)) return fault;
    verdicts_.clear();
    for (const std::string& text : texts)
      verdicts_.push_back(accord::check(*instance, text, rules_.format));
    const bool maximised = accord::maximised(accord::problem_of(*instance));
    const i64 best = best_of(isize(verdicts_), maximised);
    const i64 stop = rules_.oracle_stop ? stop_at(*opt) : 0;
    const i64 oracle = rules_.oracle_stop ? best_of(stop, maximised) : -1;
    io::RecordEdit edit(json);
    edit.set(kCheck, result(opt, best, stop, oracle));
    edit.write(out);
    count(tallies_[0], opt, best, stop, oracle);
    count(tallies_[1 + static_cast<std::size_t>(accord::problem_of(*instance))], opt, best, stop,
          oracle);
    return std::nullopt;
  }

 private:
  std::optional<Fault> read_texts(io::JsonReader& json, std::vector<std::string>& out) const {
    const i64 field = !rules_.field.empty() || json.has(kTexts) ? kTexts : kText;
    if (!json.has(field))
      return Fault{"missing",
                   cat("field ", quote(json.path(field)),
                       " is missing, expected a "
                       "solution or several"),
                   -1};
    const auto wrong = [&] {
      return Fault{"type",
                   cat("field ", quote(json.path(field)),
                       " is neither a text nor a list of texts or of objects with text"),
                   -1};
    };
    const Result<Value> value = text::parse_json_value(json.raw(field));
    if (!value) return value.fault();
    if (value->is_string()) {
      out.push_back(value->str());
      return std::nullopt;
    }
    if (!value->is_list()) return wrong();
    for (const Value& one : value->list()) {
      const Value* const text = one.is_map() ? one.find(Value("text")) : &one;
      if (text == nullptr || !text->is_string()) return wrong();
      out.push_back(text->str());
    }
    if (out.empty())
      return Fault{"empty", cat("field ", quote(json.path(field)), " has no solution"), -1};
    return std::nullopt;
  }

  /// The first of the best among the first `count`, or -1. Does not know the optimum.
  i64 best_of(i64 count, bool maximised) const {
    i64 best = -1;
    for (i64 i = 0; i < count; ++i) {
      const Verdict& one = verdicts_[usize(i)];
      if (!one.feasible) continue;
      const i64 other = best < 0 ? one.objective : verdicts_[usize(best)].objective;
      if (best < 0 || (maximised ? one.objective > other : one.objective < other)) best = i;
    }
    return best;
  }
  /// How many samples are taken until one is near the optimum.
  i64 stop_at(i64 opt) const {
    for (i64 i = 0; i < isize(verdicts_); ++i) {
      if (!verdicts_[usize(i)].feasible) continue;
      const std::optional<f64> gap = accord::gap(verdicts_[usize(i)].objective, opt);
      if (gap && *gap <= *rules_.oracle_stop) return i + 1;
    }
    return isize(verdicts_);
  }

  static std::optional<f64> gap_of(const Verdict& one, const std::optional<i64>& opt) {
    return one.feasible && opt ? accord::gap(one.objective, *opt) : std::nullopt;
  }
  static void append_verdict(std::string& out, const Verdict& one, const std::optional<i64>& opt) {
    append(out, "\"feasible\":", one.feasible);
    if (!one.feasible) {
      append(out, ",\"reason\":");
      io::append_json_string(out, one.reason);
      return;
    }
    append(out, ",\"objective\":", one.objective);
    if (opt) append(out, ",\"gap\":", gap_json(gap_of(one, opt)));
    append(out, ",\"solution\":", accord::solution_json(one.solution));
  }
  void append_chosen(std::string& out, i64 chosen, const std::optional<i64>& opt) const {
    append(out, "\"sample\":");
    if (chosen < 0) {
      out += "null";
      return;
    }
    const Verdict& one = verdicts_[usize(chosen)];
    append(out, chosen, ",\"objective\":", one.objective);
    if (opt) append(out, ",\"gap\":", gap_json(gap_of(one, opt)));
  }

  std::string result(const std::optional<i64>& opt, i64 best, i64 stop, i64 oracle) const {
    std::string out = "{";
    append_verdict(out, verdicts_[0], opt);
    if (verdicts_.size() > 1) {
      append(out, ",\"samples\":[");
      for (std::size_t i = 0; i < verdicts_.size(); ++i) {
        append(out, i > 0 ? "," : "", "{");
        append_verdict(out, verdicts_[i], opt);
        out += '}';
      }
      append(out, "],\"best\":{");
      append_chosen(out, best, opt);
      out += '}';
    }
    if (rules_.oracle_stop) {
      append(out, ",\"oracle_stop\":{\"taken\":", stop, ",");
      append_chosen(out, oracle, opt);
      out += '}';
    }
    return out + "}";
  }

  void count(Tally& tally, const std::optional<i64>& opt, i64 best, i64 stop, i64 oracle) const {
    const auto add = [&](i64 which, std::atomic<i64>& feasible, std::atomic<i64>& compared,
                         std::atomic<i64>& sum) {
      if (which < 0 || !verdicts_[usize(which)].feasible) return;
      ++feasible;
      const std::optional<f64> gap = gap_of(verdicts_[usize(which)], opt);
      if (!gap) return;
      ++compared;
      sum += nano(*gap);
    };
    ++tally.records;
    tally.samples += isize(verdicts_);
    for (const Verdict& one : verdicts_)
      tally.feasible_samples += one.feasible ? 1 : 0;
    add(0, tally.feasible_first, tally.compared_first, tally.gap_first);
    add(best, tally.feasible_best, tally.compared_best, tally.gap_best);
    if (!rules_.oracle_stop) return;
    add(oracle, tally.feasible_oracle, tally.compared_oracle, tally.gap_oracle);
    tally.oracle_samples += stop;
  }

  const Rules& rules_;
  Tallies& tallies_;
  std::vector<Verdict> verdicts_;
};

std::string share_json(i64 part, i64 whole) {
  return gap_json(whole == 0
                      ? std::nullopt
                      : std::optional<f64>(static_cast<f64>(part) / static_cast<f64>(whole)));
}
std::string mean_json(i64 nanos, i64 count) {
  return gap_json(
      count == 0 ? std::nullopt
                 : std::optional<f64>(static_cast<f64>(nanos) / 1e9 / static_cast<f64>(count)));
}

std::string tally_json(const Tally& t, bool oracle) {
  std::string out = cat("{\"records\":", t.records.load(), ",\"samples\":", t.samples.load(),
                        ",\"feasible_samples\":", share_json(t.feasible_samples, t.samples),
                        ",\"feasible_first\":", share_json(t.feasible_first, t.records),
                        ",\"gap_first\":", mean_json(t.gap_first, t.compared_first),
                        ",\"feasible_best\":", share_json(t.feasible_best, t.records),
                        ",\"gap_best\":", mean_json(t.gap_best, t.compared_best));
  if (oracle)
    append(out, ",\"oracle_stop\":{\"samples\":", t.oracle_samples.load(),
           ",\"feasible\":", share_json(t.feasible_oracle, t.records),
           ",\"gap\":", mean_json(t.gap_oracle, t.compared_oracle), "}");
  return out + "}";
}

}  // namespace

void run_check(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  Rules rules;
  rules.field = options.text("field");
  if (options.text("form") == "accord") rules.format = Format::kAccord;
  if (options.text("form") == "lists") rules.format = Format::kLists;
  rules.oracle_stop = options.maybe_real("oracle-stop");
  std::vector<std::string> paths = {"instance", "opt", "check",
                                    rules.field.empty() ? "completions" : rules.field};
  io::check_apart(paths);
  if (rules.field.empty()) paths.push_back("completion");
  Tallies tallies;
  tool.records().map(paths, [&] { return std::make_unique<CheckMapper>(rules, tallies); });
  std::string of_problems;
  for (std::size_t i = 0; i < accord::problem_names().size(); ++i)
    if (tallies[i + 1].records > 0)
      append(of_problems, of_problems.empty() ? "" : ",", "\"", accord::problem_names()[i],
             "\":", tally_json(tallies[i + 1], rules.oracle_stop.has_value()));
  tool.add_metric("check", tally_json(tallies[0], rules.oracle_stop.has_value()));
  tool.add_metric("problems", cat("{", of_problems, "}"));
}

}  // namespace lm::synth_tool

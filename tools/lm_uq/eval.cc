// eval: how well scores tell right answers from wrong ones.

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "common/text_output.h"
#include "core/str.h"
#include "eval_text.h"
#include "io/json.h"
#include "once.h"
#include "stat/chart.h"
#include "uq.h"
#include "uq/correctness.h"

namespace lm::uq_tool {

namespace {

// What the parallel stage found in one batch.
struct Read {
  struct One {
    uq::Question question;
    QuestionPlace place;
    std::vector<std::pair<std::string, f64>> scores;
  };
  std::vector<One> questions;
};

struct Worker {
  explicit Worker(const std::string& field) : json({field}), reader(field) {}
  io::JsonReader json;
  uq::RecordReader reader;
  uq::UqRecord record;
};

// All questions of the input, with their scores by estimator.
class Questions {
 public:
  explicit Questions(cli::Tool& tool)
      : tool_(tool),
        correct_(*uq::find_correct(tool.options().text("correct"))),
        names_(name_list(tool.options(), "estimators")),
        only_named_(!names_.empty()),
        workers_(
            [field = score_field(tool.options())] { return std::make_unique<Worker>(field); }) {
    for (i64 i = 0; i < isize(names_); ++i)
      index_[names_[usize(i)]] = i;
  }

  void read() {
    tool_.records_only().run({{StageMode::kParallel, [this](io::Batch& b) { parse(b); }},
                              {StageMode::kSerial, [this](io::Batch& b) { collect(b); }}});
    for (uq::Question& q : all_)
      q.scores.resize(names_.size(), std::nan(""));
    check_names();
    check_once(tool_, std::move(places_));
  }

  const std::vector<uq::Question>& all() const { return all_; }
  const std::vector<std::string>& names() const { return names_; }
  /// Ascending; without those that are not said.
  std::vector<f64> temperatures() const {
    std::vector<f64> out;
    for (const uq::Question& q : all_) {
      if (!std::isnan(q.temperature)) out.push_back(q.temperature);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }
  std::vector<uq::Question> at(f64 temperature) const {
    std::vector<uq::Question> out;
    std::copy_if(all_.begin(), all_.end(), std::back_inserter(out),
                 [&](const uq::Question& q) { return q.temperature == temperature; });
    return out;
  }

 private:
  void parse(io::Batch& batch) {
    const std::shared_ptr<Read> read = std::make_shared<Read>();
    workers_.with([&](Worker& w) {
      tool_.records_only().each_record(batch, w.json,
                                       [&](io::Record& record) { return take(w, record, *read); });
    });
    batch.user = read;
  }

  std::optional<Fault> take(Worker& w, io::Record& record, Read& read) const {
    if (std::optional<Fault> fault = w.reader.read(record.line, w.record)) return fault;
    if (!w.record.scored)
      return Fault{"missing",
                   cat("field ", quote(w.json.path(0)), " is missing: lm-uq score adds it"), -1};
    const std::optional<f64> quality = uq::record_quality(correct_, w.record);
    if (!quality) return Fault{"missing", uq::quality_missing(correct_), -1};
    Read::One& one = read.questions.emplace_back();
    one.question.id = w.record.id.empty() ? cat("#", record.ordinal) : std::string(w.record.id);
    one.place = {one.question.id, w.record.temperature.value_or(-1), record.input,
                 record.line_number};
    one.question.temperature = w.record.temperature.value_or(std::nan(""));
    one.question.quality = *quality;
    one.question.generated = {w.record.scored->samples, w.record.scored->votes,
                              w.record.scored->rewordings};
    for (const auto& [name, score] : w.record.scored->scores)
      one.scores.emplace_back(name, score);
    return std::nullopt;
  }

  void collect(io::Batch& batch) {
    for (Read::One& one : std::any_cast<std::shared_ptr<Read>&>(batch.user)->questions) {
      for (const auto& [name, score] : one.scores) {
        const auto [place, fresh] = index_.try_emplace(name, isize(names_));
        if (fresh && only_named_) {
          index_.erase(place);
          continue;
        }
        if (fresh) names_.push_back(name);
        if (isize(one.question.scores) <= place->second)
          one.question.scores.resize(usize(place->second + 1), std::nan(""));
        one.question.scores[usize(place->second)] = score;
      }
      const i64 bytes = isize(one.question.id) + isize(names_) * 8 + 128;
      tool_.ctx().memory->charge_growing(held_, bytes, "the scores of all questions");
      held_ += bytes;
      all_.push_back(std::move(one.question));
      places_.push_back(std::move(one.place));
    }
  }

  void check_names() const {
    if (!only_named_ || all_.empty()) return;
    for (i64 e = 0; e < isize(names_); ++e) {
      const bool there = std::any_of(all_.begin(), all_.end(), [&](const uq::Question& q) {
        return !std::isnan(q.scores[usize(e)]);
      });
      if (!there)
        throw Error(ErrorKind::kData,
                    cat("no record has a score ", quote(names_[usize(e)]), ", asked for with -e"));
    }
  }

  cli::Tool& tool_;
  const uq::Correct correct_;
  std::vector<std::string> names_;
  const bool only_named_;
  std::map<std::string, i64, std::less<>> index_;
  io::WorkerPool<Worker> workers_;
  std::vector<uq::Question> all_;
  std::vector<QuestionPlace> places_;
  i64 held_ = 0;
};

uq::EvalOptions eval_options(cli::Tool& tool, bool& tsu) {
  const cli::Options& options = tool.options();
  uq::EvalOptions out;
  std::vector<std::string> known = {"tsu"};
  for (const uq::Metric& metric : uq::metrics())
    known.emplace_back(metric.name);
  for (const std::string& name : name_list(options, "metrics")) {
    const uq::Metric* metric = uq::find_metric(name);
    if (name == "tsu") {
      tsu = true;
    } else if (metric != nullptr) {
      out.chosen.push_back(metric);
    } else {
      const std::string near = nearest_name(name, known);
      throw Error(
          ErrorKind::kUsage, cat("--metrics: there is no ", quote(name)),
          near.empty() ? cat("there are ", join(known, ", ")) : cat("did you mean ", near, "?"));
    }
  }
  const auto measures = [&](std::initializer_list<std::string_view> names) {
    return std::any_of(out.chosen.begin(), out.chosen.end(), [&](const uq::Metric* metric) {
      return std::find(names.begin(), names.end(), metric->name) != names.end();
    });
  };
  if (options.asked("bins") && !measures({"ece", "mce", "ece_mass"}))
    throw Error(ErrorKind::kUsage, "--bins needs ece, mce or ece_mass among --metrics");
  if (options.asked("folds") && !measures({"brier_iso"}))
    throw Error(ErrorKind::kUsage, "--folds needs brier_iso among --metrics");
  out.right_from = uq::right_from(*uq::find_correct(options.text("correct")));
  out.bins = options.integer("bins");
  out.folds = options.integer("folds");
  out.bootstrap = {options.integer("boot"), tool.seed()};
  out.differences = options.on("differences");
  return out;
}

std::vector<f64> asked_temperatures(const cli::Options& options) {
  std::vector<f64> out;
  for (const std::string& text : name_list(options, "temperatures")) {
    const std::optional<f64> value = parse_float(text);
    if (!value)
      throw Error(ErrorKind::kUsage, cat("--temperatures: ", quote(text), " is no number"));
    out.push_back(*value);
  }
  std::sort(out.begin(), out.end());
  return out;
}

// Throws unless all temperatures that are asked for are there.
void check_temperatures(const std::string& option, const std::vector<f64>& asked,
                        const std::vector<f64>& there) {
  for (const f64 one : asked) {
    if (std::find(there.begin(), there.end(), one) != there.end()) continue;
    std::string list;
    for (const f64 t : there)
      append(list, list.empty() ? "" : ", ", t);
    throw Error(ErrorKind::kData, cat("--", option, ": no record has temperature ", one),
                there.empty() ? "no record says its temperature" : cat("there are ", list));
  }
}

// Which estimators are drawn: those of -e, else the six best by the first metric.
std::vector<i64> drawn(const uq::Evaluation& evaluation, const std::vector<std::string>& names,
                       const uq::EvalOptions& options, bool chosen) {
  std::vector<i64> order(evaluation.estimators.size());
  for (i64 i = 0; i < isize(order); ++i)
    order[usize(i)] = i;
  if (!chosen) order = best_first(evaluation, options);
  if (!chosen && order.size() > 6) order.resize(6);
  std::vector<i64> out;
  for (const i64 i : order) {
    const auto found = std::find(names.begin(), names.end(), evaluation.estimators[usize(i)].name);
    out.push_back(found - names.begin());
  }
  return out;
}

void plot(cli::Tool& tool, const std::vector<uq::Question>& questions,
          const std::vector<std::string>& names, const uq::Evaluation& evaluation,
          const uq::EvalOptions& options) {
  stat::LineChart chart{.title = "Answering only when certain",
                        .x_name = "share of questions answered",
                        .y_name = "mean quality of the answers",
                        .series = {}};
  for (const i64 e : drawn(evaluation, names, options, tool.options().given("estimators"))) {
    const uq::SelectiveCurve curve = uq::selective_curve(questions, e, names[usize(e)], options);
    stat::ChartSeries& series = chart.series.emplace_back();
    series.name = curve.name;
    for (std::size_t k = 0; k < curve.coverage.size(); ++k) {
      const uq::Measured& q = curve.quality[k];
      series.points.push_back({curve.coverage[k], q.value, q.interval.low, q.interval.high});
    }
  }
  tool.other_output(tool.options().text("plot")).write(stat::svg(chart));
}

}  // namespace

void run_eval(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  tool_options::refuse_output_options(tool);
  tool_options::TextOutput out(tool);
  bool tsu = false;
  const uq::EvalOptions how = eval_options(tool, tsu);
  std::vector<f64> compared = asked_temperatures(options);
  Questions input(tool);
  input.read();
  const std::vector<f64> there = input.temperatures();
  check_temperatures("temperatures", compared, there);
  if (options.given("at")) check_temperatures("at", {options.real("at")}, there);
  if (compared.empty()) compared = there;
  if ((tsu || options.given("temperatures")) && (compared.size() < 2 || there.size() < 2)) {
    throw Error(ErrorKind::kData,
                cat("tsu compares temperatures, and the records have ", there.size()),
                "give one scored file per temperature; records say theirs in temperature");
  }
  const bool several = there.size() > 1;
  const f64 at = options.given("at") ? options.real("at") : several ? there[0] : 0;
  const std::vector<uq::Question> judged =
      several || options.given("at") ? input.at(at) : input.all();
  EvalResult result;
  result.left_out = tool.records_only().errors();
  result.evaluation = uq::evaluate(judged, input.names(), how);
  if (several) result.temperature = at;
  if (compared.size() > 1) {
    result.compared = compared;
    result.tsu = uq::temperature_order(input.all(), input.names(), compared, how.bootstrap);
    if (tsu && result.tsu.empty())
      throw Error(ErrorKind::kData, "tsu: no question has a score at all of the temperatures",
                  "the same questions, by id, at every temperature");
  }
  tool.add_metric("evaluation", result_json(result, how));
  if (options.given("plot")) plot(tool, judged, input.names(), result.evaluation, how);
  out.write(options.text("format") == "json" ? result_json(result, how) + "\n"
                                             : result_table(result, how));
}

}  // namespace lm::uq_tool

// fit: what score needs of a training split of answered and judged questions.

#include <algorithm>
#include <memory>
#include <numeric>

#include "common/text_output.h"
#include "core/str.h"
#include "fitted_file.h"
#include "io/json.h"
#include "once.h"
#include "uq.h"
#include "uq/correctness.h"

namespace lm::uq_tool {

namespace {

/// What a question gives; a part that is not there is empty.
struct Known {
  std::vector<f64> prompt;  // state
  std::vector<f64> answer;  // state
  f64 quality = 0;
  f64 perplexity = 0;  // of the greedy answer, where has_perplexity
  bool has_perplexity = false;
  std::string model, layer;  // of the states; empty: not said
  QuestionPlace place;
};

struct Worker {
  io::JsonReader json{{"greedy"}};
  uq::RecordReader reader{""};
  uq::UqRecord record;
};

class TrainingSplit {
 public:
  explicit TrainingSplit(cli::Tool& tool)
      : tool_(tool),
        correct_(*uq::find_correct(tool.options().text("correct"))),
        right_only_(tool.options().on("right-only")),
        workers_([] { return std::make_unique<Worker>(); }) {}

  void read() {
    tool_.records_only().run({{StageMode::kParallel, [this](io::Batch& b) { parse(b); }},
                              {StageMode::kSerial, [this](io::Batch& b) { collect(b); }}});
    if (width_ == 0)
      throw Error(ErrorKind::kData, "no record has a state of the model in emb or greedy.emb",
                  "lm-uq sample --emb adds them");
    check_once(tool_, std::move(places_));
  }

  uq::Fitted fit() const {
    const cli::Options& options = tool_.options();
    uq::Fitted out;
    out.width = width_;
    out.model = model_.value;
    out.layer = layer_.value;
    const bool judged = std::any_of(target_.begin(), target_.end(), [](f64 t) { return t > 0; }) &&
                        std::any_of(target_.begin(), target_.end(), [](f64 t) { return t < 1; });
    if (judged) out.probe = uq::fit_probe(prompts_, width_, target_, options.real("ridge"));
    out.density = uq::fit_gaussian(answers_, width_);
    out.robust =
        uq::fit_robust_density(answers_, width_, options.integer("rde-states"), tool_.seed());
    if (out.density && !perplexity_.empty()) {
      std::vector<f64> distance = uq::cross_distances(ranked_, width_, tool_.seed());
      if (!distance.empty()) out.ranks.emplace(perplexity_, std::move(distance));
    }
    return out;
  }

  /// Why there is no probe, and nothing for rde, or for ppl_md and huq.
  std::string why_no_probe() const {
    if (target_.empty()) return "no record has the state of its prompt (emb.prompt)";
    return cat("it needs right and wrong answers, and of ", questions_, " questions ", right_,
               " were answered right");
  }
  std::string why_no_distances(bool ranks) const {
    const i64 there = ranks ? isize(perplexity_) : isize(answers_) / width_;
    const char* const of = ranks ? "greedy.emb and greedy.logp" : "greedy.emb";
    if (there < kLeastAnswers)
      return cat("states (", of, ") of ten ", right_only_ ? "right " : "",
                 "answers at least are needed, and there are ", there);
    const std::vector<f64>& states = ranks ? ranked_ : answers_;
    for (i64 i = width_; i < isize(states); ++i) {
      if (states[usize(i)] != states[usize(i % width_)])
        return cat("the states of the ", there, " answers are too much alike or too large");
    }
    return cat("the states of the ", there, " answers are all equal");
  }

  /// For the report and for people.
  std::string summary(const uq::Fitted& fitted) const {
    const f64 right = target_.empty() ? 0
                                      : std::accumulate(target_.begin(), target_.end(), 0.0) /
                                            static_cast<f64>(target_.size());
    return cat("{\"prompts\":", isize(target_), ",\"mean_quality\":", format_fixed(right, 4),
               ",\"answers\":", isize(answers_) / width_, ",\"state_width\":", width_,
               ",\"p_ik\":", fitted.probe ? "true" : "false",
               ",\"rde_components\":", fitted.robust ? fitted.robust->pca.components : 0,
               ",\"ppl_md\":", fitted.ranks ? "true" : "false", "}");
  }

 private:
  void parse(io::Batch& batch) {
    const auto read = std::make_shared<std::vector<Known>>();
    workers_.with([&](Worker& w) {
      tool_.records_only().each_record(batch, w.json,
                                       [&](io::Record& record) { return take(w, record, *read); });
    });
    batch.user = read;
  }

  std::optional<Fault> take(Worker& w, io::Record& record, std::vector<Known>& read) const {
    if (std::optional<Fault> fault = w.reader.read(record.line, w.record)) return fault;
    const std::optional<f64> quality = uq::record_quality(correct_, w.record);
    if (!quality) return Fault{"missing", uq::quality_missing(correct_), -1};
    Known& one = read.emplace_back();
    one.quality = *quality;
    one.place = {w.record.id.empty() ? cat("#", record.ordinal) : std::string(w.record.id),
                 w.record.temperature.value_or(-1), record.input, record.line_number};
    one.model = w.record.model;
    if (w.record.emb_layer) one.layer = cat(*w.record.emb_layer);
    one.prompt = w.record.prompt_emb;
    if (!w.record.greedy) return std::nullopt;
    one.answer = w.record.greedy->emb;
    const std::vector<f64>& logp = w.record.greedy->logp;
    one.has_perplexity = !logp.empty();
    if (one.has_perplexity)
      one.perplexity =
          -std::accumulate(logp.begin(), logp.end(), 0.0) / static_cast<f64>(logp.size());
    return std::nullopt;
  }

  void check_width(const std::vector<f64>& state) {
    if (state.empty()) return;
    if (width_ == 0) width_ = isize(state);
    if (isize(state) != width_)
      throw Error(ErrorKind::kData,
                  cat("the records have states of ", width_, " and of ", state.size(), " numbers"),
                  "all of one model and layer");
  }

  /// What records say of their states, and which one said it first.
  struct Said {
    std::string value;
    QuestionPlace place;
  };

  void check_said(const char* what, const std::string& value, const QuestionPlace& place,
                  Said& first) {
    if (value.empty()) return;
    if (first.value.empty()) first = {value, place};
    if (value == first.value) return;
    const auto where = [&](const QuestionPlace& p) {
      return cat(tool_.input().name(p.input), ":", p.line);
    };
    throw Error(ErrorKind::kData,
                cat(where(place), ": has states of ", what, " ", quote(value), ", ",
                    where(first.place), " of ", quote(first.value)),
                "all of one model and layer");
  }

  void collect(io::Batch& batch) {
    for (Known& one : *std::any_cast<std::shared_ptr<std::vector<Known>>&>(batch.user)) {
      check_width(one.prompt);
      check_width(one.answer);
      if (!one.prompt.empty() || !one.answer.empty()) {
        check_said("model", one.model, one.place, model_);
        check_said("layer", one.layer, one.place, layer_);
      }
      ++questions_;
      right_ += one.quality >= uq::right_from(correct_) ? 1 : 0;
      // Twice for what fitting copies of it.
      const i64 bytes = 16 * (isize(one.prompt) + 2 * isize(one.answer)) + 64;
      tool_.ctx().memory->charge_growing(held_, bytes, "the states of all questions");
      held_ += bytes;
      places_.push_back(std::move(one.place));
      if (!one.prompt.empty()) {
        prompts_.insert(prompts_.end(), one.prompt.begin(), one.prompt.end());
        target_.push_back(one.quality);
      }
      if (one.answer.empty() || (right_only_ && one.quality < uq::right_from(correct_))) continue;
      answers_.insert(answers_.end(), one.answer.begin(), one.answer.end());
      if (!one.has_perplexity) continue;
      ranked_.insert(ranked_.end(), one.answer.begin(), one.answer.end());
      perplexity_.push_back(one.perplexity);
    }
  }

  static constexpr i64 kLeastAnswers = 10;  // as fit_robust_density and cross_distances
  cli::Tool& tool_;
  const uq::Correct correct_;
  const bool right_only_;
  io::WorkerPool<Worker> workers_;
  i64 width_ = 0;
  Said model_, layer_;
  i64 questions_ = 0, right_ = 0;
  std::vector<QuestionPlace> places_;
  i64 held_ = 0;
  std::vector<f64> prompts_, target_;     // [n, width], [n]
  std::vector<f64> answers_;              // [m, width]
  std::vector<f64> ranked_, perplexity_;  // those with perplexities
};

}  // namespace

void run_fit(cli::Tool& tool) {
  const std::string& path = tool.options().text("output");
  if (path == "-")
    throw Error(ErrorKind::kUsage, "what was fitted is a file: --output FILE is needed");
  tool_options::refuse_options(tool, {"compress", "seekable", "flush"},
                               "writes a safetensors file");
  TrainingSplit split(tool);
  split.read();
  const uq::Fitted fitted = split.fit();
  const std::string summary = split.summary(fitted);
  tool.add_metric("fitted", summary);
  tool.console().message(LogLevel::kInfo, summary);
  std::vector<std::string> missing;
  if (!fitted.probe) missing.push_back(cat("no probe for p_ik: ", split.why_no_probe()));
  if (!fitted.robust) missing.push_back(cat("nothing for rde: ", split.why_no_distances(false)));
  if (!fitted.ranks)
    missing.push_back(cat("nothing for ppl_md and huq: ", split.why_no_distances(true)));
  if (missing.size() == 3)
    throw Error(ErrorKind::kData, cat("nothing could be fitted: ", join(missing, "; ")));
  for (const std::string& what : missing)
    tool.console().message(LogLevel::kWarning, what);
  write_fitted(tool.other_output(path), fitted);
}

}  // namespace lm::uq_tool

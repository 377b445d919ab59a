// fit: what score needs of a training split of answered and judged questions.

#include <algorithm>
#include <memory>
#include <numeric>

#include "core/str.h"
#include "fitted_file.h"
#include "io/json.h"
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
  }

  uq::Fitted fit() const {
    const cli::Options& options = tool_.options();
    uq::Fitted out;
    out.width = width_;
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
    if (!quality)
      return Fault{"missing", "has neither correct nor refs and an answer to judge by", -1};
    Known& one = read.emplace_back();
    one.quality = *quality;
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

  void collect(io::Batch& batch) {
    for (Known& one : *std::any_cast<std::shared_ptr<std::vector<Known>>&>(batch.user)) {
      check_width(one.prompt);
      check_width(one.answer);
      // Twice for what fitting copies of it.
      const i64 bytes = 16 * (isize(one.prompt) + 2 * isize(one.answer)) + 64;
      tool_.ctx().memory->charge_growing(held_, bytes, "the states of all questions");
      held_ += bytes;
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

  cli::Tool& tool_;
  const uq::Correct correct_;
  const bool right_only_;
  io::WorkerPool<Worker> workers_;
  i64 width_ = 0;
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
  TrainingSplit split(tool);
  split.read();
  const uq::Fitted fitted = split.fit();
  const std::string summary = split.summary(fitted);
  tool.add_metric("fitted", summary);
  tool.console().message(LogLevel::kInfo, summary);
  if (!fitted.probe)
    tool.console().message(LogLevel::kWarning,
                           "no probe for p_ik: it needs prompts' states (emb.prompt) with right "
                           "and wrong answers");
  if (!fitted.robust || !fitted.ranks)
    tool.console().message(
        LogLevel::kWarning,
        cat("nothing for ", fitted.robust ? "" : "rde, ", fitted.ranks ? "" : "ppl_md, huq",
            ": ten answers' states "
            "(greedy.emb, greedy.logp) at least are needed"));
  write_fitted(tool.other_output(path), fitted);
}

}  // namespace lm::uq_tool

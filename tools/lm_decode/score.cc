// lm-decode score: log-probabilities of texts, completions and choices.

#include "decode/score.h"

#include <algorithm>
#include <cmath>

#include "adapters.h"
#include "common/held_run.h"
#include "common/model_options.h"
#include "core/clock.h"
#include "core/str.h"
#include "decode.h"
#include "draws.h"
#include "prompt_flags.h"
#include "score_frame.h"
#include "score_json.h"

namespace lm::decode_tool {

namespace {

using decode::BranchScore;
using decode::ScoredTokens;
using decode::ScoreRequest;

constexpr i64 kGroups = ScoreFrame::kOwn;  // --group's fields, then the adapter's

struct ScoreWork : ScoreHeld {
  std::vector<Part> parts;
  std::vector<ScoreRequest> requests;  // windows of the one text, or one request for all parts
  i64 taken = 0;
  i64 windows = 0;
};

class ScoreMode : public io::HeldMapper {
 public:
  ScoreMode(cli::Tool& tool, DrawnSessions& sessions, const Adapters& adapters)
      : options_(tool.options()),
        session_(sessions[0]),
        adapters_(adapters),
        frame_(tool, session_, "score", "scores", own_paths(tool.options(), adapters)),
        encoder_(session_.tokenizer(), session_.begin()),
        scorer_(sessions, reads_prompts(tool.options(), sessions[0])),
        boundary_(options_.text("boundary") == "joint" ? decode::Boundary::kJoint
                                                       : decode::Boundary::kSeparate),
        windows_(session_.windows(options_.maybe_integer("window").value_or(0),
                                  options_.maybe_integer("stride").value_or(0))),
        end_(options_.on("eos") ? completion_end(session_) : std::nullopt),
        groups_(options_.list("group").size()),
        detail_{options_.on("per-token"), options_.integer("top-logprobs") > 0} {}

  std::vector<std::string> paths() const override { return frame_.paths(); }
  std::optional<u64> key() const { return frame_.key(); }

  std::optional<Fault> prepare(io::Record& record, io::Prepared& out) override {
    io::JsonReader& json = record.json;
    std::unique_ptr<ScoreWork> work = std::make_unique<ScoreWork>();
    std::vector<f32> weights;
    const i64 chooses = kGroups + isize(groups_);
    if (std::optional<Fault> fault = adapters_.choose(json, chooses, session_, weights))
      return fault;
    ScoreInput input;
    std::optional<Fault> fault = frame_.read(record, encoder_.state(), *work, input);
    if (!fault)
      fault = input.texts.empty() ? plan_text(json, *work) : plan_completions(input, *work);
    if (fault) return fault;
    for (ScoreRequest& request : work->requests)
      request.adapters = weights;
    out.work = std::move(work);
    return std::nullopt;
  }

  void add(io::HeldWork& base) override {
    ScoreWork& work = own(base);
    work.windows = isize(work.requests);
    for (ScoreRequest& request : work.requests)
      scorer_.add(std::move(request));
    work.requests.clear();
  }
  i64 pending() const override { return scorer_.pending(); }
  bool step() override { return scorer_.step(); }

  bool poll(io::HeldWork& base) override {
    ScoreWork& work = own(base);
    for (; work.taken < work.windows; ++work.taken) {
      std::optional<std::vector<BranchScore>> scores = scorer_.take();
      if (!scores) return false;
      for (i64 b = 0; b < isize(*scores); ++b)
        join(work.parts[usize(b)].score, (*scores)[usize(b)]);
    }
    return true;
  }

  std::optional<Fault> finish(io::JsonReader& json, io::HeldWork& base, std::string& out) override {
    const ScoreWork& work = own(base);
    for (const Part& part : work.parts)
      if (!std::isfinite(part.score.sum))
        return Fault{"logits", "the model's logits are not numbers", -1};
    std::vector<Figures> figures;
    for (const Part& part : work.parts)
      figures.push_back(part.figures());
    count(json, figures);
    std::string list;
    for (const Part& part : work.parts)
      append(list, list.empty() ? "" : ",", part_json(part, detail_));
    frame_.write(json, work, list, work.listed ? best_json(figures) : "", out);
    return std::nullopt;
  }

  void count_reused(io::JsonReader& json, std::string_view line) override {
    count(json,
          figures_of(line, json.has(ScoreFrame::kChoices) || json.has(ScoreFrame::kCompletions) ||
                               !options_.list("completion-field").empty()));
  }

  void report(cli::Tool& tool, f64 wall_s) const;

 private:
  static std::vector<std::string> own_paths(const cli::Options& options, const Adapters& adapters) {
    std::vector<std::string> out = options.list("group");
    if (adapters.any()) out.push_back(adapters.field());
    return out;
  }
  static std::optional<i32> completion_end(const decode::Session& session) {
    if (const std::optional<i32> end = decode::end_token(session.cfg(), &session.tokenizer()))
      return end;
    throw Error(ErrorKind::kData, cat(session.options().folder,
                                      ": neither the tokenizer nor the model names an end token"));
  }
  static ScoreWork& own(io::HeldWork& work) { return static_cast<ScoreWork&>(work); }

  std::optional<Fault> plan_text(io::JsonReader& json, ScoreWork& work) {
    const Result<std::string_view> text = json.string(ScoreFrame::kText);
    if (!text) return text.fault();
    Result<ScoredTokens> tokens = encoder_.text(*text, windows_.apart());
    if (!tokens) return tokens.fault();
    work.requests = decode::cut_windows(tokens->tokens, windows_);
    for (ScoreRequest& request : work.requests)
      request.top_logprobs = options_.integer("top-logprobs");
    work.parts.resize(1);
    work.parts[0].tokens = std::move(*tokens);
    return std::nullopt;
  }

  /// All completions behind what they have in common, which is evaluated once.
  std::optional<Fault> plan_completions(const ScoreInput& input, ScoreWork& work) {
    for (const std::string& text : input.texts) {
      Result<ScoredTokens> tokens = encoder_.completion(input.prompt, text, boundary_);
      if (!tokens) return tokens.fault();
      if (end_ && (tokens->tokens.empty() || tokens->tokens.back() != *end_))
        tokens->tokens.push_back(*end_);
      if (isize(tokens->tokens) > session_.engine().positions())
        return Fault{"context",
                     cat("prompt and completion have ", tokens->tokens.size(),
                         " tokens, the model's context ", session_.engine().positions()),
                     -1};
      work.parts.emplace_back().tokens = std::move(*tokens);
    }
    std::vector<const ScoredTokens*> texts;
    for (const Part& part : work.parts)
      texts.push_back(&part.tokens);
    ScoreRequest request = decode::score_together(texts);
    request.top_logprobs = options_.integer("top-logprobs");
    work.requests.push_back(std::move(request));
    return std::nullopt;
  }

  static void join(BranchScore& to, const BranchScore& from) {
    to.logprobs.insert(to.logprobs.end(), from.logprobs.begin(), from.logprobs.end());
    to.greedy.insert(to.greedy.end(), from.greedy.begin(), from.greedy.end());
    to.top.insert(to.top.end(), from.top.begin(), from.top.end());
    to.sum += from.sum;
  }

  void count(io::JsonReader& json, const std::vector<Figures>& parts) {
    const auto add = [&](Sums& sums) {
      ++sums.records;
      for (const Figures& part : parts)
        sums.add(part);
    };
    add(total_);
    for (std::size_t g = 0; g < groups_.size(); ++g)
      add(groups_[g][json.text_of(kGroups + static_cast<i64>(g)).value_or("none")]);
  }

  const cli::Options& options_;
  decode::Session& session_;
  const Adapters& adapters_;
  ScoreFrame frame_;
  decode::PromptEncoder encoder_;
  MeanScorer scorer_;
  decode::Boundary boundary_;
  decode::WindowRule windows_;
  std::optional<i32> end_;  // of completions
  Sums total_;
  std::vector<std::map<std::string, Sums>> groups_;
  Detail detail_;
};

void ScoreMode::report(cli::Tool& tool, f64 wall_s) const {
  tool.add_metric("total", total_.json());
  std::string all = "{";
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    append(all, g > 0 ? "," : "", io::json_string(options_.list("group")[g]), ":{");
    bool first = true;
    for (const auto& [name, sums] : groups_[g]) {
      append(all, first ? "" : ",", io::json_string(name), ":", sums.json());
      first = false;
    }
    all += "}";
  }
  if (!groups_.empty()) tool.add_metric("groups", all + "}");
  const decode::ScoreStats s = scorer_.stats();
  const std::string json =
      cat("{\"records\":", total_.records, ",\"tokens\":", s.rows,
          ",\"wall_s\":", format_fixed(wall_s, 3), ",\"tokens_per_s\":",
          format_fixed(s.forward_s > 0 ? static_cast<f64>(s.rows) / s.forward_s : 0, 1),
          ",\"steps\":", s.steps, ",\"forward_s\":", format_fixed(s.forward_s, 3), "}");
  tool.add_metric("throughput", json);
  tool.console().message(LogLevel::kInfo, json);
}

}  // namespace

void run_score(cli::Tool& tool) {
  if (!tool.options().text("bound").empty()) return run_bounds(tool);
  if (by_reward(tool.options())) return run_rewards(tool);
  const Adapters adapters(tool);
  DrawnSessions sessions(tool, adapters.folders());
  ScoreMode mode(tool, sessions, adapters);
  const f64 start = monotonic_s();
  std::vector<u64> keys = {sessions[0].key()};
  if (mode.key()) keys.push_back(*mode.key());
  tool_options::run_held(tool, mode, 4 * sessions[0].options().batch, keys);
  mode.report(tool, monotonic_s() - start);
}

}  // namespace lm::decode_tool

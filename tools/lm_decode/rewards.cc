// lm-decode score with a reward model: how good it finds texts and completions.

#include <algorithm>
#include <cmath>

#include "common/held_run.h"
#include "common/model_options.h"
#include "core/clock.h"
#include "core/str.h"
#include "decode.h"
#include "decode/reward.h"
#include "model/score_head.h"
#include "score_frame.h"

namespace lm::decode_tool {

namespace {

struct RewardWork : ScoreHeld {
  std::vector<std::vector<i32>> texts;
  i64 count = 0;
  std::vector<f64> rewards;
};

std::string number_json(f64 value) {
  std::string out;
  io::append_json_number(out, value);
  return out;
}

class RewardMode : public io::HeldMapper {
 public:
  RewardMode(cli::Tool& tool, decode::Session& session)
      : session_(session),
        frame_(tool, session, "reward", "rewards", {}),
        encoder_(session.tokenizer(), session.begin()),
        scorer_(session.engine(), session.score_head(), session.pass_limits()),
        // As lm-train reads what the head is trained on, unless something else is asked for.
        boundary_(tool.options().asked("boundary") && tool.options().text("boundary") == "joint"
                      ? decode::Boundary::kJoint
                      : decode::Boundary::kSeparate) {
    if (tool.options().asked("eos") && !tool.options().on("eos")) return;
    end_ = decode::end_token(session.cfg(), &session.tokenizer());
  }

  std::vector<std::string> paths() const override { return frame_.paths(); }
  std::optional<u64> key() const { return frame_.key(); }

  std::optional<Fault> prepare(io::Record& record, io::Prepared& out) override {
    std::unique_ptr<RewardWork> work = std::make_unique<RewardWork>();
    ScoreInput input;
    if (std::optional<Fault> fault = frame_.read(record, encoder_.state(), *work, input))
      return fault;
    if (input.texts.empty()) {
      const Result<std::string_view> text = record.json.string(ScoreFrame::kText);
      if (!text) return text.fault();
      Result<decode::ScoredTokens> tokens = encoder_.text(*text);
      if (!tokens) return tokens.fault();
      if (std::optional<Fault> fault = keep(std::move(tokens->tokens), false, *work)) return fault;
    }
    for (i64 i = 0; i < isize(input.texts); ++i) {
      Result<decode::ScoredTokens> tokens =
          encoder_.completion(input.prompt, input.texts[usize(i)], boundary_);
      if (!tokens) return tokens.fault();
      const bool cut = input.cut[usize(i)] != 0;
      if (std::optional<Fault> fault = keep(std::move(tokens->tokens), cut, *work)) return fault;
    }
    out.work = std::move(work);
    return std::nullopt;
  }

  void add(io::HeldWork& base) override {
    RewardWork& work = own(base);
    work.count = isize(work.texts);
    for (std::vector<i32>& text : work.texts)
      scorer_.add(std::move(text));
    work.texts.clear();
  }
  i64 pending() const override { return scorer_.pending(); }
  bool step() override { return scorer_.step(); }

  bool poll(io::HeldWork& base) override {
    RewardWork& work = own(base);
    while (isize(work.rewards) < work.count) {
      const std::optional<f64> reward = scorer_.take();
      if (!reward) return false;
      work.rewards.push_back(*reward);
    }
    return true;
  }

  std::optional<Fault> finish(io::JsonReader& json, io::HeldWork& base, std::string& out) override {
    const RewardWork& work = own(base);
    for (const f64 reward : work.rewards)
      if (!std::isfinite(reward)) return Fault{"reward", "the model's reward is not a number", -1};
    ++records_;
    std::string list;
    for (const f64 reward : work.rewards)
      append(list, list.empty() ? "" : ",", number_json(reward));
    const auto best = std::max_element(work.rewards.begin(), work.rewards.end());
    frame_.write(json, work, list, cat(best - work.rewards.begin()), out);
    return std::nullopt;
  }

  void count_reused(io::JsonReader&, std::string_view) override { ++records_; }

  void report(cli::Tool& tool, f64 wall_s) const {
    const decode::PassStats& s = scorer_.stats();
    const std::string json = cat("{\"records\":", records_, ",\"tokens\":", s.rows,
                                 ",\"wall_s\":", format_fixed(wall_s, 3), ",\"steps\":", s.passes,
                                 ",\"forward_s\":", format_fixed(s.forward_s, 3), "}");
    tool.add_metric("throughput", json);
    tool.console().message(LogLevel::kInfo, json);
  }

 private:
  static RewardWork& own(io::HeldWork& work) { return static_cast<RewardWork&>(work); }

  /// cut: a text whose end the model did not come to.
  std::optional<Fault> keep(std::vector<i32> tokens, bool cut, RewardWork& work) const {
    if (end_ && !cut && (tokens.empty() || tokens.back() != *end_)) tokens.push_back(*end_);
    if (tokens.empty()) return Fault{"empty", "no token to score", -1};
    if (isize(tokens) > session_.engine().positions())
      return Fault{"context",
                   cat("the text has ", tokens.size(), " tokens, the model's context ",
                       session_.engine().positions()),
                   -1};
    work.texts.push_back(std::move(tokens));
    return std::nullopt;
  }

  decode::Session& session_;
  ScoreFrame frame_;
  decode::PromptEncoder encoder_;
  decode::RewardScorer scorer_;
  decode::Boundary boundary_;
  std::optional<i32> end_;  // of texts
  i64 records_ = 0;
};

}  // namespace

bool by_reward(const cli::Options& options) {
  const std::string folder = tool_options::model_folder(options);
  return !folder.empty() && model::load_config(folder).scores > 0;
}

void run_rewards(cli::Tool& tool) {
  const cli::Options& o = tool.options();
  const std::string folder = tool_options::model_folder(o);
  model::require_score_head(model::load_config(folder), folder);
  for (const char* name :
       {"per-token", "top-logprobs", "window", "stride", "group", "adapter", "adapter-field"})
    if (o.asked(name))
      throw Error(ErrorKind::kUsage,
                  cat("--", name, ": ", folder, " is a reward model, which has a score for a text ",
                      "and no log-probabilities"));
  decode::SessionOptions how = tool_options::session_options(tool, folder);
  how.tokenizer = o.text("tokenizer");
  how.logits = false;
  decode::Session session(how);
  tool.set_param("model", io::json_string(session.digest()));
  tool.set_param("tokenizer", io::json_string(session.tokenizer().digest()));
  RewardMode mode(tool, session);
  const f64 start = monotonic_s();
  std::vector<u64> keys = {session.key()};
  if (mode.key()) keys.push_back(*mode.key());
  tool_options::run_held(tool, mode, 4 * session.options().batch, keys);
  mode.report(tool, monotonic_s() - start);
}

}  // namespace lm::decode_tool

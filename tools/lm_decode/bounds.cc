// lm-decode score --bound: what a model of masked diffusion says of texts and completions.

#include <cmath>

#include "common/held_run.h"
#include "common/model_options.h"
#include "core/clock.h"
#include "core/str.h"
#include "decode.h"
#include "decode/bound.h"
#include "score_frame.h"
#include "score_json.h"
#include "stat/student.h"

namespace lm::decode_tool {

namespace {

using decode::BoundRequest;
using decode::BoundScore;
using decode::ScoredTokens;

struct BoundWork : ScoreHeld {
  std::vector<BoundRequest> requests;
  std::vector<i64> bytes;   // by text
  std::vector<i64> tokens;  // scored ones
  std::vector<BoundScore> scores;

  Figures figures(std::size_t i) const { return {tokens[i], bytes[i], 0 - scores[i].nats}; }
};

class BoundMode : public io::HeldMapper {
 public:
  BoundMode(cli::Tool& tool, decode::Session& session, const decode::BoundRule& rule)
      : options_(tool.options()),
        seed_(tool.seed()),
        rule_(rule),
        tokenizer_(session.tokenizer()),
        frame_(tool, session, "score", "scores", {}),
        encoder_(session.tokenizer(), session.begin()),
        scorer_(session.engine(), rule, session.pass_limits()),
        boundary_(options_.text("boundary") == "joint" ? decode::Boundary::kJoint
                                                       : decode::Boundary::kSeparate) {
    if (rule.draws > 1) quantile_ = stat::student_quantile(0.975, rule.draws - 1);
    if (options_.on("eos")) end_ = decode::end_token(session.cfg(), &session.tokenizer());
  }

  std::vector<std::string> paths() const override { return frame_.paths(); }
  std::optional<u64> key() const { return frame_.key(); }

  std::optional<Fault> prepare(io::Record& record, io::Prepared& out) override {
    std::unique_ptr<BoundWork> work = std::make_unique<BoundWork>();
    ScoreInput input;
    if (std::optional<Fault> fault = frame_.read(record, encoder_.state(), *work, input))
      return fault;
    const bool whole = input.texts.empty();
    if (whole) {
      // All of the text is hidden, its first token too.
      const Result<std::string_view> text = record.json.string(ScoreFrame::kText);
      if (!text) return text.fault();
      input.texts.emplace_back(*text);
    }
    for (const std::string& text : input.texts) {
      Result<ScoredTokens> tokens =
          encoder_.completion(input.prompt, text, whole ? decode::Boundary::kSeparate : boundary_);
      if (!tokens) return tokens.fault();
      if (input.prompt.text.empty()) count_first(text, *tokens);
      if (end_ && !whole && (tokens->tokens.empty() || tokens->tokens.back() != *end_))
        tokens->tokens.push_back(*end_);
      work->bytes.push_back(tokens->bytes);
      work->tokens.push_back(isize(tokens->tokens) - tokens->first);
      // Choices are hidden alike: their difference is then not the draws'.
      work->requests.push_back({work->id, seed_, std::move(tokens->tokens), tokens->first});
    }
    out.work = std::move(work);
    return std::nullopt;
  }

  void add(io::HeldWork& base) override {
    for (BoundRequest& request : own(base).requests)
      scorer_.add(std::move(request));
  }
  i64 pending() const override { return scorer_.pending(); }
  bool step() override { return scorer_.step(); }

  bool poll(io::HeldWork& base) override {
    BoundWork& work = own(base);
    while (work.scores.size() < work.requests.size()) {
      std::optional<BoundScore> score = scorer_.take();
      if (!score) return false;
      work.scores.push_back(std::move(*score));
    }
    return true;
  }

  std::optional<Fault> finish(io::JsonReader& json, io::HeldWork& base, std::string& out) override {
    const BoundWork& work = own(base);
    for (const BoundScore& score : work.scores) {
      if (score.fault) return score.fault;
      if (!std::isfinite(score.nats))
        return Fault{"logits", "the model's logits are not numbers", -1};
    }
    ++total_.records;
    std::vector<Figures> figures;
    std::string list;
    for (std::size_t i = 0; i < work.scores.size(); ++i) {
      figures.push_back(work.figures(i));
      total_.add(figures.back());
      append(list, list.empty() ? "{" : ",{", figures_json(figures.back()),
             bound_json(work.scores[i]), "}");
    }
    frame_.write(json, work, list, work.listed ? best_json(figures) : "", out);
    return std::nullopt;
  }

  void count_reused(io::JsonReader& json, std::string_view line) override {
    ++total_.records;
    const bool listed = json.has(ScoreFrame::kChoices) || json.has(ScoreFrame::kCompletions) ||
                        !options_.list("completion-field").empty();
    for (const Figures& part : figures_of(line, listed))
      total_.add(part);
  }

  void report(cli::Tool& tool, f64 wall_s) const {
    tool.add_metric("total", total_.json());
    const decode::PassStats& s = scorer_.stats();
    const std::string json = cat("{\"records\":", total_.records, ",\"tokens\":", s.rows,
                                 ",\"wall_s\":", format_fixed(wall_s, 3), ",\"steps\":", s.passes,
                                 ",\"forward_s\":", format_fixed(s.forward_s, 3), "}");
    tool.add_metric("throughput", json);
    tool.console().message(LogLevel::kInfo, json);
  }

 private:
  static BoundWork& own(io::HeldWork& work) { return static_cast<BoundWork&>(work); }

  /// Where nothing stands before the first token it is hidden as the others are.
  void count_first(const std::string& text, ScoredTokens& tokens) {
    if (encoder_.begin() || tokens.tokens.empty() || tokens.first == 0) return;
    tokens.first = 0;
    if (tokenizer_.is_special(tokens.tokens[0])) return;
    const Result<std::vector<std::pair<i64, i64>>> at = encoder_.offsets(text);
    tokens.bytes += (*at)[0].second - (*at)[0].first;
  }

  /// What it is, and how far draws may be off: the interval of the sum that holds it in 95 of 100
  /// cases.
  std::string bound_json(const BoundScore& score) const {
    std::string out = cat(",\"bound\":", io::json_string(options_.text("bound")));
    if (rule_.kind == decode::BoundRule::Kind::kChain || rule_.draws == 1) return out;
    append(out, ",\"draws\":", score.draws, ",\"error\":");
    io::append_json_number(out, score.error);
    const f64 most = score.error * quantile_;
    out += ",\"interval\":[";
    io::append_json_number(out, 0 - score.nats - most);
    out += ',';
    io::append_json_number(out, 0 - score.nats + most);
    return out + "]";
  }

  const cli::Options& options_;
  u64 seed_;
  decode::BoundRule rule_;
  const text::Tokenizer& tokenizer_;
  ScoreFrame frame_;
  decode::PromptEncoder encoder_;
  decode::BoundScorer scorer_;
  decode::Boundary boundary_;
  f64 quantile_ = 0;        // of Student's t for an interval of 95 %
  std::optional<i32> end_;  // of completions
  Sums total_;
};

}  // namespace

void run_bounds(cli::Tool& tool) {
  const cli::Options& o = tool.options();
  const decode::BoundRule rule = decode::parse_bound(o.text("bound"));
  for (const char* name : {"per-token", "top-logprobs", "window", "stride", "group", "adapter",
                           "adapter-field", "embed-seed", "embed-draws"})
    if (o.asked(name)) throw Error(ErrorKind::kUsage, cat("--", name, " does not go with --bound"));
  const std::unique_ptr<decode::Session> session = tool_options::open_model(tool, 0, 0, {}, true);
  BoundMode mode(tool, *session, rule);
  const f64 start = monotonic_s();
  std::vector<u64> keys = {session->key()};
  if (mode.key()) keys.push_back(*mode.key());
  tool_options::run_held(tool, mode, 4 * session->options().batch, keys);
  mode.report(tool, monotonic_s() - start);
}

}  // namespace lm::decode_tool

// responses: which way of making answers suits a model, by how likely it holds them.

#include <algorithm>
#include <functional>
#include <map>

#include "answers.h"
#include "common/text_output.h"
#include "core/str.h"
#include "decode/own_examples.h"
#include "filter.h"
#include "io/json.h"
#include "io/spool.h"

namespace lm::filter_tool {

namespace {

class Responses {
 public:
  explicit Responses(cli::Tool& tool)
      : tool_(tool), options_(tool.options()), metrics_(metrics_of(options_)) {}

  void read_own();
  /// Opens the model, after which the output's header is known.
  void open();
  void read();
  void score();
  /// Writes the records with the best answer to each question.
  void write_best();
  const AnswerSet& set() const { return set_; }
  const std::vector<const Metric*>& metrics() const { return metrics_; }

 private:
  bool needs(bool Metric::*what) const {
    return std::any_of(metrics_.begin(), metrics_.end(), [&](const Metric* m) { return m->*what; });
  }
  void hold(i64 bytes) {
    tool_.ctx().memory->charge_growing(held_, bytes, "the answers");
    held_ += bytes;
  }
  std::optional<Fault> take(io::Record& record);
  std::optional<Fault> take_own(io::JsonReader& json);
  void keep_complete();
  std::string shown_prompt(const Candidate& c);
  void score_all(text::Score Candidate::*to,
                 const std::function<std::string(const Candidate&)>& prompt);
  cli::Tool& tool_;
  const cli::Options& options_;
  const std::vector<const Metric*> metrics_;
  std::unique_ptr<decode::NeuralScorer> scorer_;
  AnswerSet set_;
  std::map<std::pair<i64, i64>, i64> lines_;  // question, strategy -> line
  std::unique_ptr<io::Spool> spool_;          // --per-item: the good records
  i64 records_ = 0;
  decode::OwnExamples own_;
  decode::ExampleLayout layout_;
  i64 held_ = 0;
};

std::optional<Fault> Responses::take(io::Record& record) {
  enum Field : i64 { kId, kStrategy, kPrompt, kAnswer, kReward };
  io::JsonReader& json = record.json;
  std::optional<std::string> id = json.text_of(kId);
  if (!id) return Fault{"missing", "field \"id\" is missing, expected the question's", -1};
  std::optional<std::string> strategy = json.text_of(kStrategy);
  if (!strategy)
    return Fault{"missing", cat("field ", quote(json.path(kStrategy)), " is missing"), -1};
  const Result<std::string_view> prompt = json.string(kPrompt);
  if (!prompt) return prompt.fault();
  const Result<std::string_view> answer = json.string(kAnswer);
  if (!answer) return answer.fault();
  Candidate c;
  c.record = records_;
  if (needs(&Metric::reward)) {
    const Result<f64> reward = json.number(kReward);
    if (!reward) return reward.fault();
    c.reward = *reward;
  }
  const i64 most = options_.integer("first");
  c.question = set_.questions.number(*id);
  if (most > 0 && c.question >= most) return std::nullopt;
  c.strategy = set_.strategies.number(*strategy);
  const auto [at, added] = lines_.emplace(std::pair(c.question, c.strategy), record.line_number);
  if (!added)
    return Fault{"duplicate",
                 cat("a second answer of ", quote(*strategy), " to ", quote(*id),
                     ", the first stands in line ", at->second),
                 -1};
  c.prompt = *prompt;
  c.answer = *answer;
  hold(isize(c.prompt) + isize(c.answer) + 512);
  set_.all.push_back(std::move(c));
  return std::nullopt;
}

void Responses::read() {
  io::JsonReader json({"id", options_.text("strategy"), options_.text("prompt"),
                       options_.text("answer"), "reward"});
  io::RecordRun& records = tool_.records_only();
  if (options_.on("per-item")) spool_ = std::make_unique<io::Spool>(tool_.ctx());
  records.run({{StageMode::kSerial, [&](io::Batch& batch) {
                  std::vector<std::string_view> lines;
                  records.each_record(batch, json, [&](io::Record& record) {
                    std::optional<Fault> fault = take(record);
                    if (!fault) lines.push_back(record.line);
                    records_ += fault ? 0 : 1;
                    return fault;
                  });
                  if (spool_) spool_->append(lines);
                }}});
  if (!options_.on("allow-missing")) keep_complete();
  if (set_.all.empty())
    throw Error(ErrorKind::kData, "no question has an answer of every strategy",
                "--allow-missing takes those that some have answered");
}

void Responses::keep_complete() {
  std::map<i64, i64> answers;
  for (const Candidate& c : set_.all)
    ++answers[c.question];
  const i64 wanted = isize(set_.strategies.all());
  for (const auto& [question, count] : answers)
    set_.incomplete += count < wanted ? 1 : 0;
  std::erase_if(set_.all, [&](const Candidate& c) { return answers[c.question] < wanted; });
  if (set_.incomplete > 0)
    tool_.console().message(LogLevel::kWarning,
                            cat(set_.incomplete,
                                " questions are left out: not every strategy has an "
                                "answer (--allow-missing keeps them)"));
}

std::optional<Fault> Responses::take_own(io::JsonReader& json) {
  const std::optional<std::string> id = json.text_of(0);
  if (!id) return Fault{"missing", "field \"id\" is missing", -1};
  const Result<std::string_view> prompt = json.string(1);
  if (!prompt) return prompt.fault();
  const Result<std::string_view> answer = json.string(2);
  if (!answer) return answer.fault();
  const std::string correct = json.has(3) ? std::string(json.raw(3)) : "true";
  if (correct == "false" || parse_float(correct) == 0.0) return std::nullopt;
  hold(isize(*prompt) + isize(*answer) + 256);
  own_.add(*id, std::string(*prompt), std::string(*answer));
  return std::nullopt;
}

void Responses::read_own() {
  const std::string& file = options_.text("own");
  if (options_.given("layout")) layout_.whole = options_.text("layout");
  if (options_.given("example-layout")) layout_.example = options_.text("example-layout");
  layout_.check();
  read_aside(tool_, file, {"id", "prompt", "answer", "correct"},
             [&](io::JsonReader& json) { return take_own(json); });
  if (own_.size() == 0)
    throw Error(ErrorKind::kData, cat(file, ": no answer in it is right"),
                "sppl shows the model answers of its own that it got right");
  tool_.set_param("own", io::json_string(hex64(own_.digest())));
}

/// With as many examples as fit the context with question and answer.
std::string Responses::shown_prompt(const Candidate& c) {
  const i64 wanted = options_.integer("examples");
  std::vector<i64> picked = own_.pick(set_.questions.all()[usize(c.question)], wanted);
  while (true) {
    std::string prompt = own_.prompt(layout_, c.prompt, picked);
    const Result<i64> length = scorer_->length_after(prompt, c.answer);
    if (picked.empty() || !length || *length <= scorer_->windows().window) {
      set_.shortened += isize(picked) < wanted ? 1 : 0;
      return prompt;
    }
    picked.pop_back();
  }
}

void Responses::score_all(text::Score Candidate::*to,
                          const std::function<std::string(const Candidate&)>& prompt) {
  constexpr i64 kSlice = 128;  // prompts at a time
  for (i64 begin = 0; begin < isize(set_.all); begin += kSlice) {
    const i64 n = std::min(kSlice, isize(set_.all) - begin);
    std::vector<std::string> held;
    std::vector<std::string_view> prompts, answers;
    std::vector<text::Score> scores(usize(n));
    for (i64 i = begin; i < begin + n; ++i)
      held.push_back(prompt(set_.all[usize(i)]));
    for (i64 i = 0; i < n; ++i) {
      prompts.emplace_back(held[usize(i)]);
      answers.emplace_back(set_.all[usize(begin + i)].answer);
    }
    scorer_->score_after(prompts, answers, scores);
    for (i64 i = 0; i < n; ++i) {
      Candidate& c = set_.all[usize(begin + i)];
      c.*to = scores[usize(i)];
      if ((c.*to).fault)
        throw Error(ErrorKind::kData,
                    cat("question ", quote(set_.questions.all()[usize(c.question)]), ": ",
                        (c.*to).fault->detail));
    }
  }
}

void Responses::open() {
  decode::NeuralScorerOptions form;
  form.boundary =
      options_.text("boundary") == "joint" ? decode::Boundary::kJoint : decode::Boundary::kSeparate;
  scorer_ = open_folder(tool_, options_.text("model"), form);
  tool_.set_param("scorer", io::json_string(scorer_->digest()));
}

void Responses::score() {
  if (needs(&Metric::given))
    score_all(&Candidate::given, [](const Candidate& c) { return c.prompt; });
  if (needs(&Metric::shown))
    score_all(&Candidate::shown, [&](const Candidate& c) { return shown_prompt(c); });
  if (needs(&Metric::alone))
    score_all(&Candidate::alone, [](const Candidate&) { return std::string(); });
  if (set_.shortened > 0)
    tool_.console().message(
        LogLevel::kWarning,
        cat(set_.shortened, " prompts show fewer than ", options_.integer("examples"),
            " examples: there are no more of other questions, or the context is full"));
}

void Responses::write_best() {
  const std::vector<bool> best = set_.best_answers(*metrics_[0], records_);
  io::OutputStream& out = tool_.output();
  std::size_t at = 0;
  i64 kept = 0;
  spool_->replay({{StageMode::kSerial,
                   [&](io::Batch& batch) {
                     std::string_view rest = batch.lines();
                     while (!rest.empty()) {
                       const std::string_view line = rest.substr(0, rest.find('\n') + 1);
                       if (best[at]) batch.out += line;
                       kept += best[at++] ? 1 : 0;
                       rest.remove_prefix(line.size());
                     }
                   }}},
                 &out);
  tool_.add_metric("kept", cat(kept));
  tool_.add_metric("removed", cat(records_ - kept));
}

}  // namespace

void run_responses(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const bool per_item = options.on("per-item");
  std::optional<tool_options::TextOutput> text;
  if (!per_item) {
    tool_options::refuse_output_options(tool);
    text.emplace(tool);
  }
  if (options.text("model").empty())
    throw Error(ErrorKind::kUsage, "--model FOLDER is needed: whose training set is to be made");
  Responses responses(tool);
  if (per_item && responses.metrics().size() > 1)
    throw Error(ErrorKind::kUsage, "--per-item takes one metric",
                "the best answer to a question is the best by one measure");
  tool.input();  // tried before work; the output's header says where it comes from
  if (options.given("own")) responses.read_own();
  responses.open();
  if (per_item) tool.output();
  responses.read();
  responses.score();
  const stat::BootstrapOptions draws{.draws = options.integer("boot"), .seed = tool.seed()};
  const std::string json = responses.set().json(responses.metrics(), draws);
  tool.add_metric("responses", json);
  if (per_item) return responses.write_best();
  responses.set().check_common(responses.metrics());
  text->write(options.text("format") == "json" ? json + "\n"
                                               : responses.set().table(responses.metrics(), draws));
}

}  // namespace lm::filter_tool

// Who answers.

#include "answer/engine.h"

#include "answer/model.h"
#include "answer/script.h"
#include "common/model_options.h"
#include "core/str.h"
#include "decode/prompt.h"
#include "flow.h"
#include "io/json.h"

namespace lm::flow_tool {

using answer::EngineName;
using Kind = EngineName::Kind;

namespace {

/// What a model folder is opened with.
constexpr const char* kFolder[] = {"tokenizer", "bos", "special", "dtype", "chunk"};

EngineName engine_of(const cli::Options& options) {
  if (!options.text("engine").empty())
    return answer::parse_engine(options.text("engine"), "--engine");
  if (options.text("model").empty())
    throw Error(ErrorKind::kUsage, "--model FOLDER or --engine NAME is needed: somebody answers");
  return {Kind::kLocal, options.text("model")};
}

void check_options(const cli::Options& options, Kind kind) {
  if (kind == Kind::kLocal) return;
  if (options.find("device") != nullptr && options.text("device").starts_with("cuda") &&
      options.origin("device") != cli::Origin::kEnvironment)
    throw Error(ErrorKind::kUnavailable, cat("--device ", options.text("device"),
                                             ": only a model folder computes on a GPU"));
  for (const char* const name : kFolder) {
    if (kind == Kind::kNgram && std::string_view(name) == "tokenizer") continue;
    if (options.asks(*options.find(name)))
      throw Error(ErrorKind::kUsage,
                  cat("--", name, " does not go with --engine ",
                      options.text("engine").substr(0, options.text("engine").find(':') + 1)));
  }
}

/// What --resume leaves out was asked in the run before: later answers must not care.
void check_resume(const answer::Answerer& answerer) {
  const auto* const script = dynamic_cast<const answer::ScriptAnswerer*>(&answerer);
  if (script != nullptr && script->ordered_line() > 0)
    throw Error(
        ErrorKind::kUsage,
        cat("--resume does not go with a script whose rules are used up or take turns (line ",
            script->ordered_line(), ")"));
  const auto* const replay = dynamic_cast<const answer::ReplayAnswerer*>(&answerer);
  if (replay != nullptr && replay->ordered())
    throw Error(ErrorKind::kUsage,
                "--resume does not go with a recording that has a request several times");
}

}  // namespace

Engine::Engine(cli::Tool& tool) : batch_(tool.options().integer("batch")) {
  const cli::Options& options = tool.options();
  const EngineName name = engine_of(options);
  check_options(options, name.kind);
  if (name.kind == Kind::kLocal) {
    decode::SessionOptions session = tool_options::session_options(tool, name.path);
    session.tokenizer = options.text("tokenizer");
    tool.add_input_folder(name.path);
    answer::ModelOptions model;
    model.languages.memory = tool.ctx().memory;
    std::unique_ptr<decode::Session> opened = std::make_unique<decode::Session>(session);
    tool.set_param("model", io::json_string(opened->digest()));
    answerer_ = std::make_unique<answer::ModelAnswerer>(std::move(opened), model);
  } else {
    tool.add_input(name.path);
    answer::EngineSettings settings;
    settings.tokenizer = options.text("tokenizer");
    answerer_ = answer::open_engine(name, settings, tool.ctx());
    const std::string& given = options.text("engine");
    tool.set_param("model", io::json_string(cat(given.substr(0, given.find(':')),
                                                ":xxh3:", hex64(answerer_->key()))));
  }
  const bool goes_on = options.find("resume") != nullptr && options.given("resume");
  if (goes_on) check_resume(*answerer_);
  if (const std::string& path = options.text("record"); !path.empty()) {
    tool.claim_output(path);
    recording_.emplace(*answerer_, path, goes_on, tool.output_options());
  }
}

void Engine::close() {
  if (recording_) recording_->close();
}

flow::CountTokens open_counter(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const EngineName name = engine_of(options);
  check_options(options, name.kind);
  if (name.kind != Kind::kLocal) {
    tool.add_input(name.path);
    answer::EngineSettings settings;
    settings.tokenizer = options.text("tokenizer");
    // Second owners: copies of the function.
    const std::shared_ptr<answer::Answerer> answerer =
        answer::open_engine(name, settings, tool.ctx());
    return [answerer](const std::string& text) { return answerer->count_tokens(text); };
  }
  struct Counter {
    explicit Counter(std::unique_ptr<text::Tokenizer> own)
        : tokenizer(std::move(own)), encoder(*tokenizer, std::nullopt) {}
    std::unique_ptr<text::Tokenizer> tokenizer;
    decode::PromptEncoder encoder;
  };
  text::LoadOptions load;
  load.add_specials = false;
  load.special = tool_options::special_policy(options);
  const std::string& own = options.text("tokenizer");
  tool.add_input_folder(name.path);
  const std::shared_ptr<Counter> counter =
      std::make_shared<Counter>(text::load_tokenizer(own.empty() ? name.path : own, load));
  return [counter](const std::string& text) {
    const Result<std::vector<i32>> ids = counter->encoder.piece(text);
    return ids ? isize(*ids) : 0;
  };
}

}  // namespace lm::flow_tool

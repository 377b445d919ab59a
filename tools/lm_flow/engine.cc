// Who answers.

#include "answer/engine.h"

#include "answer/model.h"
#include "common/engine_options.h"
#include "common/model_options.h"
#include "decode/prompt.h"
#include "flow.h"
#include "io/json.h"

namespace lm::flow_tool {

using answer::EngineName;
using Kind = EngineName::Kind;

Engine::Engine(cli::Tool& tool) : batch_(tool.options().integer("batch")) {
  const cli::Options& options = tool.options();
  const EngineName name = tool_options::engine_name(options);
  tool_options::refuse_folder_options(options, name.kind);
  if (name.kind == Kind::kLocal) {
    decode::SessionOptions session = tool_options::session_options(tool, name.path);
    session.tokenizer = options.text("tokenizer");
    tool_options::add_model_folder(tool, name.path);
    answer::ModelOptions model;
    model.languages.memory = tool.ctx().memory;
    std::unique_ptr<decode::Session> opened = std::make_unique<decode::Session>(session);
    tool.set_param("model", io::json_string(opened->digest()));
    answerer_ = std::make_unique<answer::ModelAnswerer>(std::move(opened), model);
  } else {
    answerer_ = tool_options::open_other_engine(tool, name, {}).answerer;
  }
  const bool goes_on = options.find("resume") != nullptr && options.given("resume");
  tool_options::check_resume(options, *answerer_);
  tool_options::open_recording(tool, *answerer_, goes_on, recording_);
}

void Engine::close() {
  if (recording_) recording_->close();
}

flow::CountTokens open_counter(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const EngineName name = tool_options::engine_name(options);
  tool_options::refuse_folder_options(options, name.kind);
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
  tool_options::add_model_folder(tool, name.path);
  const std::string base = model::model_parts(name.path).base;
  const std::shared_ptr<Counter> counter =
      std::make_shared<Counter>(text::load_tokenizer(own.empty() ? base : own, load));
  return [counter](const std::string& text) {
    const Result<std::vector<i32>> ids = counter->encoder.piece(text);
    return ids ? isize(*ids) : 0;
  };
}

}  // namespace lm::flow_tool

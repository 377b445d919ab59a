// Who answers.

#include "answer/engine.h"

#include "answer/model.h"
#include "common/engine_options.h"
#include "common/model_options.h"
#include "decode/prompt.h"
#include "flow.h"
#include "io/json.h"
#include "model/checkpoint.h"

namespace lm::flow_tool {

using answer::EngineName;
using Kind = EngineName::Kind;

namespace {

std::vector<u64> keys_of(const answer::Answerer& answerer) {
  std::vector<u64> out = {answerer.key()};
  if (const auto* replay = dynamic_cast<const answer::ReplayAnswerer*>(&answerer))
    out.push_back(replay->recorded_key());
  return out;
}

}  // namespace

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
    identity_.model = opened->digest();
    tool.set_param("model", io::json_string(identity_.model));
    answerer_ = std::make_unique<answer::ModelAnswerer>(std::move(opened), model);
  } else {
    tool_options::OtherEngine other = tool_options::open_other_engine(tool, name, {});
    answerer_ = std::move(other.answerer);
    identity_.model = std::move(other.identity);
  }
  identity_.keys = keys_of(*answerer_);
  const bool goes_on = options.find("resume") != nullptr && options.given("resume");
  tool_options::check_resume(options, *answerer_);
  tool_options::open_recording(tool, *answerer_, goes_on, recording_);
}

void Engine::close() {
  if (recording_) recording_->close();
}

Counter open_counter(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const EngineName name = tool_options::engine_name(options);
  tool_options::refuse_folder_options(options, name.kind);
  if (name.kind != Kind::kLocal) {
    tool_options::OtherEngine other = tool_options::open_other_engine(tool, name, {});
    // Second owners: copies of the function.
    const std::shared_ptr<answer::Answerer> answerer = std::move(other.answerer);
    return {[answerer](const std::string& text) { return answerer->count_tokens(text); },
            {std::move(other.identity), keys_of(*answerer)}};
  }
  struct Own {
    explicit Own(std::unique_ptr<text::Tokenizer> own)
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
  const std::shared_ptr<Own> counter =
      std::make_shared<Own>(text::load_tokenizer(own.empty() ? base : own, load));
  return {[counter](const std::string& text) {
            const Result<std::vector<i32>> ids = counter->encoder.piece(text);
            return ids ? isize(*ids) : 0;
          },
          {model::model_digest(name.path)}};
}

}  // namespace lm::flow_tool

#pragma once
// --small-model and what belongs to it: two models write a text in turns.

#include <string>
#include <vector>

#include "cli/tool.h"
#include "decode/generate.h"
#include "models.h"

namespace lm::decode_tool {

std::vector<cli::Flag> switching_flags();

class Switching {
 public:
  /// Without --small-model it does nothing. Throws Error{kUsage} for options that do not go
  /// together.
  Switching(const cli::Options& options, const Models& models);

  /// The engine that a generator runs on: of the model that makes the first token.
  model::Engine& engine() const;
  void set(decode::GenerateOptions& out) const;
  /// What a completion says of it (",\"ead\":{...}"), empty without a second model.
  std::string completion_json(const decode::Completion& c, i64 prompt_tokens) const;

 private:
  decode::Session& large_;
  std::shared_ptr<decode::Session> small_;
  decode::SwitchOptions options_;
  f64 ratio_ = 1;  // parameters of the small model to those of the large one
  bool trace_ = false;
};

}  // namespace lm::decode_tool

#pragma once
// Held-out records as a judge of models: the options, and perplexity of a model in memory or in a
// folder.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/tool.h"
#include "decode/held_out.h"
#include "model/checkpoint.h"
#include "model/device.h"

namespace lm::merge_tool {

/// --eval --field --eval-by, windows, and how models run.
std::vector<cli::Flag> held_out_flags();

class HeldOut {
 public:
  /// Reads all records of --eval, tokenised as the model in `folder` has them. Throws Error{kUsage}
  /// without --eval, Error{kData} for records that cannot be read and sets without a scored token.
  HeldOut(cli::Tool& tool, const std::string& folder);

  const std::vector<std::string>& sets() const { return texts_->sets(); }
  /// By set. The first call makes the engine for that model object, which later calls may have
  /// given other weights. what: for messages. Throws Error{kData} where logits are not numbers.
  std::vector<decode::SetScore> score(const model::Model& model, const std::string& what);
  /// Of a folder, which is opened for this call.
  std::vector<decode::SetScore> score_folder(const std::string& folder);
  /// What the scores depend on beside the model: texts by their hash, tokenizer, windows.
  const std::string& key() const { return key_; }

 private:
  void read(const std::string& path);
  std::vector<decode::SetScore> run(model::Engine& engine, const std::string& what) const;
  model::EngineOptions size_of(const model::ModelRef& model) const;
  std::unique_ptr<model::Engine> make_engine(const model::ModelRef& model) const;

  cli::Tool& tool_;
  model::Compute compute_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  model::ModelCfg cfg_;
  std::unique_ptr<decode::HeldOutTexts> texts_;
  std::string key_;
  const model::Model* engine_model_ = nullptr;
  std::unique_ptr<MemoryCharge> engine_memory_;
  std::unique_ptr<model::Engine> engine_;
};

}  // namespace lm::merge_tool

#pragma once
// A model folder made ready to run: model, tokenizer, what begins a text, and an engine for many
// sequences at once. Every program that scores or generates opens its models here.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/context.h"
#include "decode/generate.h"
#include "decode/score.h"
#include "decode/text_passes.h"
#include "model/checkpoint.h"
#include "model/device.h"
#include "model/engine.h"
#include "model/score_head.h"
#include "text/tokenizer.h"

namespace lm::decode {

struct SessionOptions {
  std::string folder;  // of the model, or BASE+ADAPTER (model::find_model)
  /// Folders of further adapters, which texts may choose (Session::choose_adapter).
  std::vector<std::string> adapters = {};
  std::string tokenizer;  // instead of the folder's; empty: the folder's
  bool begin = true;      // the model's begin token stands before a text, if it has one
  text::SpecialPolicy special = text::SpecialPolicy::kParse;
  i64 batch = 16;                  // sequences at once
  i64 chunk = 512;                 // rows of a pass; neither changes results
  i64 cache_bytes = i64{1} << 30;  // for keys and values
  /// What the model takes of the host's memory is charged here, if given; keys and values get their
  /// share of the rest (cache_share) instead of cache_bytes. Sessions that are opened after this
  /// one are left `reserve` bytes and their part of the rest.
  MemoryBudget* memory = nullptr;
  i64 reserve = 0;
  i64 later = 0;  // sessions
  model::Compute compute = {};
  /// False: the engine gives hidden states (EngineOptions::states, final_state) and no logits, and
  /// the model may be an encoder.
  bool logits = true;
  bool diffusion = false;  // with logits: of masked diffusion, instead of one for the next token
  std::vector<i64> states = {};
  bool final_state = true;
  std::vector<i64> projections = {};           // EngineOptions::projections
  std::optional<model::EmbedDraw> embed = {};  // map_model's draw
};

class Session {
 public:
  /// Opens the folder and makes the engine. Throws what map_model and load_tokenizer throw,
  /// Error{kOs} when the budget is too small for the model, and Error{kData} when the tokenizer
  /// does not fit the model or the model is an encoder where logits are wanted, each naming the
  /// folder.
  explicit Session(const SessionOptions& options);
  Session(const Session&) = delete;  // the engine refers to the model
  Session& operator=(const Session&) = delete;

  const model::ModelCfg& cfg() const { return model_.cfg; }
  const text::Tokenizer& tokenizer() const { return *tokenizer_; }
  model::Engine& engine() { return *engine_; }
  /// Of a model that scores texts (model::score_head), opened without logits.
  std::vector<f32> score_head() const { return model::score_head(model_); }
  const model::Engine& engine() const { return *engine_; }
  /// The identity of the model (model_digest).
  const std::string& digest() const { return digest_; }
  /// What Engine::adapt takes for a weight of each of SessionOptions::adapters, and none of the
  /// model's own.
  std::vector<f32> adapter_weights(std::span<const f32> further) const;
  /// Put before every text, or nothing.
  std::optional<i32> begin() const { return begin_; }
  DType activation() const { return options_.compute.activation; }
  const SessionOptions& options() const { return options_; }

  /// The host's memory that a session takes at least: the model, and a few tokens. Reads no
  /// weights.
  static i64 least_bytes(const SessionOptions& options);

  /// Sizes of this session, and the ids that end a text: the model's, else the tokenizer's.
  GenerateOptions generate_options() const;
  ScoreOptions score_options() const { return {options_.batch, options_.chunk}; }
  PassLimits pass_limits() const { return {options_.batch, options_.chunk}; }
  /// Windows over texts for this model (WindowRule::of, whose error then names the folder).
  WindowRule windows(i64 window, i64 stride) const;
  /// 64 bits of what shapes results here: model, tokenizer, begin token, policy for specials and
  /// type; not sizes, and not the device, whose lines in f32 are meant to be the CPU's.
  u64 key() const;

 private:
  void charge(MemoryBudget& memory, model::EngineOptions& size);

  SessionOptions options_;
  model::MappedModel model_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::string digest_;
  std::vector<std::string> adapter_digests_;
  std::optional<i32> begin_;
  std::optional<MemoryCharge> charge_;
  std::unique_ptr<model::Engine> engine_;
};

}  // namespace lm::decode

#include "decode/session.h"

#include "core/hash.h"
#include "core/str.h"
#include "decode/engine_options.h"
#include "decode/prompt.h"
#include "model/layer.h"

namespace lm::decode {

Session::Session(const SessionOptions& options)
    : options_(options), model_(model::map_model(options.folder)) {
  text::LoadOptions load;
  load.add_specials = false;
  load.special = options.special;
  tokenizer_ =
      text::load_tokenizer(options.tokenizer.empty() ? options.folder : options.tokenizer, load);
  try {
    check_vocab(model_.cfg, *tokenizer_);
  } catch (const Error& e) {
    throw e.with_prefix(options.folder);
  }
  if (options.begin) begin_ = begin_token(model_.cfg, *tokenizer_);
  digest_ = model::model_digest(options.folder);
  model::EngineOptions size = engine_options(model_.cfg, options.batch, options.chunk,
                                             options.cache_bytes, options.compute);
  if (options.memory != nullptr) charge(*options.memory, size);
  engine_ = options.compute.backend == nullptr
                ? std::make_unique<model::Engine>(model_, size)
                : std::make_unique<model::Engine>(model_, size, *options.compute.backend);
}

/// Charges what the engine will take on the host, and sizes its cache by the rest.
void Session::charge(MemoryBudget& memory, model::EngineOptions& size) {
  const model::Compute& compute = options_.compute;
  if (compute.backend != nullptr && compute.backend->device != Device{}) return;
  fixed_.emplace(memory, model::Engine::host_bytes(model_, size),
                 cat("the model in ", options_.folder));
  const i64 room = memory.available() / 4 * 3 / options_.models;
  size = engine_options(model_.cfg, options_.batch, options_.chunk, room, compute);
  cache_.emplace(memory, size.cache_tokens * model::cache_token_bytes(model_.cfg, size.activation),
                 "keys and values");
}

GenerateOptions Session::generate_options() const {
  GenerateOptions out;
  out.batch = options_.batch;
  out.chunk = options_.chunk;
  out.end_ids = model_.cfg.end_ids;
  if (out.end_ids.empty() && tokenizer_->eos()) out.end_ids = {*tokenizer_->eos()};
  return out;
}

WindowRule Session::windows(i64 window, i64 stride) const {
  try {
    return WindowRule::of(window, stride, engine_->positions());
  } catch (const Error& e) {
    throw e.with_prefix(options_.folder);
  }
}

u64 Session::key() const {
  return xxh3_64(cat(digest_, "\n", tokenizer_->digest(), "\n", begin_ ? cat(*begin_) : "", "\n",
                     static_cast<i64>(options_.special), "\n", dtype_name(activation())));
}

}  // namespace lm::decode

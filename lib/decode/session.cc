#include "decode/session.h"

#include <algorithm>

#include "core/hash.h"
#include "core/str.h"
#include "decode/engine_options.h"
#include "decode/prompt.h"
#include "model/diffusion.h"
#include "model/layer.h"
#include "model/state_cache.h"

namespace lm::decode {

namespace {

bool on_host(const SessionOptions& options) {
  const model::Compute& compute = options.compute;
  return compute.backend == nullptr || compute.backend->device == Device{};
}

/// Sizes with a cache of at most cache_bytes.
model::EngineOptions sizes(const model::ModelCfg& cfg, const SessionOptions& o, i64 cache_bytes) {
  model::EngineOptions out = engine_options(cfg, o.batch, o.chunk, cache_bytes, o.compute);
  if (!o.logits) out.max_logit_rows = 0;
  out.states = o.states;
  out.final_state = o.final_state;
  out.projections = o.projections;
  return out;
}

i64 host_bytes(const model::MappedModel& model, const model::EngineOptions& size) {
  return model::Engine::host_bytes(model, size) + model.table_bytes +
         model::memory_bytes(model.cfg, size.activation, size.cache_tokens);
}

i64 least_bytes_of(const model::MappedModel& model, const SessionOptions& options) {
  return on_host(options) ? host_bytes(model, sizes(model.cfg, options, 0)) : 0;
}

std::string draw_key(const std::optional<model::EmbedDraw>& draw) {
  return draw ? cat("\n", draw->seed, " ", draw->number, " ", draw->draw) : std::string();
}

}  // namespace

i64 Session::least_bytes(const SessionOptions& options) {
  return least_bytes_of(model::map_model(options.folder, options.adapters, options.embed,
                                         model::LoadAdapters::kLater),
                        options);
}

Session::Session(const SessionOptions& options)
    : options_(options),
      model_(model::map_model(options.folder, options.adapters, options.embed,
                              model::LoadAdapters::kLater)) {
  if (options.logits)
    (options.diffusion ? model::require_diffusion : model::require_decoder)(model_.cfg,
                                                                            options.folder);
  text::LoadOptions load;
  load.add_specials = false;
  load.special = options.special;
  tokenizer_ = text::load_tokenizer(
      options.tokenizer.empty() ? model::model_parts(options.folder).base : options.tokenizer,
      load);
  try {
    check_vocab(model_.cfg, *tokenizer_);
  } catch (const Error& e) {
    throw e.with_prefix(options.folder);
  }
  if (options.begin) begin_ = begin_token(model_.cfg, *tokenizer_);
  digest_ = model::model_digest(options.folder);
  for (const std::string& adapter : options.adapters)
    adapter_digests_.push_back(model::adapter_digest(adapter));
  model::EngineOptions size = sizes(model_.cfg, options, options.cache_bytes);
  if (options.memory != nullptr) charge(*options.memory, size);
  if (model_.adapters != nullptr) model_.adapters->load();
  engine_ = options.compute.backend == nullptr
                ? std::make_unique<model::Engine>(model_, size)
                : std::make_unique<model::Engine>(model_, size, *options.compute.backend);
}

/// Charges what the engine will take on the host, and sizes its cache by the rest. A refusal names
/// the budget in which texts of some length run.
void Session::charge(MemoryBudget& memory, model::EngineOptions& size) {
  if (!on_host(options_)) return;
  const i64 least = least_bytes_of(model_, options_);
  const i64 free = memory.available() - options_.reserve;
  const i64 sessions = 1 + options_.later;
  if (free < least) {
    const i64 tokens = std::min<i64>(model_.cfg.context, 2048);
    const i64 room =
        model::memory_tokens(model_.cfg, size.activation, tokens + 2 * model::kPageTokens);
    const i64 cache = model::memory_bytes(model_.cfg, size.activation, room) * sessions;
    const i64 would = memory.used() + options_.reserve + least + cache_budget(cache);
    throw Error(ErrorKind::kOs,
                cat("not enough memory for the model in ", options_.folder, ": ",
                    format_bytes(least), " asked, ", format_bytes(std::max<i64>(0, free)),
                    " left of the budget of ", format_bytes(memory.limit())),
                cat("--memory ", (would >> 20) + 1, "M would do for texts of ", tokens, " tokens"));
  }
  size = sizes(model_.cfg, options_, cache_share((free - least) / sessions));
  charge_.emplace(memory, host_bytes(model_, size), cat("the model in ", options_.folder));
}

std::vector<f32> Session::adapter_weights(std::span<const f32> further) const {
  std::vector<f32> out(model_.adapter_weights.size() - further.size(), 0);
  out.insert(out.end(), further.begin(), further.end());
  return out;
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
  return xxh3_64(cat(digest_, join(adapter_digests_, ""), "\n", tokenizer_->digest(), "\n",
                     begin_ ? cat(*begin_) : "", "\n", static_cast<i64>(options_.special), "\n",
                     dtype_name(activation()), draw_key(options_.embed)));
}

}  // namespace lm::decode

// From options to a new model.

#include "model/shape.h"

#include "core/str.h"
#include "train.h"

namespace lm::train_tool {

using cli::Options;

namespace {

constexpr i64 kDefaultSeqLen = 1024;

[[noreturn]] void usage(std::string message) {
  throw Error(ErrorKind::kUsage, std::move(message));
}

}  // namespace

bool shape_given(const Options& o) {
  for (const char* name :
       {"preset", "arch",     "layers",     "width",    "heads",  "kv-heads", "head-dim",
        "ffn",    "vocab",    "context",    "window",   "mixers", "attn",     "sparse",
        "moe",    "norm-eps", "rope-theta", "init-std", "tied",   "embed"})
    if (o.given(name)) return true;
  return false;
}

model::ModelCfg new_config(const Options& o, const std::optional<text::TokenizerIdentity>& tok) {
  model::ModelShape shape;
  if (o.given("preset")) {
    shape = model::preset(o.text("preset"));
    shape.vocab = 0;  // the data's, unless --vocab says otherwise
  }
  if (o.given("arch")) {
    if (o.given("preset") && shape.family != o.text("arch"))
      usage(cat("--arch ", o.text("arch"), ", but --preset ", o.text("preset"), " is ",
                shape.family));
    shape.family = o.text("arch");
  }
  const auto count = [&](const char* name, i64 model::ModelShape::*field) {
    if (const std::optional<i64> value = o.maybe_integer(name)) shape.*field = *value;
  };
  count("layers", &model::ModelShape::layers);
  count("width", &model::ModelShape::width);
  count("heads", &model::ModelShape::heads);
  count("kv-heads", &model::ModelShape::kv_heads);
  count("head-dim", &model::ModelShape::head_dim);
  count("ffn", &model::ModelShape::ffn);
  count("vocab", &model::ModelShape::vocab);
  count("context", &model::ModelShape::context);
  count("window", &model::ModelShape::window);
  if (o.given("mixers")) shape.mixers = o.text("mixers");
  if (o.given("attn")) shape.attn = o.text("attn");
  if (o.given("sparse")) shape.sparse = o.text("sparse");
  if (const std::string experts = expert_settings(o, shape); !experts.empty()) shape.moe = experts;
  if (const std::optional<f64> eps = o.maybe_real("norm-eps")) shape.norm_eps = *eps;
  if (const std::optional<f64> theta = o.maybe_real("rope-theta")) shape.rope_theta = *theta;
  if (const std::optional<f64> deviation = o.maybe_real("init-std")) shape.init_std = *deviation;
  if (o.given("tied")) shape.tied = o.text("tied") == "true";
  if (shape.vocab == 0 && tok)
    shape.vocab = tok->vocab_size + (o.text("mask-token") == "new" ? 1 : 0);
  if (shape.vocab == 0)
    usage("--vocab is needed: neither shards nor --tokenizer say how many ids there are");
  if (shape.context == 0) shape.context = o.maybe_integer("seq-len").value_or(kDefaultSeqLen);
  model::ModelCfg cfg = model::make_config(shape);
  set_embeddings(o, cfg);
  if (tok) {
    cfg.bos = tok->bos;
    if (tok->eos) cfg.eos = {*tok->eos};
    cfg.pad = tok->pad;
  }
  return cfg;
}

}  // namespace lm::train_tool

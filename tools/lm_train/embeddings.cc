// Embeddings that are drawn: what --embed makes of a new model, and what does not go with them.

#include <string_view>

#include "core/str.h"
#include "train.h"

namespace lm::train_tool {

namespace {

[[noreturn]] void usage(std::string message, std::string hint = {}) {
  throw Error(ErrorKind::kUsage, std::move(message), std::move(hint));
}

}  // namespace

void set_embeddings(const cli::Options& o, model::ModelCfg& cfg) {
  if (!o.given("embed")) return;
  cfg.embed = model::parse_embed(o.text("embed"));
  if (!cfg.embed.drawn()) return;
  if (cfg.position != model::PositionKind::kRope)
    usage(cat("--embed ", o.text("embed"), ": ", cfg.family,
              " has learned positions, drawn embeddings need relative ones"),
          "--arch llama has rotary positions");
  if (cfg.embed.kind != model::EmbedKind::kGaussian) return;
  if (o.given("tied") && !cfg.tied)
    usage("--tied false: --embed gaussian has no table, its head is the embedding");
  cfg.tied = true;
}

void check_embeddings(const cli::Options& o, const train::ObjectiveDef& def, Setup& setup) {
  if (!setup.cfg.embed.drawn()) {
    if (o.given("embed-draws")) usage("--embed-draws: the model's embeddings are learned");
    return;
  }
  const std::string what = cat("embeddings ", model::embed_name(setup.cfg.embed));
  const std::string_view name = def.name;
  if (name != "next-token" && name != "sft")
    usage(cat("--objective ", name, " does not go with ", what), "next-token and sft do");
  if (setup.train.objective.loss.kind != train::TokenLossKind::kCe)
    usage(cat("--loss ", o.text("loss"), " does not go with ", what));
  if (o.given("lora")) usage(cat("--lora does not go with ", what));
  if (setup.train.activation == DType::kF32) return;
  if (o.text("dtype") != "auto") usage(cat(what, " are computed in f32: --dtype f32"));
  setup.train.activation = DType::kF32;
}

}  // namespace lm::train_tool

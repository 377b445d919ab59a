#include "model/diffusion.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"

namespace lm::model {
namespace {

constexpr const char* kKey = "lm_diffusion";
constexpr i64 kMostBlock = i64{1} << 24;

}  // namespace

void read_diffusion(const io::JsonNode& json, ModelCfg& cfg) {
  if (!json.has(kKey)) return;
  const io::JsonNode node = json.object(kKey);
  node.only({"mask_token_id", "block"});
  DiffusionCfg diffusion;
  diffusion.mask = static_cast<i32>(node.integer("mask_token_id", 0, cfg.vocab - 1));
  if (node.has("block")) diffusion.block = node.integer("block", 0, kMostBlock);
  cfg.diffusion = diffusion;
}

void write_diffusion(const ModelCfg& cfg, io::Json& json) {
  if (!cfg.diffusion) {
    json.erase(kKey);
    return;
  }
  io::Json out;
  out["mask_token_id"] = cfg.diffusion->mask;
  if (cfg.diffusion->block > 0) out["block"] = cfg.diffusion->block;
  json[kKey] = out;
  json["architectures"] = {cat("Diffusion", json["architectures"][0].get<std::string>())};
}

void check_diffusion(const ModelCfg& cfg, std::string_view name) {
  if (!cfg.diffusion) return;
  const auto refuse = [&](const auto&... what) {
    throw Error(ErrorKind::kData, cat(name, ": key \"", kKey, "\": ", what...));
  };
  const DiffusionCfg& d = *cfg.diffusion;
  if (d.mask < 0 || d.mask >= cfg.vocab)
    refuse("mask_token_id ", d.mask, " is outside the vocabulary of ", cfg.vocab);
  if (d.block < 0) refuse("block must not be negative, seen ", d.block);
  if (cfg.kind != ModelKind::kDecoder || cfg.scores > 0 || cfg.embed.drawn())
    refuse("only models with a head for tokens and learnt embeddings can have it");
  try {
    require_whole_sight(cfg, "models of masked diffusion");
  } catch (const Error& error) {
    refuse(error.what());
  }
}

bool sees_behind(const ModelCfg& cfg) {
  return cfg.kind == ModelKind::kEncoder || cfg.diffusion.has_value();
}

i64 sight_end(const ModelCfg& cfg, i64 row, i64 count) {
  const i64 block = cfg.diffusion ? cfg.diffusion->block : 0;
  return block > 0 ? std::min(count, (row / block + 1) * block) : 0;
}

void require_diffusion(const ModelCfg& cfg, std::string_view folder) {
  if (cfg.diffusion) return;
  throw Error(ErrorKind::kData,
              cat(folder,
                  ": a model that predicts the next token; expected one of masked diffusion "
                  "(lm_diffusion in config.json)"),
              "lm-train --objective mdlm, llada or bd3 makes one");
}

}  // namespace lm::model

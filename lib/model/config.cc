#include "model/config.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"
#include "model/diffusion.h"
#include "model/family.h"
#include "model/layer.h"
#include "model/sparse_layers.h"

namespace lm::model {
namespace {

void read_token_ids(const JsonNode& json, ModelCfg& cfg) {
  if (json.has("bos_token_id"))
    cfg.bos = static_cast<i32>(json.integer("bos_token_id", 0, kMaxTokenId));
  // -1 is an old spelling of "no padding".
  const i64 pad = json.integer_or("pad_token_id", -1, -1, kMaxTokenId);
  if (pad >= 0) cfg.pad = static_cast<i32>(pad);
  cfg.eos = read_eos_ids(json);
  if (cfg.bos && *cfg.bos >= cfg.vocab)
    json.fail("bos_token_id", cat("an id below ", cfg.vocab, ", the size of the vocabulary"));
  check_eos_ids(json, cfg.eos, cfg.vocab);
}

/// Absent ids are written as null: readers have defaults of their own (50256 for GPT-2).
void write_token_ids(const ModelCfg& cfg, Json& json) {
  json["bos_token_id"] = cfg.bos ? Json(*cfg.bos) : Json(nullptr);
  json["pad_token_id"] = cfg.pad ? Json(*cfg.pad) : Json(nullptr);
  if (cfg.eos.size() > 1)
    json["eos_token_id"] = cfg.eos;
  else
    json["eos_token_id"] = cfg.eos.empty() ? Json(nullptr) : Json(cfg.eos[0]);
}

constexpr std::string_view kScoring = "ForSequenceClassification";
constexpr i64 kMaxScores = 1 << 16;

/// The name that transformers has for the family's decoder with a head for scores.
std::string scoring_name(const Family& family) {
  std::string_view name = family.architecture;
  for (const std::string_view end : {"ForCausalLM", "LMHeadModel"})
    if (name.ends_with(end)) name.remove_suffix(end.size());
  return cat(name, kScoring);
}

/// Labels have names there, and as many scores as names; two where nothing says so.
void read_scores(const JsonNode& json, ModelCfg& cfg) {
  if (cfg.kind != ModelKind::kDecoder || !json.has("architectures")) return;
  bool scoring = false;
  json.array("architectures").each_item([&](const JsonNode& item) {
    scoring = scoring || item.as_string().value_or("").ends_with(kScoring);
  });
  if (!scoring) return;
  i64 names = 0;
  if (json.has("id2label"))
    json.object("id2label").each_field([&](std::string_view, const JsonNode&) { ++names; });
  cfg.scores = names > 0 ? names : json.integer_or("num_labels", 2, 1, kMaxScores);
}

void write_scores(const ModelCfg& cfg, Json& json) {
  if (json.contains("id2label") && isize(json["id2label"]) == cfg.scores) return;
  json["id2label"] = Json::object();
  json["label2id"] = Json::object();
  for (i64 i = 0; i < cfg.scores; ++i) {
    json["id2label"][cat(i)] = cat("LABEL_", i);
    json["label2id"][cat("LABEL_", i)] = i;
  }
}

constexpr const char* kEmbedKey = "lm_embeddings";

/// {"kind":"gaussian"}, or {"kind":"semi","share":P}; other programs do not know it.
void read_embed(const JsonNode& json, ModelCfg& cfg) {
  if (!json.has(kEmbedKey)) return;
  const JsonNode embed = json.object(kEmbedKey);
  embed.only({"kind", "share"});
  const std::string kind = embed.text("kind");
  if (kind == "gaussian")
    cfg.embed = {EmbedKind::kGaussian, 0};
  else if (kind == "semi")
    cfg.embed = {EmbedKind::kSemi, embed.number("share", 0.0, 1.0)};
  else
    embed.fail("kind", "\"gaussian\" or \"semi\"");
}

/// Without a table the weights are those of no architecture that others have.
void write_embed(const ModelCfg& cfg, Json& json) {
  if (!cfg.embed.drawn()) {
    json.erase(kEmbedKey);
    return;
  }
  const bool semi = cfg.embed.kind == EmbedKind::kSemi;
  json[kEmbedKey] = {{"kind", semi ? "semi" : "gaussian"}};
  if (semi)
    json[kEmbedKey]["share"] = cfg.embed.share;
  else
    json["architectures"] = {cat("Lexinvariant", json["architectures"][0].get<std::string>())};
}

[[noreturn]] void inconsistent(std::string_view name, std::string_view what) {
  throw Error(ErrorKind::kData, cat(name, ": ", what));
}

}  // namespace

void check_config(const ModelCfg& cfg, std::string_view name) {
  if (cfg.vocab <= 0 || cfg.width <= 0 || cfg.context <= 0 || cfg.layers.empty())
    inconsistent(name, cat("vocabulary, width, context and layer count must be positive, seen ",
                           cfg.vocab, ", ", cfg.width, ", ", cfg.context, ", ", cfg.depth()));
  if (cfg.first_position >= cfg.context)
    inconsistent(name,
                 cat("positions begin at ", cfg.first_position, ", the table has ", cfg.context));
  for (const LayerCfg& layer : cfg.layers)
    check_layer(layer, cfg, name);
  check_diffusion(cfg, name);
  if (!cfg.embed.drawn()) return;
  if (cfg.kind != ModelKind::kDecoder || cfg.position != PositionKind::kRope)
    inconsistent(name, cat(cfg.family,
                           " has learned positions or sees all of a text, but drawn "
                           "embeddings (",
                           embed_name(cfg.embed), ") are for decoders with relative positions"));
  if (cfg.scores > 0) inconsistent(name, "a head for scores does not go with drawn embeddings");
}

void require_decoder(const ModelCfg& cfg, std::string_view folder) {
  if (cfg.scores > 0)
    throw Error(ErrorKind::kData, cat(folder,
                                      ": a model that scores texts (a reward model), which "
                                      "predicts no next token"));
  if (cfg.diffusion)
    throw Error(
        ErrorKind::kData,
        cat(folder,
            ": a model of masked diffusion (lm_diffusion in "
            "config.json), which predicts no next token"),
        "lm-decode generate --decoder diffusion writes texts with it, score --bound scores them");
  if (cfg.kind == ModelKind::kDecoder) return;
  throw Error(ErrorKind::kData,
              cat(folder, ": model_type ", quote(cfg.family),
                  " is an encoder, which predicts no next token; expected a decoder"),
              "lm-embed makes vectors with it");
}

void require_whole_sight(const ModelCfg& cfg, std::string_view what) {
  const auto refuse = [&](std::string_view need) {
    throw Error(ErrorKind::kUsage, cat(what, " need layers ", need));
  };
  for (const LayerCfg& layer : cfg.layers) {
    const auto* const attention = std::get_if<AttentionCfg>(&layer.mixer);
    if (attention == nullptr) refuse("that attend, not recurrent ones");
    if (attention->window > 0) refuse("without a window of attention");
    if (attention->sparse.on()) refuse("without sparse attention (lm_sparse in config.json)");
  }
}

bool same_shape(const ModelCfg& x, const ModelCfg& y) {
  return x.family == y.family && x.kind == y.kind && x.vocab == y.vocab && x.width == y.width &&
         x.context == y.context && x.norm == y.norm && x.norm_eps == y.norm_eps &&
         x.position == y.position && x.first_position == y.first_position &&
         x.token_types == y.token_types && x.embed_norm == y.embed_norm && x.tied == y.tied &&
         x.embed == y.embed && x.scores == y.scores && x.diffusion == y.diffusion &&
         x.lora.has_value() == y.lora.has_value() && (!x.lora || same(*x.lora, *y.lora)) &&
         std::equal(x.layers.begin(), x.layers.end(), y.layers.begin(), y.layers.end(), same_layer);
}

std::string describe(const ModelCfg& cfg) {
  std::string out = cat(cfg.family, ", ", cfg.depth(), " layers, width ", cfg.width);
  if (!cfg.layers.empty()) {
    append(out, ", ", describe_layer(cfg.layers.front()));
    if (!same_layer(cfg.layers.front(), cfg.layers.back()))
      append(out, " to ", describe_layer(cfg.layers.back()));
  }
  append(out, ", vocabulary ", cfg.vocab);
  if (cfg.scores > 0) append(out, ", ", cfg.scores, cfg.scores == 1 ? " score" : " scores");
  if (cfg.embed.drawn()) append(out, ", embeddings ", embed_name(cfg.embed));
  if (cfg.diffusion) append(out, ", masked diffusion");
  if (cfg.diffusion && cfg.diffusion->block > 0)
    append(out, " in blocks of ", cfg.diffusion->block);
  if (cfg.lora) append(out, ", ", describe(*cfg.lora));
  return out;
}

ModelCfg parse_config(std::string_view text, std::string_view name) {
  const Json source = parse_object(text, name);
  const JsonNode json(source, name);
  const Family& family = find_family(json.text("model_type"), name);
  ModelCfg cfg;
  cfg.family = family.model_type;
  cfg.source_json = std::string(text);
  cfg.init_std = json.number_or("initializer_range", 0.02, 0.0, 10.0);
  family.parse(json, cfg);
  read_sparse(json, cfg);
  read_scores(json, cfg);
  read_embed(json, cfg);
  read_diffusion(json, cfg);
  read_token_ids(json, cfg);
  cfg.end_ids = cfg.eos;
  std::sort(cfg.end_ids.begin(), cfg.end_ids.end());
  check_config(cfg, name);
  return cfg;
}

std::string write_config(const ModelCfg& cfg, std::string_view dtype) {
  const Family& family = find_family(cfg.family, "model");
  Json json =
      cfg.source_json.empty() ? Json::object() : parse_object(cfg.source_json, "config.json");
  json["architectures"] = {cfg.scores > 0 ? scoring_name(family) : family.architecture};
  json["model_type"] = cfg.family;
  family.write(cfg, json);
  json["initializer_range"] = cfg.init_std;
  json["tie_word_embeddings"] = cfg.tied;
  write_token_ids(cfg, json);
  if (cfg.scores > 0) write_scores(cfg, json);
  write_embed(cfg, json);
  write_sparse(cfg, json);
  write_diffusion(cfg, json);
  json.erase("transformers_version");  // it names the writer, which is not transformers
  json["torch_dtype"] = std::string(dtype);
  json["dtype"] = std::string(dtype);
  return json.dump(2) + "\n";
}

}  // namespace lm::model

#include "model/shape.h"

#include "core/error.h"
#include "core/str.h"
#include "model/family.h"
#include "model/mixers.h"
#include "model/moe_settings.h"
#include "model/sparse_layers.h"

namespace lm::model {
namespace {

enum class Biases : u8 { kAll, kNone, kQkv, kChosen, kChosenAttention };

/// What a family has that the others have not.
struct Traits {
  const char* family;
  Biases biases;
  bool gpt2 = false;  // learned positions, and plain
  bool qk_norm = false;
  bool windows = false;
  bool cell = false;       // a cell in the place of attention, without positions, and plain
  bool recurrent = false;  // its gates see the row before
  bool mixed = false;      // layers have mixers of their own
  bool experts = false;    // layers are mixtures of experts
  bool qk_norm_whole = false;
  bool plain() const { return gpt2 || cell; }  // layer norm, plain feed-forward part
};
constexpr Traits kTraits[] = {
    {"gpt2", Biases::kAll, true, false, false},
    {"llama", Biases::kChosen, false, false, false},
    {"mistral", Biases::kNone, false, false, true},
    {"qwen2", Biases::kQkv, false, false, true},
    {"qwen3", Biases::kChosenAttention, false, true, true},
    {.family = "mixtral", .biases = Biases::kNone, .windows = true, .experts = true},
    {.family = "olmoe",
     .biases = Biases::kChosenAttention,
     .qk_norm = true,
     .experts = true,
     .qk_norm_whole = true},
    {.family = "qwen2_moe", .biases = Biases::kQkv, .experts = true},
    {.family = "qwen3_moe", .biases = Biases::kChosenAttention, .qk_norm = true, .experts = true},
    {.family = "moe", .biases = Biases::kChosenAttention, .experts = true},
    {"qlstm", Biases::kChosen, false, false, false, true, false},
    {"lstm", Biases::kChosen, false, false, false, true, true},
    {"based", Biases::kChosen, false, false, false, false, false, true},
};

struct Preset {
  const char* name;
  const char* family;
  i64 layers, width, heads, kv_heads, head_dim, ffn, vocab, context;
  f64 norm_eps, rope_theta;
  bool tied;
  i64 window = 0;
  const char* moe = "";
};

// The published shapes under their own names; *-nano and *-mini are sizes for tests and two cores.
constexpr Preset kPresets[] = {
    {"gpt2-nano", "gpt2", 2, 64, 4, 4, 16, 256, 512, 128, 1e-5, 0, true},
    {"llama-nano", "llama", 2, 64, 4, 2, 16, 192, 512, 128, 1e-5, 10000, true},
    {"mistral-nano", "mistral", 2, 64, 4, 2, 16, 192, 512, 128, 1e-5, 10000, false, 32},
    {"qwen2-nano", "qwen2", 2, 64, 4, 2, 16, 192, 512, 128, 1e-6, 1e6, true},
    {"qwen3-nano", "qwen3", 2, 64, 4, 2, 32, 192, 512, 128, 1e-6, 1e6, true},
    {"mixtral-nano", "mixtral", 2, 64, 4, 2, 16, 96, 512, 128, 1e-5, 1e6, false, 0, "n=8"},
    {"olmoe-nano", "olmoe", 2, 64, 4, 4, 16, 48, 512, 128, 1e-5, 10000, false, 0,
     "n=16,router=topk:4"},
    {"qwen2-moe-nano", "qwen2_moe", 2, 64, 4, 4, 16, 48, 512, 128, 1e-6, 1e6, false, 0,
     "n=12,router=topk:2,shared=2"},
    {"qwen3-moe-nano", "qwen3_moe", 2, 64, 4, 2, 32, 48, 512, 128, 1e-6, 1e6, false, 0,
     "n=16,router=topk:4"},
    {"qlstm-nano", "qlstm", 2, 64, 4, 4, 16, 256, 512, 128, 1e-5, 0, false},
    {"gpt2-mini", "gpt2", 4, 256, 4, 4, 64, 1024, 8192, 256, 1e-5, 0, true},
    {"llama-mini", "llama", 4, 256, 4, 2, 64, 704, 8192, 256, 1e-5, 10000, true},
    {"llama-15m", "llama", 6, 288, 6, 6, 48, 768, 32000, 256, 1e-5, 10000, true},
    {"llama-42m", "llama", 8, 512, 8, 8, 64, 1376, 32000, 1024, 1e-5, 10000, true},
    {"llama-110m", "llama", 12, 768, 12, 12, 64, 2048, 32000, 1024, 1e-5, 10000, true},
    {"gpt2", "gpt2", 12, 768, 12, 12, 64, 3072, 50257, 1024, 1e-5, 0, true},
    {"gpt2-medium", "gpt2", 24, 1024, 16, 16, 64, 4096, 50257, 1024, 1e-5, 0, true},
    {"qwen2.5-0.5b", "qwen2", 24, 896, 14, 2, 64, 4864, 151936, 32768, 1e-6, 1e6, true},
    {"qwen3-0.6b", "qwen3", 28, 1024, 16, 8, 128, 3072, 151936, 40960, 1e-6, 1e6, true},
    {"gpt2-large", "gpt2", 36, 1280, 20, 20, 64, 5120, 50257, 1024, 1e-5, 0, true},
    {"llama-1b", "llama", 16, 2048, 32, 8, 64, 8192, 128256, 8192, 1e-5, 500000, true},
    {"gpt2-xl", "gpt2", 48, 1600, 25, 25, 64, 6400, 50257, 1024, 1e-5, 0, true},
    {"mistral-7b", "mistral", 32, 4096, 32, 8, 128, 14336, 32000, 32768, 1e-5, 10000, false, 4096},
    {"llama-8b", "llama", 32, 4096, 32, 8, 128, 14336, 128256, 8192, 1e-5, 500000, false},
};

struct TextKey {
  const char* name;
  std::string ModelShape::*field;
};
constexpr TextKey kTextKeys[] = {
    {"family", &ModelShape::family}, {"mixers", &ModelShape::mixers}, {"attn", &ModelShape::attn},
    {"sparse", &ModelShape::sparse}, {"moe", &ModelShape::moe},
};
struct CountKey {
  const char* name;
  i64 ModelShape::*field;
};
constexpr CountKey kCountKeys[] = {
    {"layers", &ModelShape::layers},     {"width", &ModelShape::width},
    {"heads", &ModelShape::heads},       {"kv_heads", &ModelShape::kv_heads},
    {"head_dim", &ModelShape::head_dim}, {"ffn", &ModelShape::ffn},
    {"vocab", &ModelShape::vocab},       {"context", &ModelShape::context},
    {"window", &ModelShape::window},
};
struct NumberKey {
  const char* name;
  f64 ModelShape::*field;
};
constexpr NumberKey kNumberKeys[] = {
    {"norm_eps", &ModelShape::norm_eps},
    {"rope_theta", &ModelShape::rope_theta},
    {"init_std", &ModelShape::init_std},
};
struct FlagKey {
  const char* name;
  std::optional<bool> ModelShape::*field;
};
constexpr FlagKey kFlagKeys[] = {{"tied", &ModelShape::tied}, {"bias", &ModelShape::bias}};

[[noreturn]] void usage(std::string message, std::string hint = {}) {
  throw Error(ErrorKind::kUsage, std::move(message), std::move(hint));
}

std::vector<std::string> key_names() {
  std::vector<std::string> out;
  for (const TextKey& key : kTextKeys)
    out.emplace_back(key.name);
  for (const CountKey& key : kCountKeys)
    out.emplace_back(key.name);
  for (const NumberKey& key : kNumberKeys)
    out.emplace_back(key.name);
  for (const FlagKey& key : kFlagKeys)
    out.emplace_back(key.name);
  return out;
}

void set_field(ModelShape& shape, std::string_view key, std::string_view value) {
  for (const TextKey& one : kTextKeys) {
    if (key != one.name) continue;
    shape.*one.field = std::string(value);
    return;
  }
  for (const CountKey& one : kCountKeys) {
    if (key != one.name) continue;
    const std::optional<i64> count = parse_count(value);
    if (!count || *count <= 0)
      usage(cat("model shape: ", key, " is ", quote(value), ", expected a positive count"));
    shape.*one.field = *count;
    return;
  }
  for (const NumberKey& one : kNumberKeys) {
    if (key != one.name) continue;
    const std::optional<f64> number = parse_float(value);
    if (!number || !(*number > 0))
      usage(cat("model shape: ", key, " is ", quote(value), ", expected a positive number"));
    shape.*one.field = *number;
    return;
  }
  for (const FlagKey& one : kFlagKeys) {
    if (key != one.name) continue;
    if (value != "true" && value != "false")
      usage(cat("model shape: ", key, " is ", quote(value), ", expected true or false"));
    shape.*one.field = value == "true";
    return;
  }
  const std::vector<std::string> names = key_names();
  const std::string near = nearest_name(key, names);
  usage(cat("model shape: unknown key ", quote(key)),
        near.empty() ? cat("keys: ", join(names, ", ")) : cat("did you mean ", near, "?"));
}

i64 checked(i64 value, const char* key, i64 limit) {
  if (value <= 0) usage(cat("model shape: ", key, " is missing"));
  if (value > limit) usage(cat("model shape: ", key, " is ", value, ", expected at most ", limit));
  return value;
}

const Traits& traits_of(std::string_view family) {
  for (const Traits& one : kTraits)
    if (family == one.family) return one;
  usage(cat("model shape: family is ", quote(family), ", expected one of ",
            join(family_names(), ", ")));
}

AttentionCfg make_attention(const ModelShape& shape, const Traits& traits) {
  AttentionCfg a;
  a.heads = checked(shape.heads, "heads", kMaxHeads);
  a.kv_heads = shape.kv_heads ? checked(shape.kv_heads, "kv_heads", kMaxHeads) : a.heads;
  if (!shape.head_dim && shape.width % a.heads != 0)
    usage(cat("model shape: width ", shape.width, " is not a multiple of heads ", a.heads));
  a.head_dim =
      shape.head_dim ? checked(shape.head_dim, "head_dim", kMaxWidth) : shape.width / a.heads;
  if (a.heads % a.kv_heads != 0)
    usage(cat("model shape: heads ", a.heads, " is not a multiple of kv_heads ", a.kv_heads));
  if (traits.gpt2 && (a.kv_heads != a.heads || a.q_size() != shape.width))
    usage(cat("model shape: gpt2 needs kv_heads = heads and heads * head_dim = width, seen ",
              a.heads, ", ", a.kv_heads, ", ", a.head_dim, ", ", shape.width));
  if (shape.window > 0 && traits.mixed)
    usage("model shape: based takes its windows from mixers, window is not possible");
  if (shape.window > 0 && !traits.windows)
    usage(cat("model shape: ", traits.family, " has no windows, window=", shape.window,
              " is not possible"));
  a.window = shape.window ? checked(shape.window, "window", kMaxContext) : 0;
  a.qk_norm = traits.qk_norm;
  a.qk_norm_whole = traits.qk_norm_whole;
  if (traits.gpt2) return a;
  if (a.head_dim % 2 != 0)
    usage(cat("model shape: head_dim ", a.head_dim, " must be even for rotary positions"));
  a.rope.rotary_dim = a.head_dim;
  if (shape.rope_theta > 0) a.rope.base = shape.rope_theta;
  return a;
}

void set_biases(const ModelShape& shape, const Traits& traits, AttentionCfg& a, FfnCfg& ffn) {
  const bool chosen = shape.bias.value_or(false);
  const auto only = [&](bool possible, const char* what) {
    if (shape.bias && *shape.bias != possible)
      usage(cat("model shape: ", traits.family, " has ", what, ", bias=", chosen ? "true" : "false",
                " is not possible"));
  };
  switch (traits.biases) {
    case Biases::kAll:
      only(true, "biases");
      a.qkv_bias = a.out_bias = ffn.bias = true;
      return;
    case Biases::kNone:
      only(false, "no biases");
      return;
    case Biases::kQkv:
      only(!chosen, "biases on queries, keys and values alone");
      a.qkv_bias = true;
      return;
    case Biases::kChosen:
      a.qkv_bias = a.out_bias = ffn.bias = chosen;
      return;
    case Biases::kChosenAttention:
      a.qkv_bias = a.out_bias = chosen;
      return;
  }
}

CellCfg make_cell(const ModelShape& shape, const Traits& traits) {
  if (shape.kv_heads > 0 && shape.kv_heads != shape.heads)
    usage(cat("model shape: ", traits.family, " has no key-value heads, kv_heads is not possible"));
  if (shape.window > 0 || shape.rope_theta > 0)
    usage(cat("model shape: ", traits.family,
              " does not attend, window and rope_theta are not possible"));
  CellCfg cell;
  cell.recurrent = traits.recurrent;
  cell.heads = checked(shape.heads, "heads", kMaxHeads);
  if (!shape.head_dim && shape.width % cell.heads != 0)
    usage(cat("model shape: width ", shape.width, " is not a multiple of heads ", cell.heads));
  cell.head_dim =
      shape.head_dim ? checked(shape.head_dim, "head_dim", kMaxWidth) : shape.width / cell.heads;
  return cell;
}

/// The attention of a shape with another window; 0: none.
AttentionCfg windowed_attention(const ModelShape& shape, const Traits& traits, i64 window) {
  AttentionCfg a = make_attention(shape, traits);
  a.window = window;
  return a;
}

std::vector<LayerCfg> mixed_layers(const ModelShape& shape, const Traits& traits,
                                   const FfnCfg& ffn) {
  const AttentionCfg attention = windowed_attention(shape, traits, 0);
  std::vector<LayerCfg> out;
  for (const MixerChoice& one : parse_mixers(shape.mixers, shape.layers)) {
    switch (one.kind) {
      case MixerKind::kConv:
        out.push_back({ConvCfg{2 * shape.width, one.size, shape.bias.value_or(false)}, ffn});
        break;
      case MixerKind::kLinear:
      case MixerKind::kPrefixLinear:
        out.push_back({LinearAttentionCfg{attention.heads, one.size, attention.head_dim,
                                          one.kind == MixerKind::kPrefixLinear},
                       ffn});
        break;
      case MixerKind::kAttention:
        out.push_back({windowed_attention(shape, traits, one.size), ffn});
        break;
    }
  }
  return out;
}

FfnCfg make_ffn(const ModelShape& shape, const Traits& traits) {
  FfnCfg ffn;
  ffn.kind = traits.plain() ? FfnKind::kPlain : FfnKind::kGated;
  ffn.act = traits.plain() ? Unary::kGeluTanh : Unary::kSilu;
  const i64 gated = (8 * shape.width / 3 + 31) / 32 * 32;
  ffn.width = shape.ffn        ? checked(shape.ffn, "ffn", 4 * kMaxWidth)
              : traits.plain() ? 4 * shape.width
                               : gated;
  return ffn;
}

LayerCfg make_layer(const ModelShape& shape, const Traits& traits) {
  FfnCfg ffn = make_ffn(shape, traits);
  if (traits.cell) {
    CellCfg cell = make_cell(shape, traits);
    cell.bias = ffn.bias = shape.bias.value_or(true);
    return {cell, ffn};
  }
  AttentionCfg a = make_attention(shape, traits);
  set_biases(shape, traits, a, ffn);
  return {a, ffn};
}

}  // namespace

std::vector<std::string> family_names() {
  std::vector<std::string> out;
  for (const Traits& one : kTraits)
    out.emplace_back(one.family);
  return out;
}

std::vector<std::string> preset_names() {
  std::vector<std::string> out;
  for (const Preset& one : kPresets)
    out.emplace_back(one.name);
  return out;
}

ModelShape preset(std::string_view name) {
  for (const Preset& p : kPresets) {
    if (name != p.name) continue;
    ModelShape s;
    s.family = p.family;
    s.layers = p.layers;
    s.width = p.width;
    s.heads = p.heads;
    s.kv_heads = p.kv_heads;
    s.head_dim = p.head_dim;
    s.ffn = p.ffn;
    s.vocab = p.vocab;
    s.context = p.context;
    s.norm_eps = p.norm_eps;
    s.rope_theta = p.rope_theta;
    s.tied = p.tied;
    s.window = p.window;
    s.moe = p.moe;
    return s;
  }
  const std::vector<std::string> names = preset_names();
  const std::string near = nearest_name(name, names);
  usage(cat("unknown model preset ", quote(name)),
        near.empty() ? cat("presets: ", join(names, ", ")) : cat("did you mean ", near, "?"));
}

ModelShape parse_shape(std::string_view text) {
  std::vector<std::string_view> parts = split(text, ',');
  ModelShape shape;
  const bool named = parts[0].find('=') == std::string_view::npos;
  if (named) {
    shape = preset(trim(parts[0]));
    parts.erase(parts.begin());
  }
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (const std::string_view part : parts) {
    const std::size_t equals = part.find('=');
    const std::string_view before = pairs.empty() ? std::string_view() : pairs.back().first;
    const std::string_view name = trim(part.substr(0, equals));
    const bool own = (before == "sparse" && is_sparse_setting(name)) ||
                     (before == "moe" && is_moe_setting(name));
    if (own || (equals == std::string_view::npos && before == "mixers")) {
      // Its commas are its own.
      std::string_view& value = pairs.back().second;
      value = {value.data(), usize(part.data() + part.size() - value.data())};
      continue;
    }
    if (equals == std::string_view::npos)
      usage(cat("model shape: ", quote(part), " is not key=value"));
    pairs.emplace_back(trim(part.substr(0, equals)), trim(part.substr(equals + 1)));
    // A changed width or head count frees what the preset had derived from it.
    if (named && pairs.back().first == "width") shape.ffn = shape.head_dim = 0;
    if (named && pairs.back().first == "heads") shape.kv_heads = shape.head_dim = 0;
  }
  for (const auto& [key, value] : pairs)
    set_field(shape, key, value);
  return shape;
}

ModelCfg make_config(const ModelShape& shape) {
  const bool ours = shape.family == "llama" && !shape.moe.empty();
  const Traits& traits = traits_of(ours ? "moe" : shape.family);
  ModelCfg cfg;
  cfg.family = traits.family;
  cfg.vocab = checked(shape.vocab, "vocab", kMaxVocab);
  cfg.width = checked(shape.width, "width", kMaxWidth);
  cfg.context = checked(shape.context, "context", kMaxContext);
  cfg.norm = traits.plain() ? NormKind::kLayer : NormKind::kRms;
  cfg.norm_eps = shape.norm_eps > 0 ? shape.norm_eps : 1e-5;
  if (shape.init_std > 0) cfg.init_std = shape.init_std;
  cfg.position = traits.gpt2   ? PositionKind::kLearned
                 : traits.cell ? PositionKind::kNone
                               : PositionKind::kRope;
  cfg.tied = shape.tied.value_or(traits.gpt2);
  const i64 layers = checked(shape.layers, "layers", kMaxLayers);
  if (!shape.mixers.empty() && !traits.mixed)
    usage(cat("model shape: layers of ", traits.family, " are all alike, mixers is not possible"));
  if (traits.mixed)
    cfg.layers = mixed_layers(shape, traits, make_ffn(shape, traits));
  else
    cfg.layers.assign(usize(layers), make_layer(shape, traits));
  if (!shape.moe.empty() && !traits.experts)
    usage(cat("model shape: ", traits.family, " has no experts, moe is not possible"));
  if (traits.experts) set_experts(shape.moe, cfg);
  set_sparse(shape.attn, shape.sparse, cfg);
  return cfg;
}

}  // namespace lm::model

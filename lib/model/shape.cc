#include "model/shape.h"

#include "core/error.h"
#include "core/str.h"
#include "model/family.h"

namespace lm::model {
namespace {

struct Preset {
  const char* name;
  const char* family;
  i64 layers, width, heads, kv_heads, head_dim, ffn, vocab, context;
  f64 norm_eps, rope_theta;
  bool tied;
};

// The published shapes under their own names; *-nano and *-mini are sizes for tests and two cores.
constexpr Preset kPresets[] = {
    {"gpt2-nano", "gpt2", 2, 64, 4, 4, 16, 256, 512, 128, 1e-5, 0, true},
    {"llama-nano", "llama", 2, 64, 4, 2, 16, 192, 512, 128, 1e-5, 10000, true},
    {"gpt2-mini", "gpt2", 4, 256, 4, 4, 64, 1024, 8192, 256, 1e-5, 0, true},
    {"llama-mini", "llama", 4, 256, 4, 2, 64, 704, 8192, 256, 1e-5, 10000, true},
    {"llama-15m", "llama", 6, 288, 6, 6, 48, 768, 32000, 256, 1e-5, 10000, true},
    {"llama-42m", "llama", 8, 512, 8, 8, 64, 1376, 32000, 1024, 1e-5, 10000, true},
    {"llama-110m", "llama", 12, 768, 12, 12, 64, 2048, 32000, 1024, 1e-5, 10000, true},
    {"gpt2", "gpt2", 12, 768, 12, 12, 64, 3072, 50257, 1024, 1e-5, 0, true},
    {"gpt2-medium", "gpt2", 24, 1024, 16, 16, 64, 4096, 50257, 1024, 1e-5, 0, true},
    {"gpt2-large", "gpt2", 36, 1280, 20, 20, 64, 5120, 50257, 1024, 1e-5, 0, true},
    {"gpt2-xl", "gpt2", 48, 1600, 25, 25, 64, 6400, 50257, 1024, 1e-5, 0, true},
    {"llama-1b", "llama", 16, 2048, 32, 8, 64, 8192, 128256, 8192, 1e-5, 500000, true},
    {"llama-8b", "llama", 32, 4096, 32, 8, 128, 14336, 128256, 8192, 1e-5, 500000, false},
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
};
struct NumberKey {
  const char* name;
  f64 ModelShape::*field;
};
constexpr NumberKey kNumberKeys[] = {
    {"norm_eps", &ModelShape::norm_eps},
    {"rope_theta", &ModelShape::rope_theta},
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
  std::vector<std::string> out = {"family"};
  for (const CountKey& key : kCountKeys)
    out.emplace_back(key.name);
  for (const NumberKey& key : kNumberKeys)
    out.emplace_back(key.name);
  for (const FlagKey& key : kFlagKeys)
    out.emplace_back(key.name);
  return out;
}

void set_field(ModelShape& shape, std::string_view key, std::string_view value) {
  if (key == "family") {
    shape.family = std::string(value);
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

LayerCfg make_layer(const ModelShape& shape, bool gpt2) {
  LayerCfg layer;
  AttentionCfg& a = layer.attention;
  a.heads = checked(shape.heads, "heads", kMaxHeads);
  a.kv_heads = shape.kv_heads ? checked(shape.kv_heads, "kv_heads", kMaxHeads) : a.heads;
  if (!shape.head_dim && shape.width % a.heads != 0)
    usage(cat("model shape: width ", shape.width, " is not a multiple of heads ", a.heads));
  a.head_dim =
      shape.head_dim ? checked(shape.head_dim, "head_dim", kMaxWidth) : shape.width / a.heads;
  if (a.heads % a.kv_heads != 0)
    usage(cat("model shape: heads ", a.heads, " is not a multiple of kv_heads ", a.kv_heads));
  if (gpt2 && (a.kv_heads != a.heads || a.q_size() != shape.width))
    usage(cat("model shape: gpt2 needs kv_heads = heads and heads * head_dim = width, seen ",
              a.heads, ", ", a.kv_heads, ", ", a.head_dim, ", ", shape.width));
  if (gpt2 && shape.bias == false)
    usage("model shape: gpt2 has biases, bias=false is not possible");
  a.qkv_bias = a.out_bias = layer.ffn.bias = gpt2 || shape.bias.value_or(false);
  layer.ffn.kind = gpt2 ? FfnKind::kPlain : FfnKind::kGated;
  layer.ffn.act = gpt2 ? Unary::kGeluTanh : Unary::kSilu;
  const i64 gated = (8 * shape.width / 3 + 31) / 32 * 32;
  layer.ffn.width = shape.ffn ? checked(shape.ffn, "ffn", 4 * kMaxWidth)
                    : gpt2    ? 4 * shape.width
                              : gated;
  return layer;
}

}  // namespace

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
  const bool gpt2 = shape.family == "gpt2";
  if (!gpt2 && shape.family != "llama")
    usage(cat("model shape: family is ", quote(shape.family), ", expected gpt2 or llama"));
  ModelCfg cfg;
  cfg.family = shape.family;
  cfg.vocab = checked(shape.vocab, "vocab", kMaxVocab);
  cfg.width = checked(shape.width, "width", kMaxWidth);
  cfg.context = checked(shape.context, "context", kMaxContext);
  cfg.norm = gpt2 ? NormKind::kLayer : NormKind::kRms;
  cfg.norm_eps = shape.norm_eps > 0 ? shape.norm_eps : 1e-5;
  cfg.position = gpt2 ? PositionKind::kLearned : PositionKind::kRope;
  cfg.tied = shape.tied.value_or(gpt2);
  LayerCfg layer = make_layer(shape, gpt2);
  if (!gpt2) layer.attention.rope.rotary_dim = layer.attention.head_dim;
  if (!gpt2 && shape.rope_theta > 0) layer.attention.rope.base = shape.rope_theta;
  if (!gpt2 && layer.attention.head_dim % 2 != 0)
    usage(cat("model shape: head_dim ", layer.attention.head_dim,
              " must be even for rotary positions"));
  cfg.layers.assign(usize(checked(shape.layers, "layers", kMaxLayers)), layer);
  return cfg;
}

}  // namespace lm::model

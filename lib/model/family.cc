#include "model/family.h"

#include <algorithm>
#include <array>
#include <string>

#include "core/error.h"
#include "core/str.h"

namespace lm::model {
namespace {

// Decoders first.
constexpr i64 kDecoders = 13;
constexpr std::array<const Family*, 16> kFamilies = {
    &kGpt2,     &kLlama, &kMistral, &kQwen2, &kQwen3, &kMixtral, &kOlmoe,   &kQwen2Moe,
    &kQwen3Moe, &kMoe,   &kQlstm,   &kLstm,  &kBased, &kBert,    &kRoberta, &kXlmRoberta};

struct ActName {
  const char* name;
  Unary act;
};

// The first name of an activation is the one written.
constexpr ActName kActNames[] = {
    {"gelu_new", Unary::kGeluTanh},  {"gelu_pytorch_tanh", Unary::kGeluTanh},
    {"gelu_fast", Unary::kGeluTanh}, {"gelu", Unary::kGeluErf},
    {"relu", Unary::kRelu},          {"relu2", Unary::kRelu2},
    {"silu", Unary::kSilu},          {"swish", Unary::kSilu},
};

}  // namespace

std::span<const Family* const> families() {
  return kFamilies;
}

const Family& find_family(std::string_view model_type, std::string_view name) {
  std::string known;
  for (i64 i = 0; i < isize(kFamilies); ++i) {
    const Family* const family = kFamilies[usize(i)];
    if (model_type == family->model_type) return *family;
    append(known,
           i == kDecoders  ? "; encoders, for lm-embed: "
           : known.empty() ? ""
                           : ", ",
           family->model_type);
  }
  throw Error(ErrorKind::kData, cat(name, ": model_type ", quote(model_type),
                                    " is not supported (supported: ", known, ")"));
}

Unary parse_act(const JsonNode& json, const char* key, Unary fallback,
                std::span<const Unary> allowed) {
  if (!json.has(key)) return fallback;
  const std::string seen = json.text(key);
  std::string expected;
  for (const ActName& one : kActNames) {
    bool usable = false;
    for (const Unary act : allowed)
      usable = usable || act == one.act;
    if (!usable) continue;
    if (seen == one.name) return one.act;
    append(expected, expected.empty() ? "" : " or ", "\"", one.name, "\"");
  }
  json.fail(key, expected);
}

const char* act_name(Unary act) {
  for (const ActName& one : kActNames)
    if (one.act == act) return one.name;
  throw Error(ErrorKind::kInternal, "activation without a name");
}

std::vector<i32> read_eos_ids(const JsonNode& json) {
  const char* const key = "eos_token_id";
  const std::optional<JsonNode> ids = json.maybe(key);
  std::vector<i32> out;
  const auto add = [&](const JsonNode& id) {
    const std::optional<i64> number = id.as_integer();
    if (!number || *number < 0 || *number > kMaxTokenId)
      json.fail(key, "a token id or a list of them");
    out.push_back(static_cast<i32>(*number));
  };
  if (!ids) return out;
  if (ids->is_array()) {
    ids->each_item(add);
  } else {
    add(*ids);
  }
  return out;
}

void check_eos_ids(const JsonNode& json, std::span<const i32> ids, i64 vocab) {
  if (std::any_of(ids.begin(), ids.end(), [vocab](i32 id) { return id >= vocab; }))
    json.fail("eos_token_id", cat("ids below ", vocab, ", the size of the vocabulary"));
}

namespace {

RowRange expert_range(RowPart part, const MoeCfg& moe, i64 all, i64 expert) {
  const i64 width = moe.expert.width;
  switch (part) {
    case RowPart::kSharedGate:
      return {0, moe.shared};
    case RowPart::kSharedUp:
      return {moe.shared, moe.shared};
    case RowPart::kExpert:
      return {expert * (all / moe.experts), all / moe.experts};
    case RowPart::kExpertGate:
      return {expert * 2 * width, width};
    case RowPart::kExpertUp:
      return {expert * 2 * width + width, width};
    default:
      throw Error(ErrorKind::kInternal, "no part of experts");
  }
}

}  // namespace

RowRange row_range(RowPart part, const LayerCfg& layer, i64 all, i64 expert) {
  if (part == RowPart::kAll) return {0, all};
  if (part >= RowPart::kSharedGate)
    return expert_range(part, std::get<MoeCfg>(layer.ffn), all, expert);
  if (part == RowPart::kGate || part == RowPart::kUp) {
    const i64 width = std::get<FfnCfg>(layer.ffn).width;
    return {part == RowPart::kGate ? 0 : width, width};
  }
  const AttentionCfg& a = std::get<AttentionCfg>(layer.mixer);
  switch (part) {
    case RowPart::kQuery:
      return {0, a.q_size()};
    case RowPart::kKey:
      return {a.q_size(), a.kv_size()};
    case RowPart::kValue:
      return {a.q_size() + a.kv_size(), a.kv_size()};
    default:
      break;
  }
  throw Error(ErrorKind::kInternal, "unknown row part");
}

}  // namespace lm::model

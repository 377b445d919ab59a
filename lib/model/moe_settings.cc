#include "model/moe_settings.h"

#include <algorithm>

#include "core/error.h"
#include "core/str.h"

namespace lm::model {
namespace {

struct RouterName {
  const char* name;
  RouterKind kind;
};
constexpr RouterName kRouters[] = {
    {"topk", RouterKind::kTopK},
    {"noisy-topk", RouterKind::kNoisyTopK},
    {"top2-random", RouterKind::kTop2Random},
    {"hash", RouterKind::kHash},
};

constexpr i64 kMaxCount = 1 << 14;

/// What a published family has of it all; "moe" has everything.
struct Abilities {
  const char* family;
  bool renormalise = true;  // by default
  bool choose_sum = true;   // renorm may be given
  bool shared = false;      // has experts for all rows, behind a gate
  bool steps = false;       // layers may be dense
};
constexpr Abilities kAbilities[] = {
    {"mixtral", true, false, false, false},
    {"olmoe", false, true, false, false},
    {"qwen2_moe", false, true, true, true},
    {"qwen3_moe", true, true, false, true},
};

[[noreturn]] void refuse(std::string message) {
  throw Error(ErrorKind::kUsage, std::move(message), "for example n=8,router=topk:2,renorm=1");
}

struct Settings {
  MoeCfg moe;
  i64 every = 1;
  i64 shared = 0;
  i64 fine_grained = 1;
  bool renorm_given = false;
  bool switched = false;
};

i64 count_of(std::string_view part, std::string_view value, i64 least) {
  const std::optional<i64> count = parse_count(value);
  if (!count || *count < least || *count > kMaxCount)
    refuse(cat("moe: ", quote(part), ": expected a count from ", least, " to ", kMaxCount));
  return *count;
}

bool switch_of(std::string_view part, std::string_view value) {
  if (value != "0" && value != "1") refuse(cat("moe: ", quote(part), ": expected 0 or 1"));
  return value == "1";
}

/// "topk:2", "hash".
void set_router(std::string_view part, std::string_view value, Settings& s) {
  const std::size_t colon = value.find(':');
  const std::string_view name = value.substr(0, colon);
  const bool counted = colon != std::string_view::npos;
  s.switched = name == "switch";
  if (s.switched) {
    s.moe.router = RouterKind::kTopK;
    s.moe.active = 1;
  } else {
    const std::optional<RouterKind> kind = find_router(name);
    if (!kind) refuse(cat("moe: ", quote(part), ": expected switch, ", router_names()));
    s.moe.router = *kind;
    s.moe.active = *kind == RouterKind::kTop2Random ? 2 : 1;
  }
  const bool takes_count = name != "switch" && (s.moe.router == RouterKind::kTopK ||
                                                s.moe.router == RouterKind::kNoisyTopK);
  if (takes_count != counted)
    refuse(cat("moe: ", quote(part),
               takes_count ? ": expected a number of experts, as in topk:2"
                           : ": takes no number of experts"));
  if (counted) s.moe.active = count_of(part, value.substr(colon + 1), 1);
}

void set_one(std::string_view part, Settings& s) {
  if (part == "dropless") return;  // what it is without a capacity
  const std::size_t equals = part.find('=');
  const std::string_view name = part.substr(0, equals);
  if (equals == std::string_view::npos || !is_moe_setting(name))
    refuse(cat("moe: ", quote(part), " is no setting"));
  const std::string_view value = part.substr(equals + 1);
  if (name == "n") s.moe.experts = count_of(part, value, 1);
  if (name == "router") set_router(part, value, s);
  if (name == "renorm") {
    s.moe.renormalise = switch_of(part, value);
    s.renorm_given = true;
  }
  if (name == "shared") s.shared = count_of(part, value, 0);
  if (name == "every") s.every = count_of(part, value, 1);
  if (name == "fine-grained") s.fine_grained = count_of(part, value, 1);
  if (name == "bias") s.moe.selection = switch_of(part, value);
  if (name == "gate") {
    if (value != "softmax" && value != "sigmoid")
      refuse(cat("moe: ", quote(part), ": expected softmax or sigmoid"));
    s.moe.gate = value == "sigmoid" ? GateKind::kSigmoid : GateKind::kSoftmax;
  }
}

/// Throws where a published family cannot say what the settings do.
void check_family(const Settings& s, const Abilities& family, bool renormalise) {
  const auto only = [&](bool possible, std::string_view what) {
    if (!possible) refuse(cat("moe: ", family.family, " has ", what));
  };
  only(s.moe.router == RouterKind::kTopK && s.moe.gate == GateKind::kSoftmax && !s.moe.selection,
       "a softmax router topk:K without a bias; --arch moe has others");
  only(family.choose_sum || renormalise == family.renormalise,
       family.renormalise ? "renorm=1" : "renorm=0");
  only(family.shared == (s.shared > 0),
       family.shared ? "shared experts: shared=1 or more" : "no shared experts");
  only(family.steps || s.every == 1, "experts in every layer");
}

}  // namespace

const char* router_name(RouterKind kind) {
  for (const RouterName& one : kRouters)
    if (one.kind == kind) return one.name;
  throw Error(ErrorKind::kInternal, "a router without a name");
}

std::optional<RouterKind> find_router(std::string_view name) {
  for (const RouterName& one : kRouters)
    if (name == one.name) return one.kind;
  return std::nullopt;
}

std::string router_names() {
  std::string out;
  for (const RouterName& one : kRouters)
    append(out, out.empty() ? "" : " or ", one.name);
  return out;
}

bool is_moe_setting(std::string_view name) {
  constexpr std::string_view kNames[] = {"n",    "router", "renorm",       "shared",  "every",
                                         "gate", "bias",   "fine-grained", "dropless"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

bool has_routers(const ModelCfg& cfg) {
  return std::any_of(cfg.layers.begin(), cfg.layers.end(), [](const LayerCfg& layer) {
    const MoeCfg* const moe = std::get_if<MoeCfg>(&layer.ffn);
    return moe != nullptr && moe->router != RouterKind::kHash;
  });
}

void set_experts(std::string_view settings, ModelCfg& cfg) {
  const Abilities* family = nullptr;
  for (const Abilities& one : kAbilities)
    if (cfg.family == one.family) family = &one;
  Settings s;
  s.moe.experts = 8;
  s.moe.active = 2;
  s.moe.renormalise = family == nullptr || family->renormalise;
  s.shared = family != nullptr && family->shared ? 1 : 0;
  if (!settings.empty())
    for (const std::string_view part : split(settings, ','))
      set_one(trim(part), s);
  if (s.switched && s.renorm_given && s.moe.renormalise)
    refuse("moe: router=switch weighs its expert by the gate: renorm=0, or router=topk:1");
  // One expert's weight over itself would leave its router nothing to learn.
  const bool free = family == nullptr || family->choose_sum;
  if (s.switched || (free && !s.renorm_given && s.moe.active == 1)) s.moe.renormalise = false;
  if (family != nullptr) check_family(s, *family, s.moe.renormalise);
  if (s.moe.active > s.moe.experts)
    refuse(cat("moe: ", s.moe.active, " experts for a token, but n=", s.moe.experts));
  const FfnCfg whole = std::get<FfnCfg>(cfg.layers.front().ffn);
  if (whole.width % s.fine_grained != 0)
    refuse(cat("moe: fine-grained=", s.fine_grained, " does not divide experts of ", whole.width));
  if (s.moe.experts * s.fine_grained > kMaxCount)
    refuse(cat("moe: more than ", kMaxCount, " experts"));
  if (s.every > cfg.depth())
    refuse(cat("moe: every=", s.every, " leaves no layer of ", cfg.depth(), " with experts"));
  s.moe.expert = whole;
  s.moe.expert.width = whole.width / s.fine_grained;
  s.moe.experts *= s.fine_grained;
  s.moe.active *= s.fine_grained;
  s.moe.shared = s.shared * whole.width;
  s.moe.shared_gate = family != nullptr && family->shared;
  for (i64 i = s.every - 1; i < cfg.depth(); i += s.every)
    cfg.layers[usize(i)].ffn = s.moe;
  try {
    check(s.moe, cfg, "moe");
  } catch (const Error& e) {
    refuse(e.message());
  }
}

}  // namespace lm::model

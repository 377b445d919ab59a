// Mixtures of experts: the options, and what they make of a run.

#include <set>

#include "core/str.h"
#include "lm_train/flags.h"
#include "model/moe_layer.h"
#include "model/moe_settings.h"
#include "train.h"

namespace lm::train_tool {

using cli::Flag;
using cli::FlagKind;
using cli::Options;

namespace {

constexpr f64 kBalance = 0.01;
constexpr f64 kZ = 1e-3;

[[noreturn]] void usage(std::string message, std::string hint = {}) {
  throw Error(ErrorKind::kUsage, std::move(message), std::move(hint));
}

}  // namespace

std::vector<Flag> expert_flags() {
  const std::string g = "Experts";
  return {
      {.name = "moe",
       .kind = FlagKind::kString,
       .value_name = "SETTINGS",
       .group = g,
       .help = "mixtures of experts of --ffn each in the place of feed-forward parts",
       .details =
           "Settings, by default n=8,router=topk:2,renorm=1,shared=0,every=1: the experts, the "
           "router "
           "(topk:K, noisy-topk:K, switch, top2-random, hash), whether a token's weights sum to "
           "1 (not of one expert, nor in OLMoE and Qwen 2 MoE), experts that all tokens pass, and "
           "of how many layers the last is a mixture; gate=sigmoid; bias=1, biases that select; "
           "fine-grained=S, S times the experts and those of a token, each of an S-th of --ffn. "
           "With them llama is the family moe; of a preset with experts they change what they "
           "name.",
       .main = true},
      {.name = "moe-balance",
       .kind = FlagKind::kFloat,
       .value_name = "A",
       .group = g,
       .help = "weight of the routers' balance loss; default 0.01, 0 with --moe-bias-update",
       .min = 0,
       .max = 100},
      {.name = "moe-sequence-balance",
       .kind = FlagKind::kFloat,
       .value_name = "A",
       .group = g,
       .help = "weight of the balance loss of each sequence by itself",
       .min = 0,
       .max = 100},
      {.name = "moe-importance",
       .kind = FlagKind::kFloat,
       .value_name = "W",
       .group = g,
       .help = "weight of the squared variation of experts' sums of weights; published: 0.1",
       .min = 0,
       .max = 100},
      {.name = "moe-z",
       .kind = FlagKind::kFloat,
       .value_name = "B",
       .group = g,
       .help = "weight of the mean squared log-partition of routers; default 0.001",
       .min = 0,
       .max = 100},
      {.name = "moe-bias-update",
       .kind = FlagKind::kFloat,
       .value_name = "U",
       .group = g,
       .help = "balance by biases that select, moved by this in every step, without a loss",
       .details = "A new model's routers get such biases, as with bias=1.",
       .min = 1e-9,
       .max = 1},
      {.name = "moe-capacity",
       .kind = FlagKind::kFloat,
       .value_name = "C",
       .group = g,
       .help = "in training, an expert takes C times its even share; default: all, dropless",
       .details = "What finds no room passes by the residual. Of a micro-batch's tokens the first "
                  "ones find room, with --moe-bpr those of largest weight.",
       .min = 0.01,
       .max = 1e6},
      {.name = "moe-bpr",
       .kind = FlagKind::kSwitch,
       .group = g,
       .help = "room goes by weight, not by place, so that it depends on later tokens",
       .needs = {"moe-capacity"}},
      {.name = "moe-jitter",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .help = "in training, routers' inputs are multiplied by 1 +- at most X; published: 0.01",
       .min = 0,
       .max = 1},
  };
}

std::string expert_settings(const Options& o, const model::ModelShape& shape) {
  std::string out = o.given("moe") ? o.text("moe") : "";
  std::set<std::string_view> names;
  for (const std::string_view part : split(out, ','))
    if (const std::string_view name = trim(part.substr(0, part.find('=')));
        !name.empty() && !names.insert(name).second)
      usage(cat("--moe: ", name, " is set twice"));
  if (o.given("moe-bias-update") && (o.given("moe") || shape.family == "moe"))
    append(out, out.empty() ? "" : ",", "bias=1");
  // Of what a preset says the later word counts.
  return shape.moe.empty() || out.empty() ? out : cat(shape.moe, ",", out);
}

void set_expert_training(const Options& o, const model::ModelCfg& cfg, train::TrainOptions& t) {
  if (!model::has_experts(cfg)) {
    for (const Flag& flag : expert_flags())
      if (o.given(flag.name)) usage(cat("--", flag.name, ": the model has no experts"));
    return;
  }
  if (!model::has_routers(cfg))
    for (const char* name :
         {"moe-balance", "moe-sequence-balance", "moe-importance", "moe-z", "moe-jitter"})
      if (o.given(name)) usage(cat("--", name, ": router=hash has nothing to learn"));
  const bool biased = o.given("moe-bias-update");
  const bool learnt = !o.given("lora");  // adapters leave routers as they are
  t.routers.balance =
      static_cast<f32>(o.maybe_real("moe-balance").value_or(learnt && !biased ? kBalance : 0));
  t.routers.sequence = static_cast<f32>(o.maybe_real("moe-sequence-balance").value_or(0));
  t.routers.importance = static_cast<f32>(o.maybe_real("moe-importance").value_or(0));
  t.routers.z = static_cast<f32>(o.maybe_real("moe-z").value_or(learnt ? kZ : 0));
  t.routers.bias_update = o.maybe_real("moe-bias-update").value_or(0);
  t.moe.capacity = static_cast<f32>(o.maybe_real("moe-capacity").value_or(0));
  t.moe.by_weight = o.on("moe-bpr");
  t.moe.jitter = static_cast<f32>(o.maybe_real("moe-jitter").value_or(0));
  if (!biased) return;
  if (!learnt) usage("--moe-bias-update moves routers, which --lora leaves as they are");
  for (const model::LayerCfg& layer : cfg.layers)
    if (const auto* const moe = std::get_if<model::MoeCfg>(&layer.ffn); moe && moe->selection)
      return;
  usage("--moe-bias-update: the model's routers have no biases that select (bias=1)");
}

}  // namespace lm::train_tool

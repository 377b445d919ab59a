#include "switching.h"

#include <algorithm>

#include "core/str.h"
#include "io/json.h"
#include "model/params.h"

namespace lm::decode_tool {

using cli::Flag;
using cli::FlagKind;

std::vector<Flag> switching_flags() {
  const std::string group = "Two models";
  const std::vector<std::string> needed = {"small-model"};
  return {
      {.name = "small-model",
       .kind = FlagKind::kString,
       .value_name = "FOLDER",
       .group = group,
       .help = "a smaller model with the same tokenizer, which writes where it is sure",
       .details = "Entropy adaptive decoding: --model writes while the mean entropy of the last "
                  "distributions is above --ead-threshold. The text is neither model's own.",
       .excludes = {"draft"}},
      {.name = "ead-threshold",
       .kind = FlagKind::kFloat,
       .value_name = "BITS",
       .group = group,
       .def = "1",
       .help = "mean entropy above which the large model writes",
       .needs = needed},
      {.name = "ead-window",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = group,
       .def = "5",
       .help = "distributions whose mean entropy counts",
       .min = 1,
       .max = 1e6,
       .needs = needed},
      {.name = "ead-dwell",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = group,
       .def = "10",
       .help = "tokens of a model at least, before the other takes over",
       .min = 1,
       .max = 1e9,
       .needs = needed},
      {.name = "ead-start",
       .kind = FlagKind::kChoice,
       .value_name = "MODEL",
       .group = group,
       .def = "small",
       .help = "the model that begins",
       .choices = {"small", "large"},
       .needs = needed},
      {.name = "ead-reset",
       .kind = FlagKind::kSwitch,
       .group = group,
       .help = "the mean begins anew with each change",
       .needs = needed},
      {.name = "ead-rule",
       .kind = FlagKind::kChoice,
       .value_name = "RULE",
       .group = group,
       .def = "entropy",
       .help = "what decides: entropies, or a control",
       .details = "random: by chance, the large model in a share of --ead-share. first: the large "
                  "model makes the first --ead-first tokens, the small one all others.",
       .choices = {"entropy", "random", "first"},
       .needs = needed},
      {.name = "ead-share",
       .kind = FlagKind::kFloat,
       .value_name = "P",
       .group = group,
       .def = "0.5",
       .help = "share of the large model",
       .min = 0,
       .max = 1,
       .needs = {"ead-rule=random"}},
      {.name = "ead-first",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = group,
       .def = "16",
       .help = "tokens of the large model",
       .min = 0,
       .max = 1e9,
       .needs = {"ead-rule=first"}},
      {.name = "ead-trace",
       .kind = FlagKind::kSwitch,
       .group = group,
       .help = "add each token's model and entropy",
       .needs = needed},
  };
}

namespace {

f64 parameters(const model::ModelCfg& cfg) {
  const model::ModelParams params = model::make_params(cfg);
  f64 out = 0;
  for (i32 i = 0; i < params.set.size(); ++i)
    out += static_cast<f64>(params.set[i].count);
  return out;
}

}  // namespace

Switching::Switching(const cli::Options& options, const Models& models) : large_(*models.main) {
  if (options.text("small-model").empty()) return;
  small_ = models.second;
  ratio_ = parameters(small_->cfg()) / parameters(large_.cfg());
  trace_ = options.on("ead-trace");
  const std::string& rule = options.text("ead-rule");
  using Rule = decode::SwitchOptions::Rule;
  options_.rule = rule == "random"  ? Rule::kRandom
                  : rule == "first" ? Rule::kFirst
                                    : Rule::kEntropy;
  options_.threshold = options.real("ead-threshold");
  options_.window = options.integer("ead-window");
  options_.dwell = options.integer("ead-dwell");
  options_.start_large = options.text("ead-start") == "large";
  options_.reset = options.on("ead-reset");
  options_.share = options.real("ead-share");
  options_.first = options.integer("ead-first");
  // The one that makes the first token is the one that reads prompts.
  if (options_.rule == Rule::kFirst) options_.start_large = options_.first > 0;
}

model::Engine& Switching::engine() const {
  return small_ && !options_.start_large ? small_->engine() : large_.engine();
}

void Switching::set(decode::GenerateOptions& out) const {
  if (!small_) return;
  out.other = options_.start_large ? &small_->engine() : &large_.engine();
  out.models = options_;
}

std::string Switching::completion_json(const decode::Completion& c, i64 prompt_tokens) const {
  if (!small_) return "";
  i64 large = 0;
  f64 entropy = 0;
  for (std::size_t i = 0; i < c.large.size(); ++i) {
    large += c.large[i];
    entropy += static_cast<f64>(c.entropies[i]);
  }
  const i64 tokens = isize(c.large);
  const auto share = [](f64 a, f64 b) { return format_fixed(b > 0 ? a / b : 0, 4); };
  // Tokens that each model has read: the first one the prompt and what it was told, the other what
  // it was told.
  const f64 own = static_cast<f64>(prompt_tokens + c.rows);
  const f64 other = static_cast<f64>(c.other_rows);
  const f64 flops = options_.start_large ? own + other * ratio_ : own * ratio_ + other;
  std::string out =
      cat(",\"ead\":{\"large_tokens\":", large, ",\"small_tokens\":", tokens - large,
          ",\"switches\":", c.switches,
          ",\"mean_entropy_bits\":", share(entropy, static_cast<f64>(tokens)), ",\"cost_param\":",
          share(static_cast<f64>(large) + static_cast<f64>(tokens - large) * ratio_,
                static_cast<f64>(tokens)),
          ",\"cost_flop\":",
          share(flops, static_cast<f64>(prompt_tokens + std::max<i64>(0, tokens - 1))));
  if (trace_) {
    std::string models;
    for (const u8 one : c.large)
      models += one != 0 ? 'L' : 's';
    append(out, ",\"models\":\"", models, "\",\"entropies\":[");
    for (std::size_t i = 0; i < c.entropies.size(); ++i) {
      if (i > 0) out += ',';
      io::append_json_number(out, c.entropies[i]);
    }
    out += ']';
  }
  return out + "}";
}

}  // namespace lm::decode_tool

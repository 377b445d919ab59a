// Masked diffusion: the token that hides others, blocks, and the model that training begins with.

#include "model/diffusion.h"

#include "core/str.h"
#include "lm_train/flags.h"
#include "model/mask_row.h"
#include "text/token_roles.h"
#include "text/tokenizer.h"
#include "tokenizer.h"

namespace lm::train_tool {

namespace {

using cli::Flag;
using cli::FlagKind;
using cli::Options;

constexpr const char* kNew = "new";

[[noreturn]] void usage(std::string message, std::string hint = {}) {
  throw Error(ErrorKind::kUsage, std::move(message), std::move(hint));
}

/// The special token that has the name of one that hides others.
std::optional<i32> usual_mask(const std::string& tokenizer_path) {
  if (tokenizer_path.empty()) return std::nullopt;
  const std::unique_ptr<text::Tokenizer> tokenizer = text::load_tokenizer(tokenizer_path);
  std::vector<std::string> specials;
  for (i32 id = 0; id < tokenizer->vocab_size(); ++id)
    if (tokenizer->is_special(id)) specials.push_back(tokenizer->token_bytes(id, true));
  const std::optional<std::string> name =
      text::conventional_token(specials, text::TokenRole::kMask);
  return name ? tokenizer->find(*name) : std::nullopt;
}

/// Behind what texts have: the model's last row, which it gets where it has none to spare.
i32 new_mask(const Options& o, u64 seed, i64 ranks, Setup& setup) {
  if (!setup.tokenizer)
    usage("--mask-token new: nothing says how many ids texts have",
          "--tokenizer FILE does; or an id of which texts have none");
  if (setup.cfg.vocab <= setup.tokenizer->vocab_size) {
    if (!setup.initial)
      usage(cat("--vocab ", setup.cfg.vocab, " leaves no row for --mask-token new beside the ",
                setup.tokenizer->vocab_size, " ids of ", setup.tokenizer->name),
            cat("--vocab ", setup.tokenizer->vocab_size + 1, " or more"));
    if (o.given("lora"))
      usage("--mask-token new: the model has no row to spare, and --lora leaves it as it is");
    setup.initial = model::with_mask_row(std::move(*setup.initial), seed, ranks);
    setup.cfg.vocab = setup.initial->cfg.vocab;
  }
  return static_cast<i32>(setup.cfg.vocab - 1);
}

i32 mask_token(const Options& o, const std::string& tokenizer_path, u64 seed, i64 ranks,
               Setup& setup) {
  const std::optional<model::DiffusionCfg>& from = setup.cfg.diffusion;
  if (!o.given("mask-token")) {
    if (from) return from->mask;
    if (const std::optional<i32> usual = usual_mask(tokenizer_path)) return *usual;
    usage(cat("--objective ", o.text("objective"), " needs --mask-token: ",
              tokenizer_path.empty() ? "no tokenizer was found"
                                     : "no special token of the tokenizer hides others by name"),
          "--mask-token new takes a row of the model behind the tokenizer's ids");
  }
  if (from && o.text("mask-token") == kNew)
    usage(
        cat("--mask-token new: in ", o.text("init-from"), " token ", from->mask, " hides others"));
  const i32 mask = o.text("mask-token") == kNew ? new_mask(o, seed, ranks, setup)
                                                : token_named("mask-token", o.text("mask-token"),
                                                              tokenizer_path, setup.cfg.vocab);
  if (from && mask != from->mask)
    usage(cat("--mask-token ", quote(o.text("mask-token"), 100), " is token ", mask, ", but in ",
              o.text("init-from"), " token ", from->mask, " hides others"));
  return mask;
}

/// The interval "A,B" of noise levels.
void set_noise_range(const Options& o, train::MaskedOptions& out) {
  if (!o.given("t-clip")) return;
  const std::vector<std::string_view> parts = split(o.text("t-clip"), ',');
  constexpr f64 kNone = 2;  // outside what is taken
  const auto bound = [&](std::size_t i) { return parse_float(trim(parts[i])).value_or(kNone); };
  out.low = parts.size() == 2 ? bound(0) : kNone;
  out.high = parts.size() == 2 ? bound(1) : kNone;
  if (!(out.low > 0) || !(out.low < out.high) || !(out.high <= 1))
    usage(cat("--t-clip ", quote(o.text("t-clip"), 40),
              ": expected A,B with 0 < A < B <= 1, like 0.3,0.8"));
}

}  // namespace

std::vector<Flag> diffusion_flags() {
  const std::string g = "Masked diffusion";
  using train::ObjectiveDef;
  const std::string masked = of_objectives([](const ObjectiveDef& d) { return d.masked; });
  return {
      {.name = "mask-token",
       .kind = FlagKind::kString,
       .value_name = "TOKEN|ID|new",
       .group = g,
       .help = "the token that hides others; default: the tokenizer's, as <mask>",
       .details = "new: the model's last row, behind the tokenizer's ids; a new model gets one for "
                  "it, and so does that of --init-from where it has none to spare.",
       .semantic = false,
       .needs = {masked}},
      {.name = "block",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "16",
       .help = "bd3: tokens of a block, which sees those before it without noise",
       .min = 1,
       .max = 1 << 24,
       .semantic = false,
       .needs = {"objective=bd3"}},
      {.name = "random-length",
       .kind = FlagKind::kFloat,
       .value_name = "P",
       .group = g,
       .def = "0.01",
       .help = "llada: share of sequences that are cut to a length drawn uniformly",
       .min = 0,
       .max = 1,
       .semantic = false,
       .needs = {"objective=llada"}},
      {.name = "loss-weight",
       .kind = FlagKind::kString,
       .value_name = "elbo|uniform|clip:C",
       .group = g,
       .def = "elbo",
       .help = "what a hidden token counts at noise level t: 1/t, 1, or 1/t up to C",
       .details = "With the last two the loss of training is no bound; the held-out one is.",
       .semantic = false,
       .needs = {masked}},
      {.name = "t-clip",
       .kind = FlagKind::kString,
       .value_name = "A,B",
       .group = g,
       .help = "bd3: noise levels are drawn from there instead of all",
       .details = "Narrow ranges have less variance: 0.3,0.8 for blocks of 4, 0.45,0.95 for longer "
                  "ones. The loss of training is then no bound; the held-out one is.",
       .semantic = false,
       .needs = {"objective=bd3"}},
      {.name = "eval-draws",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .def = "1",
       .help = "draws of hidden tokens that the held-out bound is estimated from",
       .min = 1,
       .max = 65536,
       .semantic = false,
       .needs = {"eval-data", masked}},
  };
}

void set_diffusion(const Options& o, const train::ObjectiveDef& def,
                   const std::string& tokenizer_path, u64 seed, i64 ranks, Setup& setup) {
  if (!def.masked) return;
  const std::string what = cat("--objective ", def.name);
  if (setup.cfg.embed.drawn())
    usage(cat(what, " does not go with embeddings ", model::embed_name(setup.cfg.embed)),
          "next-token and sft do");
  model::require_whole_sight(setup.cfg, what + ": rows that see all of their text");
  const std::optional<model::DiffusionCfg> from = setup.cfg.diffusion;
  if (from && from->block > 0 && def.name != std::string_view("bd3"))
    usage(cat(o.text("init-from"), ": a model of block diffusion, in blocks of ", from->block, "; ",
              what, " trains models that see texts whole"),
          "--objective bd3");
  model::DiffusionCfg diffusion;
  diffusion.mask = mask_token(o, tokenizer_path, seed, ranks, setup);
  if (def.name == std::string_view("bd3")) diffusion.block = o.integer("block");
  // Adapters keep to what the configuration of their base says.
  if (o.given("lora") && from != diffusion)
    usage(cat("--lora: ", o.text("init-from"), from ? " has other blocks" : " predicts next tokens",
              ", and adapters leave its config.json as it is"));
  setup.cfg.diffusion = diffusion;
  if (setup.initial) setup.initial->cfg.diffusion = diffusion;
}

void set_masked_options(const Options& o, const train::ObjectiveDef& def, Setup& setup) {
  if (!def.masked) return;
  train::MaskedOptions& out = setup.train.objective.masked;
  out.mask = setup.cfg.diffusion->mask;
  out.block = setup.cfg.diffusion->block;
  if (def.name == std::string_view("llada")) out.random_length = o.real("random-length");
  try {
    out.weight = model::parse_noise_weight(o.text("loss-weight"));
  } catch (const Error& e) {
    usage(cat("--loss-weight ", e.message()));
  }
  set_noise_range(o, out);
  // A head without a row in its middle is a copy (objective_masked.cc), with a gradient in f32.
  if (out.mask != setup.cfg.vocab - 1 && setup.train.activation != DType::kF32) {
    if (o.text("dtype") != "auto")
      usage(cat("a mask token that is not the last of ", setup.cfg.vocab,
                " ids is computed in f32: --dtype f32"));
    setup.train.activation = DType::kF32;
  }
  if (def.form == train::RecordForm::kDocuments || !o.on("eos")) return;
  // As completions end (records.cc), which refuses where nothing names that token.
  const model::ModelCfg& cfg = setup.cfg;
  if (setup.tokenizer && setup.tokenizer->eos)
    out.end = *setup.tokenizer->eos;
  else if (!cfg.eos.empty())
    out.end = cfg.eos.front();
}

void add_diffusion(const Options& o, const Setup& setup, train::RunParams& params) {
  if (!setup.cfg.diffusion) return;
  const train::MaskedOptions& masked = setup.train.objective.masked;
  params.emplace_back("mask-token", cat(masked.mask));
  params.emplace_back("block", cat(masked.block));
  params.emplace_back("random-length", cat(masked.random_length));
  params.emplace_back("loss-weight", o.text("loss-weight"));
  params.emplace_back("t-clip", cat(masked.low, ",", masked.high));
}

}  // namespace lm::train_tool

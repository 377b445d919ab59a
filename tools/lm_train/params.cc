// What identifies a run: parameters that a continuation must share, what checkpoints say of it.

#include "core/hash.h"
#include "core/str.h"
#include "io/json.h"
#include "train.h"

namespace lm::train_tool {

namespace {

using cli::Options;

std::string file_digest(const std::string& path) {
  return hex64(xxh3_64(io::Mapping(path).bytes()));
}

/// An option's value as a text that is the same however the value was spelled.
std::string param_text(const Options& o, const cli::Flag& flag) {
  switch (flag.kind) {
    case cli::FlagKind::kList:
      return join(o.list(flag.name), ",");
    case cli::FlagKind::kSwitch:
      return o.on(flag.name) ? "true" : "false";
    case cli::FlagKind::kCount:
      return cat(o.integer(flag.name));
    case cli::FlagKind::kFloat:
      return cat(o.real(flag.name));
    default:
      return o.text(flag.name);
  }
}

std::string cost_digest(const train::CostTable& cost) {
  return hex64(
      xxh3_64({reinterpret_cast<const char*>(cost.unit.data()), cost.unit.size() * sizeof(f32)}));
}

/// What the objective reads beside what fine-tuning does.
void add_objective(const Options& o, const train::ObjectiveOptions& options,
                   train::RunParams& params) {
  for (const char* name : {"chosen-field", "rejected-field", "margin-field", "label-field",
                           "mismatched-field", "ref-field"})
    params.emplace_back(name, o.text(name));
  const std::pair<const char*, f64> numbers[] = {{"beta", options.beta},
                                                 {"gamma", options.gamma},
                                                 {"lambda", options.lambda},
                                                 {"desirable-weight", options.desirable},
                                                 {"undesirable-weight", options.undesirable},
                                                 {"alpha", options.alpha}};
  for (const auto& [name, value] : numbers)
    params.emplace_back(name, cat(value));
  params.emplace_back("robust", options.robust ? "true" : "false");
  if (options.name == "classify") params.emplace_back("labels", o.text("labels"));
}

}  // namespace

train::RunParams given_params(const Options& o) {
  train::RunParams params;
  for (const cli::Flag& flag : o.flags()) {
    if (!flag.semantic || !o.given(flag.name)) continue;
    params.emplace_back(flag.name, param_text(o, flag));
  }
  return params;
}

train::RunParams run_params(const cli::Tool& tool, const Setup& setup) {
  const Options& o = tool.options();
  train::RunParams params = given_params(o);
  if (setup.train.activation == DType::kBf16) params.emplace_back("dtype", "bf16");
  params.emplace_back("seed", cat(tool.seed()));
  std::string data;
  for (const std::string& name : o.list("data"))
    append(data, data.empty() ? "" : ",", file_digest(text::shard_manifest(name)));
  if (setup.records) {
    // Beside the defaults of next-token prediction, which older checkpoints do not name.
    for (const char* name :
         {"objective", "loss-on", "too-long", "prompt-field", "completion-field"})
      params.emplace_back(name, o.text(name));
    params.emplace_back("eos", o.on("eos") ? "true" : "false");
    if (!o.on("pack")) params.emplace_back("pack", "false");
    if (o.text("objective") != "sft") add_objective(o, setup.train.objective, params);
    data = hex64(setup.records->records().digest());
  }
  if (!setup.records && o.text("objective") != "next-token")
    params.emplace_back("objective", o.text("objective"));
  add_diffusion(o, setup, params);
  if (const train::JrtOptions& jrt = setup.train.objective.jrt; jrt.prefix > 0) {
    params.emplace_back("prefix-len", cat(jrt.prefix));
    params.emplace_back("mlm-prob", cat(jrt.share));
    params.emplace_back("mlm-weight", cat(jrt.weight));
    params.emplace_back("mlm-token", cat(jrt.mask));
  }
  if (o.on("prefix-mask")) params.emplace_back("prefix-mask", "true");
  if (setup.train.objective.loss.kind != train::TokenLossKind::kCe) {
    for (const char* name : {"loss", "loss-mix", "emo-mode", "emo-cap"})
      params.emplace_back(
          name, o.find(name)->kind == cli::FlagKind::kFloat ? cat(o.real(name)) : o.text(name));
    params.emplace_back("emo-detach-gt", o.on("emo-detach-gt") ? "true" : "false");
    const train::CostTable* cost = setup.train.objective.loss.cost.get();
    params.emplace_back("emo-cost", cost == nullptr ? "head" : cost_digest(*cost));
  }
  params.emplace_back("data", data.empty() ? "stream" : data);
  if (o.given("init-from"))
    params.emplace_back("init-from", model::model_digest(o.text("init-from")));
  if (o.given("compute-class")) params.emplace_back(kClassSteps, cat(setup.run.steps));
  if (setup.cfg.vocab > 0) params.emplace_back("vocab-size", cat(setup.cfg.vocab));
  return params;
}

train::RunParams rank_params(const cli::Tool& tool, const Setup& setup) {
  const Options& o = tool.options();
  train::RunParams params = run_params(tool, setup);
  for (const cli::Flag& flag : all_flags()) {
    const bool by_content = flag.name == "data" || flag.name == "init-from";
    if (!flag.semantic && !by_content && o.given(flag.name))
      params.emplace_back(flag.name, param_text(o, flag));
  }
  for (const std::string& name : o.list("eval-data"))
    params.emplace_back(cat("eval-data ", name), file_digest(text::shard_manifest(name)));
  return params;
}

std::string training_head(const train::RunParams& params, const Setup& setup) {
  std::string out =
      cat("{\"tool\":\"lm-train\",\"version\":\"", cli::kToolkitVersion, "\",\"params\":{");
  for (i64 i = 0; i < isize(params); ++i)
    append(out, i > 0 ? "," : "", io::json_string(params[usize(i)].first), ":",
           io::json_string(params[usize(i)].second));
  out += "},\"data\":[";
  if (setup.shards) {
    for (i64 i = 0; i < isize(setup.shards->sets()); ++i) {
      const text::ShardSet& set = setup.shards->sets()[usize(i)];
      append(out, i > 0 ? "," : "", "{\"tokens\":", set.tokens(),
             ",\"documents\":", set.documents(),
             ",\"tokenizer_sha256\":", io::json_string(set.tokenizer().sha256), "}");
    }
  }
  return out + "]";
}

}  // namespace lm::train_tool

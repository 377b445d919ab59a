// merge --upcycle: a dense model as a mixture of experts.

#include "model/upcycle.h"

#include "core/str.h"
#include "merge.h"
#include "merge/recipe.h"

namespace lm::merge_tool {

using cli::FlagKind;

std::vector<cli::Flag> upcycle_flags() {
  const std::string g = "What to merge";
  return {
      {.name = "upcycle",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .help = "the one operand as a mixture of N experts, each its feed-forward part",
       .details =
           "Llama and Mistral become Mixtral, Qwen 3 becomes Qwen 3 MoE. Routers are drawn by "
           "--seed; until it is trained the model answers as before.",
       .min = 1,
       .max = 1 << 14,
       .excludes = {"method", "parameters", "dry-run", "include", "exclude", "missing", "embed",
                    "allow-nonfinite", "tile"}},
      {.name = "active",
       .kind = FlagKind::kCount,
       .value_name = "K",
       .group = g,
       .def = "2",
       .help = "with --upcycle, experts of a token",
       .min = 1,
       .max = 1 << 14,
       .needs = {"upcycle"}},
  };
}

void run_upcycle(cli::Tool& tool) {
  const cli::Options& options = tool.options();
  const std::string& output = options.text("output");
  if (tool.files().size() != 1)
    throw Error(ErrorKind::kUsage,
                cat("--upcycle takes one model, ", tool.files().size(), " are named"),
                "lm-merge --upcycle 8 DENSE -o MIXTURE");
  if (output == "-") throw Error(ErrorKind::kUsage, "--upcycle needs -o FOLDER");
  const std::string& folder = tool.files()[0];
  add_named_input(tool, folder);
  tool.claim_folder(output);
  const model::Model dense = model::load_model(folder);
  i64 numbers = dense.params->set.count();
  for (const ParamInfo& info : dense.params->set.list())
    numbers += info.count *
               (info.name.find(".mlp.") != std::string::npos ? options.integer("upcycle") : 1);
  tool.ctx().memory->charge(numbers * i64{sizeof(f32)}, "a model and its mixture of experts");
  const model::Model mixture =
      model::upcycle(dense, options.integer("upcycle"), options.integer("active"), tool.seed());
  model::SaveOptions save;
  save.dtype =
      options.given("out-dtype") ? *merge::parse_dtype(options.text("out-dtype")) : dense.stored;
  save.max_shard_bytes = options.integer("shard-size");
  model::save_model(output, mixture, save);
  tool.add_metric("parameters", cat(mixture.params->set.count()));
  tool.set_summary(cat(model::describe(mixture.cfg), ", ",
                       format_count(static_cast<f64>(mixture.params->set.count())), " parameters"));
}

}  // namespace lm::merge_tool

// lm-transform: seeded rewriting of records: orders of units, holes to fill, noise.

#include "lm_transform/transform.h"

namespace {

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-transform";
  spec.summary = "rewrite records by seeded rules: permute units, mask spans, add noise";
  spec.verbs = lm::transform_tool::verbs();
  spec.examples = {
      {"lm-transform facts.jsonl --orders 3 | lm-tokenize pack -m vocabulary -o shards/train",
       "every document in three orders of its phrases"},
      {"lm-transform infill -m vocabulary code.jsonl.zst -o rows.jsonl.zst",
       "half of the documents with masked spans, as rows to train on"},
      {"lm-transform infill --inverse -m vocabulary rows.jsonl.zst", "the documents again"},
      {"lm-transform noise --noise spelling+ent_typo+append_irr clean.jsonl -o noisy.jsonl",
       "utterances with labels, perturbed three times"},
  };
  spec.see_also = {"lm-tokenize", "lm-train", "lm-mix"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "infill") return lm::transform_tool::run_infill(tool);
    if (tool.verb() == "noise") return lm::transform_tool::run_noise(tool);
    lm::transform_tool::run_permute(tool);
  });
}

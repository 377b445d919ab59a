// lm-dedup: marks or removes what is there twice.

#include "lm_dedup/dedup.h"

namespace {

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-dedup";
  spec.summary = "mark or remove documents, paragraphs and near duplicates that are there twice";
  spec.verbs = lm::dedup_tool::verbs();
  spec.examples = {
      {"lm-dedup --action remove a.jsonl.zst b.jsonl.zst -o unique.jsonl.zst",
       "keep the first of equal texts"},
      {"lm-dedup document --key metadata.url --normalise url --action remove in.jsonl",
       "one document per URL"},
      {"lm-dedup paragraph --bloom-n 1e9 --action remove --min-left 50 in.jsonl.zst",
       "cut repeated paragraphs"},
      {"lm-dedup minhash --threshold 0.85 --cluster-info in.jsonl.zst", "mark near duplicates"},
      {"lm-dedup bloom merge a.bloom b.bloom -o both.bloom", "join the filters of two shards"},
  };
  spec.see_also = {"lm-cat"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "paragraph") return lm::dedup_tool::run_paragraph(tool);
    if (tool.verb() == "minhash") return lm::dedup_tool::run_minhash(tool);
    if (tool.verb() == "bloom") return lm::dedup_tool::run_bloom(tool);
    lm::dedup_tool::run_document(tool);
  });
}

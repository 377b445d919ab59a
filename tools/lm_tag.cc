// lm-tag: adds attributes about quality, form and content to documents, and trains classifiers.

#include "lm_tag/tag_tool.h"

namespace {

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-tag";
  spec.summary = "judge documents by taggers and keep what they find as attributes";
  spec.verbs = {
      {"judge", "add what the taggers find to the records", lm::tag_tool::flags()},
      {"train", "make a fastText classifier of labelled records", lm::tag_tool::train_flags()},
  };
  spec.examples = {
      {"lm-tag -T gopher_v2,c4_v2 in.jsonl.zst -o tagged.jsonl.zst",
       "attributes inside the records"},
      {"lm-tag -T gopher_v2,c4_v2 --sidecar attributes documents/*.jsonl.zst",
       "in files of their own, one row per document"},
      {"lm-tag -T c4_v2 --explain in.jsonl | less", "which rule found what, in words"},
      {"lm-tag --list", "every tagger with its types"},
      {"lm-tag train --label kind --test 0.1 good_and_bad.jsonl.zst -o quality.bin",
       "a classifier of one's own"},
      {"lm-tag --define quality=fasttext:quality.bin in.jsonl.zst -o tagged.jsonl.zst",
       "judges by it"},
  };
  spec.see_also = {"lm-cat", "lm-dedup", "lm-ppl-filter"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "train") return lm::tag_tool::run_train(tool);
    lm::tag_tool::run(tool);
  });
}

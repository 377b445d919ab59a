// lm-tokenize: text to tokens and back, vocabularies, token shards.

#include "lm_tokenize/tokenize.h"

namespace {

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-tokenize";
  spec.summary = "Turns text into tokens and back, trains vocabularies, writes token shards";
  spec.verbs = lm::tokenize_tool::verbs();
  spec.examples = {
      {"lm-tokenize train -n 8192 --special-token '<|endoftext|>' docs.jsonl.zst -o vocabulary/",
       "a byte-level BPE vocabulary"},
      {"lm-tokenize -m vocabulary docs.jsonl.zst -o ids.jsonl.zst", "ids into every record"},
      {"lm-tokenize pack -m vocabulary docs.jsonl.zst -o shards/train",
       "token shards with document borders"},
  };
  spec.see_also = {"lm-train", "lm-decode"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "decode") return lm::tokenize_tool::run_decode(tool);
    if (tool.verb() == "train") return lm::tokenize_tool::run_train(tool);
    if (tool.verb() == "pack") return lm::tokenize_tool::run_pack(tool);
    return lm::tokenize_tool::run_encode(tool);
  });
}

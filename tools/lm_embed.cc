// lm-embed: texts to vectors, and how a model's languages lie to each other.

#include "lm_embed/embed.h"

namespace {

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-embed";
  spec.summary = "make vectors of texts, and rank languages by them";
  spec.verbs = {{"embed", "add a vector to each record", lm::embed_tool::embed_flags()},
                {"langrank", "how near each language lies to a pivot language",
                 lm::embed_tool::langrank_flags()}};
  spec.flags = lm::embed_tool::model_flags();
  spec.examples = {
      {"lm-embed -m minilm --field title items.jsonl -o items.safetensors",
       "a sentence-transformers folder, its own settings"},
      {"lm-embed -m model --layer 8 --pool mean --encoding base64 docs.jsonl.zst",
       "a layer's mean states"},
      {"lm-embed -m hash:char3-5,dim=1024 docs.jsonl", "hashed n-grams, no model"},
      {"lm-embed langrank -m model --pivot eng --share share.tsv parallel.jsonl",
       "languages by their distance from English"},
  };
  spec.wide = true;
  spec.kernels = true;
  spec.see_also = {"lm-decode", "lm-tokenize"};
  spec.stateful = true;
  spec.stateful_with = "resume";
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "langrank") return lm::embed_tool::run_langrank(tool);
    lm::embed_tool::run_embed(tool);
  });
}

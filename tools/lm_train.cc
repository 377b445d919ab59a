// lm-train: trains decoder models on token shards or on a stream of token records.

#include "lm_train/align.h"
#include "lm_train/exact.h"
#include "lm_train/train.h"

namespace {

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-train";
  spec.summary = "train decoder models on token shards or on a stream of token records";
  spec.verbs = {
      {"train", "train a model", lm::train_tool::all_flags()},
      {"align", "train a model by the rewards of what it writes", lm::train_tool::align_flags()},
      {"bits", "how many networks that saw single bits permute any bits exactly",
       lm::train_tool::bits_flags()},
      {"inverse", "whether an attention-only transformer undoes a permutation in its prompt",
       lm::train_tool::inverse_flags()},
  };
  spec.verbs[0].streams = spec.verbs[0].kernels = spec.verbs[0].stateful = true;
  spec.verbs[1].streams = spec.verbs[1].stateful = true;
  spec.examples = {
      {"lm-train --preset llama-mini --data shards/train.json --steps 2000 -o run1",
       "a small model; the same command again goes on where it stopped"},
      {"lm-tokenize -m tok.json docs.jsonl.zst | lm-train --preset gpt2-nano --vocab 512 --steps "
       "500 -o run2",
       "train on a stream"},
      {"lm-train --init-from run1/final --objective sft --epochs 2 --lr 2e-5 -o tuned qa.jsonl",
       "fine-tune on prompts and completions"},
      {"lm-train align --init-from tuned/final --reward-model rm/final --method rloo --steps 200 "
       "-o "
       "run3 prompts.jsonl",
       "learn from a reward model"},
      {"lm-train --preset gpt2 --vocab 50257 --data shards/train.json --epochs 1 --plan",
       "what would it take"},
      {"lm-train bits --k 20", "networks that 20 bits need, by formula"},
  };
  spec.streams = false;
  spec.wide = true;
  spec.see_also = {"lm-tokenize", "lm-decode"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, [](lm::cli::Tool& tool) {
    if (tool.verb() == "align") return lm::train_tool::run_align(tool);
    if (tool.verb() == "bits") return lm::train_tool::run_bits(tool);
    if (tool.verb() == "inverse") return lm::train_tool::run_inverse(tool);
    lm::train_tool::run(tool);
  });
}

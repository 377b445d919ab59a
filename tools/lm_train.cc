// lm-train: trains decoder models on token shards or on a stream of token records.

#include "lm_train/train.h"
#include "model/shape.h"
#include "train/schedule.h"

namespace {

using lm::cli::Flag;
using lm::cli::FlagKind;

std::vector<Flag> model_flags() {
  const std::string g = "Model";
  return {
      {.name = "preset", .kind = FlagKind::kChoice, .value_name = "NAME", .group = g,
       .help = "a named shape; the options below change single numbers of it",
       .choices = lm::model::preset_names(), .main = true},
      {.name = "arch", .kind = FlagKind::kChoice, .value_name = "FAMILY", .group = g,
       .help = "family of a new model (llama without a preset)", .choices = {"gpt2", "llama"},
       .main = true},
      {.name = "layers", .kind = FlagKind::kCount, .value_name = "N", .group = g,
       .help = "blocks", .min = 1, .max = 4096, .main = true},
      {.name = "width", .kind = FlagKind::kCount, .value_name = "C", .group = g,
       .help = "hidden size", .min = 1, .main = true},
      {.name = "heads", .kind = FlagKind::kCount, .value_name = "N", .group = g,
       .help = "attention heads", .min = 1},
      {.name = "kv-heads", .kind = FlagKind::kCount, .value_name = "N", .group = g,
       .help = "key and value heads; default: --heads", .min = 1},
      {.name = "head-dim", .kind = FlagKind::kCount, .value_name = "D", .group = g,
       .help = "size of a head; default: width / heads", .min = 1},
      {.name = "ffn", .kind = FlagKind::kCount, .value_name = "F", .group = g,
       .help = "inner size of the feed-forward part; default: 4 C (gpt2), 8/3 C (llama)", .min = 1},
      {.name = "vocab", .kind = FlagKind::kCount, .value_name = "V", .group = g,
       .help = "rows of the embedding; default: what the data's tokenizer has", .min = 1},
      {.name = "context", .kind = FlagKind::kCount, .value_name = "T", .group = g,
       .help = "positions; default: --seq-len", .min = 1},
      {.name = "norm-eps", .kind = FlagKind::kFloat, .value_name = "X", .group = g,
       .help = "epsilon of the norms; default 1e-5", .min = 1e-12, .max = 1},
      {.name = "rope-theta", .kind = FlagKind::kFloat, .value_name = "X", .group = g,
       .help = "base of the rotary angles; default 10000", .min = 1},
      {.name = "tied", .kind = FlagKind::kChoice, .value_name = "YES", .group = g,
       .help = "whether the head is the embedding; default: as the family does",
       .choices = {"true", "false"}},
      {.name = "dropout", .kind = FlagKind::kFloat, .value_name = "P", .group = g, .def = "0",
       .help = "on the embedding and on what each part adds", .min = 0, .max = 0.95},
      {.name = "init-from", .kind = FlagKind::kPath, .value_name = "FOLDER", .group = g,
       .help = "start from this model folder instead of a new model", .semantic = false,
       .main = true},
      {.name = "tokenizer", .kind = FlagKind::kPath, .value_name = "FILE", .group = g,
       .help = "tokenizer file or folder: checked, copied into checkpoints, counts bytes",
       .semantic = false, .main = true},
  };
}

std::vector<Flag> data_flags() {
  const std::string g = "Data";
  return {
      {.name = "data", .kind = FlagKind::kList, .value_name = "PREFIX.json", .group = g,
       .help = "token shards made by lm-tokenize pack; may be repeated",
       .details = "Without it, records with token ids are read from FILE or standard input.",
       .semantic = false, .main = true},
      {.name = "weight", .kind = FlagKind::kList, .value_name = "W", .group = g,
       .help = "share of samples of the --data at the same place; without, all are one pool"},
      {.name = "eval-data", .kind = FlagKind::kList, .value_name = "PREFIX.json", .group = g,
       .help = "held-out shards; may be repeated", .semantic = false, .main = true},
      {.name = "eval-every", .kind = FlagKind::kCount, .value_name = "STEPS", .group = g,
       .def = "0", .help = "evaluate every so many steps, and at the end", .min = 0,
       .semantic = false},
      {.name = "eval-tokens", .kind = FlagKind::kCount, .value_name = "N", .group = g, .def = "0",
       .help = "evaluate on the first N tokens only; 0 is all", .min = 0, .semantic = false},
      {.name = "ids-field", .kind = FlagKind::kString, .value_name = "PATH", .group = g,
       .def = "input_ids", .help = "the field of records that holds the ids"},
      {.name = "seq-len", .kind = FlagKind::kCount, .value_name = "T", .group = g,
       .help = "tokens per sequence; default: the model's context, else 1024", .min = 1,
       .max = 1 << 24, .main = true},
      {.name = "micro-batch", .kind = FlagKind::kCount, .value_name = "N", .group = g,
       .help = "sequences computed at once; default: the largest divisor of --batch up to 8",
       .min = 1, .max = 1 << 20, .main = true},
      {.name = "batch", .kind = FlagKind::kCount, .value_name = "N", .group = g,
       .help = "sequences per step; default: --micro-batch, else 8", .min = 1, .max = 1 << 24,
       .main = true},
      {.name = "batch-tokens", .kind = FlagKind::kCount, .value_name = "N", .group = g,
       .help = "the same in tokens, rounded up to whole micro-batches", .min = 1},
      {.name = "doc-mask", .kind = FlagKind::kSwitch, .group = g,
       .help = "tokens see their own document only",
       .details = "Positions begin at 0 in each document; its first token is no target."},
      {.name = "order", .kind = FlagKind::kChoice, .value_name = "HOW", .group = g,
       .def = "shuffle", .help = "sequences in a seeded order, or as the shards have them",
       .choices = {"shuffle", "sequential"}},
  };
}

std::vector<Flag> optimisation_flags() {
  const std::string g = "Optimisation";
  return {
      {.name = "steps", .kind = FlagKind::kCount, .value_name = "N", .group = g,
       .help = "optimizer steps", .min = 1, .main = true},
      {.name = "tokens", .kind = FlagKind::kCount, .value_name = "N", .group = g,
       .help = "instead: tokens to train on", .min = 1},
      {.name = "epochs", .kind = FlagKind::kFloat, .value_name = "X", .group = g,
       .help = "instead: passes over the shards", .min = 1e-6},
      {.name = "lr", .kind = FlagKind::kFloat, .value_name = "X", .group = g, .def = "6e-4",
       .help = "peak learning rate", .min = 0, .max = 100, .main = true},
      {.name = "schedule", .kind = FlagKind::kChoice, .value_name = "NAME", .group = g,
       .def = "cosine", .help = "shape of the learning rate",
       .choices = lm::train::schedule_names()},
      {.name = "warmup", .kind = FlagKind::kCount, .value_name = "STEPS", .group = g,
       .help = "linear warm-up; default: 2 % of the steps", .min = 0, .main = true},
      {.name = "decay-share", .kind = FlagKind::kFloat, .value_name = "Q", .group = g,
       .def = "0.2", .help = "last part of the steps in which wsd decays", .min = 0, .max = 1},
      {.name = "lr-floor", .kind = FlagKind::kFloat, .value_name = "F", .group = g,
       .help = "share of the peak that stays; default: 0.1 for cosine, else 0", .min = 0,
       .max = 1},
      {.name = "beta1", .kind = FlagKind::kFloat, .value_name = "B", .group = g, .def = "0.9",
       .help = "of AdamW", .min = 0, .max = 0.9999999},
      {.name = "beta2", .kind = FlagKind::kFloat, .value_name = "B", .group = g, .def = "0.95",
       .help = "of AdamW", .min = 0, .max = 0.9999999},
      {.name = "eps", .kind = FlagKind::kFloat, .value_name = "X", .group = g, .def = "1e-8",
       .help = "of AdamW", .min = 0, .max = 1},
      {.name = "weight-decay", .kind = FlagKind::kFloat, .value_name = "X", .group = g,
       .def = "0.1", .help = "on matrices and embeddings, not on norms and biases", .min = 0,
       .max = 100},
      {.name = "clip", .kind = FlagKind::kFloat, .value_name = "X", .group = g, .def = "1",
       .help = "largest norm of the whole gradient; 0 is off", .min = 0},
      {.name = "z-loss", .kind = FlagKind::kFloat, .value_name = "X", .group = g, .def = "0",
       .help = "weight of the squared log-partition", .min = 0, .max = 1},
      {.name = "label-smoothing", .kind = FlagKind::kFloat, .value_name = "X", .group = g,
       .def = "0", .help = "share of the target spread over the vocabulary", .min = 0,
       .max = 0.99},
      {.name = "recompute", .kind = FlagKind::kString, .value_name = "POLICY", .group = g,
       .def = "none", .help = "save memory: none, cheap, block, block:K", .semantic = false},
      {.name = "on-nan", .kind = FlagKind::kChoice, .value_name = "WHAT", .group = g,
       .def = "stop", .help = "a loss or gradient that is not finite: stop, or skip the update",
       .details = "After ten skipped steps in a row the run stops.", .choices = {"stop", "skip"}},
  };
}

std::vector<Flag> run_flags() {
  const std::string g = "Checkpoints";
  const std::string d = "Looking inside";
  return {
      {.name = "save-every", .kind = FlagKind::kCount, .value_name = "STEPS", .group = g,
       .def = "1000", .help = "checkpoint every so many steps, and at the end; 0: at the end",
       .min = 0, .semantic = false, .main = true},
      {.name = "keep", .kind = FlagKind::kCount, .value_name = "N", .group = g, .def = "3",
       .help = "newest checkpoints that stay; 0: all", .min = 0, .semantic = false},
      {.name = "keep-every", .kind = FlagKind::kCount, .value_name = "STEPS", .group = g,
       .def = "0", .help = "keep those of every so many steps too", .min = 0, .semantic = false},
      {.name = "keep-best", .kind = FlagKind::kSwitch, .group = g,
       .help = "checkpoint when the held-out loss improves; RUN/best names it",
       .semantic = false},
      {.name = "resume", .kind = FlagKind::kString, .value_name = "auto|no|FOLDER", .group = g,
       .def = "auto", .help = "go on from the run's newest checkpoint, never, or from FOLDER",
       .semantic = false, .main = true},
      {.name = "metrics", .kind = FlagKind::kPath, .value_name = "FILE", .group = g,
       .help = "metrics as JSON lines; default: RUN/metrics.jsonl", .semantic = false},
      {.name = "log-every", .kind = FlagKind::kCount, .value_name = "STEPS", .group = g,
       .def = "1", .help = "a metrics line every so many steps", .min = 1, .semantic = false},
      {.name = "plan", .kind = FlagKind::kSwitch, .group = d,
       .help = "print parameters, memory, FLOPs and time, and exit", .semantic = false,
       .main = true},
      {.name = "profile", .kind = FlagKind::kSwitch, .group = d,
       .help = "print seconds and share of the peak per operator at the end", .semantic = false},
      {.name = "check", .kind = FlagKind::kChoice, .value_name = "WHAT", .group = d,
       .help = "nan: look at every value, name the first operator with one that is not finite",
       .choices = {"nan"}, .semantic = false},
  };
}

lm::cli::ToolSpec make_spec() {
  lm::cli::ToolSpec spec;
  spec.name = "lm-train";
  spec.summary = "train decoder models on token shards or on a stream of token records";
  std::vector<Flag> all;
  for (std::vector<Flag>& part :
       std::vector<std::vector<Flag>>{model_flags(), data_flags(), optimisation_flags(), run_flags()})
    all.insert(all.end(), part.begin(), part.end());
  spec.verbs = {{"", "", all}};
  spec.examples = {
      {"lm-train --preset llama-mini --data shards/train.json --steps 2000 -o run1",
       "a small model; the same command again goes on where it stopped"},
      {"lm-tokenize -m tok.json docs.jsonl.zst | lm-train --preset gpt2-nano --vocab 512 --steps 500 -o run2",
       "train on a stream"},
      {"lm-train --preset gpt2 --vocab 50257 --data shards/train.json --epochs 1 --plan",
       "what would it take"},
  };
  spec.wide = true;
  spec.stateful = true;
  spec.see_also = {"lm-tokenize(1)", "lm-decode(1)", "lm-tools(7)"};
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  return lm::cli::tool_main(argc, argv, make_spec, lm::train_tool::run);
}

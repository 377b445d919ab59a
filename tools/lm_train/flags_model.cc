// The options of a new model.

#include "lm_train/flags.h"
#include "model/shape.h"

namespace lm::train_tool {

using cli::Flag;
using cli::FlagKind;

std::vector<Flag> model_flags() {
  const std::string g = "Model";
  return {
      {.name = "preset",
       .kind = FlagKind::kChoice,
       .value_name = "NAME",
       .group = g,
       .help = "a named shape; the options below change single numbers of it",
       .choices = model::preset_names(),
       .main = true},
      {.name = "arch",
       .kind = FlagKind::kChoice,
       .value_name = "FAMILY",
       .group = g,
       .help = "family of a new model (llama without a preset)",
       .choices = model::family_names(),
       .main = true},
      {.name = "layers",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .help = "blocks",
       .min = 1,
       .max = 4096,
       .main = true},
      {.name = "width",
       .kind = FlagKind::kCount,
       .value_name = "C",
       .group = g,
       .help = "hidden size",
       .min = 1,
       .main = true},
      {.name = "heads",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .help = "attention heads",
       .min = 1},
      {.name = "kv-heads",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .help = "key and value heads; default: --heads",
       .min = 1},
      {.name = "head-dim",
       .kind = FlagKind::kCount,
       .value_name = "D",
       .group = g,
       .help = "size of a head; default: width / heads",
       .min = 1},
      {.name = "ffn",
       .kind = FlagKind::kCount,
       .value_name = "F",
       .group = g,
       .help = "inner size of the feed-forward part; default: 4 C (gpt2, qlstm, lstm), else 8/3 C",
       .min = 1},
      {.name = "vocab",
       .kind = FlagKind::kCount,
       .value_name = "V",
       .group = g,
       .help = "rows of the embedding; default: what the data's tokenizer has",
       .min = 1},
      {.name = "context",
       .kind = FlagKind::kCount,
       .value_name = "T",
       .group = g,
       .help = "positions; default: --seq-len",
       .min = 1},
      {.name = "window",
       .kind = FlagKind::kCount,
       .value_name = "N",
       .group = g,
       .help = "a token sees itself and N - 1 before it (mistral, qwen2, qwen3); default: all",
       .min = 1},
      {.name = "mixers",
       .kind = FlagKind::kString,
       .value_name = "LIST",
       .group = g,
       .help =
           "what mixes the tokens in each layer (based): conv:N, linear:N, pla:N, window:N, with "
           "@layers",
       .details =
           "conv:3,linear:16@1,6,window:64@2,7 gives layers 1 and 6 linear attention with "
           "queries of 16 numbers, layers 2 and 7 attention to 64 tokens (0: to all), and the "
           "others a gated convolution of 3 tokens. pla:16 is linear attention that reads a prefix "
           "twice: every token sees all of it through keys of its own (--objective jrt, prefix-lm, "
           "--prefix-mask; a prompt of lm-decode). Default: of five layers in turn conv:3, "
           "linear:16, window:256, conv:3, conv:3."},
      {.name = "attn",
       .kind = FlagKind::kChoice,
       .value_name = "LAYERS",
       .group = g,
       .help = "which layers see of earlier tokens a pattern only: none, those of even number, all",
       .details =
           "As in GPT-3 and mGPT, whose layers alternate. Such a layer sees of a text all of "
           "the window that a token lies in, and some blocks of every earlier one; --sparse "
           "says how large these are. On the CPU alone.",
       .choices = {"dense", "alternating", "sparse"}},
      {.name = "sparse",
       .kind = FlagKind::kString,
       .value_name = "PATTERN",
       .group = g,
       .help = "what sparse layers see; default fixed:block=16,local=8,global=1,patterns=8",
       .details = "Blocks of 16 tokens (a multiple of 16), windows of 8 blocks, of which later "
                  "windows see 1: in head 0 the last, in head 1 the one before it, and so on, in 8 "
                  "patterns (default: local / global).",
       .needs = {"attn=alternating,sparse"}},
      {.name = "norm-eps",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .help = "epsilon of the norms; default 1e-5",
       .min = 1e-12,
       .max = 1},
      {.name = "rope-theta",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .help = "base of the rotary angles; default 10000",
       .min = 1},
      {.name = "init-std",
       .kind = FlagKind::kFloat,
       .value_name = "X",
       .group = g,
       .help = "deviation that new matrices are drawn with; default 0.02",
       .details =
           "Right for widths of some 700; narrower models learn sooner with more, 1 / sqrt(C) "
           "at most. Those that write to the residual stream have 1 / sqrt(2 layers) of it.",
       .min = 1e-6,
       .max = 10},
      {.name = "tied",
       .kind = FlagKind::kChoice,
       .value_name = "YES",
       .group = g,
       .help = "whether the head is the embedding; default: as the family does",
       .choices = {"true", "false"}},
      {.name = "embed",
       .kind = FlagKind::kString,
       .value_name = "HOW",
       .group = g,
       .help = "embedding and head: learned, gaussian (drawn for each sequence), or semi:P",
       .details = "gaussian: every row of a batch draws its own vectors of all ids and is read and "
                  "predicted with them, so that nothing is known of an id but its use. semi:P: "
                  "they are drawn for a share P of the ids, the others have learned ones. Rotary "
                  "positions only."},
      {.name = "dropout",
       .kind = FlagKind::kFloat,
       .value_name = "P",
       .group = g,
       .def = "0",
       .help = "on the embedding and on what each part adds",
       .min = 0,
       .max = 0.95},
      {.name = "init-from",
       .kind = FlagKind::kPath,
       .value_name = "FOLDER",
       .group = g,
       .help = "start from this model folder instead of a new model",
       .semantic = false,
       .main = true},
      {.name = "lora",
       .kind = FlagKind::kString,
       .value_name = "SETTINGS",
       .group = g,
       .help = "train low-rank adapters beside the model's matrices, which stay as they are",
       .details =
           "Settings like r=16,alpha=32,rs,dropout=0.05,targets=q_proj+v_proj: the rank (8), "
           "the scale alpha / r (twice the rank), or alpha / sqrt(r) with rs, and the matrices "
           "(all of the layers). Checkpoints are adapters as PEFT saves them; BASE+ADAPTER is "
           "a model to other programs.",
       .needs = {"init-from"}},
      {.name = "tokenizer",
       .kind = FlagKind::kPath,
       .value_name = "FILE",
       .group = g,
       .help = "tokenizer file or folder: checked, copied into checkpoints, counts bytes",
       .details = "Default: the one of --init-from, else the one that the shards' manifest names, "
                  "where it lies beside them or in the working folder.",
       .semantic = false,
       .main = true},
  };
}

}  // namespace lm::train_tool

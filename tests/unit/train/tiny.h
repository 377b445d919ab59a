#pragma once
// Tiny models and data by formula for the tests of this room; the formulas are those of
// scripts/bench/train_reference.

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "catch.h"
#include "comm/comm.h"
#include "core/context.h"
#include "core/str.h"
#include "cpu/backend.h"
#include "model/checkpoint.h"
#include "model/mapping.h"
#include "model/shape.h"
#include "tensor/safetensors.h"
#include "text/shards.h"
#include "train/trainer.h"

namespace lm::test {

inline u32 mix(u32 x) {
  x ^= x >> 16;
  x *= 0x45d9f3bu;
  return x ^ x >> 16;
}

/// A cycle over the vocabulary that a small model learns, with noise.
inline std::vector<i32> formula_tokens(i64 count, i64 vocab = 64) {
  std::vector<i32> out;
  i64 state = 1;
  for (i64 j = 0; j < count; ++j) {
    const u32 r = mix(static_cast<u32>(j) * 2654435761u + 12345u);
    state = r % 10 < 7 ? (state * 5 + 3) % vocab : static_cast<i64>(r >> 8) % vocab;
    out.push_back(static_cast<i32>(state));
  }
  return out;
}

inline model::ModelCfg tiny_config(const std::string& family, i64 context = 32) {
  model::ModelShape shape;
  shape.family = family;
  shape.layers = 2;
  shape.width = 32;
  shape.heads = 4;
  const bool plain = family == "gpt2" || family.ends_with("lstm");
  shape.kv_heads = plain ? 4 : 2;
  shape.ffn = plain ? 128 : 96;
  if (family == "qwen3") shape.window = 5;
  if (family == "based") {
    shape.kv_heads = 4;
    shape.layers = 3;
    shape.mixers = "conv:3@0,linear:4@1,window:5@2";
  }
  if (family == "moe") {
    shape.ffn = 32;
    shape.moe = "n=5,router=top2-random,shared=1";
  }
  shape.vocab = 64;
  shape.context = context;
  return model::make_config(shape);
}

/// `count` sequences of consecutive tokens, from sequence `first` on.
inline train::Examples consecutive(const std::vector<i32>& tokens, i64 first, i64 count,
                                   i64 seq_len) {
  train::Examples batch;
  for (i64 s = first; s < first + count; ++s)
    batch.emplace_back().tokens.assign(tokens.begin() + s * seq_len,
                                       tokens.begin() + (s + 1) * seq_len + 1);
  return batch;
}

inline train::TrainOptions tiny_options(i64 steps = 200) {
  train::TrainOptions options;
  options.seq_len = 32;
  options.micro_batch = 8;
  options.batch = 8;
  options.schedule.peak = 3e-3;
  options.schedule.warmup = steps / 10;
  options.schedule.steps = steps;
  return options;
}

/// Equal bits of two slabs.
inline bool same_bits(const ParamSlab& a, const ParamSlab& b) {
  return a.elements() == b.elements() &&
         std::memcmp(a.data(), b.data(), usize(a.elements()) * sizeof(f32)) == 0;
}

/// Shards PREFIX.json of documents of the given lengths over formula_tokens.
inline void write_shards(const std::string& prefix, const std::vector<i64>& lengths,
                         i64 vocab = 64) {
  text::TokenizerIdentity identity;
  identity.name = "formula";
  identity.sha256 = std::string(64, '0');
  identity.vocab_size = vocab;
  text::ShardWriter writer(prefix, identity, text::ShardOptions{});
  i64 total = 0;
  for (const i64 n : lengths)
    total += n;
  const std::vector<i32> tokens = formula_tokens(total, vocab);
  i64 at = 0;
  for (const i64 n : lengths) {
    writer.add(std::span(tokens).subspan(usize(at), usize(n)));
    at += n;
  }
  writer.commit();
}

/// What a trainer needs around it.
struct Bench {
  LocalContext ctx;
  std::unique_ptr<comm::Comm> comm = comm::self_comm();
  model::Model model;
  train::Trainer trainer;
  Bench(const model::ModelCfg& cfg, const train::TrainOptions& options, u64 seed = 1)
      : model(model::new_model(cfg, seed)), trainer(model, options, *comm, *ctx, cpu_backend()) {}
};

}  // namespace lm::test

#pragma once
// A complete model folder of a few kilobytes for tests: random weights, a byte-level tokenizer of
// 256 bytes, some merges, <s> and </s>.

#include <filesystem>
#include <fstream>
#include <string>

#include "core/str.h"
#include "model/checkpoint.h"
#include "model/shape.h"
#include "tiny_tokenizer.h"

namespace lm::test {

/// Weights are larger than a fresh model's, so that distributions are far from uniform.
inline model::Model make_tiny_model(u64 seed = 1, i64 vocab = 262, i64 context = 64,
                                    i64 width = 16) {
  model::ModelCfg cfg = model::make_config(model::parse_shape(
      cat("family=llama,layers=2,width=", width, ",heads=4,kv_heads=2,ffn=", 2 * width,
          ",vocab=", vocab, ",context=", context)));
  cfg.bos = kTinyBos < vocab ? std::optional<i32>(kTinyBos) : std::nullopt;
  if (kTinyEos < vocab) cfg.eos = cfg.end_ids = {kTinyEos};
  model::Model made = model::new_model(cfg, seed);
  for (i64 i = 0; i < made.weights.elements(); ++i)
    made.weights.data()[i] *= 6.0f;
  return made;
}

/// The folder must not exist.
inline void write_tiny_folder(const std::string& folder, u64 seed = 1, i64 vocab = 262,
                              i64 context = 64, i64 width = 16) {
  const std::string files = folder + ".tokenizer";
  std::filesystem::create_directories(files);
  write_tiny_tokenizer(files);
  model::SaveOptions options;
  options.tokenizer_folder = files;
  model::save_model(folder, make_tiny_model(seed, vocab, context, width), options);
  std::filesystem::remove_all(files);
}

}  // namespace lm::test

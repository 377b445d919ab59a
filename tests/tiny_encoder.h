#pragma once
// A complete BERT folder of a few kilobytes for tests: random weights, a vocabulary of letters and
// some words in vocab.txt; as a sentence-transformers folder where asked.

#include <filesystem>
#include <fstream>
#include <string>

#include "core/random.h"
#include "core/str.h"
#include "model/checkpoint.h"
#include "tiny_word_pieces.h"

namespace lm::test {

inline std::string tiny_encoder_json(const std::string& type = "bert", i64 vocab = 67) {
  return cat("{\"model_type\":\"", type, "\",\"vocab_size\":", vocab,
             ",\"hidden_size\":16,\"num_hidden_layers\":3,\"num_attention_heads\":4,"
             "\"intermediate_size\":40,\"hidden_act\":\"gelu\",\"max_position_embeddings\":40,"
             "\"type_vocab_size\":2,\"layer_norm_eps\":1e-12,\"pad_token_id\":0}");
}

/// Attention is far from uniform, and the type embedding and biases count.
inline model::Model make_tiny_encoder(u64 seed = 1, const std::string& type = "bert") {
  const model::ModelCfg cfg = model::parse_config(tiny_encoder_json(type), "config.json");
  model::Model made = model::new_model(cfg, seed);
  const RandomStream noise(seed, RandomPurpose::kOther);
  for (i64 i = 0; i < made.weights.elements(); ++i) {
    f32& x = made.weights.data()[i];
    x = (x == 1.0f ? 1.0f : 8.0f * x) + 0.2f * static_cast<f32>(noise.normal(static_cast<u64>(i)));
  }
  return made;
}

/// The folder must not exist. sentence: with modules.json, mean pooling, normalised, 24 tokens.
inline void write_tiny_encoder(const std::string& folder, u64 seed = 1, bool sentence = true) {
  model::save_model(folder, make_tiny_encoder(seed), {});
  std::ofstream(folder + "/vocab.txt") << tiny_word_pieces();
  if (!sentence) return;
  std::filesystem::create_directories(folder + "/1_Pooling");
  std::ofstream(folder + "/modules.json")
      << "[{\"idx\":0,\"name\":\"0\",\"path\":\"\",\"type\":\"sentence_transformers.models."
         "Transformer\"},{\"idx\":1,\"name\":\"1\",\"path\":\"1_Pooling\",\"type\":\"sentence_"
         "transformers.models.Pooling\"},{\"idx\":2,\"name\":\"2\",\"path\":\"2_Normalize\","
         "\"type\":\"sentence_transformers.models.Normalize\"}]\n";
  std::ofstream(folder + "/1_Pooling/config.json")
      << "{\"word_embedding_dimension\":16,\"pooling_mode_cls_token\":false,"
         "\"pooling_mode_mean_tokens\":true}\n";
  std::ofstream(folder + "/sentence_bert_config.json")
      << "{\"max_seq_length\":24,\"do_lower_case\":false}\n";
}

}  // namespace lm::test

#pragma once
// A complete model folder of a few kilobytes for tests: random weights, a byte-level tokenizer of
// 256 bytes, some merges, <s> and </s>.

#include <filesystem>
#include <fstream>
#include <string>

#include "core/str.h"
#include "io/json.h"
#include "model/checkpoint.h"
#include "model/shape.h"
#include "text/token_decoder.h"

namespace lm::test {

/// Ids 0..255 are the bytes, then merges, then <s> and </s>.
inline constexpr const char* kTinyMerges[][2] = {{"t", "h"}, {"th", "e"}, {"i", "n"}, {" ", "the"}};
inline constexpr i32 kTinyBos = 260;
inline constexpr i32 kTinyEos = 261;

inline void write_tiny_tokenizer(const std::string& folder) {
  std::string vocab;
  std::string merges;
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    append(vocab, byte > 0 ? "," : "", io::json_string(text::to_byte_level({&c, 1})), ":", byte);
  }
  int id = 256;
  for (const auto& merge : kTinyMerges) {
    const std::string left = text::to_byte_level(merge[0]);
    const std::string right = text::to_byte_level(merge[1]);
    append(vocab, ",", io::json_string(left + right), ":", id++);
    append(merges, merges.empty() ? "" : ",", io::json_string(left + " " + right));
  }
  const auto added = [](const char* token, i32 number) {
    return cat("{\"id\":", number, ",\"content\":\"", token,
               "\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,"
               "\"special\":true}");
  };
  std::ofstream(folder + "/tokenizer.json") << cat(
      "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[",
      added("<s>", kTinyBos), ",", added("</s>", kTinyEos),
      "],\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
      "\"trim_offsets\":true,\"use_regex\":true},\"post_processor\":null,"
      "\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,"
      "\"use_regex\":true},\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,"
      "\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":false,"
      "\"vocab\":{",
      vocab, "},\"merges\":[", merges, "]}}");
  std::ofstream(folder + "/tokenizer_config.json")
      << "{\"bos_token\":\"<s>\",\"eos_token\":\"</"
         "s>\",\"tokenizer_class\":\"PreTrainedTokenizerFast\"}";
}

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

#pragma once
// A byte-level tokenizer for tests: 256 bytes, some merges, <s> and </s>.

#include <fstream>
#include <string>
#include <vector>

#include "core/str.h"
#include "io/json.h"
#include "text/token_decoder.h"

namespace lm::test {

/// Ids 0..255 are the bytes, then merges, then <s> and </s>.
inline constexpr const char* kTinyMerges[][2] = {{"t", "h"}, {"th", "e"}, {"i", "n"}, {" ", "the"}};
inline constexpr i32 kTinyBos = 260;
inline constexpr i32 kTinyEos = 261;

/// more: further special tokens, from id 262 on.
inline void write_tiny_tokenizer(const std::string& folder,
                                 const std::vector<std::string>& more = {}) {
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
  const auto added = [](const std::string& token, i32 number) {
    return cat("{\"id\":", number, ",\"content\":\"", token,
               "\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,"
               "\"special\":true}");
  };
  std::string specials = cat(added("<s>", kTinyBos), ",", added("</s>", kTinyEos));
  for (std::size_t i = 0; i < more.size(); ++i)
    append(specials, ",", added(more[i], kTinyEos + 1 + static_cast<i32>(i)));
  std::ofstream(folder + "/tokenizer.json") << cat(
      "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[", specials,
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

}  // namespace lm::test

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/str.h"
#include "io/json.h"
#include "text/bpe_train.h"
#include "text/token_decoder.h"

namespace lm::text {

namespace {

using Json = nlohmann::ordered_json;

Json byte_level(bool use_regex, bool prefix_space = false) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", prefix_space},
          {"trim_offsets", true},
          {"use_regex", use_regex}};
}

Json pre_tokenizer(PatternId pattern) {
  if (pattern == PatternId::kR50k) return byte_level(true);
  if (pattern == PatternId::kOther) return byte_level(false);
  const Json split = {{"type", "Split"},
                      {"pattern", {{"Regex", pattern_text(pattern)}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  return {{"type", "Sequence"}, {"pretokenizers", Json::array({split, byte_level(false)})}};
}

}  // namespace

std::string bpe_tokenizer_json(const TrainedBpe& model, PatternId pattern) {
  Json added = Json::array();
  Json vocab = Json::object();
  std::vector<std::string> spelling;  // of each token in the byte-level alphabet
  for (i64 id = 0; id < isize(model.tokens); ++id) {
    const std::string& token = model.tokens[usize(id)];
    const bool special = id < model.specials;
    spelling.push_back(special ? token : to_byte_level(token));
    if (special) {
      added.push_back({{"id", id},
                       {"content", token},
                       {"single_word", false},
                       {"lstrip", false},
                       {"rstrip", false},
                       {"normalized", false},
                       {"special", true}});
    }
  }
  // Straight into the object: checking each key for an earlier one would cost vocabulary squared.
  Json::object_t& entries = vocab.get_ref<Json::object_t&>();
  for (i64 id = 0; id < isize(model.tokens); ++id)
    entries.Container::emplace_back(spelling[usize(id)], id);
  Json merges = Json::array();
  for (const TrainedMerge& merge : model.merges) {
    merges.push_back(cat(spelling[usize(merge.left)], " ", spelling[usize(merge.right)]));
  }
  Json root;
  root["version"] = "1.0";
  root["truncation"] = nullptr;
  root["padding"] = nullptr;
  root["added_tokens"] = std::move(added);
  root["normalizer"] = nullptr;
  root["pre_tokenizer"] = pre_tokenizer(pattern);
  root["post_processor"] = nullptr;
  root["decoder"] = byte_level(true, true);
  root["model"] = {{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", nullptr},
                   {"continuing_subword_prefix", nullptr},
                   {"end_of_word_suffix", nullptr},
                   {"fuse_unk", false},
                   {"byte_fallback", false},
                   {"ignore_merges", false}};
  root["model"]["vocab"] = std::move(vocab);
  root["model"]["merges"] = std::move(merges);
  return root.dump(1) + "\n";
}

std::string bpe_tiktoken_file(const TrainedBpe& model) {
  std::string out;
  for (i64 id = model.specials; id < isize(model.tokens); ++id) {
    append(out, io::base64(model.tokens[usize(id)]), ' ', id, '\n');
  }
  return out;
}

}  // namespace lm::text

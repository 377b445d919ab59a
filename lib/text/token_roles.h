#pragma once
// Which special token begins a text, ends it, pads a row and hides another token, where no
// configuration file says so: the names that published tokenizers use for nothing else. Names that
// also mark the end of a turn or a separator (<|eot_id|>, <|im_end|>, [SEP]) are left out: ending
// every document with one of them would be a silent mistake.

#include <optional>
#include <span>
#include <string>

namespace lm::text {

enum class TokenRole {
  kBos,  // <|begin_of_text|>, <s>, <bos>
  kEos,  // <|endoftext|>, <|end_of_text|>, </s>, <eos>
  kPad,  // <|pad|>, <pad>, [PAD]
  kMask  // <|mask|>, <mask>, [MASK], <|mdm_mask|>
};

/// The one text among specials that has a conventional name for the role; nullopt when there is
/// none, or more than one and so a choice.
std::optional<std::string> conventional_token(std::span<const std::string> specials,
                                              TokenRole role);

/// tokenizer_config.json for a tokenizer.json with these specials: the first three roles and what
/// transformers' AutoTokenizer needs to load the folder.
std::string tokenizer_config_json(std::span<const std::string> specials);
/// special_tokens_map.json: these roles alone.
std::string special_tokens_map_json(std::span<const std::string> specials);

}  // namespace lm::text

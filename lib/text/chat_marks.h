#pragma once
// Which bytes of a rendered chat may not be part of special tokens, because a record brought them
// and not the template: texts of messages, tools and documents; not the roles, which are names.
// How: the chat is rendered again with the characters of special tokens replaced, in the record's
// texts, by others that occur nowhere; where those come out, the record's text stands. The result
// is taken only if putting the characters back gives the first rendering, byte for byte.

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace lm::text {

/// Byte ranges, ascending and apart.
using ByteRanges = std::vector<std::pair<i64, i64>>;

class ChatMarks {
 public:
  explicit ChatMarks(const Tokenizer& tokenizer);

  /// The ranges in prompt, which the template made of input. Fault "special" where it cannot be
  /// told, because the template asks what special tokens the messages hold; faults of render().
  /// Renders up to twice. state: of the tokenizer. Safe to call concurrently with own states.
  Result<ByteRanges> foreign(const ChatTemplate& chat, const ChatInput& input,
                             const std::string& prompt, EncodeState& state) const;
  /// Whether special tokens would be found in prompt that touch these ranges.
  bool touched(const std::string& prompt, const ByteRanges& ranges, EncodeState& state) const;

 private:
  struct Marked;
  enum class Reach : u8 { kCharacters, kTokens };
  Marked mark(const ChatInput& input, Reach reach) const;
  std::vector<i32> specials_in(const std::string& text, const ByteRanges& apart,
                               EncodeState& state) const;

  const Tokenizer& tokenizer_;
  std::vector<std::string> specials_;  // their texts
  std::set<char32_t> signs_;           // their characters that are no letters, digits or blanks
};

}  // namespace lm::text

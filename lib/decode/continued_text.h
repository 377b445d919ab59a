#pragma once
// The text of tokens that continue a prompt, as they come. Concatenated pieces equal
// decode(prompt + output) without decode(prompt).

#include <span>
#include <string>

#include "text/tokenizer.h"

namespace lm::decode {

struct ContinuedText {
  explicit ContinuedText(const text::Tokenizer& tokenizer) : decoder(tokenizer, true) {}

  text::StreamDecoder decoder;
  std::string text;    // of the continuation
  std::string broken;  // what the prompt's text ends in if its last character stays incomplete

  /// Text that a token completes. A model's vocabulary may be padded beyond its tokenizer's: such
  /// tokens have none.
  std::string text_of(const text::Tokenizer& tokenizer, i32 token) {
    return tokenizer.has(token) ? own(decoder.push(token)) : std::string();
  }
  /// The text goes on where the prompt's ends.
  void begin(const text::Tokenizer& tokenizer, std::span<const i32> prompt) {
    for (const i32 token : prompt)
      text_of(tokenizer, token);
    text::StreamDecoder copy = decoder;
    broken = copy.finish();
  }
  /// A piece of the continuation's text. The first either completes the prompt's last character,
  /// which is then the continuation's, or begins with what stands for it in the prompt's own text.
  std::string own(std::string piece) {
    if (broken.empty() || piece.empty()) return piece;
    if (piece.starts_with(broken)) piece.erase(0, broken.size());
    broken.clear();
    return piece;
  }
};

}  // namespace lm::decode

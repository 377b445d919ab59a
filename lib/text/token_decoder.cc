#include "text/token_decoder.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/str.h"
#include "text/utf8.h"

namespace lm::text {
namespace {

/// Printable bytes stand for themselves; the other 68, in order, for U+0100 onwards.
constexpr bool is_printable(int b) {
  return (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
}

struct ByteAlphabet {
  char32_t of_byte[256];
  u8 hidden[68];  // byte of U+0100 + i
};

constexpr ByteAlphabet make_alphabet() {
  ByteAlphabet a{};
  char32_t next = 0;
  for (int b = 0; b < 256; ++b) {
    if (is_printable(b)) {
      a.of_byte[b] = static_cast<char32_t>(b);
    } else {
      a.of_byte[b] = 0x100 + next;
      a.hidden[next++] = static_cast<u8>(b);
    }
  }
  return a;
}

constexpr ByteAlphabet kAlphabet = make_alphabet();

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<char> fallback_byte(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  const int high = hex_digit(token[3]);
  const int low = hex_digit(token[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

void replace_all(std::string& text, const std::string& from, const std::string& to,
                 std::size_t limit) {
  if (from.empty()) return;
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
    if (text.size() > limit) {
      throw Error(ErrorKind::kData,
                  cat("the tokenizer's decoder makes more than ", limit, " bytes of a token"));
    }
  }
}

/// The reference takes the blank away before these, wherever a token begins with them.
bool joins_word(std::string_view token) {
  constexpr std::string_view kJoin[] = {".", "?", "!", ",", "n't", "'m", "'s", "'ve", "'re"};
  return std::any_of(std::begin(kJoin), std::end(kJoin),
                     [token](std::string_view start) { return token.starts_with(start); });
}

}  // namespace

bool from_byte_level(std::string_view text, std::string& bytes) {
  bytes.clear();
  for (i64 at = 0; at < isize(text);) {
    const Decoded d = decode_at(text, at);
    if (d.cp < 256 && is_printable(static_cast<int>(d.cp))) {
      bytes.push_back(static_cast<char>(d.cp));
    } else if (d.cp >= 0x100 && d.cp < 0x100 + 68) {
      bytes.push_back(static_cast<char>(kAlphabet.hidden[d.cp - 0x100]));
    } else {
      return false;
    }
    at += d.size;
  }
  return true;
}

std::string to_byte_level(std::string_view bytes) {
  std::string out;
  for (const char c : bytes)
    append_utf8(out, kAlphabet.of_byte[static_cast<u8>(c)]);
  return out;
}

std::string TokenDecoder::bytes_of(std::string_view token) const {
  if (!word_prefix.empty()) {
    if (token.starts_with(word_prefix)) return std::string(token.substr(word_prefix.size()));
    const bool joins = cleanup && joins_word(token);
    return cat(joins ? "" : " ", token);
  }
  std::string text(token);
  const std::size_t limit = 1024 + 64 * token.size();
  for (const auto& [from, to] : replacements)
    replace_all(text, from, to, limit);
  if (byte_level) {
    std::string bytes;
    if (from_byte_level(text, bytes)) return bytes;
  }
  if (byte_fallback) {
    const std::optional<char> byte = fallback_byte(text);
    if (byte) return std::string(1, *byte);
  }
  return join_with_space ? " " + text : text;
}

}  // namespace lm::text

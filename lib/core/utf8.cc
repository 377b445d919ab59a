#include "core/utf8.h"

#include <cstring>

namespace lm {
namespace {

constexpr u64 kHighBits = 0x8080808080808080ULL;

/// Well-formed range of the second byte after this lead (Unicode table 3-7), and the total length.
struct LeadRule {
  int size;  // 0: not a lead byte
  u8 low;
  u8 high;
};

LeadRule lead_rule(u8 lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xC2) return {0, 0, 0};
  if (lead < 0xE0) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

/// First position >= at whose byte is not ASCII, or text.size().
i64 skip_ascii(std::string_view text, i64 at) {
  const i64 size = isize(text);
  while (at + 8 <= size) {
    u64 word;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & kHighBits) != 0) break;
    at += 8;
  }
  while (at < size && static_cast<u8>(text[usize(at)]) < 0x80)
    ++at;
  return at;
}

}  // namespace

Decoded decode_at(std::string_view text, i64 at) {
  const i64 left = isize(text) - at;
  if (left <= 0) return {0, 0, true};
  const u8* p = reinterpret_cast<const u8*>(text.data()) + at;
  const LeadRule rule = lead_rule(p[0]);
  if (rule.size == 1) return {p[0], 1, true};
  if (rule.size == 0) return {kReplacement, 1, false};
  if (left < 2 || p[1] < rule.low || p[1] > rule.high) return {kReplacement, 1, false};
  char32_t cp = rule.size == 2 ? p[0] & 0x1Fu : rule.size == 3 ? p[0] & 0x0Fu : p[0] & 0x07u;
  cp = (cp << 6) | (p[1] & 0x3Fu);
  for (int i = 2; i < rule.size; ++i) {
    if (left <= i || (p[i] & 0xC0) != 0x80) return {kReplacement, i, false};
    cp = (cp << 6) | (p[i] & 0x3Fu);
  }
  return {cp, rule.size, true};
}

void append_utf8(std::string& out, char32_t cp) {
  if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF)) cp = kReplacement;
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (cp < 0x80) {
    put(cp);
  } else if (cp < 0x800) {
    put(0xC0 | (cp >> 6));
    put(0x80 | (cp & 0x3F));
  } else if (cp < 0x10000) {
    put(0xE0 | (cp >> 12));
    put(0x80 | ((cp >> 6) & 0x3F));
    put(0x80 | (cp & 0x3F));
  } else {
    put(0xF0 | (cp >> 18));
    put(0x80 | ((cp >> 12) & 0x3F));
    put(0x80 | ((cp >> 6) & 0x3F));
    put(0x80 | (cp & 0x3F));
  }
}

i64 find_invalid_utf8(std::string_view text) {
  const i64 size = isize(text);
  for (i64 at = skip_ascii(text, 0); at < size;) {
    const Decoded d = decode_at(text, at);
    if (!d.valid) return at;
    at += d.size;
    if (at < size && static_cast<u8>(text[usize(at)]) < 0x80) at = skip_ascii(text, at);
  }
  return -1;
}

}  // namespace lm

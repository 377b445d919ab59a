#include "text/utf8.h"

#include <algorithm>
#include <cstring>

namespace lm::text {

std::string to_utf8(std::u32string_view cps) {
  std::string out;
  out.reserve(cps.size());
  for (const char32_t cp : cps)
    append_utf8(out, cp);
  return out;
}

std::u32string to_utf32(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (i64 at = 0; at < isize(text);) {
    const Decoded d = decode_at(text, at);
    out.push_back(d.cp);
    at += d.size;
  }
  return out;
}

// Bytes inside sequences are counted in eight lanes, which hold up to 255 each.
i64 count_code_points(std::string_view text) {
  constexpr u64 kOnes = 0x0101010101010101;
  constexpr std::size_t kMost = 31 * 8;  // so that the lanes' sum fits in one
  i64 count = isize(text);
  std::size_t at = 0;
  while (at + 8 <= text.size()) {
    u64 lanes = 0;
    const std::size_t end = std::min(text.size(), at + kMost) - 7;
    for (u64 eight = 0; at < end; at += 8) {
      std::memcpy(&eight, text.data() + at, 8);
      lanes += eight >> 7 & ~(eight >> 6) & kOnes;
    }
    count -= static_cast<i64>(lanes * kOnes >> 56);
  }
  for (; at < text.size(); ++at)
    count -= (static_cast<u8>(text[at]) & 0xC0) == 0x80 ? 1 : 0;
  return count;
}

std::string repair_utf8(std::string_view text, i64* replaced) {
  std::string out;
  out.reserve(text.size());
  i64 at = 0;
  while (true) {
    const i64 bad = find_invalid_utf8(text.substr(usize(at)));
    if (bad < 0) break;
    out.append(text, usize(at), usize(bad));
    append_utf8(out, kReplacement);
    if (replaced != nullptr) ++*replaced;
    at += bad + decode_at(text, at + bad).size;
  }
  out.append(text, usize(at));
  return out;
}

i64 incomplete_suffix(std::string_view bytes) {
  const i64 size = isize(bytes);
  for (i64 back = 1; back <= 3 && back <= size; ++back) {
    const u8 b = static_cast<u8>(bytes[usize(size - back)]);
    if ((b & 0xC0) == 0x80) continue;
    const Decoded d = decode_at(bytes, size - back);
    // An ill-formed subpart that reaches the end is a proper prefix of some sequence, unless the
    // byte is no lead at all.
    const bool lead = b >= 0xC2 && b <= 0xF4;
    return !d.valid && d.size == back && lead && sequence_size(bytes[usize(size - back)]) > back
               ? back
               : 0;
  }
  return 0;
}

}  // namespace lm::text

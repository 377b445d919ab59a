#pragma once
// The seeded strings of scripts/unicode_digests whose characters are of every boundary class.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.h"
#include "text/utf8.h"

namespace lm::text {

/// SHA-256 over the parts that cut makes of each string.
inline std::string digest_boundaries(
    const std::function<void(std::string_view, std::vector<std::string_view>&)>& cut) {
  constexpr char32_t kMembers[] = {
      0x0D,  0x0A,   0x85,    0x2028,  0x0B,    0x300,  0x200D, 0xAD,   0x200E, 0x20,
      0x20,  0x20,   0x3000,  0xA0,    0x61,    0x62,   0x61,   0x41,   0x42,   0x5D0,
      0x5D1, 0x30A2, 0x30A3,  0x30,    0x31,    0x39,   0x2E,   0x2E,   0x2E,   0x2024,
      0x21,  0x3F,   0x3002,  0x29,    0x22,    0x27,   0x201D, 0x2C,   0x2D,   0x3A,
      0x3B,  0x5F,   0x1F1E6, 0x1F1FA, 0x1F600, 0x2764, 0xFE0F, 0x4E00, 0xE01,  0x1F3FB,
      0x66B, 0x2019, 0xB7,    0x28,    0x661,   0x1C5,  0x3042, 0x40};
  u64 x = 54321;
  const auto draw = [&x] {
    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    return x >> 33;
  };
  std::string all;
  std::vector<std::string_view> parts;
  for (int i = 0; i < 20000; ++i) {
    std::string s;
    const u64 n = 1 + draw() % 16;
    for (u64 k = 0; k < n; ++k)
      append_utf8(s, kMembers[draw() % std::size(kMembers)]);
    cut(s, parts);
    for (std::size_t k = 0; k < parts.size(); ++k)
      all.append(k > 0 ? "\x1F" : "").append(parts[k]);
    all += '\x1E';
  }
  return sha256_hex(all);
}

}  // namespace lm::text

#pragma once
// Counter-based randomness: Philox 4x32-10 (Salmon et al. 2011). A draw is a pure function of
// (key, counter); nothing holds generator state, so results never depend on threads or order.

#include <array>
#include <cmath>
#include <string_view>

#include "core/hash.h"
#include "core/types.h"

namespace lm {

using Philox4 = std::array<u32, 4>;

/// Ten rounds. Known answer: counter 0, key 0 -> 6627e8d5 e169c58d bc57ac4c 9b00dbd8.
constexpr Philox4 philox(Philox4 counter, std::array<u32, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const u64 p0 = u64{0xD2511F53u} * counter[0];
    const u64 p1 = u64{0xCD9E8D57u} * counter[2];
    counter = {static_cast<u32>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<u32>(p1),
               static_cast<u32>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<u32>(p0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

/// Uniform in the open interval (0,1) with 53 bits, from two 32-bit words.
constexpr f64 uniform53(u32 w0, u32 w1) {
  return (static_cast<f64>(w0 >> 5) * 67108864.0 + static_cast<f64>(w1 >> 6) + 0.5) *
         (1.0 / 9007199254740992.0);
}

/// What a stream of draws is for; part of the key, so that purposes never share numbers.
enum class RandomPurpose : u32 {
  kInit = 1,
  kDropout = 2,
  kDataOrder = 3,
  kSampling = 4,
  kRounding = 5,
  kDiffusion = 6,
  kOther = 7,
};

/// Draws number 0,1,2,... of one (seed, purpose, stream) triple, by index.
class RandomStream {
 public:
  RandomStream(u64 seed, RandomPurpose purpose, u64 stream = 0)
      : key_{static_cast<u32>(mix64(seed)),
             static_cast<u32>(mix64(seed) >> 32) ^ static_cast<u32>(purpose) * 0x9E3779B9u},
        stream_(stream) {}
  u64 bits(u64 index) const {
    const Philox4 w = philox({static_cast<u32>(index >> 1), static_cast<u32>(index >> 33),
                              static_cast<u32>(stream_), static_cast<u32>(stream_ >> 32)},
                             key_);
    return index & 1 ? (u64{w[2]} << 32 | w[3]) : (u64{w[0]} << 32 | w[1]);
  }
  /// Uniform in (0,1).
  f64 uniform(u64 index) const {
    const u64 b = bits(index);
    return uniform53(static_cast<u32>(b >> 32), static_cast<u32>(b));
  }
  /// Integer in [0, bound), bound > 0, by multiply-shift (bias below 2^-32 for bound < 2^32).
  u64 below(u64 index, u64 bound) const {
    __extension__ using u128 = unsigned __int128;
    return static_cast<u64>((static_cast<u128>(bits(index)) * bound) >> 64);
  }
  /// Standard normal by Box-Muller from draws 2*index and 2*index+1.
  f64 normal(u64 index) const {
    return std::sqrt(-2.0 * std::log(uniform(2 * index))) *
           std::cos(6.283185307179586476925 * uniform(2 * index + 1));
  }

 private:
  std::array<u32, 2> key_;
  u64 stream_;
};

}  // namespace lm

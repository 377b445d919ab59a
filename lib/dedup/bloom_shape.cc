#include <algorithm>
#include <cmath>

#include "core/str.h"
#include "dedup/bloom.h"

namespace lm::dedup {

namespace {

constexpr f64 kBlockBits = 512;
constexpr i64 kUnitBits = kKeyParts * 512;  // every sub-filter is whole 64-byte lines
constexpr i64 kMaxKeys = i64{1} << 45;      // so that sizes in bits stay far from overflow
constexpr i64 kMaxClassicK = 64;
constexpr i64 kMaxBlockedK = 28;  // four 63-bit words of 9-bit fields

/// Mean of f over a Poisson count with the given mean. Exact sum for small means, else a normal
/// quadrature over +-8 standard deviations.
template <typename F>
f64 poisson_mean(f64 mean, F&& f) {
  const f64 sd = std::sqrt(mean);
  f64 sum = 0;
  f64 weight_sum = 0;
  if (mean <= 2000) {
    const i64 first = std::max<i64>(0, static_cast<i64>(mean - 12 * sd - 20));
    const i64 last = static_cast<i64>(mean + 12 * sd + 40);
    for (i64 j = first; j <= last; ++j) {
      const f64 x = static_cast<f64>(j);
      const f64 w = mean == 0 ? (j == 0 ? 1.0 : 0.0)
                              : std::exp(x * std::log(mean) - mean - std::lgamma(x + 1));
      sum += w * f(x);
      weight_sum += w;
    }
  } else {
    for (f64 z = -8; z <= 8; z += 0.25) {
      const f64 w = std::exp(-z * z / 2);
      sum += w * f(mean + z * sd);
      weight_sum += w;
    }
  }
  return sum / weight_sum;
}

f64 classic_rate(f64 bits, f64 k, f64 keys) {
  return std::pow(-std::expm1(k * keys * std::log1p(-1 / bits)), k);
}

/// E[f^k] of the share f of set bits after k * keys throws into 512 bins, to second order in f.
f64 block_rate(f64 k, f64 keys) {
  const f64 throws = k * keys;
  if (throws == 0) return 0;
  const f64 empty = std::pow(1 - 1 / kBlockBits, throws);
  const f64 two_empty = std::pow(1 - 2 / kBlockBits, throws);
  const f64 variance =
      std::max(0.0, empty / kBlockBits + (1 - 1 / kBlockBits) * two_empty - empty * empty);
  const f64 fill = 1 - empty;
  return std::min(1.0, std::pow(fill, k) * (1 + k * (k - 1) / 2 * variance / (fill * fill)));
}

/// The k with the lowest rate, found downhill from the fill-one-half rule (the rate has one
/// valley).
BloomShape with_best_k(BloomScheme scheme, i64 bits, i64 n) {
  const i64 most = scheme == BloomScheme::kClassic ? kMaxClassicK : kMaxBlockedK;
  const f64 rule = static_cast<f64>(bits) / static_cast<f64>(n) * std::log(2.0);
  BloomShape best{scheme, std::clamp<i64>(std::llround(std::min(rule, 64.0)), 1, most), bits};
  f64 rate = bloom_fpr(best, n);
  for (const i64 step : {-1, 1}) {
    for (;;) {
      const BloomShape other{scheme, best.k + step, bits};
      if (other.k < 1 || other.k > most) break;
      const f64 other_rate = bloom_fpr(other, n);
      if (other_rate >= rate) break;
      best = other;
      rate = other_rate;
    }
  }
  return best;
}

void check_count(i64 n) {
  if (n < 1 || n > kMaxKeys) {
    throw Error(ErrorKind::kUsage, cat("a Bloom filter needs the expected number of keys (1 to ",
                                       kMaxKeys, "), got ", n));
  }
}

}  // namespace

f64 bloom_fpr(const BloomShape& shape, i64 n) {
  const f64 k = static_cast<f64>(shape.k);
  if (shape.scheme == BloomScheme::kClassic) {
    const f64 bits = static_cast<f64>(shape.bits) / kKeyParts;
    return poisson_mean(static_cast<f64>(n) / kKeyParts,
                        [=](f64 keys) { return classic_rate(bits, k, keys); });
  }
  return poisson_mean(static_cast<f64>(n) * kBlockBits / static_cast<f64>(shape.bits),
                      [=](f64 keys) { return block_rate(k, keys); });
}

BloomShape bloom_shape(i64 n, f64 p, std::optional<BloomScheme> scheme) {
  check_count(n);
  if (!(p >= 1e-15 && p <= 0.5)) {
    throw Error(ErrorKind::kUsage,
                cat("false-positive rate ", p, " is outside the range 1e-15 to 0.5"));
  }
  const BloomScheme chosen =
      scheme.value_or(p >= 1e-4 ? BloomScheme::kBlocked : BloomScheme::kClassic);
  i64 low = 0;  // in units; too small
  i64 high = 1;
  while (bloom_fpr(with_best_k(chosen, high * kUnitBits, n), n) > p) {
    low = high;
    high *= 2;
  }
  while (high - low > std::max<i64>(1, high / 4096)) {
    const i64 middle = low + (high - low) / 2;
    (bloom_fpr(with_best_k(chosen, middle * kUnitBits, n), n) > p ? low : high) = middle;
  }
  return with_best_k(chosen, high * kUnitBits, n);
}

BloomShape bloom_shape_in(i64 bytes, i64 n, std::optional<BloomScheme> scheme) {
  check_count(n);
  const i64 units = bytes / (kUnitBits / 8);
  if (units < 1) {
    throw Error(ErrorKind::kUsage,
                cat("a Bloom filter needs at least ", kUnitBits / 8, " bytes, got ", bytes));
  }
  const BloomShape classic = with_best_k(BloomScheme::kClassic, units * kUnitBits, n);
  const BloomShape blocked = with_best_k(BloomScheme::kBlocked, units * kUnitBits, n);
  if (scheme) return *scheme == BloomScheme::kClassic ? classic : blocked;
  return bloom_fpr(blocked, n) >= 1e-4 ? blocked : classic;
}

}  // namespace lm::dedup

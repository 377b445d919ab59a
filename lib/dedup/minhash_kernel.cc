#include "dedup/minhash_kernel.h"

#include <algorithm>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lm::dedup {

namespace {

u32 permute(u32 a_low, u32 a_high, u64 c, u64 x) {
  return static_cast<u32>(((u64{a_high} << 32 | a_low) * x + c) >> 32);
}

#if defined(__x86_64__)

// Eight permutations. With a = ah 2^32 + al and x likewise, the high half of a x + c mod 2^64 is
//   high32(al xl + c) + al xh + ah xl  (mod 2^32):
// two 32x32->64 products (even and odd lanes), two 32-bit products, no carries lost because the low
// half of c is added inside the 64-bit product.
struct Lanes {
  __m256i al, ah, c_even, c_odd, least;
};

__attribute__((target("avx2"))) inline Lanes load_lanes(const PermTable& perms, i64 at) {
  Lanes v;
  v.al = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(perms.a_low + at));
  v.ah = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(perms.a_high + at));
  const u64* c = perms.c + at;
  const auto word = [](u64 value) { return static_cast<long long>(value); };
  v.c_even = _mm256_set_epi64x(word(c[6]), word(c[4]), word(c[2]), word(c[0]));
  v.c_odd = _mm256_set_epi64x(word(c[7]), word(c[5]), word(c[3]), word(c[1]));
  v.least = _mm256_set1_epi32(-1);
  return v;
}

__attribute__((target("avx2"))) inline void take(Lanes& v, __m256i xl, __m256i xh) {
  const __m256i even = _mm256_add_epi64(_mm256_mul_epu32(v.al, xl), v.c_even);
  const __m256i odd = _mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(v.al, 32), xl), v.c_odd);
  const __m256i high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
  const __m256i cross =
      _mm256_add_epi32(_mm256_mullo_epi32(v.al, xh), _mm256_mullo_epi32(v.ah, xl));
  v.least = _mm256_min_epu32(v.least, _mm256_add_epi32(high, cross));
}

/// Sixteen permutations stay in registers while all shingles pass.
__attribute__((target("avx2"))) void minima_avx2(const PermTable& perms,
                                                 std::span<const u64> shingles, u32* out) {
  for (i64 at = 0; at < perms.count; at += kPermBlock) {
    Lanes first = load_lanes(perms, at);
    Lanes second = load_lanes(perms, at + 8);
    for (const u64 x : shingles) {
      const __m256i xl = _mm256_set1_epi32(static_cast<int>(static_cast<u32>(x)));
      const __m256i xh = _mm256_set1_epi32(static_cast<int>(static_cast<u32>(x >> 32)));
      take(first, xl, xh);
      take(second, xl, xh);
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + at), first.least);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + at + 8), second.least);
  }
}

#endif

}  // namespace

void minhash_minima_plain(const PermTable& perms, std::span<const u64> shingles, u32* out) {
  std::fill_n(out, perms.count, ~u32{0});
  for (const u64 x : shingles) {
    for (i64 i = 0; i < perms.count; ++i) {
      out[i] = std::min(out[i], permute(perms.a_low[i], perms.a_high[i], perms.c[i], x));
    }
  }
}

void minhash_minima(const PermTable& perms, std::span<const u64> shingles, u32* out) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    minima_avx2(perms, shingles, out);
    return;
  }
#endif
  minhash_minima_plain(perms, shingles, out);
}

}  // namespace lm::dedup

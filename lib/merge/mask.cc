#include "merge/mask.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"
#include "merge/select.h"
#include "merge/vectorised.h"

namespace lm::merge {

namespace {

constexpr i64 kPhiloxLanes = 16;

// lm::philox for counters (group + lane) at once; equal to it word by word (mask_test.cc).
LM_INLINE inline void philox_lanes(u64 seed, u64 group, u32 model, u64 tensor, u32* out) {
  u32 c0[kPhiloxLanes], c1[kPhiloxLanes], c2[kPhiloxLanes], c3[kPhiloxLanes];
  for (i64 j = 0; j < kPhiloxLanes; ++j) {
    const u64 g = group + static_cast<u64>(j);
    c0[j] = static_cast<u32>(g);
    c1[j] = static_cast<u32>(g >> 32) | model << 16;
    c2[j] = static_cast<u32>(tensor);
    c3[j] = static_cast<u32>(tensor >> 32);
  }
  u32 k0 = static_cast<u32>(seed);
  u32 k1 = static_cast<u32>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (i64 j = 0; j < kPhiloxLanes; ++j) {
      const u64 p0 = u64{0xD2511F53u} * c0[j];
      const u64 p1 = u64{0xCD9E8D57u} * c2[j];
      c0[j] = static_cast<u32>(p1 >> 32) ^ c1[j] ^ k0;
      c1[j] = static_cast<u32>(p1);
      c2[j] = static_cast<u32>(p0 >> 32) ^ c3[j] ^ k1;
      c3[j] = static_cast<u32>(p0);
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (i64 j = 0; j < kPhiloxLanes; ++j) {
    out[4 * j] = c0[j];
    out[4 * j + 1] = c1[j];
    out[4 * j + 2] = c2[j];
    out[4 * j + 3] = c3[j];
  }
}

}  // namespace

MaskWords::MaskWords(u64 seed, std::string_view tensor, i64 model)
    : seed_(seed), tensor_(fnv1a64(tensor)), model_(static_cast<u32>(model)) {
  LM_CHECK(model >= 0 && model < 65536, "a model's number has 16 bits in the counter");
}

void MaskWords::fill(i64 first, i64 count, std::vector<u32>& out) const {
  constexpr i64 kStep = 4 * kPhiloxLanes;
  const i64 begin = first / kStep * kStep;
  const i64 end = (first + count + kStep - 1) / kStep * kStep;
  out.resize(usize(end - begin));
  u32* const words = out.data();
  vectorised([&]() LM_INLINE {
    for (i64 at = begin; at < end; at += kStep)
      philox_lanes(seed_, static_cast<u64>(at / 4), model_, tensor_, words + (at - begin));
  });
  if (first > begin) std::copy(out.begin() + (first - begin), out.end(), out.begin());
  out.resize(usize(count));
}

template <class A>
void rank_magnitudes(std::span<const A> values, std::vector<u32>& order, std::vector<u32>& scratch,
                     u32* out) {
  constexpr int kDigit = 11;
  // Zeros come first, in the order of their index: what a fine-tune left as it was is not sorted.
  order.resize(values.size());
  u32 zeros = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool zero = magnitude_key(values[i]) == 0;
    out[i] = zeros;
    order[count] = static_cast<u32>(i);
    zeros += zero ? 1 : 0;
    count += zero ? 0 : 1;
  }
  order.resize(count);
  scratch.resize(count);
  for (int shift = 0; shift < RadixSelect<A>::kBits; shift += kDigit) {
    const auto digit = [&](u32 i) {
      return static_cast<std::size_t>(magnitude_key(values[i]) >> shift) & ((1u << kDigit) - 1);
    };
    std::array<u32, 1 << kDigit> starts{};
    for (const u32 i : order)
      ++starts[digit(i)];
    if (std::find(starts.begin(), starts.end(), static_cast<u32>(count)) != starts.end()) continue;
    u32 before = 0;
    for (u32& start : starts) {
      const u32 here = start;
      start = before;
      before += here;
    }
    for (const u32 i : order)
      scratch[starts[digit(i)]++] = i;
    order.swap(scratch);
  }
  for (std::size_t place = 0; place < count; ++place)
    out[order[place]] = zeros + static_cast<u32>(place);
}

template void rank_magnitudes(std::span<const f32>, std::vector<u32>&, std::vector<u32>&, u32*);
template void rank_magnitudes(std::span<const f64>, std::vector<u32>&, std::vector<u32>&, u32*);

}  // namespace lm::merge

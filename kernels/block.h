#pragma once
// Sums and maxima over a warp or a block. The order is a fixed tree: lanes by butterfly, warps by a
// second butterfly, so every thread holds the same bits and they depend on the block size alone.

#include "device.h"

namespace lm::cu {

template <typename T>
LM_DEVICE T warp_sum(T v) {
  LM_UNROLL
  for (int mask = 16; mask > 0; mask >>= 1)
    v += shfl_xor(v, mask);
  return v;
}
LM_DEVICE f32 warp_max(f32 v) {
  LM_UNROLL
  for (int mask = 16; mask > 0; mask >>= 1) {
    const f32 other = shfl_xor(v, mask);
    v = other > v ? other : v;
  }
  return v;
}

/// Sum over the aligned group of kLanes lanes (a power of two) that the thread belongs to.
template <int kLanes, typename T>
LM_DEVICE T lanes_sum(T v) {
  LM_UNROLL
  for (int mask = kLanes / 2; mask > 0; mask >>= 1)
    v += shfl_xor(v, mask);
  return v;
}

/// Every thread gets the total. Ends in a barrier: the next call may follow at once.
template <typename T>
LM_DEVICE T block_sum(T v) {
  LM_SHARED(T, part, 32);
  v = warp_sum(v);
  const int warps = block_size() / 32;
  if (warps == 1) return v;
  if (lane() == 0) part[warp()] = v;
  sync();
  T mine = lane() < warps ? static_cast<T>(part[lane()]) : T(0);
  mine = warp_sum(mine);
  sync();
  return mine;
}
/// Sums of kCount values at once, each as block_sum makes it, with one barrier: turn must alternate
/// between 0 and 1 from call to call, so that a call's slots are free when it writes them.
template <int kCount>
LM_DEVICE void block_sums(f32 (&v)[kCount], int turn) {
  LM_SHARED(f32, part, 2 * kCount * 32);
  const int warps = block_size() / 32;
  LM_UNROLL
  for (int n = 0; n < kCount; ++n) {
    v[n] = warp_sum(v[n]);
    if (lane() == 0) part[(turn * kCount + n) * 32 + warp()] = v[n];
  }
  sync();
  LM_UNROLL
  for (int n = 0; n < kCount; ++n) {
    const f32 mine =
        lane() < warps ? static_cast<f32>(part[(turn * kCount + n) * 32 + lane()]) : 0.0f;
    v[n] = warp_sum(mine);
  }
}
LM_DEVICE f32 block_max(f32 v) {
  LM_SHARED(f32, part, 32);
  v = warp_max(v);
  const int warps = block_size() / 32;
  if (warps == 1) return v;
  if (lane() == 0) part[warp()] = v;
  sync();
  f32 mine = part[lane() < warps ? lane() : 0];
  mine = warp_max(mine);
  sync();
  return mine;
}

}  // namespace lm::cu

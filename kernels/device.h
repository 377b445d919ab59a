#pragma once
// What kernels may use of a device: thread and block numbers, barriers, warp exchanges, shared
// arrays, 16-byte accesses, launching. Under nvcc these are the hardware's; with LM_EMU the same
// sources compile with g++ and run on the block emulator (emulator.h), which checks them.
//
// LM_BOUNDS(threads, blocks) stands before a kernel's name: at most so many threads a block, and
// registers for at least so many blocks on a multiprocessor. Kernels are one-dimensional, blocks
// have a multiple of 32 threads, and every lane of a warp takes part in every exchange. Shared
// arrays are named by LM_SHARED and indexed, never pointed into.

#include "core/types.h"
#include "runtime.h"

#ifdef LM_EMU

#include <bit>
#include <cmath>

#include "emulator.h"
#define LM_GLOBAL
#define LM_DEVICE inline
#define LM_BOUNDS(threads, blocks)
#define LM_UNROLL
#define LM_NO_UNROLL
#define LM_SHARED(T, name, count) const ::lm::emu::Shared<T> name(__COUNTER__, count)

namespace lm::cu {
inline int thread() {
  return emu::self().thread;
}
inline int block_size() {
  return emu::self().threads;
}
inline i64 block() {
  return emu::self().block;
}
inline i64 grid_size() {
  return emu::self().blocks;
}
inline void sync() {
  emu::block_barrier();
}
inline void sync_warp() {
  emu::warp_barrier();
}
inline int count_bits(u32 x) {
  return std::popcount(x);
}
template <typename T>
inline T shfl(T v, int lane) {
  return emu::exchange(v, lane);
}
template <typename T>
inline T shfl_xor(T v, int mask) {
  return emu::exchange(v, (thread() & 31) ^ mask);
}
inline u32 ballot(bool set) {
  return emu::ballot(set);
}
inline bool claim(i32* word) {
  const bool mine = *word == 0;
  *word = 1;
  return mine;
}
}  // namespace lm::cu

#else

#include <cuda_runtime.h>
#define LM_GLOBAL __global__
#define LM_DEVICE __device__ __forceinline__
#define LM_BOUNDS(threads, blocks) __launch_bounds__(threads, blocks)
#define LM_UNROLL _Pragma("unroll")
#define LM_NO_UNROLL _Pragma("unroll 1")
#define LM_SHARED(T, name, count) __shared__ T name[count]

namespace lm::cu {
LM_DEVICE int thread() {
  return static_cast<int>(threadIdx.x);
}
LM_DEVICE int block_size() {
  return static_cast<int>(blockDim.x);
}
LM_DEVICE i64 block() {
  return static_cast<i64>(blockIdx.x);
}
LM_DEVICE i64 grid_size() {
  return static_cast<i64>(gridDim.x);
}
LM_DEVICE void sync() {
  __syncthreads();
}
/// Orders the warp's accesses to shared arrays.
LM_DEVICE void sync_warp() {
  __syncwarp();
}
LM_DEVICE int count_bits(u32 x) {
  return __popc(x);
}
template <typename T>
LM_DEVICE T shfl(T v, int lane) {
  return __shfl_sync(0xffffffffu, v, lane);
}
template <typename T>
LM_DEVICE T shfl_xor(T v, int mask) {
  return __shfl_xor_sync(0xffffffffu, v, mask);
}
/// Bit l is set where lane l gives true.
LM_DEVICE u32 ballot(bool set) {
  return __ballot_sync(0xffffffffu, set);
}
/// True for the one caller that finds *word zero.
LM_DEVICE bool claim(i32* word) {
  return atomicCAS(word, 0, 1) == 0;
}
}  // namespace lm::cu

#endif

namespace lm::cu {

/// Number of this thread in the grid, and of threads in the grid: the grid-stride loop's i and
/// step.
LM_DEVICE i64 index() {
  return block() * block_size() + thread();
}
LM_DEVICE i64 stride() {
  return grid_size() * block_size();
}
LM_DEVICE int lane() {
  return thread() & 31;
}
LM_DEVICE int warp() {
  return thread() >> 5;
}

/// Four consecutive f32 moved by one 16-byte access; the address must be a multiple of 16.
struct alignas(16) Four {
  f32 v[4];
};
LM_DEVICE Four load4(const f32* p) {
#ifdef LM_EMU
  emu::require_aligned(p, 16);
#endif
  return *reinterpret_cast<const Four*>(p);
}
LM_DEVICE void store4(f32* p, const Four& x) {
#ifdef LM_EMU
  emu::require_aligned(p, 16);
#endif
  *reinterpret_cast<Four*>(p) = x;
}

/// A grid never exceeds this: enough to fill any device, and a function of nothing else, so that a
/// kernel's work split does not depend on the device.
inline constexpr i64 kMaxBlocks = 4096;
inline i64 blocks_for(i64 items, i64 per_block) {
  const i64 blocks = (items + per_block - 1) / per_block;
  return blocks < kMaxBlocks ? blocks : kMaxBlocks;
}
/// Threads of a block that owns a row of `cols`: four elements each, whole warps, at most 256.
inline int row_threads(i64 cols) {
  const i64 warps = (cols + 127) / 128;
  return static_cast<int>(32 * (warps < 1 ? 1 : warps > 8 ? 8 : warps));
}
inline bool aligned16(const void* p) {
  return reinterpret_cast<std::uintptr_t>(p) % 16 == 0;
}

/// Starts kernel(args...) on `blocks` blocks with shared_bytes of dynamic shared memory each
/// (mma.h); nothing when blocks is 0. `name` is for messages.
template <typename... P, typename... A>
void launch_shared(const char* name, void (*kernel)(P...), i64 blocks, int threads,
                   i64 shared_bytes, Stream* stream, A... args) {
  if (blocks <= 0) return;
#ifdef LM_EMU
  static_cast<void>(stream);
  emu::run(
      name, blocks, threads, [&] { kernel(args...); }, shared_bytes);
#else
  if (shared_bytes > 48 * 1024) {  // a refusal is reported by the launch
    cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         static_cast<int>(shared_bytes));
  }
  kernel<<<static_cast<unsigned>(blocks), static_cast<unsigned>(threads),
           static_cast<std::size_t>(shared_bytes), reinterpret_cast<cudaStream_t>(stream)>>>(
      args...);
  cuda::check_launch(name);
#endif
}
template <typename... P, typename... A>
void launch(const char* name, void (*kernel)(P...), i64 blocks, int threads, Stream* stream,
            A... args) {
  launch_shared(name, kernel, blocks, threads, 0, stream, args...);
}

}  // namespace lm::cu

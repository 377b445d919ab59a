#include "cpu/peak.h"

#include <algorithm>
#include <vector>

#include "core/clock.h"
#include "core/parallel.h"

namespace lm::cpu {
namespace {

constexpr i64 kSteps = 200000;
constexpr int kChains = 12;  // latency 4 cycles, two units, and some to spare

#if defined(__x86_64__)
typedef f32 V8 __attribute__((vector_size(32)));
typedef f32 V16 __attribute__((vector_size(64)));

// The chains stay in registers only when their loops are unrolled. The results leave through sink,
// so that no loop is optimised away; values stay near 1.
__attribute__((target("avx512f"))) void loop512(f32* sink) {
  V16 sum[kChains];
  V16 x = {};
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i)
    sum[i] = x + static_cast<f32>(i);
  x += 0.5f;
  for (i64 step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i)
      asm("vfmadd213ps %1, %1, %0" : "+v"(sum[i]) : "v"(x));
#pragma GCC unroll 12
  for (int i = 1; i < kChains; ++i)
    sum[0] += sum[i];
  *sink = sum[0][0];
}

__attribute__((target("avx2,fma"))) void loop256(f32* sink) {
  V8 sum[kChains];
  V8 x = {};
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i)
    sum[i] = x + static_cast<f32>(i);
  x += 0.5f;
  for (i64 step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i)
      asm("vfmadd213ps %1, %1, %0" : "+x"(sum[i]) : "x"(x));
#pragma GCC unroll 12
  for (int i = 1; i < kChains; ++i)
    sum[0] += sum[i];
  *sink = sum[0][0];
}
#endif

typedef f32 V4 __attribute__((vector_size(16)));

void loop128(f32* sink) {
  V4 sum[kChains];
  V4 x = {0.5f, 0.5f, 0.5f, 0.5f};
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i)
    sum[i] = x * static_cast<f32>(i);
  for (i64 step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i)
      sum[i] = sum[i] * x + x;
#pragma GCC unroll 12
  for (int i = 1; i < kChains; ++i)
    sum[0] += sum[i];
  *sink = sum[0][0];
}

struct Loop {
  void (*run)(f32* sink);
  f64 flops_per_step;
};

Loop best_loop() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return {loop512, 2.0 * 16 * kChains};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {loop256, 2.0 * 8 * kChains};
#endif
  return {loop128, 2.0 * 4 * kChains};
}

}  // namespace

f64 calibrated_peak() {
  const Loop loop = best_loop();
  const i64 threads = max_threads();
  std::vector<f32> sinks(usize(threads * 16));
  f64 best = 0;
  for (int round = 0; round < 64; ++round) {
    const f64 start_s = monotonic_s();
    parallel_for(threads, 1, [&](i64 begin, i64 end) {
      for (i64 t = begin; t < end; ++t)
        loop.run(&sinks[usize(t * 16)]);
    });
    const f64 flops = loop.flops_per_step * static_cast<f64>(kSteps * threads);
    best = std::max(best, flops / std::max(1e-9, monotonic_s() - start_s));
  }
  return best;
}

}  // namespace lm::cpu

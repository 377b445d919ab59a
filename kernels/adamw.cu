// AdamW: each parameter from its own gradient and moments, by one thread, f32. Reads 16 and writes
// 12 bytes a parameter, 2 more for the bf16 copy.
// H200, by test-gpu [figures] (a copy: 3.86 TB/s): 3.98 TB/s.

#include "adamw.h"
#include "element.h"

namespace lm::cuda {

namespace {

constexpr int kThreads = 256;

// One parameter; the new weight.
LM_DEVICE f32 adamw_element(const AdamW& a, f32 grad, f32 old, f32& m, f32& v) {
  const f32 g = a.grad_scale * grad;
  const f32 mean = a.beta1 * m + (1.0f - a.beta1) * g;
  const f32 square = a.beta2 * v + (1.0f - a.beta2) * (g * g);
  const f32 update = mean / a.correction1 / (sqrtf(square / a.correction2) + a.eps);
  const bool decays = !a.cautious || update * old > 0.0f;
  m = mean;
  v = square;
  return old - a.lr * (update + (decays ? a.weight_decay * old : 0.0f));
}

struct alignas(8) Copy4 {
  Bf16 v[4];
};

// Elements [begin, n), one a thread.
LM_GLOBAL void adamw_step(i64 begin, i64 n, AdamW a, const f32* grad, f32* w, f32* m, f32* v,
                          u16* copy) {
  for (i64 i = begin + cu::index(); i < n; i += cu::stride()) {
    f32 mean = m[i];
    f32 square = v[i];
    const f32 now = adamw_element(a, grad[i], w[i], mean, square);
    m[i] = mean;
    v[i] = square;
    w[i] = now;
    if (copy != nullptr) copy[i] = narrow<Bf16>(now).bits;
  }
}

// Four elements a thread: four 16-byte loads in flight, one of 8 bytes written for the copy.
LM_GLOBAL LM_BOUNDS(kThreads, 4) void adamw_packs(i64 packs, AdamW a, const f32* grad, f32* w,
                                                  f32* m, f32* v, u16* copy) {
  for (i64 i = cu::index(); i < packs; i += cu::stride()) {
    const cu::Four g = cu::load4(grad + 4 * i);
    cu::Four weight = cu::load4(w + 4 * i);
    cu::Four mean = cu::load4(m + 4 * i);
    cu::Four square = cu::load4(v + 4 * i);
    Copy4 rounded;
    LM_UNROLL
    for (int k = 0; k < 4; ++k) {
      weight.v[k] = adamw_element(a, g.v[k], weight.v[k], mean.v[k], square.v[k]);
      rounded.v[k] = narrow<Bf16>(weight.v[k]);
    }
    cu::store4(m + 4 * i, mean);
    cu::store4(v + 4 * i, square);
    cu::store4(w + 4 * i, weight);
    if (copy != nullptr) *reinterpret_cast<Copy4*>(copy + 4 * i) = rounded;
  }
}

}  // namespace

void adamw(i64 n, const AdamW& cfg, const f32* grad, f32* w, f32* m, f32* v, u16* copy,
           Stream* stream) {
  const bool packs = cu::aligned16(grad) && cu::aligned16(w) && cu::aligned16(m) &&
                     cu::aligned16(v) && reinterpret_cast<std::uintptr_t>(copy) % 8 == 0;
  const i64 done = packs ? n / 4 * 4 : 0;
  cu::launch("adamw", adamw_packs, cu::blocks_for(done / 4, kThreads), kThreads, stream, done / 4,
             cfg, grad, w, m, v, copy);
  cu::launch("adamw", adamw_step, cu::blocks_for(n - done, kThreads), kThreads, stream, done, n,
             cfg, grad, w, m, v, copy);
}

}  // namespace lm::cuda

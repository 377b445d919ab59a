#pragma once
// The numbers of one AdamW step, for every backend's slab function.

#include "core/types.h"

namespace lm {

/// Decoupled weight decay (Loshchilov & Hutter 2019). g = grad_scale * grad;
/// m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; w -= lr * (m/c1 / (sqrt(v/c2) + eps) + decay * w)
/// with c1 = 1 - b1^t, c2 = 1 - b2^t computed by the caller. cautious: decay only where the update
/// has the sign of w.
struct AdamWStep {
  f32 lr = 0, beta1 = 0.9f, beta2 = 0.95f, eps = 1e-8f, weight_decay = 0;
  f32 correction1 = 1, correction2 = 1;
  f32 grad_scale = 1;
  bool cautious = false;
};

}  // namespace lm

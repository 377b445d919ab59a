#pragma once
// The optimizer's step over flat slabs.

#include "graph/adamw.h"

namespace lm {
struct Stream;
}

namespace lm::cuda {

/// Over flat slabs, formulas as graph/adamw.h. copy: null, or where the bf16 copy of w goes.
using AdamW = AdamWStep;
void adamw(i64 n, const AdamW& cfg, const f32* grad, f32* w, f32* m, f32* v, u16* copy,
           Stream* stream);

}  // namespace lm::cuda

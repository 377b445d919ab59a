#pragma once
// How the drivers cut rows: enough work per task to pay for the hand-over (about 5 microseconds),
// and parameter gradients in chunks fixed by shape.

#include <algorithm>

#include "core/parallel.h"
#include "cpu/isa.h"
#include "cpu/norm.h"
#include "cpu/scratch.h"

namespace lm::cpu {

constexpr i64 kFlatGrain =
    32768;  // elements of a streaming loop per task, a multiple of any vector

/// f(row) for every row; `work` is the cost of a row in streamed elements.
template <typename F>
void for_rows(i64 rows, i64 work, F f) {
  const i64 grain = std::max<i64>(1, kFlatGrain / std::max<i64>(1, work));
  parallel_for(rows, grain, [&](i64 begin, i64 end) {
    for (i64 r = begin; r < end; ++r)
      f(r);
  });
}

/// out[c] += sum over chunks of kParamChunk rows, in chunk order, of what f(r0, r1, partial) writes
/// to partial [cols]. out may be null: f still runs (with partial null).
template <typename F>
void sum_chunks(i64 rows, i64 cols, f32* out, F f) {
  if (rows <= 0) return;
  const i64 chunks = (rows + kParamChunk - 1) / kParamChunk;
  const Scratch partial(out != nullptr ? chunks * cols : 0);
  parallel_for(chunks, 1, [&](i64 begin, i64 end) {
    for (i64 c = begin; c < end; ++c) {
      f(c * kParamChunk, std::min(rows, (c + 1) * kParamChunk),
        out != nullptr ? partial.data() + c * cols : nullptr);
    }
  });
  if (out == nullptr) return;
  const isa::Kernels& isa = active();
  for (i64 c = 0; c < chunks; ++c)
    isa.add(cols, out, partial.data() + c * cols, out);
}

}  // namespace lm::cpu

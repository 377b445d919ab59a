#pragma once
// Functions over flat f32 slabs that no operator needs.

#include "core/types.h"

namespace lm {
struct Stream;
}

namespace lm::cuda {

inline constexpr i64 kMostPartials = 1024;
/// Numbers that square_sums writes for n elements, at most kMostPartials.
i64 square_sum_count(i64 n);
/// partial[b] = the sum of squares of part b of x; their sum, in order, is that of all. f64.
void square_sums(i64 n, const f32* x, f64* partial, Stream* stream);

}  // namespace lm::cuda

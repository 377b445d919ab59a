// Linear layers on a few rows. A warp makes kOutputs neighbouring outputs of all rows: its lanes
// take the packs of a weight row in turn, kAheadOf of them in flight, and multiply each with the
// same pack of every row of x, which the first-level cache holds. Sums are fmaf in the order of the
// packs, then a butterfly over the lanes: the same operations whatever the number of rows. Bytes
// moved: the weights, once. No card has timed this kernel yet.

#include "block.h"
#include "functions.h"
#include "held.h"
#include "linear_rows.h"

namespace lm::cuda {

namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;
template <int kRows>
constexpr int kOutputs = kRows < 4 ? 1 : 2;
template <int kRows>
constexpr int kAheadOf = kRows < 4 ? 8 : 4;

template <typename T, typename Y, int kRows>
LM_GLOBAL LM_BOUNDS(kThreads, 4) void multiply_rows(LinearRows<T> l, Y* y, i64 ldy) {
  constexpr int kOut = kOutputs<kRows>;
  constexpr int kAhead = kAheadOf<kRows>;
  constexpr int kCount = Pack<T>::kCount;
  const i64 packs = l.k / kCount;
  const i64 items = (l.n + kOut - 1) / kOut;
  const i64 warps = cu::grid_size() * kWarps;
  for (i64 item = cu::block() * kWarps + cu::warp(); item < items; item += warps) {
    const i64 first = item * kOut;
    f32 sum[kOut][kRows];
    LM_UNROLL
    for (int o = 0; o < kOut; ++o) {
      LM_UNROLL
      for (int r = 0; r < kRows; ++r)
        sum[o][r] = 0;
    }
    for (i64 begin = cu::lane(); begin < packs; begin += 32 * kAhead) {
      Held<T> weight[kAhead][kOut];
      LM_UNROLL
      for (int u = 0; u < kAhead; ++u) {
        const i64 p = begin + 32 * u;
        LM_UNROLL
        for (int o = 0; o < kOut; ++o)
          if (p < packs && first + o < l.n)
            weight[u][o] = hold(l.w + (first + o) * l.ldw + p * kCount);
      }
      LM_UNROLL
      for (int u = 0; u < kAhead; ++u) {
        const i64 p = begin + 32 * u;
        if (p >= packs) break;
        LM_UNROLL
        for (int r = 0; r < kRows; ++r) {
          if (r >= l.rows) break;
          const Held<T> x = hold(l.x + r * l.ldx + p * kCount);
          LM_UNROLL
          for (int i = 0; i < kCount; ++i) {
            LM_UNROLL
            for (int o = 0; o < kOut; ++o)
              sum[o][r] = fmaf(x.at(i), weight[u][o].at(i), sum[o][r]);
          }
        }
      }
    }
    LM_UNROLL
    for (int o = 0; o < kOut; ++o) {
      LM_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const f32 total = cu::warp_sum(sum[o][r]);
        const i64 c = first + o;
        if (cu::lane() != r || r >= l.rows || c >= l.n) continue;
        f32 v = total;
        if (l.bias != nullptr) v += widen(l.bias[c]);
        if (l.residual != nullptr) v += widen(l.residual[r * l.ld_residual + c]);
        y[r * ldy + c] = narrow<Y>(apply<T>(l.f, v, 0.0f));
      }
    }
  }
}

template <int kRows, typename T, typename Y>
void run(const LinearRows<T>& l, Y* y, i64 ldy, Stream* stream) {
  const i64 items = (l.n + kOutputs<kRows> - 1) / kOutputs<kRows>;
  cu::launch("linear_rows", multiply_rows<T, Y, kRows>, cu::blocks_for(items, kWarps), kThreads,
             stream, l, y, ldy);
}

}  // namespace

template <typename T>
bool few_rows(const LinearRows<T>& l) {
  return l.rows >= 1 && l.rows <= kFewRows && l.k % Pack<T>::kCount == 0 && packable(l.x, l.ldx) &&
         packable(l.w, l.ldw);
}

template <typename T, typename Y>
void linear_rows(const LinearRows<T>& l, Y* y, i64 ldy, Stream* stream) {
  if (l.rows == 1) {
    run<1>(l, y, ldy, stream);
  } else if (l.rows == 2) {
    run<2>(l, y, ldy, stream);
  } else if (l.rows <= 4) {
    run<4>(l, y, ldy, stream);
  } else {
    run<8>(l, y, ldy, stream);
  }
}

template bool few_rows(const LinearRows<f32>&);
template bool few_rows(const LinearRows<Bf16>&);
template void linear_rows(const LinearRows<f32>&, f32*, i64, Stream*);
template void linear_rows(const LinearRows<Bf16>&, Bf16*, i64, Stream*);
template void linear_rows(const LinearRows<Bf16>&, f32*, i64, Stream*);

}  // namespace lm::cuda

// Rotary positions. x, y [rows, cols] of T (f32, bf16). A thread reads both components of its pairs
// before it writes them, so y may be x; otherwise the components that are not rotated are copied.
// With rows of whole packs at 16-byte boundaries an item is the pairs of two packs (of one,
// interleaved) or a pack to copy, all in one kernel; else a pair or a component.
// H200, test-gpu [figures], bf16 (a copy: 3.86 TB/s): 3.94 TB/s, in place 3.75.

#include "divide.h"
#include "held.h"
#include "report.h"
#include "rope.h"

namespace lm::cuda {

namespace {

LM_DEVICE i32 position(const Rope& p, i64 r, Fault* fault) {
  const i32 pos = p.pos[r];
  if (pos >= 0 && pos < p.positions) return pos;
  report(fault, FaultKind::kPosition, r, pos, p.positions);
  return 0;
}

// Items of a row: the packs to rotate, head by head, then packs to copy: those behind the heads,
// then head by head those behind the rotated ones.
struct RopeItems {
  Divider per_row;
  Divider rotated;  // items of a head
  Divider rest;     // packs of a head that are not rotated (1 if there are none)
  u32 count = 0;
  int rotations = 0;
  int tail = 0;
};

template <typename T, bool kInterleaved>
LM_GLOBAL void rope_packs(Rope p, RopeItems items, const T* x, i64 ldx, T* y, i64 ldy,
                          Fault* fault) {
  constexpr int kCount = Pack<T>::kCount;
  const int half = static_cast<int>(p.rotary_dim) / 2;
  const int head_dim = static_cast<int>(p.head_dim);
  const int heads = static_cast<int>(p.heads);
  for (u32 i = static_cast<u32>(cu::index()); i < items.count;
       i += static_cast<u32>(cu::stride())) {
    const u32 r = items.per_row.quotient(i);
    const T* from = x + i64{r} * ldx;
    T* to = y + i64{r} * ldy;
    int j = static_cast<int>(i - r * items.per_row.by());
    if (j >= items.rotations) {
      j -= items.rotations;
      int at = heads * head_dim + j * kCount;
      if (j >= items.tail) {
        j -= items.tail;
        const int head = static_cast<int>(items.rest.quotient(static_cast<u32>(j)));
        j -= head * static_cast<int>(items.rest.by());
        at = head * head_dim + 2 * half + j * kCount;
      }
      put(to + at, hold(from + at));
      continue;
    }
    const int head = static_cast<int>(items.rotated.quotient(static_cast<u32>(j)));
    j -= head * static_cast<int>(items.rotated.by());
    const int at = head * head_dim + j * kCount;
    const i64 line = i64{position(p, r, fault)} * half;
    const f32 sign = p.inverse ? -1.0f : 1.0f;
    if constexpr (kInterleaved) {
      const Held<T> a = hold(from + at);
      const f32* cos = p.cos + line + j * (kCount / 2);
      const f32* sin = p.sin + line + j * (kCount / 2);
      f32 out[kCount];
      LM_UNROLL
      for (int k = 0; k < kCount; k += 2) {
        const f32 c = cos[k / 2];
        const f32 s = sign * sin[k / 2];
        out[k] = a.at(k) * c - a.at(k + 1) * s;
        out[k + 1] = a.at(k + 1) * c + a.at(k) * s;
      }
      put(to + at, hold_narrowed<T>(out));
    } else {
      const Held<T> a = hold(from + at);
      const Held<T> b = hold(from + at + half);
      f32 out_a[kCount];
      f32 out_b[kCount];
      LM_UNROLL
      for (int part = 0; part < kCount; part += 4) {
        const cu::Four cos = cu::load4(p.cos + line + j * kCount + part);
        const cu::Four sin = cu::load4(p.sin + line + j * kCount + part);
        LM_UNROLL
        for (int k = 0; k < 4; ++k) {
          const f32 c = cos.v[k];
          const f32 s = sign * sin.v[k];
          out_a[part + k] = a.at(part + k) * c - b.at(part + k) * s;
          out_b[part + k] = b.at(part + k) * c + a.at(part + k) * s;
        }
      }
      put(to + at, hold_narrowed<T>(out_a));
      put(to + at + half, hold_narrowed<T>(out_b));
    }
  }
}

template <typename T>
LM_GLOBAL void rotate(Rope p, const T* x, i64 ldx, T* y, i64 ldy, Fault* fault) {
  const i64 half = p.rotary_dim / 2;
  const i64 per_row = p.heads * half;
  for (i64 i = cu::index(); i < p.rows * per_row; i += cu::stride()) {
    const i64 r = i / per_row;
    const i64 in_row = i - r * per_row;
    const i64 head = in_row / half;
    const i64 j = in_row - head * half;
    const i64 line = i64{position(p, r, fault)} * half;
    const f32 c = p.cos[line + j];
    const f32 s = p.inverse ? -p.sin[line + j] : p.sin[line + j];
    const i64 at = head * p.head_dim + (p.interleaved ? 2 * j : j);
    const i64 step = p.interleaved ? 1 : half;
    const f32 a = widen(x[r * ldx + at]);
    const f32 b = widen(x[r * ldx + at + step]);
    y[r * ldy + at] = narrow<T>(a * c - b * s);
    y[r * ldy + at + step] = narrow<T>(b * c + a * s);
  }
}

template <typename T>
LM_GLOBAL void copy_rest(Rope p, const T* x, i64 ldx, T* y, i64 ldy) {
  for (i64 i = cu::index(); i < p.rows * p.cols; i += cu::stride()) {
    const i64 r = i / p.cols;
    const i64 c = i - r * p.cols;
    const bool rotated = c < p.heads * p.head_dim && c % p.head_dim < p.rotary_dim;
    if (!rotated) y[r * ldy + c] = x[r * ldx + c];
  }
}

// False where rows are not whole packs.
template <typename T>
bool rope_by_packs(const Rope& p, const T* x, i64 ldx, T* y, i64 ldy, Fault* fault,
                   Stream* stream) {
  constexpr i64 kCount = Pack<T>::kCount;
  const i64 unit = p.interleaved ? p.rotary_dim : p.rotary_dim / 2;
  if (unit % kCount != 0 || p.rotary_dim == 0 || p.head_dim % kCount != 0 || p.cols % kCount != 0 ||
      !packable(x, ldx) || !packable(y, ldy) || !cu::aligned16(p.cos) || !cu::aligned16(p.sin) ||
      p.cols >= (i64{1} << 30) || !small_count(p.rows * (p.cols / kCount))) {
    return false;
  }
  const i64 rest = (p.head_dim - p.rotary_dim) / kCount;
  const i64 tail = (p.cols - p.heads * p.head_dim) / kCount;
  const i64 rotations = p.heads * (unit / kCount);
  const i64 copies = x == y ? 0 : tail + p.heads * rest;
  if (rotations + copies == 0) return true;
  RopeItems items{Divider(rotations + copies), Divider(unit / kCount),
                  Divider(rest == 0 ? 1 : rest)};
  items.count = static_cast<u32>(p.rows * (rotations + copies));
  items.rotations = static_cast<int>(rotations);
  items.tail = static_cast<int>(tail);
  cu::launch("rope", p.interleaved ? rope_packs<T, true> : rope_packs<T, false>,
             cu::blocks_for(items.count, 256), 256, stream, p, items, x, ldx, y, ldy, fault);
  return true;
}

}  // namespace

template <typename T>
void rope(const Rope& p, const T* x, i64 ldx, T* y, i64 ldy, Fault* fault, Stream* stream) {
  if (rope_by_packs(p, x, ldx, y, ldy, fault, stream)) return;
  const i64 pairs = p.rows * p.heads * (p.rotary_dim / 2);
  cu::launch("rope", rotate<T>, cu::blocks_for(pairs, 256), 256, stream, p, x, ldx, y, ldy, fault);
  if (x == y) return;
  cu::launch("rope_copy", copy_rest<T>, cu::blocks_for(p.rows * p.cols, 256), 256, stream, p, x,
             ldx, y, ldy);
}

template void rope(const Rope&, const f32*, i64, f32*, i64, Fault*, Stream*);
template void rope(const Rope&, const Bf16*, i64, Bf16*, i64, Fault*, Stream*);

}  // namespace lm::cuda

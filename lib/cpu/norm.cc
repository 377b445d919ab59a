#include "cpu/norm.h"

#include "core/error.h"
#include "cpu/rows.h"

namespace lm::cpu {

void layernorm_forward(const NormForward& args) {
  if (args.rows <= 0 || args.cols <= 0) return;
  LM_CHECK(args.add == nullptr || args.sum != nullptr,
           "a fused residual needs a place for the sum");
  const isa::Kernels& isa = active();
  for_rows(args.rows, 3 * args.cols, [&](i64 r) { isa.layernorm_forward(args, r, r + 1); });
}

void rmsnorm_forward(const NormForward& args) {
  if (args.rows <= 0 || args.cols <= 0) return;
  LM_CHECK(args.add == nullptr || args.sum != nullptr,
           "a fused residual needs a place for the sum");
  const isa::Kernels& isa = active();
  for_rows(args.rows, 2 * args.cols, [&](i64 r) { isa.rmsnorm_forward(args, r, r + 1); });
}

void layernorm_backward(const NormBackward& args) {
  if (args.rows <= 0 || args.cols <= 0) return;
  LM_CHECK(args.mean != nullptr && args.rstd != nullptr, "the backward needs the saved moments");
  const isa::Kernels& isa = active();
  const bool both = args.dweight != nullptr && args.dbias != nullptr;
  if (!both) {
    f32* wanted = args.dweight != nullptr ? args.dweight : args.dbias;
    sum_chunks(args.rows, args.cols, wanted, [&](i64 r0, i64 r1, f32* partial) {
      isa.layernorm_backward(args, r0, r1, args.dweight != nullptr ? partial : nullptr,
                             args.dbias != nullptr ? partial : nullptr);
    });
    return;
  }
  // One pass writes both partial rows side by side.
  const Scratch totals(2 * args.cols);
  std::fill(totals.data(), totals.data() + 2 * args.cols, 0.0f);
  sum_chunks(args.rows, 2 * args.cols, totals.data(), [&](i64 r0, i64 r1, f32* partial) {
    isa.layernorm_backward(args, r0, r1, partial, partial + args.cols);
  });
  isa.add(args.cols, args.dweight, totals.data(), args.dweight);
  isa.add(args.cols, args.dbias, totals.data() + args.cols, args.dbias);
}

void rmsnorm_backward(const NormBackward& args) {
  if (args.rows <= 0 || args.cols <= 0) return;
  LM_CHECK(args.rstd != nullptr, "the backward needs the saved rstd");
  const isa::Kernels& isa = active();
  sum_chunks(args.rows, args.cols, args.dweight,
             [&](i64 r0, i64 r1, f32* partial) { isa.rmsnorm_backward(args, r0, r1, partial); });
}

void rope_forward(const Rope& rope, const f32* x, i64 ldx, f32* y, i64 ldy, f32* rstd) {
  LM_CHECK(rope.rotary_dim % 2 == 0 && rope.rotary_dim <= rope.head_dim,
           "rotary_dim must be even and at most head_dim");
  const isa::Kernels& isa = active();
  for_rows(rope.rows, 2 * rope.heads * rope.head_dim,
           [&](i64 r) { isa.rope_forward(rope, x, ldx, y, ldy, rstd, r, r + 1); });
}

void rope_backward(const Rope& rope, const f32* dy, i64 lddy, const f32* x, i64 ldx,
                   const f32* rstd, f32* dx, i64 lddx, f32* dnorm_weight) {
  LM_CHECK(rope.rotary_dim % 2 == 0 && rope.rotary_dim <= rope.head_dim,
           "rotary_dim must be even and at most head_dim");
  LM_CHECK(rope.norm_weight == nullptr || (x != nullptr && rstd != nullptr),
           "the backward of a normalised head needs its input and rstd");
  const isa::Kernels& isa = active();
  f32* wanted = rope.norm_weight != nullptr ? dnorm_weight : nullptr;
  sum_chunks(rope.rows, rope.head_dim, wanted, [&](i64 r0, i64 r1, f32* partial) {
    isa.rope_backward(rope, dy, lddy, x, ldx, rstd, dx, lddx, r0, r1, partial);
  });
}

}  // namespace lm::cpu

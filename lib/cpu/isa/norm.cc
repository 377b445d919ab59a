// LayerNorm, RMSNorm and rotary embedding over rows.

#include "cpu/isa/math.h"
#include "cpu/isa/parts.h"
#include "cpu/isa/reduce.h"

namespace lm::isa::LM_ISA {

namespace {

LM_INLINE f32 sqrt_scalar(f32 x) {
  return __builtin_sqrtf(x);
}

// weight lane vector, with Gemma's 1 + w, or ones.
LM_INLINE V weight_at(const f32* weight, bool plus_one, i64 i, i64 w) {
  if (weight == nullptr) return splat(1.0f);
  const V v = load_n(weight + i, w);
  return plus_one ? v + splat(1.0f) : v;
}

// The row to normalise: x, or x + add written to sum.
LM_INLINE const f32* input_row(const cpu::NormForward& a, i64 row) {
  const f32* x = a.x + row * a.ldx;
  if (a.add == nullptr) return x;
  const f32* y = a.add + row * a.ld_add;
  f32* s = a.sum + row * a.ld_sum;
  for (i64 i = 0; i < a.cols; i += kLanes) {
    const i64 w = a.cols - i;
    store_n(s + i, load_n(x + i, w) + load_n(y + i, w), w);
  }
  return s;
}

void layernorm_forward(const cpu::NormForward& a, i64 r0, i64 r1) {
  const f32 inv = 1.0f / static_cast<f32>(a.cols);
  for (i64 row = r0; row < r1; ++row) {
    const f32* x = input_row(a, row);
    const f32 mean = reduce_sum(a.cols, [x](i64 i, i64 w) { return load_n(x + i, w); }) * inv;
    const V vm = splat(mean);
    const f32 var = reduce_sum(a.cols,
                               [&](i64 i, i64 w) {
                                 const V d = keep_first(load_n(x + i, w) - vm, w);
                                 return d * d;
                               }) *
                    inv;
    const f32 rstd = 1.0f / sqrt_scalar(var + a.eps);
    const V vr = splat(rstd);
    f32* y = a.y + row * a.ldy;
    for (i64 i = 0; i < a.cols; i += kLanes) {
      const i64 w = a.cols - i;
      const V bias = a.bias != nullptr ? load_n(a.bias + i, w) : V{};
      const V xhat = (load_n(x + i, w) - vm) * vr;
      store_n(y + i, fma(xhat, weight_at(a.weight, a.plus_one, i, w), bias), w);
    }
    if (a.mean != nullptr) a.mean[row] = mean;
    if (a.rstd != nullptr) a.rstd[row] = rstd;
  }
}

LM_INLINE f32 rms_rstd(i64 n, const f32* x, f32 eps) {
  const f32 squares = reduce_sum(n, [x](i64 i, i64 w) {
    const V v = load_n(x + i, w);
    return v * v;
  });
  return 1.0f / sqrt_scalar(squares / static_cast<f32>(n) + eps);
}

void rmsnorm_forward(const cpu::NormForward& a, i64 r0, i64 r1) {
  for (i64 row = r0; row < r1; ++row) {
    const f32* x = input_row(a, row);
    const f32 rstd = rms_rstd(a.cols, x, a.eps);
    const V vr = splat(rstd);
    f32* y = a.y + row * a.ldy;
    for (i64 i = 0; i < a.cols; i += kLanes) {
      const i64 w = a.cols - i;
      store_n(y + i, load_n(x + i, w) * vr * weight_at(a.weight, a.plus_one, i, w), w);
    }
    if (a.rstd != nullptr) a.rstd[row] = rstd;
  }
}

LM_INLINE void add_to(f32* sum, i64 i, i64 w, V v) {
  store_n(sum + i, load_n(sum + i, w) + v, w);
}

// g = weight * dy; dx = rstd * (g - mean(g) - xhat * mean(g * xhat)); centred = false drops mean(g)
// and the mean of x (RMSNorm).
template <bool Centred>
LM_INLINE void norm_row_backward(i64 cols, const f32* dy, const f32* x, const f32* weight,
                                 bool plus_one, f32 mean, f32 rstd, const f32* extra, f32* dx,
                                 f32* dweight, f32* dbias) {
  const V vm = splat(mean), vr = splat(rstd);
  const f32 inv = 1.0f / static_cast<f32>(cols);
  const auto xhat = [&](i64 i, i64 w) {
    return Centred ? keep_first(load_n(x + i, w) - vm, w) * vr : load_n(x + i, w) * vr;
  };
  const auto g = [&](i64 i, i64 w) {
    return load_n(dy + i, w) * weight_at(weight, plus_one, i, w);
  };
  const V mean_g = Centred ? splat(reduce_sum(cols, g) * inv) : V{};
  const V mean_gx =
      splat(reduce_sum(cols, [&](i64 i, i64 w) { return g(i, w) * xhat(i, w); }) * inv);
  for (i64 i = 0; i < cols; i += kLanes) {
    const i64 w = cols - i;
    const V d = load_n(dy + i, w);
    const V h = xhat(i, w);
    if (dweight != nullptr) add_to(dweight, i, w, d * h);
    if (dbias != nullptr) add_to(dbias, i, w, d);
    if (dx == nullptr) continue;
    V v = vr * fma(-h, mean_gx, d * weight_at(weight, plus_one, i, w) - mean_g);
    if (extra != nullptr) v = v + load_n(extra + i, w);
    store_n(dx + i, v, w);
  }
}

void clear(i64 n, f32* x) {
  for (i64 i = 0; x != nullptr && i < n; ++i)
    x[i] = 0.0f;
}

void layernorm_backward(const cpu::NormBackward& a, i64 r0, i64 r1, f32* dweight, f32* dbias) {
  clear(a.cols, dweight);
  clear(a.cols, dbias);
  for (i64 r = r0; r < r1; ++r) {
    norm_row_backward<true>(a.cols, a.dy + r * a.lddy, a.x + r * a.ldx, a.weight, a.plus_one,
                            a.mean[r], a.rstd[r],
                            a.dx_add != nullptr ? a.dx_add + r * a.ld_dx_add : nullptr,
                            a.dx != nullptr ? a.dx + r * a.lddx : nullptr, dweight, dbias);
  }
}

void rmsnorm_backward(const cpu::NormBackward& a, i64 r0, i64 r1, f32* dweight) {
  clear(a.cols, dweight);
  for (i64 r = r0; r < r1; ++r) {
    norm_row_backward<false>(a.cols, a.dy + r * a.lddy, a.x + r * a.ldx, a.weight, a.plus_one, 0.0f,
                             a.rstd[r], a.dx_add != nullptr ? a.dx_add + r * a.ld_dx_add : nullptr,
                             a.dx != nullptr ? a.dx + r * a.lddx : nullptr, dweight, nullptr);
  }
}

// One head: y = rotation by +angle or -angle (sign of s) of x. y may be x.
LM_INLINE void rotate(const cpu::Rope& rope, const f32* c, const f32* s, f32 sign, const f32* x,
                      f32* y) {
  const i64 half = rope.rotary_dim / 2;
  if (rope.interleaved) {
    for (i64 j = 0; j < half; ++j) {
      const f32 a = x[2 * j], b = x[2 * j + 1], sj = sign * s[j];
      y[2 * j] = fma(a, c[j], -(b * sj));
      y[2 * j + 1] = fma(b, c[j], a * sj);
    }
  } else {
    const V vs = splat(sign);
    for (i64 j = 0; j < half; j += kLanes) {
      const i64 w = half - j;
      const V a = load_n(x + j, w), b = load_n(x + half + j, w);
      const V cj = load_n(c + j, w), sj = load_n(s + j, w) * vs;
      store_n(y + j, fma(a, cj, -(b * sj)), w);
      store_n(y + half + j, fma(b, cj, a * sj), w);
    }
  }
  if (x == y) return;
  for (i64 j = rope.rotary_dim; j < rope.head_dim; ++j)
    y[j] = x[j];
}

void rope_forward(const cpu::Rope& rope, const f32* x, i64 ldx, f32* y, i64 ldy, f32* rstd, i64 r0,
                  i64 r1) {
  const i64 d = rope.head_dim, half = rope.rotary_dim / 2;
  for (i64 r = r0; r < r1; ++r) {
    const f32* c = half > 0 ? rope.cos + rope.pos[r] * half : nullptr;
    const f32* s = half > 0 ? rope.sin + rope.pos[r] * half : nullptr;
    for (i64 h = 0; h < rope.heads; ++h) {
      const f32* xh = x + r * ldx + h * d;
      f32* yh = y + r * ldy + h * d;
      if (rope.norm_weight != nullptr) {
        const f32 scale = rms_rstd(d, xh, rope.eps);
        for (i64 i = 0; i < d; i += kLanes) {
          const V w = weight_at(rope.norm_weight, rope.plus_one, i, d - i);
          store_n(yh + i, load_n(xh + i, d - i) * splat(scale) * w, d - i);
        }
        if (rstd != nullptr) rstd[r * rope.heads + h] = scale;
        xh = yh;
      }
      rotate(rope, c, s, 1.0f, xh, yh);
    }
  }
}

void rope_backward(const cpu::Rope& rope, const f32* dy, i64 lddy, const f32* x, i64 ldx,
                   const f32* rstd, f32* dx, i64 lddx, i64 r0, i64 r1, f32* dweight) {
  const i64 d = rope.head_dim, half = rope.rotary_dim / 2;
  clear(d, dweight);
  for (i64 r = r0; r < r1; ++r) {
    const f32* c = half > 0 ? rope.cos + rope.pos[r] * half : nullptr;
    const f32* s = half > 0 ? rope.sin + rope.pos[r] * half : nullptr;
    for (i64 h = 0; h < rope.heads; ++h) {
      f32* dxh = dx + r * lddx + h * d;
      rotate(rope, c, s, -1.0f, dy + r * lddy + h * d, dxh);
      if (rope.norm_weight != nullptr) {
        norm_row_backward<false>(d, dxh, x + r * ldx + h * d, rope.norm_weight, rope.plus_one, 0.0f,
                                 rstd[r * rope.heads + h], nullptr, dxh, dweight, nullptr);
      }
    }
  }
}

}  // namespace

void install_norm(Kernels& table) {
  table.layernorm_forward = layernorm_forward;
  table.rmsnorm_forward = rmsnorm_forward;
  table.layernorm_backward = layernorm_backward;
  table.rmsnorm_backward = rmsnorm_backward;
  table.rope_forward = rope_forward;
  table.rope_backward = rope_backward;
}

}  // namespace lm::isa::LM_ISA

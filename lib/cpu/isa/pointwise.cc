// Elementwise kernels. A tail shorter than a vector goes through the same vector code in a padded
// buffer, so an element's bits do not depend on where a range was cut.

#include "cpu/isa/math.h"
#include "cpu/isa/parts.h"

namespace lm::isa::LM_ISA {

namespace {

template <typename F>
LM_INLINE void map1(i64 n, const f32* x, f32* out, F f) {
  i64 i = 0;
  for (; i + kLanes <= n; i += kLanes)
    store(out + i, f(load(x + i)));
  if (i < n) store_part(out + i, f(load_part(x + i, n - i)), n - i);
}

template <typename F>
LM_INLINE void map2(i64 n, const f32* x, const f32* y, f32* out, F f) {
  i64 i = 0;
  for (; i + kLanes <= n; i += kLanes)
    store(out + i, f(load(x + i), load(y + i)));
  if (i < n) store_part(out + i, f(load_part(x + i, n - i), load_part(y + i, n - i)), n - i);
}

void unary(Unary kind, i64 n, const f32* x, f32* y, f32 p) {
  const V vp = splat(p);
  switch (kind) {
    case Unary::kExp:
      return map1(n, x, y, [](V v) { return exp(v); });
    case Unary::kLog:
      return map1(n, x, y, [](V v) { return log(v); });
    case Unary::kTanh:
      return map1(n, x, y, [](V v) { return tanh(v); });
    case Unary::kSigmoid:
      return map1(n, x, y, [](V v) { return sigmoid(v); });
    case Unary::kSoftcap:
      return map1(n, x, y, [vp](V v) { return vp * tanh(v / vp); });
    case Unary::kSquare:
      return map1(n, x, y, [](V v) { return v * v; });
    case Unary::kSqrt:
      return map1(n, x, y, [](V v) { return sqrt(v); });
    default:  // has_unary
      return;
  }
}

void unary_backward(Unary kind, i64 n, const f32* x, const f32* dy, f32* dx, f32 p) {
  const V one = splat(1.0f);
  const V vp = splat(p);
  switch (kind) {
    case Unary::kExp:
      return map2(n, x, dy, dx, [](V v, V d) { return d * exp(v); });
    case Unary::kLog:
      return map2(n, x, dy, dx, [](V v, V d) { return d / v; });
    case Unary::kTanh:
      return map2(n, x, dy, dx, [one](V v, V d) {
        const V t = tanh(v);
        return d * fma(-t, t, one);
      });
    case Unary::kSigmoid:
      return map2(n, x, dy, dx, [one](V v, V d) {
        const V s = sigmoid(v);
        return d * s * (one - s);
      });
    case Unary::kSoftcap:
      return map2(n, x, dy, dx, [one, vp](V v, V d) {
        const V t = tanh(v / vp);
        return d * fma(-t, t, one);
      });
    case Unary::kSquare:
      return map2(n, x, dy, dx, [](V v, V d) { return d * (v + v); });
    case Unary::kSqrt:
      return map2(n, x, dy, dx, [](V v, V d) { return d * splat(0.5f) / sqrt(v); });
    default:  // has_unary
      return;
  }
}

template <int A>
void act_forward_of(i64 n, const f32* x, f32* y) {
  map1(n, x, y, [](V v) { return act<A>(v); });
}
template <int A>
void act_backward_of(i64 n, const f32* x, const f32* dy, f32* dx) {
  map2(n, x, dy, dx, [](V v, V d) { return d * act_slope<A>(v); });
}
template <int A>
void glu_forward_of(i64 f, const f32* x, f32* y) {
  map2(f, x, x + f, y, [](V a, V u) { return act<A>(a) * u; });
}
// da = dy u act'(a), du = dy act(a); both inputs of a position are read before either is written.
template <int A>
void glu_backward_of(i64 f, const f32* x, const f32* dy, f32* dx) {
  for (i64 i = 0; i < f; i += kLanes) {
    const i64 w = f - i;
    const V a = load_n(x + i, w);
    const V u = load_n(x + f + i, w);
    const V d = load_n(dy + i, w);
    store_n(dx + i, d * u * act_slope<A>(a), w);
    store_n(dx + f + i, d * act<A>(a), w);
  }
}

using ActForward = void (*)(i64, const f32*, f32*);
using ActBackward = void (*)(i64, const f32*, const f32*, f32*);
constexpr ActForward kActForward[] = {act_forward_of<0>, act_forward_of<1>, act_forward_of<2>,
                                      act_forward_of<3>, act_forward_of<4>, act_forward_of<5>};
constexpr ActBackward kActBackward[] = {act_backward_of<0>, act_backward_of<1>, act_backward_of<2>,
                                        act_backward_of<3>, act_backward_of<4>, act_backward_of<5>};
constexpr ActForward kGluForward[] = {glu_forward_of<0>, glu_forward_of<1>, glu_forward_of<2>,
                                      glu_forward_of<3>, glu_forward_of<4>, glu_forward_of<5>};
constexpr ActBackward kGluBackward[] = {glu_backward_of<0>, glu_backward_of<1>, glu_backward_of<2>,
                                        glu_backward_of<3>, glu_backward_of<4>, glu_backward_of<5>};

void act_forward(cpu::Act kind, i64 n, const f32* x, f32* y) {
  kActForward[static_cast<int>(kind)](n, x, y);
}
void act_backward(cpu::Act kind, i64 n, const f32* x, const f32* dy, f32* dx) {
  kActBackward[static_cast<int>(kind)](n, x, dy, dx);
}
void glu_forward(cpu::Act kind, i64 f, const f32* x, f32* y) {
  kGluForward[static_cast<int>(kind)](f, x, y);
}
void glu_backward(cpu::Act kind, i64 f, const f32* x, const f32* dy, f32* dx) {
  kGluBackward[static_cast<int>(kind)](f, x, dy, dx);
}

void add(i64 n, const f32* x, const f32* y, f32* out) {
  map2(n, x, y, out, [](V a, V b) { return a + b; });
}
void subtract(i64 n, const f32* x, const f32* y, f32* out) {
  map2(n, x, y, out, [](V a, V b) { return a - b; });
}
void multiply(i64 n, const f32* x, const f32* y, f32* out) {
  map2(n, x, y, out, [](V a, V b) { return a * b; });
}
void divide(i64 n, const f32* x, const f32* y, f32* out) {
  map2(n, x, y, out, [](V a, V b) { return a / b; });
}
void scale(i64 n, f32 s, const f32* x, f32* out) {
  const V vs = splat(s);
  map1(n, x, out, [vs](V a) { return a * vs; });
}
void axpy(i64 n, f32 s, const f32* x, f32* out) {
  const V vs = splat(s);
  map2(n, x, out, out, [vs](V a, V b) { return fma(vs, a, b); });
}

// dir of the update: m/c1 / (sqrt(v/c2) + eps); divisions by c1, c2 as products with reciprocals
// taken once.
void adamw(i64 n, const cpu::AdamW& cfg, const f32* grad, f32* w, f32* m, f32* v) {
  const V gs = splat(cfg.grad_scale);
  const V b1 = splat(cfg.beta1), b2 = splat(cfg.beta2);
  const V a1 = splat(1.0f - cfg.beta1), a2 = splat(1.0f - cfg.beta2);
  const V r1 = splat(1.0f / cfg.correction1), r2 = splat(1.0f / cfg.correction2);
  const V eps = splat(cfg.eps), lr = splat(-cfg.lr), decay = splat(cfg.weight_decay);
  for (i64 i = 0; i < n; i += kLanes) {
    const i64 k = n - i;
    const V g = load_n(grad + i, k) * gs;
    const V mi = fma(b1, load_n(m + i, k), a1 * g);
    const V vi = fma(b2, load_n(v + i, k), a2 * (g * g));
    const V wi = load_n(w + i, k);
    const V step = mi * r1 / (sqrt(vi * r2) + eps);
    V d = decay;
    if (cfg.cautious) d = step * wi > V{} ? decay : V{};
    store_n(m + i, mi, k);
    store_n(v + i, vi, k);
    store_n(w + i, fma(lr, fma(d, wi, step), wi), k);
  }
}

template <typename F>
LM_INLINE void narrow(i64 n, const f32* x, u16* y, F f) {
  i64 i = 0;
  for (; i + kLanes <= n; i += kLanes)
    store16(y + i, f(load(x + i)));
  if (i < n) {
    u16 buf[kLanes];
    store16(buf, f(load_part(x + i, n - i)));
    for (i64 j = 0; i + j < n; ++j)
      y[i + j] = buf[j];
  }
}
template <typename F>
LM_INLINE void widen(i64 n, const u16* x, f32* y, F f) {
  i64 i = 0;
  for (; i + kLanes <= n; i += kLanes)
    store(y + i, f(load16(x + i)));
  if (i < n) {
    u16 buf[kLanes] = {};
    for (i64 j = 0; i + j < n; ++j)
      buf[j] = x[i + j];
    store_part(y + i, f(load16(buf)), n - i);
  }
}
void f32_to_bf16(i64 n, const f32* x, u16* y) {
  narrow(n, x, y, [](V v) { return to_bf16(v); });
}
void bf16_to_f32(i64 n, const u16* x, f32* y) {
  widen(n, x, y, [](VH v) { return from_bf16(v); });
}
void f32_to_f16(i64 n, const f32* x, u16* y) {
  narrow(n, x, y, [](V v) { return to_f16(v); });
}
void f16_to_f32(i64 n, const u16* x, f32* y) {
  widen(n, x, y, [](VH v) { return from_f16(v); });
}

}  // namespace

void install_pointwise(Kernels& table) {
  table.unary = unary;
  table.unary_backward = unary_backward;
  table.act_forward = act_forward;
  table.act_backward = act_backward;
  table.glu_forward = glu_forward;
  table.glu_backward = glu_backward;
  table.add = add;
  table.subtract = subtract;
  table.multiply = multiply;
  table.divide = divide;
  table.scale = scale;
  table.axpy = axpy;
  table.adamw = adamw;
  table.f32_to_bf16 = f32_to_bf16;
  table.bf16_to_f32 = bf16_to_f32;
  table.f32_to_f16 = f32_to_f16;
  table.f16_to_f32 = f16_to_f32;
}

}  // namespace lm::isa::LM_ISA

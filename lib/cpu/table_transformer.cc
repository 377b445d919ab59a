// Norms, rotary positions, attention.

#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "core/str.h"
#include "cpu/table.h"
#include "tensor/convert.h"

namespace lm::cpu {

namespace {
bool given(const Node& n, i64 i) {
  return i < n.in.size() && n.in[i];
}
}  // namespace

// Spans come from the caller's data: a wrong one would read outside the keys.
const RowSpan* checked_spans(const Node& n, const Tensor& t, i64 keys) {
  const RowSpan* spans = reinterpret_cast<const RowSpan*>(t.i32_data());
  for (i64 i = 0; i < t.rows(); ++i) {
    const RowSpan& s = spans[i];
    const bool a_fits = s.a0 >= s.a1 || (s.a0 >= 0 && s.a1 <= keys && s.la >= 0);
    const bool b_fits = s.b0 >= s.b1 || (s.b0 >= 0 && s.b1 <= keys && s.lb >= 0);
    if (!a_fits || !b_fits) {
      throw Error(ErrorKind::kData,
                  cat(n.name, ": span of row ", i, " is outside ", keys, " keys"));
    }
  }
  return spans;
}

// Norms
// --------------------------------------------------------------------------------------------

void run_norm(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const NormAttr a = n.attr.as<NormAttr>();
  NormForward f;
  f.rows = in[0].rows();
  f.cols = in[0].cols();
  f.x = floats(in[0]);
  f.ldx = in[0].ld;
  f.weight = given(n, 1) ? floats(in[1]) : nullptr;
  f.bias = given(n, 2) ? floats(in[2]) : nullptr;
  f.plus_one = a.plus_one;
  f.eps = a.eps;
  f.y = floats(out[0]);
  f.ldy = out[0].ld;
  if (given(n, 3)) {
    f.add = floats(in[3]);
    f.ld_add = in[3].ld;
    f.sum = floats(out[1]);
    f.ld_sum = out[1].ld;
  }
  f.rstd = floats(out[3]);
  const bool layer = a.kind == NormKind::kLayer;
  if (layer) f.mean = floats(out[2]);
  if (f.y == nullptr && f.sum != nullptr) {  // only the residual stream is wanted
    for (i64 r = 0; r < f.rows; ++r) {
      cpu::add(f.cols, f.x + r * f.ldx, f.add + r * f.ld_add, f.sum + r * f.ld_sum);
    }
    return;
  }
  if (f.add != nullptr && f.sum == nullptr) {  // the sum itself is not wanted: it lives in y
    for (i64 r = 0; r < f.rows; ++r) {
      cpu::add(f.cols, f.x + r * f.ldx, f.add + r * f.ld_add, f.y + r * f.ldy);
    }
    f.x = f.y;
    f.ldx = f.ldy;
    f.add = nullptr;
  }
  (layer ? layernorm_forward : rmsnorm_forward)(f);
}

i64 space_norm_grad(const Node& n, const Graph& g) {
  return n.out[0] ? 0 : g.shape(n.in[1]).count() * 4;
}

void run_norm_grad(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const NormAttr a = n.attr.as<NormAttr>();
  NormBackward b;
  b.rows = in[1].rows();
  b.cols = in[1].cols();
  b.dy = floats(in[0]);
  b.lddy = in[0].ld;
  b.x = floats(in[1]);
  b.ldx = in[1].ld;
  b.weight = given(n, 2) ? floats(in[2]) : nullptr;
  b.plus_one = a.plus_one;
  b.mean = given(n, 3) ? floats(in[3]) : nullptr;
  b.rstd = floats(in[4]);
  b.dx = out[0].data != nullptr ? floats(out[0]) : static_cast<f32*>(space);
  b.lddx = out[0].data != nullptr ? out[0].ld : b.cols;
  if (given(n, 5)) {
    b.dx_add = floats(in[5]);
    b.ld_dx_add = in[5].ld;
    LM_CHECK(!adds_to(n, 0), "one extra gradient at a time");
  } else if (adds_to(n, 0)) {
    b.dx_add = b.dx;
    b.ld_dx_add = b.lddx;
  }
  b.dweight = floats(out[1]);
  b.dbias = floats(out[2]);
  if (b.dweight != nullptr && !adds_to(n, 1)) fill(b.cols, 0.0f, b.dweight);
  if (b.dbias != nullptr && !adds_to(n, 2)) fill(b.cols, 0.0f, b.dbias);
  (a.kind == NormKind::kLayer ? layernorm_backward : rmsnorm_backward)(b);
}

// Query and key norms: saved rstd is [N, heads] of q, then [N, kv_heads] of k (full: [N] and [N]).

namespace {

// The two halves of a fused projection that are normalised.
struct QkPart {
  i64 column = 0;  // first column in the row
  i64 heads = 0;
  i64 saved = 0;   // first element in rstd
  int weight = 0;  // input number
};

std::array<QkPart, 2> qk_parts(const QkNormAttr& a, i64 rows) {
  const i64 q = a.heads;
  const i64 k = a.kv_heads;
  return {QkPart{0, q, 0, 1}, QkPart{q * a.head_dim, k, rows * (a.full ? 1 : q), 2}};
}

Rope head_norm(const QkNormAttr& a, i64 rows, i64 heads, const f32* weight) {
  Rope r;
  r.rows = rows;
  r.heads = heads;
  r.head_dim = a.head_dim;
  r.rotary_dim = 0;
  r.norm_weight = weight;
  r.plus_one = a.plus_one;
  r.eps = a.eps;
  return r;
}

void copy_values(const QkNormAttr& a, const Tensor& from, f32* to, i64 ld) {
  if (from.data == to) return;
  const i64 column = i64{a.heads + a.kv_heads} * a.head_dim;
  copy_rows(from.rows(), i64{a.kv_heads} * a.head_dim, floats(from) + column, from.ld, to + column,
            ld);
}

}  // namespace

void run_qk_norm(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const QkNormAttr a = n.attr.as<QkNormAttr>();
  const i64 rows = in[0].rows();
  for (const QkPart& part : qk_parts(a, rows)) {
    const f32* x = floats(in[0]) + part.column;
    f32* y = floats(out[0]) + part.column;
    f32* rstd = out[1].data == nullptr ? nullptr : floats(out[1]) + part.saved;
    if (!a.full) {
      rope_forward(head_norm(a, rows, part.heads, floats(in[part.weight])), x, in[0].ld, y,
                   out[0].ld, rstd);
      continue;
    }
    NormForward f;
    f.rows = rows;
    f.cols = part.heads * a.head_dim;
    f.x = x;
    f.ldx = in[0].ld;
    f.weight = floats(in[part.weight]);
    f.plus_one = a.plus_one;
    f.eps = a.eps;
    f.y = y;
    f.ldy = out[0].ld;
    f.rstd = rstd;
    rmsnorm_forward(f);
  }
  copy_values(a, in[0], floats(out[0]), out[0].ld);
}

i64 space_qk_norm_grad(const Node& n, const Graph& g) {
  return n.out[0] ? 0 : g.shape(n.in[1]).count() * 4;
}

void run_qk_norm_grad(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const QkNormAttr a = n.attr.as<QkNormAttr>();
  const i64 rows = in[1].rows();
  f32* const dx = out[0].data != nullptr ? floats(out[0]) : static_cast<f32*>(space);
  const i64 lddx = out[0].data != nullptr ? out[0].ld : in[1].cols();
  for (const QkPart& part : qk_parts(a, rows)) {
    f32* dweight = floats(out[part.weight]);
    const i64 width = a.full ? part.heads * a.head_dim : a.head_dim;
    if (dweight != nullptr && !adds_to(n, part.weight)) fill(width, 0.0f, dweight);
    const f32* dy = floats(in[0]) + part.column;
    const f32* x = floats(in[1]) + part.column;
    const f32* rstd = floats(in[4]) + part.saved;
    const f32* weight = floats(in[part.weight + 1]);
    if (!a.full) {
      rope_backward(head_norm(a, rows, part.heads, weight), dy, in[0].ld, x, in[1].ld, rstd,
                    dx + part.column, lddx, dweight);
      continue;
    }
    NormBackward b;
    b.rows = rows;
    b.cols = width;
    b.dy = dy;
    b.lddy = in[0].ld;
    b.x = x;
    b.ldx = in[1].ld;
    b.weight = weight;
    b.plus_one = a.plus_one;
    b.rstd = rstd;
    b.dx = dx + part.column;
    b.lddx = lddx;
    b.dweight = dweight;
    rmsnorm_backward(b);
  }
  copy_values(a, in[0], dx, lddx);
}

void run_rope(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const RopeAttr a = n.attr.as<RopeAttr>();
  const i64 positions = in[2].shape[1];
  const i32* pos = in[1].i32_data();
  for (i64 i = 0; i < in[1].count(); ++i) {
    if (pos[i] < 0 || pos[i] >= positions) {
      throw Error(ErrorKind::kData, cat(n.name, ": position ", pos[i], " at row ", i,
                                        " is outside the table of ", positions));
    }
  }
  Rope r;
  r.rows = in[0].rows();
  r.heads = a.heads;
  r.head_dim = a.head_dim;
  r.rotary_dim = a.rotary_dim;
  r.interleaved = a.interleaved;
  r.cos = floats(in[2]);
  r.sin = floats(in[2]) + positions * (a.rotary_dim / 2);
  r.pos = pos;
  if (a.inverse) {
    rope_backward(r, floats(in[0]), in[0].ld, nullptr, 0, nullptr, floats(out[0]), out[0].ld,
                  nullptr);
  } else {
    rope_forward(r, floats(in[0]), in[0].ld, floats(out[0]), out[0].ld, nullptr);
  }
  const i64 rotated = i64{a.heads} * a.head_dim;
  if (in[0].data != out[0].data && rotated < in[0].cols()) {
    copy_rows(in[0].rows(), in[0].cols() - rotated, floats(in[0]) + rotated, in[0].ld,
              floats(out[0]) + rotated, out[0].ld);
  }
}

// Attention
// ----------------------------------------------------------------------------------------

static_assert(sizeof(RowSpan) == 24, "a spans tensor is an array of spans");

namespace {

AttentionShape shape_of(i64 rows, const AttentionAttr& a) {
  AttentionShape s;
  s.rows = rows;
  s.q_heads = a.heads;
  s.kv_heads = a.kv_heads;
  s.head_dim = a.head_dim;
  s.scale = a.scale;
  s.softcap = a.softcap;
  s.window = a.window;
  s.sparse = a.sparse;
  return s;
}

// Where q, k and v start in the inputs from position `first` on.
struct Qkv {
  f32 *q = nullptr, *k = nullptr, *v = nullptr;
  i64 ldq = 0, ldkv = 0, keys = 0;
};

Qkv qkv_of(const AttentionAttr& a, const Tensor* t) {
  const i64 d = a.head_dim;
  if (a.fused) {
    f32* x = floats(t[0]);
    const i64 k = a.heads * d;
    return {x, x + k, x + k + a.kv_heads * d, t[0].ld, t[0].ld, t[0].rows()};
  }
  return {floats(t[0]), floats(t[1]), floats(t[2]), t[0].ld, t[1].ld, t[1].rows()};
}

}  // namespace

void run_attention(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const AttentionAttr a = n.attr.as<AttentionAttr>();
  const Qkv x = qkv_of(a, in);
  KeyValues kv;
  kv.k = x.k;
  kv.v = x.v;
  kv.row_stride = x.ldkv;
  kv.head_stride = a.head_dim;
  const RowSpan* spans = checked_spans(n, in[a.fused ? 1 : 3], x.keys);
  attention_forward(shape_of(in[0].rows(), a), x.q, x.ldq, kv, spans, nullptr, floats(out[0]),
                    out[0].ld, floats(out[1]));
}

i64 space_attention_grad(const Node& n, const Graph& g) {
  i64 bytes = 0;  // gradients nobody reads still need a place
  const bool fused = n.attr.as<AttentionAttr>().fused;
  for (i64 i = 4; !fused && i < n.in.size(); ++i)
    bytes += g.shape(n.in[i]).count() * 4;
  return bytes;
}

void run_attention_grad(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const AttentionAttr a = n.attr.as<AttentionAttr>();
  std::array<Tensor, 3> grads{};
  f32* spare = static_cast<f32*>(space);
  for (std::size_t j = 0; j < (a.fused ? 1U : 3U); ++j) {
    grads[j] = out[j];
    if (grads[j].data == nullptr) {
      grads[j] = make_tensor(spare, in[4 + j].shape);
      spare += in[4 + j].count();
    }
  }
  const Qkv x = qkv_of(a, in + 4);
  const Qkv dx = qkv_of(a, grads.data());
  AttentionBackward b;
  b.q = x.q;
  b.k = x.k;
  b.v = x.v;
  b.ldq = x.ldq;
  b.ldkv = x.ldkv;
  b.slots = x.keys;
  b.o = floats(in[0]);
  b.ldo = in[0].ld;
  b.lse = floats(in[1]);
  b.d_o = floats(in[2]);
  b.lddo = in[2].ld;
  b.spans = checked_spans(n, in[3], x.keys);
  b.dq = dx.q;
  b.dk = dx.k;
  b.dv = dx.v;
  b.lddq = dx.ldq;
  b.lddkv = dx.ldkv;
  LM_CHECK(a.fused || grads[1].ld == grads[2].ld, "dk and dv have one row stride");
  attention_backward(shape_of(in[4].rows(), a), b);
}

namespace {

void store_row(const f32* from, i64 count, DType type, void* base, i64 offset) {
  if (type == DType::kF32) {
    std::memcpy(static_cast<f32*>(base) + offset, from, usize(count * 4));
  } else if (type == DType::kBf16) {
    f32_to_bf16(count, from, static_cast<u16*>(base) + offset);
  } else {
    f32_to_f16(count, from, static_cast<u16*>(base) + offset);
  }
}

KvType kv_type(DType type) {
  if (type == DType::kF32) return KvType::kF32;
  if (type == DType::kBf16) return KvType::kBf16;
  if (type == DType::kF16) return KvType::kF16;
  throw Error(ErrorKind::kUnavailable,
              cat("paged attention: caches of ", dtype_name(type), " have no kernel"));
}

}  // namespace

void run_paged(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const PagedAttr p = n.attr.as<PagedAttr>();
  LM_CHECK(usize(p.binding) < ctx.bindings.size() && ctx.bindings[usize(p.binding)] != nullptr,
           "the run binds a KvView for paged attention");
  const KvView& view = *static_cast<const KvView*>(ctx.bindings[usize(p.binding)]);
  LM_CHECK(view.rows <= in[0].rows() && view.page_tokens > 0, "the KvView fits the rows");
  const i64 d = p.head_dim;
  const i64 width = p.kv_heads * d;
  const f32* const k = floats(in[0]) + p.heads * d;
  void* const k_pages = view.k[p.layer];
  void* const v_pages = view.v[p.layer];
  const KvType type = kv_type(view.dtype);
  for (i64 r = 0; r < view.rows; ++r) {
    const i32 slot = view.store[r];
    if (slot < 0) continue;
    const i64 page = view.tables[r][slot / view.page_tokens];
    const i64 at = (page * view.page_tokens + slot % view.page_tokens) * width;
    store_row(k + r * in[0].ld, width, view.dtype, k_pages, at);
    store_row(k + r * in[0].ld + width, width, view.dtype, v_pages, at);
  }
  KeyValues kv;
  kv.k = k_pages;
  kv.v = v_pages;
  kv.type = type;
  kv.row_stride = width;
  kv.head_stride = d;
  kv.page_size = view.page_tokens;
  kv.page_stride = view.page_tokens * width;
  kv.tables = view.tables;
  AttentionAttr a;
  a.heads = p.heads;
  a.kv_heads = p.kv_heads;
  a.head_dim = p.head_dim;
  a.scale = p.scale;
  a.softcap = p.softcap;
  a.window = p.window;
  a.sparse = p.sparse;
  attention_forward(shape_of(view.rows, a), floats(in[0]), in[0].ld, kv,
                    reinterpret_cast<const RowSpan*>(view.spans), view.key_list, floats(out[0]),
                    out[0].ld, nullptr);
  for (i64 r = view.rows; r < out[0].rows(); ++r) {
    fill(out[0].cols(), 0.0f, floats(out[0]) + r * out[0].ld);
  }
}

}  // namespace lm::cpu

// Copies, gather and scatter, broadcasting, embeddings.

#include "embedding.h"
#include "pointwise.h"
#include "runtime.h"
#include "table.h"

namespace lm::cuda {

namespace {

// to (+)= from, matrices of one shape. Types may differ (f32, bf16); else bits are copied.
void move_rows(const Node& n, const Tensor& from, const Tensor& to, bool add, Stream* stream) {
  const i64 rows = from.rows();
  const i64 cols = from.cols();
  if (from.dtype == to.dtype && !add) {
    copy_rows(rows, cols, item_bytes(to.dtype), from.data, from.ld, to.data, to.ld, stream);
    return;
  }
  if (from.dtype != to.dtype) {
    if (from.dtype == DType::kBf16 && to.dtype == DType::kF32) {
      convert_rows(rows, cols, items<Bf16>(from), from.ld, add, items<f32>(to), to.ld, stream);
    } else if (from.dtype == DType::kF32 && to.dtype == DType::kBf16) {
      convert_rows(rows, cols, items<f32>(from), from.ld, add, items<Bf16>(to), to.ld, stream);
    } else {
      throw Error(ErrorKind::kUnavailable, cat(n.name, ": no copy from ", dtype_name(from.dtype),
                                               " to ", dtype_name(to.dtype)));
    }
    return;
  }
  by_type(n, to.dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    Pair<T> p;
    p.rows = rows;
    p.cols = cols;
    p.a = items<T>(to);
    p.lda = to.ld;
    p.b = items<T>(from);
    p.b_row = from.ld;
    p.b_col = 1;
    p.y = items<T>(to);
    p.ldy = to.ld;
    add_scaled(p, 1.0f, 1.0f, stream);
  });
}

// The first element of part [row, col] of t.
void* part_of(const Tensor& t, i64 row, i64 col) {
  return t.bytes() + (row * t.ld + col) * item_bytes(t.dtype);
}

TableType table_type(DType type) {
  if (type == DType::kF32) return TableType::kF32;
  LM_CHECK(type == DType::kBf16 || type == DType::kF16, "tables hold f32, bf16 or f16");
  return type == DType::kBf16 ? TableType::kBf16 : TableType::kF16;
}

template <typename T>
Gather<T> gather_of(const Tensor& table, const Tensor& ids, f32 scale, const Tensor& y) {
  Gather<T> g;
  g.rows = y.rows();
  g.cols = y.cols();
  g.table_rows = table.rows();
  g.table = table.data;
  g.type = table_type(table.dtype);
  g.ldt = table.ld;
  g.ids = ids.i32_data();
  g.scale = scale;
  g.y = items<T>(y);
  g.ldy = y.ld;
  return g;
}

void scatter(const Node& n, const Tensor& rows, const Tensor& index, f32 scale, const Tensor& table,
             void* space, Stream* stream) {
  by_types(n, rows.dtype, table.dtype, [&](auto t, auto o) {
    using T = typename decltype(t)::type;
    using O = typename decltype(o)::type;
    scatter_add_rows(rows.rows(), rows.cols(), table.rows(), index.i32_data(), scale,
                     items<T>(rows), rows.ld, items<O>(table), table.ld, space, stream);
  });
}

}  // namespace

void zero_rows(const Tensor& t, Stream* stream) {
  if (t.contiguous()) {
    set_zero(t.data, t.count() * item_bytes(t.dtype), stream);
  } else if (t.dtype == DType::kBf16) {
    fill(t.rows(), t.cols(), 0.0f, items<Bf16>(t), t.ld, stream);
  } else {
    fill(t.rows(), t.cols(), 0.0f, floats(t), t.ld, stream);
  }
}

void run_copy(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  if (in[0].data == out[0].data && !adds_to(n, 0)) return;  // planned in place
  if (in[0].shape.cols() == out[0].shape.cols()) {
    move_rows(n, in[0], out[0], adds_to(n, 0), ctx.stream);
  } else {  // same elements under another shape: both are contiguous
    const Shape line{in[0].count()};
    move_rows(n, reshape(in[0], line), reshape(out[0], line), adds_to(n, 0), ctx.stream);
  }
}

void run_fill(const RunCtx& ctx, const Node& n, const Tensor*, Tensor* out, void*) {
  by_type(n, out[0].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    fill(1, out[0].count(), n.attr.as<FillAttr>().value, items<T>(out[0]), out[0].count(),
         ctx.stream);
  });
}

void run_pad(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const PadAttr a = n.attr.as<PadAttr>();
  if (!adds_to(n, 0)) zero_rows(out[0], ctx.stream);
  Tensor part = in[0];
  part.data = part_of(out[0], a.row, a.col);
  part.ld = out[0].ld;
  part.dtype = out[0].dtype;
  move_rows(n, in[0], part, adds_to(n, 0), ctx.stream);
}

void run_concat(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const bool by_columns = n.attr.as<ConcatAttr>().columns;
  i64 at = 0;
  for (i64 i = 0; i < n.in.size(); ++i) {
    Tensor part = in[i];
    part.data = part_of(out[0], by_columns ? 0 : at, by_columns ? at : 0);
    part.ld = out[0].ld;
    part.dtype = out[0].dtype;
    move_rows(n, in[i], part, false, ctx.stream);
    at += by_columns ? in[i].cols() : in[i].rows();
  }
}

void run_gather(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  LM_CHECK(!adds_to(n, 0), "gather stores");
  by_type(n, out[0].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    gather_rows(gather_of<T>(in[0], in[1], 1.0f, out[0]), nullptr, FaultKind::kNone, ctx.stream);
  });
}

i64 space_scatter(const Node& n, const Graph& g) {
  const i64 rows = g.shape(n.in[1]).count();
  return scatter_space(rows, g.shape(n.in[0]).cols());
}

void run_scatter(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void* space) {
  LM_CHECK(!adds_to(n, 0), "scatter stores");
  zero_rows(out[0], ctx.stream);
  scatter(n, in[0], in[1], 1.0f, out[0], space, ctx.stream);
}

void run_embedding_grad(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out,
                        void* space) {
  if (!adds_to(n, 0)) zero_rows(out[0], ctx.stream);
  scatter(n, in[0], in[1], n.attr.as<EmbeddingGradAttr>().scale, out[0], space, ctx.stream);
}

void run_broadcast(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const BroadcastAttr a = n.attr.as<BroadcastAttr>();
  by_types(n, out[0].dtype, in[0].dtype, [&](auto t, auto v) {
    using T = typename decltype(t)::type;
    using V = typename decltype(v)::type;
    const V* from = items<V>(in[0]);
    broadcast(out[0].rows(), out[0].cols(), from, a.along == Along::kCol ? 1 : 0,
              a.along == Along::kRow ? 1 : 0, a.scale, items<T>(out[0]), out[0].ld, ctx.stream);
  });
}

void run_embedding(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  by_type(n, out[0].dtype, [&](auto t) {
    using T = typename decltype(t)::type;
    Gather<T> g = gather_of<T>(in[1], in[0], n.attr.as<EmbeddingAttr>().scale, out[0]);
    if (given(n, 2)) {
      g.plus = in[3].data;
      g.plus_type = table_type(in[3].dtype);
      g.plus_rows = in[3].rows();
      g.ld_plus = in[3].ld;
      g.plus_ids = in[2].i32_data();
      g.plus_kind = FaultKind::kPosition;
    }
    gather_rows(g, context().fault, FaultKind::kToken, ctx.stream);
  });
}

}  // namespace lm::cuda

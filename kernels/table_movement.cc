// Copies, gather and scatter, broadcasting, embeddings.

#include "embedding.h"
#include "pointwise.h"
#include "table.h"

namespace lm::cuda {

namespace {

// to (+)= from, matrices of 4-byte elements of one shape.
void move_rows(const Tensor& from, const Tensor& to, bool add, Stream* stream) {
  if (!add) {
    copy_rows(from.rows(), from.cols(), from.data, from.ld, to.data, to.ld, stream);
    return;
  }
  Pair<f32> p;
  p.rows = from.rows();
  p.cols = from.cols();
  p.a = floats(to);
  p.lda = to.ld;
  p.b = floats(from);
  p.b_row = from.ld;
  p.b_col = 1;
  p.y = floats(to);
  p.ldy = to.ld;
  add_scaled(p, 1.0f, 1.0f, stream);
}

TableType table_type(DType type) {
  if (type == DType::kF32) return TableType::kF32;
  LM_CHECK(type == DType::kBf16 || type == DType::kF16, "tables hold f32, bf16 or f16");
  return type == DType::kBf16 ? TableType::kBf16 : TableType::kF16;
}

Gather gather_of(const Tensor& table, const Tensor& ids, f32 scale, bool add, const Tensor& y) {
  Gather g;
  g.rows = y.rows();
  g.cols = y.cols();
  g.table_rows = table.rows();
  g.table = table.data;
  g.type = table_type(table.dtype);
  g.ldt = table.ld;
  g.ids = ids.i32_data();
  g.scale = scale;
  g.add = add;
  g.y = floats(y);
  g.ldy = y.ld;
  return g;
}

void scatter(const Tensor& rows, const Tensor& index, f32 scale, const Tensor& table, void* space,
             Stream* stream) {
  scatter_add_rows(rows.rows(), rows.cols(), table.rows(), index.i32_data(), scale, floats(rows),
                   rows.ld, floats(table), table.ld, space, stream);
}

}  // namespace

void zero_rows(const Tensor& t, Stream* stream) {
  fill(t.rows(), t.cols(), 0.0f, floats(t), t.ld, stream);
}

void run_copy(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  if (in[0].data == out[0].data && !adds_to(n, 0)) return;  // planned in place
  LM_CHECK(item_bytes(in[0].dtype) == 4, "device copies move 4-byte elements");
  if (in[0].shape.cols() == out[0].shape.cols()) {
    move_rows(in[0], out[0], adds_to(n, 0), ctx.stream);
  } else {  // same elements under another shape: both are contiguous
    const Shape line{in[0].count()};
    move_rows(reshape(in[0], line), reshape(out[0], line), adds_to(n, 0), ctx.stream);
  }
}

void run_fill(const RunCtx& ctx, const Node& n, const Tensor*, Tensor* out, void*) {
  fill(1, out[0].count(), n.attr.as<FillAttr>().value, floats(out[0]), out[0].count(), ctx.stream);
}

void run_pad(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const PadAttr a = n.attr.as<PadAttr>();
  if (!adds_to(n, 0)) zero_rows(out[0], ctx.stream);
  Tensor part = in[0];
  part.data = floats(out[0]) + a.row * out[0].ld + a.col;
  part.ld = out[0].ld;
  move_rows(in[0], part, adds_to(n, 0), ctx.stream);
}

void run_concat(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const bool by_columns = n.attr.as<ConcatAttr>().columns;
  i64 at = 0;
  for (i64 i = 0; i < n.in.size(); ++i) {
    Tensor part = in[i];
    part.data = floats(out[0]) + (by_columns ? at : at * out[0].ld);
    part.ld = out[0].ld;
    move_rows(in[i], part, false, ctx.stream);
    at += by_columns ? in[i].cols() : in[i].rows();
  }
}

void run_gather(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  LM_CHECK(!adds_to(n, 0), "gather stores");
  gather_rows(gather_of(in[0], in[1], 1.0f, false, out[0]), nullptr, FaultKind::kNone, ctx.stream);
}

i64 space_scatter(const Node& n, const Graph& g) {
  return scatter_space(g.shape(n.in[1]).count());
}

void run_scatter(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void* space) {
  LM_CHECK(!adds_to(n, 0), "scatter stores");
  zero_rows(out[0], ctx.stream);
  scatter(in[0], in[1], 1.0f, out[0], space, ctx.stream);
}

void run_embedding_grad(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out,
                        void* space) {
  if (!adds_to(n, 0)) zero_rows(out[0], ctx.stream);
  scatter(in[0], in[1], n.attr.as<EmbeddingGradAttr>().scale, out[0], space, ctx.stream);
}

void run_broadcast(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const BroadcastAttr a = n.attr.as<BroadcastAttr>();
  broadcast(out[0].rows(), out[0].cols(), floats(in[0]), a.along == Along::kCol ? 1 : 0,
            a.along == Along::kRow ? 1 : 0, a.scale, floats(out[0]), out[0].ld, ctx.stream);
}

void run_embedding(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  Fault* fault = engine().fault;
  gather_rows(gather_of(in[1], in[0], n.attr.as<EmbeddingAttr>().scale, false, out[0]), fault,
              FaultKind::kToken, ctx.stream);
  if (!given(n, 2)) return;
  gather_rows(gather_of(in[3], in[2], 1.0f, true, out[0]), fault, FaultKind::kPosition, ctx.stream);
}

}  // namespace lm::cuda

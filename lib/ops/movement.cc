// Views, copies, concatenation, gather and scatter, broadcasting, embeddings.

#include <algorithm>

#include "core/str.h"
#include "ops/defs.h"
#include "ops/ops.h"

namespace lm {

namespace op {

void infer_view(InferCtx& c) {
  const ViewAttr a = c.attr<ViewAttr>();
  const ValueInfo& x = c.g.info(c.n.in[0]);
  const i64 extent = x.shape.count() == 0 ? 0 : (x.shape.rows() - 1) * x.ld + x.shape.cols();
  const i64 count = a.shape.count();
  const i64 end = count == 0 ? a.offset : a.offset + (a.shape.rows() - 1) * a.ld + a.shape.cols();
  c.require(a.offset >= 0 && end <= extent && a.ld >= a.shape.cols(), "view outside its input");
  c.n.out.push_back(c.g.new_view(c.n.in[0], a.shape, a.offset, a.ld));
}

void grad_view(GradCtx& c) {
  if (!c.need(0)) return;
  const Shape from = c.g.shape(c.in(0));
  Value dy = c.dout(0);
  if (from.count() == c.g.shape(dy).count()) {
    if (c.g.info(dy).ld != c.g.shape(dy).cols()) dy = copy(c.g, dy);
    c.pass(0, reshape(c.g, dy, from));
    return;
  }
  const ViewAttr a = c.attr<ViewAttr>();
  const i64 ld = std::max<i64>(1, c.g.info(c.in(0)).ld);
  const PadAttr pad{from, a.offset / ld, a.offset % ld};
  c.emit(Op::kPad, Attr::of(pad), {dy}, {c.into(0)});
}

void infer_copy(InferCtx& c) {
  c.output(c.shape(0), c.dtype(0));
}
void grad_copy(GradCtx& c) {
  c.pass(0, c.dout(0));
}

void infer_fill(InferCtx& c) {
  c.output(c.attr<FillAttr>().shape, DType::kF32);
}

void infer_pad(InferCtx& c) {
  const PadAttr a = c.attr<PadAttr>();
  c.require_real(0);
  c.require(a.row >= 0 && a.col >= 0 && a.row + c.shape(0).rows() <= a.shape.rows() &&
                a.col + c.shape(0).cols() <= a.shape.cols(),
            cat("slice does not fit in ", to_string(a.shape)));
  c.output(a.shape, c.dtype(0));
}

void infer_concat(InferCtx& c) {
  const bool columns = c.attr<ConcatAttr>().columns;
  c.require(c.n.in.size() > 0, "needs an input");
  i64 rows = 0;
  i64 cols = 0;
  for (i64 i = 0; i < c.n.in.size(); ++i) {
    c.require_real(i);
    const bool fits =
        columns ? c.shape(i).rows() == c.shape(0).rows() : c.shape(i).cols() == c.shape(0).cols();
    c.require(fits, columns ? "parts have different row counts" : "parts have different columns");
    rows += c.shape(i).rows();
    cols += c.shape(i).cols();
  }
  if (columns) {
    c.output({c.shape(0).rows(), cols}, c.dtype(0));
  } else {
    c.output({rows, c.shape(0).cols()}, c.dtype(0));
  }
}

void grad_concat(GradCtx& c) {
  const bool columns = c.attr<ConcatAttr>().columns;
  const Value dy = c.dout(0);
  i64 at = 0;
  for (i64 i = 0; c.has(i); ++i) {
    const Shape part = c.g.shape(c.in(i));
    const i64 size = columns ? part.cols() : part.rows();
    if (c.need(i)) {
      const Value piece =
          columns ? slice_columns(c.g, dy, at, size) : slice_rows(c.g, dy, at, size);
      if (part == c.g.shape(piece)) {
        c.pass(i, piece);
      } else {
        const Value whole = c.g.info(piece).ld == size || !columns ? piece : copy(c.g, piece);
        c.pass(i, reshape(c.g, whole, part));
      }
    }
    at += size;
  }
}

namespace {
// x's leading dimensions replaced by `rows`.
Shape with_rows(const Shape& x, i64 rows) {
  return x.rank <= 1 ? Shape{rows} : Shape{rows, x.cols()};
}
}  // namespace

void infer_gather(InferCtx& c) {
  c.require_real(0);
  c.require_dtype(1, DType::kI32);
  c.require(c.shape(0).rank >= 2, "gather takes rows of a matrix");
  c.output(with_rows(c.shape(0), c.shape(1).count()), c.dtype(0));
}

void grad_gather(GradCtx& c) {
  if (!c.need(0)) return;
  const ScatterAttr a{c.g.shape(c.in(0)).rows()};
  c.emit(Op::kScatterAddRows, Attr::of(a), {c.dout(0), c.in(1)}, {c.into(0)});
}

void infer_scatter(InferCtx& c) {
  c.require_real(0);
  c.require_dtype(1, DType::kI32);
  c.require(c.shape(0).rank >= 2 && c.shape(0).rows() == c.shape(1).count(),
            "one index per row of a matrix");
  c.output(with_rows(c.shape(0), c.attr<ScatterAttr>().rows), c.dtype(0));
}

void grad_scatter(GradCtx& c) {
  if (!c.need(0)) return;
  c.emit(Op::kGatherRows, Attr{}, {c.dout(0), c.in(1)}, {c.into(0)});
}

void infer_broadcast(InferCtx& c) {
  const BroadcastAttr a = c.attr<BroadcastAttr>();
  const i64 expected = a.along == Along::kRow   ? a.shape.cols()
                       : a.along == Along::kCol ? a.shape.rows()
                                                : 1;
  c.require_real(0);
  c.require(a.along != Along::kSame && c.shape(0).count() == expected,
            cat("does not broadcast to ", to_string(a.shape)));
  c.output(a.shape, c.dtype(0));
}

void grad_broadcast(GradCtx& c) {
  if (!c.need(0)) return;
  const BroadcastAttr a = c.attr<BroadcastAttr>();
  c.emit(Op::kReduce, Attr::of(ReduceAttr{a.along, a.scale}), {c.dout(0)}, {c.into(0)});
}

void infer_embedding(InferCtx& c) {
  c.require_dtype(0, DType::kI32);
  c.require(c.has(1) && c.shape(1).rank == 2, "the table is a matrix");
  for (const i64 table : {1, 3})
    c.require(!c.has(table) || is_weight(c.g.info(c.n.in[table]).dtype),
              "tables are f32, bf16 or f16");
  c.require(c.has(2) == c.has(3), "positions and position table come together");
  if (c.has(2)) {
    c.require_dtype(2, DType::kI32);
    c.require(c.shape(2).count() == c.shape(0).count(), "one position per token");
    c.require(c.shape(3).rank == 2 && c.shape(3).cols() == c.shape(1).cols(),
              "both tables have the same width");
  }
  c.output({c.shape(0).count(), c.shape(1).cols()}, c.g.activation());
}

void grad_embedding(GradCtx& c) {
  const Value dy = c.dout(0);
  const EmbeddingAttr a = c.attr<EmbeddingAttr>();
  if (c.need(1)) {
    c.emit(Op::kEmbeddingGrad, Attr::of(EmbeddingGradAttr{a.scale}), {dy, c.in(0)}, {c.into(1)});
  }
  if (c.need(3)) {
    c.emit(Op::kEmbeddingGrad, Attr::of(EmbeddingGradAttr{1.0f}), {dy, c.in(2)}, {c.into(3)});
  }
}

}  // namespace op

Value reshape(Graph& g, Value x, const Shape& shape) {
  const ValueInfo& info = g.info(x);
  const bool keeps_rows = shape.cols() == info.shape.cols();
  const bool contiguous = info.ld == info.shape.cols() || info.shape.rows() <= 1;
  if (shape.count() != info.shape.count() || !(keeps_rows || contiguous)) {
    throw ShapeError(cat("reshape (", info.name, "): ", to_string(info.shape), " with row stride ",
                         info.ld, " to ", to_string(shape)));
  }
  const ViewAttr a{0, keeps_rows ? info.ld : shape.cols(), shape};
  return g.apply(Op::kView, Attr::of(a), {x});
}

Value slice_rows(Graph& g, Value x, i64 begin, i64 count) {
  const ValueInfo& info = g.info(x);
  const Shape& from = info.shape;
  if (from.rank == 0 || begin < 0 || count < 0 || begin > from[0] - count) {
    throw ShapeError(cat("slice_rows (", info.name, "): [", begin, ", ", begin + count, ") of ",
                         to_string(from)));
  }
  Shape shape = from;
  shape.dim[0] = count;
  const i64 per_entry = from.rank == 1 ? 1 : info.ld * (from[0] == 0 ? 0 : from.rows() / from[0]);
  const i64 ld = from.rank == 1 ? count : info.ld;
  return g.apply(Op::kView, Attr::of(ViewAttr{begin * per_entry, ld, shape}), {x});
}

Value slice_columns(Graph& g, Value x, i64 begin, i64 count) {
  const ValueInfo& info = g.info(x);
  if (info.shape.rank == 0 || begin < 0 || count < 0 || begin > info.shape.cols() - count) {
    throw ShapeError(cat("slice_columns (", info.name, "): [", begin, ", ", begin + count, ") of ",
                         to_string(info.shape)));
  }
  const Shape shape{info.shape.rows(), count};
  return g.apply(Op::kView, Attr::of(ViewAttr{begin, info.ld, shape}), {x});
}

Value copy(Graph& g, Value x) {
  return g.apply(Op::kCopy, Attr{}, {x});
}

Value fill(Graph& g, const Shape& shape, f32 value) {
  return g.apply(Op::kFill, Attr::of(FillAttr{value, shape}), {});
}

Value concat_rows(Graph& g, std::initializer_list<Value> parts) {
  return g.apply(Op::kConcat, Attr::of(ConcatAttr{false}), parts);
}

Value concat_columns(Graph& g, std::initializer_list<Value> parts) {
  return g.apply(Op::kConcat, Attr::of(ConcatAttr{true}), parts);
}

Value concat_columns(Graph& g, const ValueList& parts) {
  const i64 node = g.append(Op::kConcat, Attr::of(ConcatAttr{true}), parts);
  return g.nodes()[usize(node)].out[0];
}

Value gather_rows(Graph& g, Value x, Value index) {
  return g.apply(Op::kGatherRows, Attr{}, {x, index});
}

Value scatter_add_rows(Graph& g, Value x, Value index, i64 rows) {
  return g.apply(Op::kScatterAddRows, Attr::of(ScatterAttr{rows}), {x, index});
}

Value stop_gradient(Graph& g, Value x) {
  const Value y = reshape(g, x, g.shape(x));
  g.info(y).needs_grad = false;
  return y;
}

Value embedding(Graph& g, Value tokens, Value table, Value positions, Value position_table,
                f32 scale) {
  return g.apply(Op::kEmbedding, Attr::of(EmbeddingAttr{scale}),
                 {tokens, table, positions, position_table});
}

}  // namespace lm

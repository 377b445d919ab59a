// Copies, gather and scatter, broadcasting, embeddings.

#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "core/str.h"
#include "cpu/table.h"

namespace lm::cpu {

namespace {

constexpr i64 kGrainElements = 16384;  // a task worth its hand-over

i64 row_grain(i64 cols) {
  return std::max<i64>(1, kGrainElements / std::max<i64>(1, cols));
}

// to (+)= from, row by row when strided.
void move_rows(const Tensor& from, const Tensor& to, bool add) {
  const i64 rows = from.rows();
  const i64 cols = from.cols();
  if (!add) {
    copy_rows(rows, cols, floats(from), from.ld, floats(to), to.ld);
    return;
  }
  if (flat(from) && flat(to)) {
    axpy(rows * cols, 1.0f, floats(from), floats(to));
    return;
  }
  for (i64 r = 0; r < rows; ++r) {
    axpy(cols, 1.0f, floats(from) + r * from.ld, floats(to) + r * to.ld);
  }
}

}  // namespace

void zero_rows(const Tensor& t) {
  if (flat(t)) {
    fill(t.count(), 0.0f, floats(t));
    return;
  }
  for (i64 r = 0; r < t.rows(); ++r)
    fill(t.cols(), 0.0f, floats(t) + r * t.ld);
}

void run_copy(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  if (in[0].data == out[0].data && !adds_to(n, 0)) return;  // planned in place
  if (in[0].dtype == DType::kF32) {
    if (in[0].shape.cols() == out[0].shape.cols()) {
      move_rows(in[0], out[0], adds_to(n, 0));
    } else {  // same elements under another shape: both are contiguous
      const Shape line{in[0].count()};
      move_rows(reshape(in[0], line), reshape(out[0], line), adds_to(n, 0));
    }
    return;
  }
  const i64 item = item_bytes(in[0].dtype);
  for (i64 r = 0; r < in[0].rows(); ++r) {
    std::memcpy(out[0].bytes() + r * out[0].ld * item, in[0].bytes() + r * in[0].ld * item,
                usize(in[0].cols() * item));
  }
}

void run_fill(const RunCtx&, const Node& n, const Tensor*, Tensor* out, void*) {
  fill(out[0].count(), n.attr.as<FillAttr>().value, floats(out[0]));
}

void run_pad(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const PadAttr a = n.attr.as<PadAttr>();
  if (!adds_to(n, 0)) zero_rows(out[0]);
  Tensor part = in[0];
  part.data = floats(out[0]) + a.row * out[0].ld + a.col;
  part.ld = out[0].ld;
  move_rows(in[0], part, adds_to(n, 0));
}

void run_concat(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const bool by_columns = n.attr.as<ConcatAttr>().columns;
  i64 at = 0;
  for (i64 i = 0; i < n.in.size(); ++i) {
    Tensor part = in[i];
    part.data = floats(out[0]) + (by_columns ? at : at * out[0].ld);
    part.ld = out[0].ld;
    move_rows(in[i], part, false);
    at += by_columns ? in[i].cols() : in[i].rows();
  }
}

void run_gather(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const i32* index = in[1].i32_data();
  const i64 cols = in[0].cols();
  const i64 limit = in[0].rows();
  LM_CHECK(!adds_to(n, 0), "gather stores");
  parallel_for(out[0].rows(), row_grain(cols), [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      f32* to = floats(out[0]) + i * out[0].ld;
      if (index[i] < 0 || index[i] >= limit) {
        std::memset(to, 0, usize(cols * 4));
      } else {
        std::memcpy(to, floats(in[0]) + index[i] * in[0].ld, usize(cols * 4));
      }
    }
  });
}

i64 space_scatter(const Node& n, const Graph& g) {
  return g.shape(n.in[1]).count() * 4;
}

namespace {
// table[index[i]] += scale * rows[i]; indices outside the table are dropped.
void add_rows(const Tensor& rows, const Tensor& index, f32 factor, const Tensor& table,
              void* space) {
  i32* ids = static_cast<i32*>(space);
  const i32* given = index.i32_data();
  for (i64 i = 0; i < rows.rows(); ++i)
    ids[i] = given[i] < table.rows() ? given[i] : -1;
  embedding_backward(rows.rows(), rows.cols(), table.rows(), ids, factor, floats(rows), rows.ld,
                     floats(table), table.ld);
}
}  // namespace

void run_scatter(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void* space) {
  LM_CHECK(!adds_to(n, 0), "scatter stores");
  zero_rows(out[0]);
  add_rows(in[0], in[1], 1.0f, out[0], space);
}

void run_embedding_grad(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void* space) {
  if (!adds_to(n, 0)) zero_rows(out[0]);
  add_rows(in[0], in[1], n.attr.as<EmbeddingGradAttr>().scale, out[0], space);
}

void run_broadcast(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const BroadcastAttr a = n.attr.as<BroadcastAttr>();
  const f32* v = floats(in[0]);
  const i64 cols = out[0].cols();
  parallel_for(out[0].rows(), row_grain(cols), [&](i64 begin, i64 end) {
    for (i64 r = begin; r < end; ++r) {
      f32* to = floats(out[0]) + r * out[0].ld;
      if (a.along == Along::kRow) {
        for (i64 c = 0; c < cols; ++c)
          to[c] = a.scale * v[c];
      } else {
        std::fill_n(to, cols, a.scale * v[a.along == Along::kCol ? r : 0]);
      }
    }
  });
}

namespace {
void check_ids(const Node& n, const Tensor& ids, i64 limit, std::string_view what) {
  const i32* p = ids.i32_data();
  for (i64 i = 0; i < ids.count(); ++i) {
    if (p[i] < 0 || p[i] >= limit) {
      throw Error(ErrorKind::kData, cat(n.name, ": ", what, " ", p[i], " at row ", i,
                                        " is outside [0, ", limit, ")"));
    }
  }
}
}  // namespace

namespace {
// out (+)= factor * the table's rows.
void look_up(const Tensor& table, const Tensor& ids, f32 factor, bool add, const Tensor& out) {
  if (table.dtype == DType::kF32) {
    embedding_forward(out.rows(), out.cols(), floats(table), table.ld, ids.i32_data(), factor, add,
                      floats(out), out.ld);
    return;
  }
  const WeightType type = table.dtype == DType::kBf16 ? WeightType::kBf16 : WeightType::kF16;
  embedding_forward16(out.rows(), out.cols(), type, static_cast<const u16*>(table.data), table.ld,
                      ids.i32_data(), factor, add, floats(out), out.ld);
}
}  // namespace

void run_embedding(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const f32 factor = n.attr.as<EmbeddingAttr>().scale;
  check_ids(n, in[0], in[1].rows(), "token");
  look_up(in[1], in[0], factor, false, out[0]);
  if (n.in.size() > 2 && n.in[2]) {
    check_ids(n, in[2], in[3].rows(), "position");
    look_up(in[3], in[2], 1.0f, true, out[0]);
  }
}

}  // namespace lm::cpu

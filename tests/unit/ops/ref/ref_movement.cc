#include "ops/op.h"
#include "ref.h"

namespace lm::test {

namespace {

void concat(const RefNode& r) {
  const bool columns = r.n.attr.as<ConcatAttr>().columns;
  const i64 width = r.g.shape(r.n.out[0]).cols();
  i64 at = 0;
  for (i64 i = 0; i < ssize(r.in); ++i) {
    for (i64 k = 0; k < ssize(r.x(i)); ++k) {
      const i64 row = k / r.cols(i);
      const i64 col = k % r.cols(i);
      const i64 to = columns ? row * width + at + col : (at + row) * width + col;
      r.y(0)[usize(to)] = r.x(i)[usize(k)];
    }
    at += columns ? r.cols(i) : r.rows(i);
  }
}

void move_rows(const RefNode& r) {
  const bool gather = r.n.op == Op::kGatherRows;
  const i64 cols = r.cols(0);
  const i64 limit = gather ? r.rows(0) : r.n.attr.as<ScatterAttr>().rows;
  for (i64 i = 0; i < ssize(r.x(1)); ++i) {
    const i64 index = static_cast<i64>(r.x(1)[usize(i)]);
    if (index < 0 || index >= limit) continue;
    for (i64 c = 0; c < cols; ++c) {
      if (gather) {
        r.y(0)[usize(i * cols + c)] = r.x(0)[usize(index * cols + c)];
      } else {
        r.y(0)[usize(index * cols + c)] += r.x(0)[usize(i * cols + c)];
      }
    }
  }
}

void broadcast(const RefNode& r) {
  const BroadcastAttr a = r.n.attr.as<BroadcastAttr>();
  const i64 cols = a.shape.cols();
  for (i64 i = 0; i < ssize(r.y(0)); ++i) {
    const i64 from = a.along == Along::kRow ? i % cols : a.along == Along::kCol ? i / cols : 0;
    r.y(0)[usize(i)] = a.scale * r.x(0)[usize(from)];
  }
}

void pick(const RefNode& r) {
  for (i64 i = 0; i < r.rows(0); ++i) {
    const i64 index = static_cast<i64>(r.x(1)[usize(i)]);
    if (index >= 0 && index < r.cols(0)) r.y(0)[usize(i)] = r.x(0)[usize(i * r.cols(0) + index)];
  }
}

void embedding(const RefNode& r) {
  const f64 scale = r.n.attr.as<EmbeddingAttr>().scale;
  const i64 cols = r.cols(1);
  for (i64 i = 0; i < ssize(r.x(0)); ++i) {
    for (i64 c = 0; c < cols; ++c) {
      f64 v = scale * r.x(1)[usize(static_cast<i64>(r.x(0)[usize(i)]) * cols + c)];
      if (r.has(2)) v += r.x(3)[usize(static_cast<i64>(r.x(2)[usize(i)]) * cols + c)];
      r.y(0)[usize(i * cols + c)] = v;
    }
  }
}

}  // namespace

bool ref_movement(const RefNode& r) {
  switch (r.n.op) {
    case Op::kCopy:
      r.y(0) = r.x(0);
      return true;
    case Op::kFill:
      r.y(0).assign(r.y(0).size(), r.n.attr.as<FillAttr>().value);
      return true;
    case Op::kConcat:
      concat(r);
      return true;
    case Op::kGatherRows:
    case Op::kScatterAddRows:
      move_rows(r);
      return true;
    case Op::kBroadcast:
      broadcast(r);
      return true;
    case Op::kPick:
      pick(r);
      return true;
    case Op::kEmbedding:
      embedding(r);
      return true;
    default:
      return false;
  }
}

}  // namespace lm::test

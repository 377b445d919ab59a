#include "cpu/attention.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/error.h"
#include "cpu/rows.h"

namespace lm::cpu {

namespace {

// Row-heads per task: packing a tile of keys costs as much as computing with about six of them.
constexpr i64 kTaskRowHeads = 192;
constexpr i64 kGradRowHeads = 96;

void check_shape(const AttentionShape& shape) {
  LM_CHECK(shape.kv_heads >= 1 && shape.q_heads % shape.kv_heads == 0 && shape.head_dim >= 1,
           "query heads must be a multiple of key heads and head_dim positive");
}

// The rows' spans cut to the shape's window; they live in `cut` where that changes them.
const RowSpan* visible_spans(const AttentionShape& shape, const RowSpan* spans,
                             std::vector<RowSpan>& cut) {
  if (shape.window <= 0) return spans;
  cut.assign(spans, spans + shape.rows);
  for (RowSpan& span : cut)
    span = windowed(span, shape.window);
  return cut.data();
}

// The shape's mask of these spans, with the memory that the rule points to.
struct Sparse {
  std::vector<i64> begin, own;
  isa::SparseRule rule;

  Sparse(const AttentionShape& shape, const RowSpan* spans) {
    const SparseMask& mask = shape.sparse;
    if (!mask.on()) return;
    LM_CHECK(possible(mask), "blocks are multiples of 16 and patterns fit a window");
    for (i64 h = 0; h < shape.q_heads; ++h)
      begin.push_back(mask.summary(h));
    for (i64 r = 0; r < shape.rows; ++r)
      own.push_back(std::max<i64>(0, last_index(spans[r])) / mask.window() * mask.window());
    rule = {mask.window(), mask.summary_size(), begin.data(), own.data()};
  }
  Sparse(const Sparse&) = delete;
  Sparse& operator=(const Sparse&) = delete;
};

// Query rows per forward task.
i64 rows_per_task(const AttentionShape& shape) {
  const i64 most = std::max<i64>(1, kTaskRowHeads * shape.kv_heads / shape.q_heads);
  // Small inputs are cut finer so that every thread has work; the cut cannot change bits.
  const i64 even = shape.rows * shape.kv_heads / (2 * static_cast<i64>(max_threads()));
  return std::clamp<i64>(even, 1, most);
}

// Smallest intervals that contain those of kHullRows rows each.
std::vector<RowSpan> make_hulls(i64 rows, const RowSpan* spans) {
  constexpr i32 kTop = std::numeric_limits<i32>::max();
  std::vector<RowSpan> hulls(usize((rows + isa::kHullRows - 1) / isa::kHullRows),
                             {kTop, 0, kTop, 0, 0, 0});
  for (i64 r = 0; r < rows; ++r) {
    RowSpan& h = hulls[usize(r / isa::kHullRows)];
    const RowSpan& s = spans[r];
    if (s.a0 < s.a1) {
      h.a0 = std::min(h.a0, s.a0);
      h.a1 = std::max(h.a1, s.a1);
    }
    if (s.b0 < s.b1) {
      h.b0 = std::min(h.b0, s.b0);
      h.b1 = std::max(h.b1, s.b1);
    }
  }
  return hulls;
}

}  // namespace

void attention_forward(const AttentionShape& shape, const f32* q, i64 ldq, const KeyValues& kv,
                       const RowSpan* all_spans, const i32* key_list, f32* o, i64 ldo, f32* lse) {
  check_shape(shape);
  if (shape.rows <= 0) return;
  std::vector<RowSpan> cut;
  const RowSpan* const spans = visible_spans(shape, all_spans, cut);
  LM_CHECK(kv.page_size == 0 || kv.tables != nullptr, "paged keys need page tables");
  const isa::Kernels& isa = active();
  const Sparse sparse(shape, spans);
  const i64 group = shape.q_heads / shape.kv_heads;
  const i64 per = rows_per_task(shape);
  const i64 blocks = (shape.rows + per - 1) / per;
  parallel_for(blocks * shape.kv_heads, 1, [&](i64 begin, i64 end) {
    const Scratch scratch(isa.attention_scratch(per, group, shape.head_dim));
    isa::AttentionTask task;
    task.shape = &shape;
    task.q = q;
    task.ldq = ldq;
    task.kv = &kv;
    task.spans = spans;
    task.key_list = key_list;
    task.sparse = sparse.rule;
    std::vector<u32> units(usize(shape.sparse.on() ? group : 0));
    task.units = units.data();
    task.o = o;
    task.ldo = ldo;
    task.lse = lse;
    task.scratch = scratch.data();
    for (i64 i = begin; i < end; ++i) {
      task.kv_head = i / blocks;
      task.row0 = i % blocks * per;
      task.row1 = std::min(shape.rows, task.row0 + per);
      isa.attention_forward(task);
    }
  });
}

void attention_backward(const AttentionShape& shape, const AttentionBackward& given) {
  check_shape(shape);
  std::vector<RowSpan> cut;
  AttentionBackward args = given;
  args.spans = visible_spans(shape, given.spans, cut);
  const isa::Kernels& isa = active();
  const i64 heads = shape.q_heads, d = shape.head_dim, rows = shape.rows;
  const i64 group = heads / shape.kv_heads;
  const Scratch delta(rows * heads);
  for_rows(rows, heads * d, [&](i64 r) {
    for (i64 h = 0; h < heads; ++h) {
      delta.data()[r * heads + h] =
          isa.row_dot(d, args.d_o + r * args.lddo + h * d, args.o + r * args.ldo + h * d);
    }
  });
  const std::vector<RowSpan> hulls = make_hulls(rows, args.spans);
  const Sparse sparse(shape, args.spans);
  isa::AttentionGradTask proto;
  proto.shape = &shape;
  proto.args = &args;
  proto.delta = delta.data();
  proto.hulls = hulls.data();
  proto.sparse = sparse.rule;

  const i64 key_blocks = (args.slots + isa::kGradKeys - 1) / isa::kGradKeys;
  parallel_for(key_blocks * shape.kv_heads, 1, [&](i64 begin, i64 end) {
    const Scratch scratch(isa.attention_grad_scratch(0, d));
    isa::AttentionGradTask task = proto;
    task.scratch = scratch.data();
    for (i64 i = begin; i < end; ++i) {
      task.kv_head = i / key_blocks;
      task.begin = i % key_blocks * isa::kGradKeys;
      task.end = std::min(args.slots, task.begin + isa::kGradKeys);
      isa.attention_grad_kv(task);
    }
  });

  const i64 per = std::max<i64>(1, kGradRowHeads / group);
  const i64 blocks = (rows + per - 1) / per;
  parallel_for(blocks * shape.kv_heads, 1, [&](i64 begin, i64 end) {
    const Scratch scratch(isa.attention_grad_scratch(per * group, d));
    isa::AttentionGradTask task = proto;
    task.scratch = scratch.data();
    for (i64 i = begin; i < end; ++i) {
      task.kv_head = i / blocks;
      task.begin = i % blocks * per;
      task.end = std::min(rows, task.begin + per);
      isa.attention_grad_q(task);
    }
  });
}

}  // namespace lm::cpu

#include "ref.h"

#include "core/str.h"
#include "ops/op.h"

namespace lm::test {

void RefRun::run(i64 nodes, const RefCtx& ctx) {
  for (i64 i = 0; i < nodes; ++i) {
    const Node& n = g_.nodes()[usize(i)];
    if (n.op == Op::kView) {
      const ValueInfo& view = g_.info(n.out[0]);
      const Numbers& base = values_[usize(view.base)];
      Numbers& y = values_[usize(n.out[0].id)];
      y.clear();
      for (i64 r = 0; r < view.shape.rows(); ++r) {
        for (i64 c = 0; c < view.shape.cols(); ++c) {
          y.push_back(base[usize(view.view_offset + r * view.ld + c)]);
        }
      }
      continue;
    }
    RefNode r{g_, n, {}, {}};
    for (const Value v : n.in)
      r.in.push_back(v ? &values_[usize(v.id)] : nullptr);
    for (const Value v : n.out) {
      r.out.push_back(v ? &values_[usize(v.id)] : nullptr);
      if (v) values_[usize(v.id)].assign(usize(g_.shape(v).count()), 0.0);
    }
    const bool done = ref_elementwise(r, ctx) || ref_movement(r) || ref_transformer(r) ||
                      ref_loss(r) || ref_recurrent(r) || ref_experts(r);
    LM_CHECK(done, cat("no reference for operator ", g_.def(n.op).name));
  }
}

}  // namespace lm::test

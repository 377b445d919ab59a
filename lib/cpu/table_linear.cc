// Linear layers, batched products and the cache of packed weights.

#include <map>
#include <tuple>
#include <vector>

#include "core/parallel.h"
#include "cpu/table.h"

namespace lm::cpu {

namespace {

// Packed copies of weights by address, rows and type. One run at a time uses it (RunCtx::state).
class WeightCache : public BackendState {
 public:
  void clear() override { packs_.clear(); }
  bool keep(const Tensor& weight, std::span<const Tensor> parts) override {
    PackedWeights& packed = packs_[{weight.data, weight.rows(), weight.cols()}];
    return !packed.empty() || packed.pack_rows(parts);
  }
  const PackedWeights& get(const Tensor& w, i64 n) {
    PackedWeights& packed = packs_[{w.data, n, w.cols()}];
    if (packed.empty()) pack(w, n, packed);
    return packed;
  }
  static void pack(const Tensor& w, i64 n, PackedWeights& packed) {
    const Tensor rows = slice(w, 0, n);
    LM_CHECK(packed.pack_rows({&rows, 1}), "one part has whole panels");
  }

 private:
  std::map<std::tuple<void*, i64, i64>, PackedWeights> packs_;
};

}  // namespace

std::unique_ptr<BackendState> make_weight_cache() {
  return std::make_unique<WeightCache>();
}

void times_weight(const RunCtx& ctx, i64 m, const f32* x, i64 ldx, const Tensor& w, i64 n, f32* y,
                  i64 ldy, const Epilogue& epilogue) {
  if (m == 0 || n == 0) return;
  if (ctx.state != nullptr) {
    gemm(m, x, ldx, static_cast<WeightCache*>(ctx.state)->get(w, n), y, ldy, epilogue);
  } else if (w.dtype == DType::kF32) {
    gemm(Layout::kNT, m, n, w.cols(), x, ldx, w.f32_data(), w.ld, y, ldy, epilogue);
  } else {
    PackedWeights packed;
    WeightCache::pack(w, n, packed);
    gemm(m, x, ldx, packed, y, ldy, epilogue);
  }
}

void times_grouped(const RunCtx& ctx, const i32* offsets, i64 groups, const Tensor& x,
                   const Tensor& w, const Tensor& y) {
  const i64 out = w.rows() / groups;
  std::vector<const PackedWeights*> packs;  // found before the groups run side by side
  if (ctx.state != nullptr) {
    WeightCache& cache = *static_cast<WeightCache*>(ctx.state);
    for (i64 e = 0; e < groups; ++e)
      packs.push_back(offsets[e + 1] > offsets[e] ? &cache.get(slice(w, e * out, out), out)
                                                  : nullptr);
  }
  parallel_for(groups, 1, [&](i64 begin, i64 end) {
    for (i64 e = begin; e < end; ++e) {
      const i64 rows = offsets[e + 1] - offsets[e];
      if (rows == 0) continue;
      const f32* const from = floats(x) + offsets[e] * x.ld;
      f32* const to = floats(y) + offsets[e] * y.ld;
      if (ctx.state != nullptr) {
        gemm(rows, from, x.ld, *packs[usize(e)], to, y.ld);
      } else {
        times_weight(ctx, rows, from, x.ld, slice(w, e * out, out), out, to, y.ld, {});
      }
    }
  });
}

void run_linear(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void*) {
  const LinearAttr a = n.attr.as<LinearAttr>();
  Epilogue e;
  if (n.in.size() > 2 && n.in[2]) e.bias = floats(in[2]);
  if (n.in.size() > 3 && n.in[3]) {
    e.residual = floats(in[3]);
    e.ld_residual = in[3].ld;
  }
  e.act = act_of(a.act);
  if (n.out.size() > 1 && out[1].data != nullptr) {
    e.aux = floats(out[1]);
    e.ld_aux = out[1].ld;
  }
  times_weight(ctx, in[0].rows(), floats(in[0]), in[0].ld, in[1], in[1].rows(), floats(out[0]),
               out[0].ld, e);
}

void run_linear_grad_x(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  Epilogue e;
  e.accumulate = adds_to(n, 0);
  gemm(Layout::kNN, in[0].rows(), in[1].cols(), in[1].rows(), floats(in[0]), in[0].ld,
       floats(in[1]), in[1].ld, floats(out[0]), out[0].ld, e);
  if (n.in.size() < 3) return;
  LM_CHECK(out[0].contiguous() && in[2].contiguous(), "a fused slope takes whole matrices");
  act_backward(act_of(n.attr.as<LinearAttr>().act), out[0].count(), floats(in[2]), floats(out[0]),
               floats(out[0]));
}

void run_linear_grad_w(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  Epilogue e;
  e.accumulate = adds_to(n, 0);
  gemm(Layout::kTN, in[0].cols(), in[1].cols(), in[0].rows(), floats(in[0]), in[0].ld,
       floats(in[1]), in[1].ld, floats(out[0]), out[0].ld, e);
}

void run_matmul(const RunCtx&, const Node& n, const Tensor* in, Tensor* out, void*) {
  const MatmulAttr m = n.attr.as<MatmulAttr>();
  const Layout layout = m.ta ? Layout::kTN : m.tb ? Layout::kNT : Layout::kNN;
  const Shape& a = in[0].shape;
  const Shape& c = out[0].shape;
  const int r = a.rank;
  const i64 k = m.ta ? a[r - 2] : a[r - 1];
  const i64 batch = r == 3 ? a[0] : 1;
  const auto stride = [r](const Tensor& t) { return r == 3 ? t.shape[1] * t.ld : 0; };
  gemm_batched(layout, batch, c[r - 2], c[r - 1], k, floats(in[0]), in[0].ld, stride(in[0]),
               floats(in[1]), in[1].ld, stride(in[1]), floats(out[0]), out[0].ld, stride(out[0]),
               m.alpha, adds_to(n, 0));
}

}  // namespace lm::cpu

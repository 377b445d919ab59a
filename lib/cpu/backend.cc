#include "cpu/backend.h"

#include <array>
#include <cstring>

#include "core/parallel.h"
#include "cpu/pointwise.h"
#include "cpu/table.h"

namespace lm {

namespace {

using namespace cpu;

constexpr std::array<KernelDef, usize(kOpCount)> make_kernels() {
  std::array<KernelDef, usize(kOpCount)> k{};
  const auto set = [&k](Op op, Kernel run, WorkspaceRule* workspace = nullptr) {
    k[static_cast<std::size_t>(op)] = {run, workspace};
  };
  set(Op::kCopy, run_copy);
  set(Op::kFill, run_fill);
  set(Op::kPad, run_pad);
  set(Op::kConcat, run_concat);
  set(Op::kGatherRows, run_gather);
  set(Op::kScatterAddRows, run_scatter, space_scatter);
  set(Op::kBroadcast, run_broadcast);
  set(Op::kAdd, run_add);
  set(Op::kMul, run_mul);
  set(Op::kUnary, run_unary);
  set(Op::kUnaryGrad, run_unary_grad);
  set(Op::kDropout, run_dropout);
  set(Op::kReduce, run_reduce, space_reduce);
  set(Op::kSoftmax, run_softmax);
  set(Op::kSoftmaxGrad, run_softmax_grad);
  set(Op::kLogsumexp, run_logsumexp);
  set(Op::kPick, run_pick);
  set(Op::kPickGrad, run_pick_grad);
  set(Op::kLinear, run_linear);
  set(Op::kLinearGradX, run_linear_grad_x);
  set(Op::kLinearGradW, run_linear_grad_w);
  set(Op::kMatmul, run_matmul);
  set(Op::kNorm, run_norm);
  set(Op::kNormGrad, run_norm_grad, space_norm_grad);
  set(Op::kQkNorm, run_qk_norm);
  set(Op::kQkNormGrad, run_qk_norm_grad, space_qk_norm_grad);
  set(Op::kRope, run_rope);
  set(Op::kAttention, run_attention);
  set(Op::kAttentionGrad, run_attention_grad, space_attention_grad);
  set(Op::kPagedAttention, run_paged);
  set(Op::kGlu, run_glu);
  set(Op::kGluGrad, run_glu_grad);
  set(Op::kEmbedding, run_embedding);
  set(Op::kEmbeddingGrad, run_embedding_grad, space_scatter);
  set(Op::kLinearCe, run_linear_ce, space_linear_ce);
  set(Op::kLinearCeGrad, run_linear_ce_grad, space_linear_ce_grad);
  set(Op::kLinearLogprob, run_linear_logprob, space_linear_logprob);
  return k;
}

constexpr std::array<KernelDef, usize(kOpCount)> kKernels = make_kernels();

class CpuBackend : public Backend {
 public:
  CpuBackend() : Backend("cpu", Device{}, kKernels) {}
  Storage allocate(i64 bytes) const override { return Storage::cpu(bytes); }
  void zero(void* dst, i64 bytes) const override {
    u8* to = static_cast<u8*>(dst);
    parallel_for(bytes, 1 << 18,
                 [to](i64 begin, i64 end) { std::memset(to + begin, 0, usize(end - begin)); });
  }
  void copy(void* dst, const void* src, i64 bytes) const override {
    if (bytes > 0) std::memcpy(dst, src, usize(bytes));
  }
  void to_device(void* dst, const void* src, i64 bytes) const override { copy(dst, src, bytes); }
  void to_host(void* dst, const void* src, i64 bytes) const override { copy(dst, src, bytes); }
  void synchronize() const override {}
  std::unique_ptr<BackendState> make_state() const override { return make_weight_cache(); }
  void adamw(const AdamWStep& step, i64 n, const f32* grad, f32* w, f32* m, f32* v,
             u16* w16) const override {
    cpu::adamw(n, step, grad, w, m, v);
    if (w16 != nullptr) cpu::f32_to_bf16(n, w, w16);
  }
  f64 sum_squares(i64 n, const f32* x) const override { return cpu::sum_squares(n, x); }
  void round_to_bf16(i64 n, const f32* x, u16* y) const override { cpu::f32_to_bf16(n, x, y); }
};

}  // namespace

const Backend& cpu_backend() {
  static const CpuBackend backend;
  return backend;
}

}  // namespace lm

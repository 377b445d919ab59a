#include "cpu/backend.h"

#include <array>
#include <cstring>

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

void zero_bytes(void* dst, i64 bytes, Stream*) {
  if (bytes > 0) std::memset(dst, 0, usize(bytes));
}
void copy_bytes(void* dst, const void* src, i64 bytes, Stream*) {
  if (bytes > 0) std::memcpy(dst, src, usize(bytes));
}
void no_wait(Stream*) {}

}  // namespace

const Backend& cpu_backend() {
  static constexpr Backend kBackend = [] {
    Backend b;
    b.name = "cpu";
    b.kernels = kKernels;
    b.allocate = &Storage::cpu;
    b.zero = zero_bytes;
    b.to_device = copy_bytes;
    b.to_host = copy_bytes;
    b.synchronize = no_wait;
    b.make_state = make_weight_cache;
    return b;
  }();
  return kBackend;
}

}  // namespace lm

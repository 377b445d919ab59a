#pragma once
// The operators that have kernels, once for every backend: LM_KERNELS(X) is X(operator, function)
// for each. A backend declares the functions and fills its table with it, so neither can lack one.
// LM_HOST_KERNELS(X) has those that run on the CPU alone. A view runs no kernel.

#include <array>
#include <initializer_list>

#include "graph/backend.h"
#include "ops/op.h"

#define LM_KERNELS(X)                   \
  X(kCopy, run_copy)                    \
  X(kFill, run_fill)                    \
  X(kPad, run_pad)                      \
  X(kConcat, run_concat)                \
  X(kGatherRows, run_gather)            \
  X(kScatterAddRows, run_scatter)       \
  X(kBroadcast, run_broadcast)          \
  X(kAdd, run_add)                      \
  X(kMul, run_mul)                      \
  X(kUnary, run_unary)                  \
  X(kUnaryGrad, run_unary_grad)         \
  X(kDropout, run_dropout)              \
  X(kReduce, run_reduce)                \
  X(kSoftmax, run_softmax)              \
  X(kSoftmaxGrad, run_softmax_grad)     \
  X(kLogsumexp, run_logsumexp)          \
  X(kPick, run_pick)                    \
  X(kPickGrad, run_pick_grad)           \
  X(kLinear, run_linear)                \
  X(kLinearGradX, run_linear_grad_x)    \
  X(kLinearGradW, run_linear_grad_w)    \
  X(kMatmul, run_matmul)                \
  X(kNorm, run_norm)                    \
  X(kNormGrad, run_norm_grad)           \
  X(kQkNorm, run_qk_norm)               \
  X(kQkNormGrad, run_qk_norm_grad)      \
  X(kRope, run_rope)                    \
  X(kAttention, run_attention)          \
  X(kAttentionGrad, run_attention_grad) \
  X(kPagedAttention, run_paged)         \
  X(kGlu, run_glu)                      \
  X(kGluGrad, run_glu_grad)             \
  X(kEmbedding, run_embedding)          \
  X(kEmbeddingGrad, run_embedding_grad) \
  X(kLinearCe, run_linear_ce)           \
  X(kLinearCeGrad, run_linear_ce_grad)  \
  X(kLinearLogprob, run_linear_logprob)

#define LM_HOST_KERNELS(X)                               \
  X(kScan, run_scan)                                     \
  X(kScanGrad, run_scan_grad)                            \
  X(kCachedScan, run_cached_scan)                        \
  X(kLstm, run_lstm)                                     \
  X(kLstmGrad, run_lstm_grad)                            \
  X(kCachedLstm, run_cached_lstm)                        \
  X(kConv, run_conv)                                     \
  X(kConvGrad, run_conv_grad)                            \
  X(kCachedConv, run_cached_conv)                        \
  X(kLinearAttention, run_linear_attention)              \
  X(kLinearAttentionGrad, run_linear_attention_grad)     \
  X(kCachedLinearAttention, run_cached_linear_attention) \
  X(kRoute, run_route)                                   \
  X(kRouteGrad, run_route_grad)                          \
  X(kDispatch, run_dispatch)                             \
  X(kGroupedLinear, run_grouped_linear)                  \
  X(kGroupedLinearGradX, run_grouped_linear_grad_x)      \
  X(kGroupedLinearGradW, run_grouped_linear_grad_w)      \
  X(kCombine, run_combine)                               \
  X(kCombineGrad, run_combine_grad)                      \
  X(kDraws, run_draws)

#define LM_COUNT_KERNEL(op, function) +1  // NOLINT(bugprone-macro-parentheses): a sum of them
static_assert(LM_KERNELS(LM_COUNT_KERNEL) LM_HOST_KERNELS(LM_COUNT_KERNEL) == lm::kOpCount - 1,
              "every operator but the view");
#undef LM_COUNT_KERNEL

namespace lm {

using KernelTable = std::array<KernelDef, usize(kOpCount)>;

/// A backend's table from LM_KERNELS(LM_KERNEL_ENTRY) and the operators that need workspace.
struct KernelEntry {
  Op op;
  Kernel run;
};
struct WorkspaceEntry {
  Op op;
  i64 (*bytes)(const Node& node, const Graph& g);
};
#define LM_KERNEL_ENTRY(op, function) ::lm::KernelEntry{::lm::Op::op, function},
constexpr KernelTable kernel_table(std::initializer_list<KernelEntry> kernels,
                                   std::initializer_list<WorkspaceEntry> workspaces) {
  KernelTable table{};
  for (const KernelEntry& entry : kernels)
    table[static_cast<std::size_t>(entry.op)].run = entry.run;
  for (const WorkspaceEntry& entry : workspaces)
    table[static_cast<std::size_t>(entry.op)].workspace = entry.bytes;
  return table;
}

}  // namespace lm

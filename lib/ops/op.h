#pragma once
// The operator list. ops() is the explicit table: Op(i) is defined by ops()[i] (shape rule,
// gradient, cost). Kernels live in a Backend (graph/exec.h).

#include <span>

#include "graph/op_def.h"
#include "ops/attr.h"
#include "ops/experts.h"

namespace lm {

enum class Op : u16 {
  // movement (the first three are the graph's own)
  kView,
  kCopy,
  kFill,
  kPad,
  kConcat,
  kGatherRows,
  kScatterAddRows,
  kBroadcast,
  // elementwise and reductions
  kAdd,
  kMul,
  kUnary,
  kUnaryGrad,
  kDropout,
  kReduce,
  kSoftmax,
  kSoftmaxGrad,
  kLogsumexp,
  kPick,
  kPickGrad,
  // linear algebra
  kLinear,
  kLinearGradX,
  kLinearGradW,
  kMatmul,
  // transformer parts
  kNorm,
  kNormGrad,
  kQkNorm,
  kQkNormGrad,
  kRope,
  kAttention,
  kAttentionGrad,
  kPagedAttention,
  kGlu,
  kGluGrad,
  kEmbedding,
  kEmbeddingGrad,
  // recurrences
  kScan,
  kScanGrad,
  kCachedScan,
  kLstm,
  kLstmGrad,
  kCachedLstm,
  kConv,
  kConvGrad,
  kCachedConv,
  kLinearAttention,
  kLinearAttentionGrad,
  kCachedLinearAttention,
  // mixtures of experts (experts.h)
  kRoute,
  kRouteGrad,
  kDispatch,
  kGroupedLinear,
  kGroupedLinearGradX,
  kGroupedLinearGradW,
  kCombine,
  kCombineGrad,
  kDraws,
  // losses on logits
  kLinearCe,
  kLinearCeGrad,
  kLinearLogprob,
  kCount
};
inline constexpr i64 kOpCount = static_cast<i64>(Op::kCount);

/// The table, kOpCount entries.
std::span<const OpDef> ops();

}  // namespace lm

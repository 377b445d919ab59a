#pragma once
// Private to this room: the shape rules, gradients and costs that table.cc puts together, by
// family.

#include "ops/op.h"

namespace lm::op {

// Costs
// --------------------------------------------------------------------------------------------
/// Bytes of inputs and outputs, and `flops`.
Cost traffic(const Node& n, const Graph& g, i64 flops);
/// One FLOP per output element.
Cost cost_elementwise(const Node& n, const Graph& g);
/// Eight FLOPs per output element (exponentials, norms).
Cost cost_heavy(const Node& n, const Graph& g);

// Movement (movement.cc)
void infer_view(InferCtx& c);
void grad_view(GradCtx& c);
void infer_copy(InferCtx& c);
void grad_copy(GradCtx& c);
void infer_fill(InferCtx& c);
void infer_pad(InferCtx& c);
void infer_concat(InferCtx& c);
void grad_concat(GradCtx& c);
void infer_gather(InferCtx& c);
void grad_gather(GradCtx& c);
void infer_scatter(InferCtx& c);
void grad_scatter(GradCtx& c);
void infer_broadcast(InferCtx& c);
void grad_broadcast(GradCtx& c);
void infer_embedding(InferCtx& c);
void grad_embedding(GradCtx& c);

// Elementwise and reductions (elementwise.cc)
void infer_add(InferCtx& c);
void grad_add(GradCtx& c);
void infer_mul(InferCtx& c);
void grad_mul(GradCtx& c);
void infer_same(InferCtx& c);  // y has x's shape
void grad_unary(GradCtx& c);
void infer_dropout(InferCtx& c);
void grad_dropout(GradCtx& c);
void infer_reduce(InferCtx& c);
void grad_reduce(GradCtx& c);
void grad_softmax(GradCtx& c);
void infer_logsumexp(InferCtx& c);
void grad_logsumexp(GradCtx& c);
void infer_pick(InferCtx& c);
void grad_pick(GradCtx& c);
void infer_glu(InferCtx& c);
void grad_glu(GradCtx& c);

// Matrix products (linear.cc)
void infer_linear(InferCtx& c);
void grad_linear(GradCtx& c);
Cost cost_linear(const Node& n, const Graph& g);
Cost cost_linear_grad(const Node& n, const Graph& g);
void infer_matmul(InferCtx& c);
void grad_matmul(GradCtx& c);
Cost cost_matmul(const Node& n, const Graph& g);

// Transformer parts (transformer.cc)
void infer_norm(InferCtx& c);
void grad_norm(GradCtx& c);
void infer_qk_norm(InferCtx& c);
void grad_qk_norm(GradCtx& c);
void infer_rope(InferCtx& c);
void grad_rope(GradCtx& c);
void infer_attention(InferCtx& c);
void grad_attention(GradCtx& c);
Cost cost_attention(const Node& n, const Graph& g);
Cost cost_attention_grad(const Node& n, const Graph& g);
void infer_paged(InferCtx& c);
Cost cost_paged(const Node& n, const Graph& g);

// Recurrences (recurrent.cc)
void infer_scan(InferCtx& c);
void grad_scan(GradCtx& c);
void infer_cached_scan(InferCtx& c);
void infer_lstm(InferCtx& c);
void grad_lstm(GradCtx& c);
void infer_cached_lstm(InferCtx& c);
Cost cost_lstm(const Node& n, const Graph& g);
Cost cost_lstm_grad(const Node& n, const Graph& g);
void infer_conv(InferCtx& c);
void grad_conv(GradCtx& c);
void infer_cached_conv(InferCtx& c);
Cost cost_conv(const Node& n, const Graph& g);
void infer_linear_attention(InferCtx& c);
void grad_linear_attention(GradCtx& c);
void infer_cached_linear_attention(InferCtx& c);
Cost cost_linear_attention(const Node& n, const Graph& g);
Cost cost_linear_attention_grad(const Node& n, const Graph& g);

// Mixtures of experts (experts.cc)
void infer_route(InferCtx& c);
void grad_route(GradCtx& c);
void infer_dispatch(InferCtx& c);
void infer_grouped(InferCtx& c);
void grad_grouped(GradCtx& c);
Cost cost_grouped(const Node& n, const Graph& g);
void infer_combine(InferCtx& c);
void grad_combine(GradCtx& c);
Cost cost_combine(const Node& n, const Graph& g);
void infer_draws(InferCtx& c);

// Losses (loss.cc)
void infer_linear_ce(InferCtx& c);
void grad_linear_ce(GradCtx& c);
Cost cost_linear_ce(const Node& n, const Graph& g);
void infer_linear_logprob(InferCtx& c);

// Gradient operators are built with append_into(): their shape rule is never asked.
void infer_never(InferCtx& c);

}  // namespace lm::op

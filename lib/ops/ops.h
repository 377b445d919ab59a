#pragma once
// Builder functions: what model code calls. Each appends one node (or a few) and returns handles.
// N = rows (batch * time flattened). All values are f32 unless stated; weights may be bf16 or f16
// where a backend's kernel takes them (linear, embedding, losses: forward only). Shape mistakes
// throw ShapeError naming operator, node path and shapes. Gradients exist unless "forward only" is
// stated.

#include <initializer_list>

#include "ops/op.h"

namespace lm {

// Movement
// -----------------------------------------------------------------------------------------

/// Same elements, other shape; no copy.
Value reshape(Graph& g, Value x, const Shape& shape);
/// Entries [begin, begin+count) of dimension 0; no copy.
Value slice_rows(Graph& g, Value x, i64 begin, i64 count);
/// Columns [begin, begin+count) as [rows, count]; no copy, keeps the row stride.
Value slice_columns(Graph& g, Value x, i64 begin, i64 count);
/// Contiguous copy (materialises a view).
Value copy(Graph& g, Value x);
Value fill(Graph& g, const Shape& shape, f32 value);
/// Along rows (equal column counts) or columns (equal row counts, result rank 2); at most 8 inputs.
Value concat_rows(Graph& g, std::initializer_list<Value> parts);
Value concat_columns(Graph& g, std::initializer_list<Value> parts);
Value concat_columns(Graph& g, const ValueList& parts);
/// y[i] = x[index[i]]; index i32 [M], out-of-range indices (negative ones too) give zero rows.
Value gather_rows(Graph& g, Value x, Value index);
/// y [rows, C], y[index[i]] += x[i] in order of i; out-of-range indices are dropped.
Value scatter_add_rows(Graph& g, Value x, Value index, i64 rows);

// Elementwise
// --------------------------------------------------------------------------------------

/// alpha a + beta b; b as `along` says.
Value add(Graph& g, Value a, Value b, f32 alpha = 1, f32 beta = 1, Along along = Along::kSame);
Value sub(Graph& g, Value a, Value b);
/// a b elementwise; b as `along` says.
Value mul(Graph& g, Value a, Value b, Along along = Along::kSame);
Value scale(Graph& g, Value x, f32 factor);
Value unary(Graph& g, Value x, Unary kind, f32 param = 0);
/// c tanh(x/c).
Value softcap(Graph& g, Value x, f32 c);
/// Zeroes each element with probability p and scales the rest by 1/(1-p) when RunCtx::training; the
/// mask is Philox(seed, step, micro_step, node, element): never stored, identical on every device.
Value dropout(Graph& g, Value x, f32 p);
/// Identity whose gradient is zero.
Value stop_gradient(Graph& g, Value x);

// Reductions (fixed blocks: bits do not depend on threads)
// -----------------------------------------

/// Sum of all elements, [1].
Value sum(Graph& g, Value x);
Value mean(Graph& g, Value x);
/// [rows] sums over columns; [cols] sums over rows.
Value sum_columns(Graph& g, Value x);
Value sum_rows(Graph& g, Value x);
/// scale * sum x y, [1]: weighted losses, mean squared errors.
Value dot(Graph& g, Value x, Value y, f32 scale = 1);
/// mean (x - y)^2, [1].
Value mse(Graph& g, Value x, Value y);
/// softmax(scale * x) over each row.
Value softmax(Graph& g, Value x, f32 scale = 1);

/// log sum exp of each row, [rows].
Value logsumexp(Graph& g, Value x);
/// x[i, index[i]] of every row, [rows]; an index outside [0, cols) (-100 too) gives 0.
Value pick(Graph& g, Value x, Value index);

// Linear algebra
// -----------------------------------------------------------------------------------

/// act(x w^T + b): x [N,I] (rows may be strided), w [O,I], b [O] or absent; y [N,O].
Value linear(Graph& g, Value x, Value w, Value b = {}, Unary act = Unary::kNone);
/// x w^T + b + residual [N,O].
Value linear_add(Graph& g, Value x, Value w, Value b, Value residual);
/// alpha op(a) op(b), rank 2 or rank 3 with equal leading batch; ta/tb transpose the last two.
Value matmul(Graph& g, Value a, Value b, bool ta = false, bool tb = false, f32 alpha = 1);

// Transformer parts
// --------------------------------------------------------------------------------

/// gamma (x - mean)/sqrt(var + eps) + beta; biased variance; gamma, beta [C] may be absent.
Value layernorm(Graph& g, Value x, Value gamma, Value beta, f32 eps = 1e-5f);
/// w x / sqrt(mean x^2 + eps); plus_one: (1 + w), as Gemma stores it.
Value rmsnorm(Graph& g, Value x, Value w, f32 eps = 1e-6f, bool plus_one = false);
/// r = x + residual, y = norm(r), in one pass.
struct NormResidual {
  Value y;
  Value sum;
};
NormResidual norm_residual(Graph& g, Value x, Value residual, Value weight, Value bias,
                           const NormAttr& attr);
/// RMSNorm of queries and keys in a fused projection (Qwen3, Gemma-3 per head; OLMoE full).
Value qk_norm(Graph& g, Value qkv, Value q_weight, Value k_weight, const QkNormAttr& attr);
/// Rotary positions on the first attr.heads heads. For a fused qkv: heads = Hq + Hkv.
/// positions i32 [N] index table [2, T, rotary_dim/2] (make_rope_table); out of range throws in
/// run().
Value rope(Graph& g, Value x, Value positions, Value table, const RopeAttr& attr);
/// Two-interval attention, scale 0 means 1/sqrt(head_dim); rows without keys give zero. [N, heads
/// d]. qkv [N, (heads + 2 kv_heads) d]; spans i32 [N,6] (RowSpan) index rows of the same buffer.
Value attention(Graph& g, Value qkv, Value spans, const AttentionAttr& attr);
/// Separate q [N, heads d], k, v [M, kv_heads d] (views allowed); spans index rows of k.
Value attention(Graph& g, Value q, Value k, Value v, Value spans, const AttentionAttr& attr);
/// Stores the rows' keys and values in the pages of attr.layer, then attends over the cache. The
/// view comes with the run (KvView at RunCtx::bindings[attr.binding]). Forward only. [N, heads d].
Value paged_attention(Graph& g, Value qkv, const PagedAttr& attr);
/// x [N, 2F] = (a | u) -> act(a) u, [N, F].
Value glu(Graph& g, Value x, GluKind kind);
/// scale * E[token] + P[position]; tokens i32 [N]; positions and table absent together.
/// A token outside [0, V) throws Error{kData} at run time.
Value embedding(Graph& g, Value tokens, Value table, Value positions = {},
                Value position_table = {}, f32 scale = 1);

// Recurrences: over the rows of a text, which are consecutive and begin at their spans' a0 (rows
// without keys belong to none and give zero). On the CPU alone. -----------------------------------

/// c_i = gate_i c_{i-1} + x_i elementwise, from zero at the first row; [N, C].
Value scan(Graph& g, Value gate, Value x, Value spans);
/// The same from where earlier passes stopped (StateView). Forward only.
Value cached_scan(Graph& g, Value gate, Value x, const CachedStateAttr& attr);
/// With p = x_i + w h_{i-1} in four parts: c_i = sigmoid(p_0 + 1) c_{i-1} + sigmoid(p_1) tanh(p_2),
/// h_i = sigmoid(p_3) tanh(c_i), from zeros. x [N, 4 D], w [4 D, D]; h [N, D]. One row after the
/// other: a product of as many rows as there are texts for each. Source: Hochreiter and Schmidhuber
/// 1997; Gers et al. 2000.
Value lstm(Graph& g, Value x, Value w, Value spans);
Value cached_lstm(Graph& g, Value x, Value w, const CachedStateAttr& attr);
/// y_i = sum over k < taps of w_k x_{i-k} elementwise, as far back as the text goes. w [taps, C].
Value conv(Graph& g, Value x, Value w, Value spans);
Value cached_conv(Graph& g, Value x, Value w, const CachedStateAttr& attr);
/// y_i = sum_j phi(q_i) phi(k_j) v_j / sum_j phi(q_i) phi(k_j) over the rows j <= i of the text,
/// with phi(q) phi(k) = 1 + s + s^2/2, s = q k / sqrt(dim): heads [N, heads dim] and [N, heads
/// head_dim]. prefix_*: also over the further keys and values of its rows before prefix_end, for
/// every i. O(N heads dim^2 head_dim). Sources: Arora et al. 2024 (Based, JRT); Katharopoulos et
/// al. 2020.
struct LinearAttentionInputs {
  Value q, k, v;
  Value prefix_k, prefix_v, prefix_end;  // all or none; ends i32 [N], not of the cached
};
Value linear_attention(Graph& g, const LinearAttentionInputs& x, Value spans,
                       const LinearAttentionAttr& attr);
Value cached_linear_attention(Graph& g, const LinearAttentionInputs& x,
                              const CachedLinearAttentionAttr& attr);

// Losses on logits
// ---------------------------------------------------------------------------------

/// Cross-entropy of softcap(x w^T) without storing the logits. Row i (target != -100):
/// weight_i ((lse - (1-eps) L_y - eps mean L) + zeta lse^2); ignored rows give 0.
/// When the loss reaches backward() as `sum` with gradient 1 and w is a parameter, the forward pass
/// also makes both gradients (one pass over the logits); otherwise backward recomputes the logits
/// by chunks. Divide by the count of targets outside: the sum is what adds up over micro-batches
/// and ranks.
struct CeResult {
  Value sum;   // [1]
  Value rows;  // [N] weighted nats
};
CeResult linear_ce(Graph& g, Value x, Value w, Value targets, Value weight, const CeAttr& attr);
/// Per row, forward only: log p(target) (0 where target is -100), entropy (nats), argmax (lowest id
/// of ties), rank of the target (number of tokens with a larger logit, or equal and lower id).
struct LogprobResult {
  Value logprob;
  Value entropy;
  Value argmax;  // i32
  Value rank;    // i32, -1 without a target
};
LogprobResult linear_logprob(Graph& g, Value x, Value w, Value targets, const LogprobAttr& attr);
/// softcap(x w^T) over the first `vocab` rows of w: f32 [N, vocab].
Value logits(Graph& g, Value x, Value w, i64 vocab, f32 softcap = 0);

// Fallbacks: the same result from simpler operators, for tests and missing kernels
// ------------------

NormResidual norm_residual_fallback(Graph& g, Value x, Value residual, Value weight, Value bias,
                                    const NormAttr& attr);
Value glu_fallback(Graph& g, Value x, GluKind kind);
CeResult linear_ce_fallback(Graph& g, Value x, Value w, Value targets, Value weight,
                            const CeAttr& attr);

}  // namespace lm

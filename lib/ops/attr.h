#pragma once
// The attribute struct of every operator (graph/value.h stores them in nodes), with the operator's
// inputs and outputs by position; "?" marks optional ones. Also the paged-cache view.

#include "graph/value.h"
#include "ops/rows.h"
#include "ops/unary.h"

namespace lm {

/// How the second operand of kAdd and kMul (or a reduction's result) relates to x [rows, cols]:
/// same shape; one row of cols; one value per row; one scalar.
enum class Along : u8 { kSame, kRow, kCol, kScalar };
enum class NormKind : u8 { kLayer, kRms };
enum class GluKind : u8 { kSilu, kGeluTanh, kRelu2, kGeluErf };

/// in: x
struct ViewAttr {
  i64 offset = 0;
  i64 ld = 0;
  Shape shape{};
};
/// in: slice; zero elsewhere
struct PadAttr {
  Shape shape{};
  i64 row = 0;
  i64 col = 0;
};
/// in: up to 8 tensors
struct ConcatAttr {
  bool columns = false;
};
/// in: y, index i32
struct ScatterAttr {
  i64 rows = 0;
};
/// in: v
struct BroadcastAttr {
  Along along = Along::kScalar;
  f32 scale = 1;
  Shape shape{};
};
/// alpha a + beta b?
struct AddAttr {
  f32 alpha = 1;
  f32 beta = 1;
  Along along = Along::kSame;
};
/// alpha a b
struct MulAttr {
  f32 alpha = 1;
  Along along = Along::kSame;
};
/// param: softcap's c
struct UnaryAttr {
  Unary kind = Unary::kNone;
  f32 param = 0;
};
struct DropoutAttr {
  f32 p = 0;
};
/// in: x, y?: scale sum x y
struct ReduceAttr {
  Along along = Along::kScalar;
  f32 scale = 1;
};
struct SoftmaxAttr {
  f32 scale = 1;
};
/// in: d [N], index [N]
struct PickGradAttr {
  Shape shape{};
};
/// kLinear in: x, w, bias?, residual?; out: y, pre? of act. kLinearGradX in: dy, w, pre?; out: dx,
/// times act'(pre) where pre is given. wide: y is f32 whatever x is; without bias, residual and
/// act, and where x is bf16, without gradient.
struct LinearAttr {
  Unary act = Unary::kNone;
  bool wide = false;
};
struct MatmulAttr {
  bool ta = false;
  bool tb = false;
  f32 alpha = 1;
};
/// in: x, weight?, bias?, residual?; out: y, sum (x + residual)?, mean? (layer), rstd
struct NormAttr {
  NormKind kind = NormKind::kRms;
  f32 eps = 1e-5f;
  bool plus_one = false;
};
/// in: qkv [N, (heads + 2 kv_heads) head_dim], q weight, k weight; out: qkv', rstd. full: over all
/// heads of q (of k) at once (weights heads*head_dim), else per head (weights head_dim).
struct QkNormAttr {
  i32 heads = 0, kv_heads = 0, head_dim = 0;
  f32 eps = 1e-6f;
  bool full = false, plus_one = false;
};
/// in: x [N, C], positions i32 [N], table f32 [2, T, rotary_dim/2] (cosines, sines). The first
/// `heads` heads of x are rotated, the rest copied. Pairs (k, k + rotary_dim/2), or (2k, 2k+1)
/// interleaved.
struct RopeAttr {
  i32 heads = 0, head_dim = 0, rotary_dim = 0;
  bool interleaved = false, inverse = false;
};
/// in: qkv, spans (fused) or q, k, v, spans. spans i32 [N, 6]: one RowSpan per query row.
/// window: of its keys a row sees those whose logical index is less than `window` below its
/// largest, so the last `window` of a row without gaps; 0: all (windowed(), ops/rows.h). sparse:
/// of these each head sees what its pattern leaves (SparseMask); on the CPU alone.
struct AttentionAttr {
  i32 heads = 0, kv_heads = 0, head_dim = 0;
  f32 scale = 0, softcap = 0;
  bool fused = true;
  i32 window = 0;
  SparseMask sparse{};
};
/// window, sparse: as above. max_keys: no row's logical indices reach it, 0: unknown (a device then
/// cannot share a row's keys out over its processors).
struct PagedAttr {
  i32 heads = 0, kv_heads = 0, head_dim = 0;
  f32 scale = 0, softcap = 0;
  i32 window = 0;
  i32 layer = 0, binding = 0, max_keys = 0;
  SparseMask sparse{};
};
struct GluAttr {
  GluKind kind = GluKind::kSilu;
};
/// in: tokens i32 [N], table [V, C], positions i32 [N]?, position table [T, C]?
struct EmbeddingAttr {
  f32 scale = 1;
};
struct EmbeddingGradAttr {
  f32 scale = 1;
};
/// Of a recurrence that goes on where earlier passes stopped: the StateView at
/// RunCtx::bindings[binding], and where in a sequence's state its numbers are.
struct CachedStateAttr {
  i32 binding = 0;
  i64 offset = 0;
};
/// in: q, k [N, heads dim], v [N, heads head_dim], spans i32 [N, 6], and with a prefix further keys
/// [N, heads dim], values [N, heads head_dim], ends i32 [N]; out: y [N, heads head_dim], the
/// normaliser [N, heads]. Cached: without spans and ends.
struct LinearAttentionAttr {
  i32 heads = 0, dim = 0, head_dim = 0;
};
struct CachedLinearAttentionAttr {
  LinearAttentionAttr attention;
  CachedStateAttr state;
};
/// in: x [N,C], w [V,C], targets i32 [N], weight [N]?; vocab: real rows of w. fused: set by
/// backward().
struct CeAttr {
  i64 vocab = 0;
  f32 softcap = 0, z_loss = 0, label_smoothing = 0;
  bool fused = false;
};
/// in: x, w, targets i32 [N]?
struct LogprobAttr {
  i64 vocab = 0;
  f32 softcap = 0;
};

/// What kPagedAttention finds in RunCtx::bindings[attr.binding]: this step's rows and the page
/// pools. Spans, slots, tables, lists and pools are in the backend's memory; the object itself and
/// its lists of pools in the host's.
struct KvView {
  i64 rows = 0;                        // further rows (padding) give zeros and store nothing
  const RowSpan* spans = nullptr;      // [rows] logical slots of the row's own sequence
  const i32* store = nullptr;          // [rows] slot that takes the row's key and value; -1: none
  const i32* const* tables = nullptr;  // [rows] page numbers of the row's sequence
  const i32* key_list = nullptr;  // null, or slots that b0..b1 index (ancestors in a draft tree)
  i64 page_tokens = 0;
  DType dtype = DType::kF32;  // f32, bf16 or f16
  void* const* k = nullptr;   // per layer: [pages, page_tokens, kv_heads, head_dim]
  void* const* v = nullptr;
  bool lone_rows = false;  // hint: neighbouring rows seldom belong to one sequence
};

/// Rows [begin, end) of a pass continue one sequence, whose state is read and left behind; its
/// first `prefix` rows, then those that its text begins with, are the text's prefix. A sequence may
/// have several such runs, in order.
struct StateRun {
  i64 begin = 0, end = 0;
  f32* state = nullptr;
  i64 prefix = 0;
};
/// The sequences of a pass, by row; further rows (padding) give zeros.
struct StateView {
  const StateRun* runs = nullptr;
  i64 count = 0;
};

}  // namespace lm

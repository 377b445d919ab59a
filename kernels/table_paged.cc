// Attention over the paged cache.

#include "core/str.h"
#include "paged.h"
#include "table.h"

namespace lm::cuda {

namespace {

PagedType paged_type(const Node& n, DType type, std::string_view what) {
  if (type == DType::kF32) return PagedType::kF32;
  if (type == DType::kBf16) return PagedType::kBf16;
  throw Error(ErrorKind::kUnavailable,
              cat(n.name, ": ", what, " of ", dtype_name(type), " have no device kernel"));
}

}  // namespace

i64 space_paged(const Node& n, const Graph& g) {
  const PagedAttr p = n.attr.as<PagedAttr>();
  return paged_space(g.shape(n.in[0]).rows(), p.heads, p.kv_heads, p.head_dim, p.max_keys);
}

void run_paged(const RunCtx& ctx, const Node& n, const Tensor* in, Tensor* out, void* space) {
  const PagedAttr a = n.attr.as<PagedAttr>();
  LM_CHECK(usize(a.binding) < ctx.bindings.size() && ctx.bindings[usize(a.binding)] != nullptr,
           "the run binds a KvView for paged attention");
  const KvView& view = *static_cast<const KvView*>(ctx.bindings[usize(a.binding)]);
  LM_CHECK(view.rows <= in[0].rows() && view.page_tokens > 0, "the KvView fits the rows");
  if (a.head_dim > kMaxPagedDim) {
    throw Error(ErrorKind::kUnavailable, cat(n.name, ": heads of ", a.head_dim,
                                             " are wider than the device kernel's ", kMaxPagedDim));
  }
  if (a.sparse.on())
    throw Error(ErrorKind::kUnavailable, cat(n.name, ": sparse attention has no device kernel"),
                "--device cpu has it");
  Paged p;
  p.rows = view.rows;
  p.all_rows = in[0].rows();
  p.heads = a.heads;
  p.kv_heads = a.kv_heads;
  p.head_dim = a.head_dim;
  p.scale = a.scale;
  p.softcap = a.softcap;
  p.window = a.window;
  p.qkv = in[0].data;
  p.ld_qkv = in[0].ld;
  p.o = out[0].data;
  p.ld_o = out[0].ld;
  p.type = paged_type(n, in[0].dtype, "rows");
  p.cache = paged_type(n, view.dtype, "caches");
  p.spans = reinterpret_cast<const i32*>(view.spans);
  p.store = view.store;
  p.tables = view.tables;
  p.key_list = view.key_list;
  p.page_tokens = view.page_tokens;
  p.k = view.k[a.layer];
  p.v = view.v[a.layer];
  p.max_keys = a.max_keys;
  p.lone_rows = view.lone_rows;
  paged_store(p, ctx.stream);
  if (p.o != nullptr) paged_attention(p, space, ctx.stream);
}

}  // namespace lm::cuda

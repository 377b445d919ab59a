// Speed of the kernels on a device: one JSON line per case, gigabytes a second of the bytes that
// must move or teraflops, beside a plain copy timed in the same run. Prints, never fails on a
// figure.

#include <algorithm>
#include <cmath>
#include <iostream>
#include <string>
#include <vector>

#include "adamw.h"
#include "attention.h"
#include "attention_mma.h"
#include "catch.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/random.h"
#include "cublaslt_shim.h"
#include "cuda_backend.h"
#include "embedding.h"
#include "linear_rows.h"
#include "loss.h"
#include "norm.h"
#include "pointwise.h"
#include "reduce.h"
#include "rope.h"
#include "runtime.h"
#include "softmax.h"
#include "tensor/convert.h"

using namespace lm;
using cuda::Bf16;

namespace {

constexpr int kRuns = 20;

// Device memory of n items.
template <typename T>
class Array {
 public:
  explicit Array(i64 n) : n_(n), p_(static_cast<T*>(cuda::allocate(n * isizeof()))) {
    cuda::set_zero(p_, n * isizeof(), nullptr);
  }
  Array(i64 n, const std::vector<T>& values) : Array(n) {
    const i64 each = std::min<i64>(n, isize(values));
    for (i64 i = 0; i < n; i += each) {
      cuda::upload(p_ + i, values.data(), std::min(each, n - i) * isizeof(), nullptr);
    }
  }
  ~Array() { cuda::release(p_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  operator T*() const { return p_; }
  T* get() const { return p_; }
  i64 bytes() const { return n_ * isizeof(); }

 private:
  static constexpr i64 isizeof() { return static_cast<i64>(sizeof(T)); }
  i64 n_;
  T* p_;
};
using Floats = Array<f32>;

// Uniform in (-2, 2), the same million numbers for every array: figures depend on the data's form
// (constants compress in nothing, but branches and exponentials care), not on its values.
constexpr i64 kDrawn = (1 << 20) + 24;
std::vector<f32> drawn() {
  std::vector<f32> x(usize(kDrawn));
  for (i64 i = 0; i < kDrawn; ++i)
    x[usize(i)] = static_cast<f32>(mix64(static_cast<u64>(i)) >> 40) * (4.0f / 16777216.0f) - 2.0f;
  return x;
}
std::vector<Bf16> drawn_bf16() {
  std::vector<Bf16> x;
  for (const f32 v : drawn())
    x.push_back({f32_to_bf16(v)});
  return x;
}

// Seconds of one call, the mean of kRuns after two to warm up.
template <typename F>
f64 seconds(F f) {
  f();
  f();
  cuda::wait(nullptr);
  const f64 start = monotonic_s();
  for (int i = 0; i < kRuns; ++i)
    f();
  cuda::wait(nullptr);
  return (monotonic_s() - start) / kRuns;
}

void report(const char* name, f64 wall_s, f64 bytes, f64 flops) {
  std::cout << "{\"case\":\"" << name << "\",\"wall_s\":" << wall_s
            << ",\"gb_per_s\":" << bytes / wall_s * 1e-9 << ",\"tflops\":" << flops / wall_s * 1e-12
            << "}\n";
}
template <typename F>
void report_bytes(const char* name, f64 bytes, F f) {
  report(name, seconds(f), bytes, 0);
}

constexpr i64 kRows = 65536, kCols = 768, kWide = 3072;

}  // namespace

TEST_CASE("figures of the streaming kernels", "[.][gpu][figures]") {
  if (cuda::available().devices == 0) LM_SKIP("no CUDA device");
  cuda::cuda_backend();
  const std::vector<Bf16> values = drawn_bf16();
  const f64 narrow = 2.0 * kRows * kCols;
  const f64 wide = 2.0 * kRows * kWide;
  const Array<Bf16> a(kRows * 2 * kWide, values), b(kRows * kWide, values), c(kRows * 2 * kWide);
  const Floats mean(kRows), rstd(kRows, std::vector<f32>(usize(kRows), 1.0f)), dweight(kWide),
      dbias(kWide);
  const Array<u8> space(
      std::max(cuda::norm_backward_space(kRows, kWide), cuda::sum_columns_space(kRows, kWide)));
  report_bytes("copy", 2 * wide,
               [&] { cuda::copy_rows(kRows, kWide, 2, a.get(), kWide, c.get(), kWide, nullptr); });
  report_bytes("copy 768", 2 * narrow,
               [&] { cuda::copy_rows(kRows, kCols, 2, a.get(), kCols, c.get(), kCols, nullptr); });
  report_bytes("bf16 to f32", 3 * narrow, [&] {
    cuda::convert_rows(kRows, kCols, b.get(), kCols, false, reinterpret_cast<f32*>(c.get()), kCols,
                       nullptr);
  });
  for (const i64 cols : {kCols, kWide}) {
    const f64 array = 2.0 * static_cast<f64>(kRows * cols);
    cuda::NormForward<Bf16> f;
    f.shape = {kRows, cols, 1, true, false, 1e-5f};
    f.x = a;
    f.y = c;
    f.ldx = f.ldy = cols;
    f.weight = f.bias = b;
    f.mean = mean;
    f.rstd = rstd;
    report_bytes(cols == kCols ? "layernorm 768" : "layernorm 3072", 2 * array,
                 [&] { cuda::norm_forward(f, nullptr); });
    f.add = b;
    f.sum = a;
    f.ld_add = f.ld_sum = cols;
    report_bytes(cols == kCols ? "layernorm 768, residual" : "layernorm 3072, residual", 4 * array,
                 [&] { cuda::norm_forward(f, nullptr); });
    cuda::NormBackward<Bf16> g;
    g.shape = f.shape;
    g.dy = b;
    g.x = a;
    g.weight = b;
    g.mean = mean;
    g.rstd = rstd;
    g.dx = c;
    g.lddy = g.ldx = g.lddx = cols;
    g.dweight = dweight;
    g.dbias = dbias;
    g.add_weight = g.add_bias = true;
    report_bytes(cols == kCols ? "layernorm grad 768" : "layernorm grad 3072", 3 * array,
                 [&] { cuda::norm_backward(g, space, nullptr); });
    g.dx_add = c;
    g.ld_dx_add = cols;
    report_bytes(cols == kCols ? "layernorm grad 768, added" : "layernorm grad 3072, added",
                 4 * array, [&] { cuda::norm_backward(g, space, nullptr); });
    const cuda::Summed<Bf16> s{kRows, cols, b, cols, nullptr, 0};
    report_bytes(cols == kCols ? "column sums 768" : "column sums 3072", array,
                 [&] { cuda::sum_columns(s, 1.0f, true, dweight.get(), space, nullptr); });
  }
  cuda::Pair<Bf16> p;
  p.rows = kRows;
  p.cols = kWide;
  p.a = a;
  p.y = c;
  p.lda = p.ldy = p.b_row = kWide;
  report_bytes("gelu", 2 * wide, [&] { cuda::unary(p, Unary::kGeluTanh, 0, nullptr); });
  p.b = b;
  p.b_col = 1;
  report_bytes("gelu grad", 3 * wide, [&] { cuda::unary_grad(p, Unary::kGeluTanh, 0, nullptr); });
  report_bytes("add", 3 * wide, [&] { cuda::add_scaled(p, 1, 1, nullptr); });
  report_bytes("glu", 3 * wide, [&] {
    cuda::glu(kRows, kWide, Unary::kSilu, a.get(), 2 * kWide, c.get(), kWide, nullptr);
  });
  report_bytes("glu grad", 5 * wide, [&] {
    cuda::glu_grad(kRows, kWide, Unary::kSilu, a.get(), 2 * kWide, b.get(), kWide, c.get(),
                   2 * kWide, nullptr);
  });
  cuda::Dropout drop;
  drop.threshold = 1u << 30;
  report_bytes("dropout", 2 * wide,
               [&] { cuda::dropout(kRows, kWide, drop, a.get(), kWide, c.get(), kWide, nullptr); });
}

TEST_CASE("figures of positions, tables, losses and the optimizer", "[.][gpu][figures]") {
  if (cuda::available().devices == 0) LM_SKIP("no CUDA device");
  cuda::cuda_backend();
  const std::vector<Bf16> values = drawn_bf16();
  constexpr i64 kHeads = 12, kDim = 64, kSpan = 1024, kVocab = 50304;
  const f64 narrow = 2.0 * kRows * kCols;
  std::vector<i32> positions, even, skewed;
  for (i64 i = 0; i < kRows; ++i) {
    positions.push_back(static_cast<i32>(i % kSpan));
    const u64 bits = mix64(static_cast<u64>(i) + 77);
    even.push_back(static_cast<i32>(bits % kVocab));
    // Half of all ids below 197, as words of a text fall off.
    const f64 u = static_cast<f64>(bits >> 11) / 9007199254740992.0;
    skewed.push_back(static_cast<i32>(u * u * u * u * u * u * u * u * kVocab));
  }
  const auto distinct = [](const std::vector<i32>& ids) {
    std::vector<bool> seen(usize(kVocab));
    f64 count = 0;
    for (const i32 id : ids) {
      count += seen[usize(id)] ? 0 : 1;
      seen[usize(id)] = true;
    }
    return count;
  };
  const Array<i32> pos(kRows, positions);
  const Floats table(kVocab * kCols, drawn());
  {
    const Array<Bf16> qkv(kRows * 3 * kCols, values), out(kRows * 3 * kCols);
    cuda::Rope r;
    r.rows = kRows;
    r.cols = 3 * kCols;
    r.heads = 2 * kHeads;
    r.head_dim = r.rotary_dim = kDim;
    r.cos = table;
    r.sin = r.cos + kSpan * kDim / 2;
    r.positions = kSpan;
    r.pos = pos;
    report_bytes("rope in place", 4 * narrow,
                 [&] { cuda::rope(r, qkv.get(), r.cols, qkv.get(), r.cols, nullptr, nullptr); });
    report_bytes("rope", 6 * narrow,
                 [&] { cuda::rope(r, qkv.get(), r.cols, out.get(), r.cols, nullptr, nullptr); });
  }
  {
    const Array<Bf16> words(kVocab * kCols, values), dy(kRows * kCols, values), y(kRows * kCols);
    const Array<u8> space(cuda::scatter_space(kRows, kCols));
    for (const bool is_skewed : {false, true}) {
      const std::vector<i32>& list = is_skewed ? skewed : even;
      const Array<i32> ids(kRows, list);
      cuda::Gather<Bf16> g;
      g.rows = kRows;
      g.cols = g.ldt = g.ldy = g.ld_plus = kCols;
      g.table_rows = kVocab;
      g.plus_rows = kSpan;
      g.table = g.plus = words.get();
      g.type = g.plus_type = cuda::TableType::kBf16;
      g.ids = ids;
      g.plus_ids = pos;
      g.y = y;
      const f64 rows = distinct(list);
      report_bytes(is_skewed ? "embedding, skewed ids" : "embedding",
                   narrow + 2.0 * kCols * (rows + kSpan),
                   [&] { cuda::gather_rows(g, nullptr, cuda::FaultKind::kNone, nullptr); });
      report_bytes(is_skewed ? "embedding grad, skewed ids" : "embedding grad",
                   narrow + 8.0 * kCols * rows, [&] {
                     cuda::scatter_add_rows(kRows, kCols, kVocab, ids, 1.0f, dy.get(), kCols,
                                            table.get(), kCols, space, nullptr);
                   });
    }
    report_bytes("position grad", narrow + 8.0 * kCols * kSpan, [&] {
      cuda::scatter_add_rows(kRows, kCols, kSpan, pos, 1.0f, dy.get(), kCols, table.get(), kCols,
                             space, nullptr);
    });
  }
  {
    constexpr i64 kLossRows = 8192;
    const Array<Bf16> logits(kLossRows * kVocab, values);
    const Array<i32> targets(kLossRows, even);
    const Floats loss(kLossRows), lse(kLossRows);
    cuda::CrossEntropy<Bf16> ce;
    ce.rows = kLossRows;
    ce.vocab = ce.ld = kVocab;
    ce.logits = logits;
    ce.target = targets;
    ce.loss = loss;
    ce.lse = lse;
    const f64 array = 2.0 * kLossRows * kVocab;
    report_bytes("cross entropy, forward", array,
                 [&] { cuda::cross_entropy(ce, nullptr, nullptr); });
    ce.want_grad = true;
    report_bytes("cross entropy", 2 * array, [&] { cuda::cross_entropy(ce, nullptr, nullptr); });
  }
  constexpr i64 kParams = i64{128} << 20;
  const Floats g(kParams, drawn()), w(kParams, drawn()), m(kParams), v(kParams);
  const Array<u16> copy(kParams);
  report_bytes("adamw", 30.0 * kParams,
               [&] { cuda::adamw(kParams, cuda::AdamW{}, g, w, m, v, copy, nullptr); });
  const Array<u8> space(cuda::sum_all_space(1, kParams));
  const cuda::Summed<f32> s{1, kParams, g, kParams, g, kParams};
  report_bytes("squared norm", 4.0 * kParams,
               [&] { cuda::sum_all(s, 1.0f, false, m.get(), space, nullptr); });
}

TEST_CASE("figures of products and attention", "[.][gpu][figures]") {
  if (cuda::available().devices == 0) LM_SKIP("no CUDA device");
  cuda::cuda_backend();
  constexpr i64 kM = 8192, kN = 3072, kK = 768;
  const Floats a(kM * kN), b(kN * kK), y(kM * kN), space(8 << 20);
  cuda::GemmCache cache(cuda::load_cublaslt(), space, i64{32} << 20);
  cuda::Gemm g;
  g.m = kM;
  g.n = kN;
  g.k = kK;
  g.a = a;
  g.b = b;
  g.y = y;
  g.lda = g.ldb = kK;
  g.ldy = kN;
  report("gemm f32", seconds([&] { cache.run(g, nullptr); }), 0, 2.0 * kM * kN * kK);

  constexpr i64 kQueries = 2048, kHeads = 12, kDim = 64;
  std::vector<i32> spans;
  for (i32 i = 0; i < kQueries; ++i)
    spans.insert(spans.end(), {0, i + 1, 0, 0, 0, 0});
  const Floats on_device(6 * kQueries);
  cuda::upload(on_device, spans.data(), 24 * kQueries, nullptr);
  cuda::Attention s;
  s.rows = s.keys = kQueries;
  s.heads = s.kv_heads = kHeads;
  s.head_dim = kDim;
  s.spans = reinterpret_cast<const i32*>(static_cast<f32*>(on_device));
  s.q = a;
  s.k = s.q + kHeads * kDim;
  s.v = s.k + kHeads * kDim;
  s.ldq = s.ldkv = 3 * kHeads * kDim;
  report("attention f32 causal",
         seconds([&] { cuda::attention_forward(s, y, kHeads * kDim, nullptr, nullptr, nullptr); }),
         0, 2.0 * kQueries * kQueries * kHeads * kDim);
}

namespace {

// Device bf16, normal numbers of a period of a million.
class Normals {
 public:
  explicit Normals(i64 n) : p_(static_cast<u16*>(cuda::allocate(2 * n))) {
    const RandomStream draw(7, RandomPurpose::kOther);
    std::vector<u16> some(usize(std::min(n, i64{1} << 20)));
    for (i64 i = 0; i < isize(some); ++i)
      some[usize(i)] = f32_to_bf16(static_cast<f32>(draw.normal(static_cast<u64>(i))));
    for (i64 i = 0; i < n; i += isize(some))
      cuda::upload(p_ + i, some.data(), 2 * std::min(isize(some), n - i), nullptr);
  }
  ~Normals() { cuda::release(p_); }
  Normals(const Normals&) = delete;
  Normals& operator=(const Normals&) = delete;
  cuda::Bf16* from(i64 i) const { return reinterpret_cast<cuda::Bf16*>(p_ + i); }

 private:
  u16* p_;
};

// Causal attention of `batch` sequences of `length` rows, q, k and v in one buffer. Counts the
// products of the visible pairs: two forward, five backward.
void time_attention(const char* name, i64 batch, i64 length, i64 heads, i64 kv_heads, i64 d) {
  const i64 rows = batch * length, width = (heads + 2 * kv_heads) * d;
  std::vector<i32> spans;
  for (i32 i = 0; i < rows; ++i) {
    const i32 start = i / static_cast<i32>(length) * static_cast<i32>(length);
    spans.insert(spans.end(), {start, i + 1, 0, 0, 0, 0});
  }
  const Normals qkv(rows * width), d_o(rows * heads * d), o(rows * heads * d), d_qkv(rows * width);
  const Floats on_device(6 * rows), lse(rows * heads);
  cuda::upload(on_device, spans.data(), 24 * rows, nullptr);
  cuda::AttentionMma a;
  a.rows = a.keys = rows;
  a.heads = heads;
  a.kv_heads = kv_heads;
  a.head_dim = d;
  a.scale = 1.0f / std::sqrt(static_cast<f32>(d));
  a.spans = reinterpret_cast<const i32*>(static_cast<f32*>(on_device));
  a.q = qkv.from(0);
  a.k = qkv.from(heads * d);
  a.v = qkv.from((heads + kv_heads) * d);
  a.ldq = a.ldkv = width;
  cuda::AttentionMmaBackward b;
  b.o = o.from(0);
  b.lse = lse;
  b.d_o = d_o.from(0);
  b.ldo = b.lddo = heads * d;
  b.dq = d_qkv.from(0);
  b.dk = d_qkv.from(heads * d);
  b.dv = d_qkv.from((heads + kv_heads) * d);
  b.lddq = b.lddkv = width;
  const Floats space(cuda::attention_mma_forward_space(a) / 4);
  const Floats space2(cuda::attention_mma_backward_space(a) / 4);
  const f64 pairs = 0.5 * static_cast<f64>(rows) * static_cast<f64>(length + 1);
  const f64 flops = 4.0 * pairs * static_cast<f64>(heads * d);
  const std::string label = std::string("attention bf16 causal ") + name;
  report((label + " forward").c_str(), seconds([&] {
           cuda::attention_mma_forward(a, o.from(0), heads * d, lse, nullptr, space, nullptr);
         }),
         0, flops);
  report((label + " backward").c_str(),
         seconds([&] { cuda::attention_mma_backward(a, b, space2, nullptr, nullptr); }), 0,
         2.5 * flops);
}

}  // namespace

TEST_CASE("figures of linear layers on a few rows", "[.][gpu][figures]") {
  if (cuda::available().devices == 0) LM_SKIP("no CUDA device");
  cuda::cuda_backend();
  constexpr i64 kIn = 4096, kOut = 16384;  // weights that no cache holds
  const std::vector<Bf16> values = drawn_bf16();
  const Array<Bf16> x(8 * kIn, values), w(kIn * kOut, values), y(8 * kOut);
  for (const i64 rows : {1, 2, 4, 8}) {
    cuda::LinearRows<Bf16> l;
    l.rows = rows;
    l.n = kOut;
    l.k = l.ldx = l.ldw = kIn;
    l.x = x;
    l.w = w;
    report_bytes(("linear on rows: " + std::to_string(rows)).c_str(),
                 2.0 * static_cast<f64>(kIn * kOut),
                 [&] { cuda::linear_rows(l, y.get(), kOut, nullptr); });
  }
}

TEST_CASE("figures of attention on tensor cores", "[.][gpu][figures][attention_mma]") {
  if (cuda::available().devices == 0) LM_SKIP("no CUDA device");
  cuda::cuda_backend();
  time_attention("64 x 1024, 12 x 64", 64, 1024, 12, 12, 64);
  time_attention("4 x 4096, 12 x 64", 4, 4096, 12, 12, 64);
  time_attention("4 x 4096, 16 x 128", 4, 4096, 16, 16, 128);
  time_attention("4 x 4096, 16 x 128, 4 kv", 4, 4096, 16, 4, 128);
}

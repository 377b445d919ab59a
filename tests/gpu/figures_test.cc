// Speed of the kernels on a device: one JSON line per case, gigabytes a second of the bytes that
// must move or teraflops, beside a plain copy timed in the same run. Prints, never fails on a
// figure.

#include <algorithm>
#include <cmath>
#include <iostream>

#include "attention.h"
#include "attention_mma.h"
#include "catch.h"
#include "core/clock.h"
#include "core/random.h"
#include "cublaslt_shim.h"
#include "cuda_backend.h"
#include "loss.h"
#include "norm.h"
#include "pointwise.h"
#include "runtime.h"
#include "softmax.h"
#include "tensor/convert.h"

using namespace lm;

namespace {

constexpr int kRuns = 20;

// Device floats, zeroed.
class Floats {
 public:
  explicit Floats(i64 n) : p_(static_cast<f32*>(cuda::allocate(4 * n))) {
    cuda::set_zero(p_, 4 * n, nullptr);
  }
  ~Floats() { cuda::release(p_); }
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;
  operator f32*() const { return p_; }

 private:
  f32* p_;
};

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

}  // namespace

TEST_CASE("figures of the streaming kernels", "[.][gpu][figures]") {
  if (cuda::available().devices == 0) LM_SKIP("no CUDA device");
  cuda::cuda_backend();
  constexpr i64 kRows = 32768, kCols = 1024, kCount = kRows * kCols;
  const f64 array = 4.0 * kCount;
  const Floats x(2 * kCount), y(2 * kCount), m(kCount), v(kCount), w(kCols), rstd(kRows);
  report("copy", seconds([&] { cuda::copy_rows(kRows, kCols, x, kCols, y, kCols, nullptr); }),
         2 * array, 0);
  cuda::NormForward f;
  f.shape = {kRows, kCols, 1, false, false, 1e-5f};
  f.x = x;
  f.y = y;
  f.ldx = f.ldy = kCols;
  f.weight = w;
  f.rstd = rstd;
  report("rmsnorm", seconds([&] { cuda::norm_forward(f, nullptr); }), 2 * array, 0);
  report("glu", seconds([&] {
           cuda::glu(kRows, kCols, cuda::Fn::kSilu, x, 2 * kCols, y, kCols, nullptr);
         }),
         3 * array, 0);
  report("softmax", seconds([&] { cuda::softmax(kRows, kCols, 1, x, kCols, y, kCols, nullptr); }),
         2 * array, 0);
  report("adamw",
         seconds([&] { cuda::adamw(kCount, cuda::AdamW{}, x, y, m, v, nullptr, nullptr); }),
         7 * array, 0);
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

  constexpr i64 kRows = 2048, kHeads = 12, kDim = 64;
  std::vector<i32> spans;
  for (i32 i = 0; i < kRows; ++i)
    spans.insert(spans.end(), {0, i + 1, 0, 0, 0, 0});
  const Floats on_device(6 * kRows);
  cuda::upload(on_device, spans.data(), 24 * kRows, nullptr);
  cuda::Attention s;
  s.rows = s.keys = kRows;
  s.heads = s.kv_heads = kHeads;
  s.head_dim = kDim;
  s.spans = reinterpret_cast<const i32*>(static_cast<f32*>(on_device));
  s.q = a;
  s.k = s.q + kHeads * kDim;
  s.v = s.k + kHeads * kDim;
  s.ldq = s.ldkv = 3 * kHeads * kDim;
  report("attention f32 causal",
         seconds([&] { cuda::attention_forward(s, y, kHeads * kDim, nullptr, nullptr, nullptr); }),
         0, 2.0 * kRows * kRows * kHeads * kDim);
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

TEST_CASE("figures of attention on tensor cores", "[.][gpu][figures][attention_mma]") {
  if (cuda::available().devices == 0) LM_SKIP("no CUDA device");
  cuda::cuda_backend();
  time_attention("64 x 1024, 12 x 64", 64, 1024, 12, 12, 64);
  time_attention("4 x 4096, 12 x 64", 4, 4096, 12, 12, 64);
  time_attention("4 x 4096, 16 x 128", 4, 4096, 16, 16, 128);
  time_attention("4 x 4096, 16 x 128, 4 kv", 4, 4096, 16, 4, 128);
}

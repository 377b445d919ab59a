// Speed of the kernels on a device: one JSON line per case, gigabytes a second of the bytes that
// must move or teraflops, beside a plain copy timed in the same run. Prints, never fails on a
// figure.

#include <iostream>

#include "attention.h"
#include "catch.h"
#include "core/clock.h"
#include "cublaslt_shim.h"
#include "cuda_backend.h"
#include "loss.h"
#include "norm.h"
#include "pointwise.h"
#include "runtime.h"
#include "softmax.h"

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

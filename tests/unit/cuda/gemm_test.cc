// The products' host side: what is asked of cuBLASLt, by a recording fake.

#include <cmath>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"
#include "tensor/convert.h"
#include "unit/cuda/fake_cublaslt.h"

using namespace lm;
using namespace lm::cuda;
using namespace lm::test;

namespace {

std::vector<f32> numbers(i64 count, u64 stream) {
  const RandomStream draw(3, RandomPurpose::kOther, stream);
  std::vector<f32> out;
  for (i64 i = 0; i < count; ++i)
    out.push_back(static_cast<f32>(draw.normal(static_cast<u64>(i))));
  return out;
}

constexpr i64 kWorkspace = 4096;

}  // namespace

TEST_CASE("a row-major product is the library's transposed one", "[cuda]") {
  lt_fake() = LtFake{};
  GemmCache cache(fake_cublaslt(), nullptr, kWorkspace);
  Gemm g;
  g.m = 3;  // y [3, 5] = x [3, 7] w [5, 7]^T
  g.n = 5;
  g.k = 7;
  const std::vector<f32> x = numbers(3 * 8, 0);
  const std::vector<f32> w = numbers(5 * 7, 1);
  std::vector<f32> y(3 * 6, -1.0f);
  g.a = x.data();
  g.lda = 8;
  g.b = w.data();
  g.ldb = 7;
  g.y = y.data();
  g.ldy = 6;
  cache.run(g, nullptr);
  const LtCall& call = lt_fake().calls.at(0);
  CHECK(call.trans_a == lt::kOpT);
  CHECK(call.trans_b == lt::kOpN);
  CHECK((call.a.rows == 7 && call.a.cols == 5 && call.a.ld == 7));
  CHECK((call.b.rows == 7 && call.b.cols == 3 && call.b.ld == 8));
  CHECK((call.d.rows == 5 && call.d.cols == 3 && call.d.ld == 6));
  CHECK(call.workspace_bytes == 1024);  // the first proposal does not fit
  CHECK(call.algo == 2);
  for (i64 i = 0; i < 3; ++i) {
    for (i64 j = 0; j < 5; ++j) {
      f64 sum = 0;
      for (i64 k = 0; k < 7; ++k)
        sum += f64{x[usize(i * 8 + k)]} * w[usize(j * 7 + k)];
      CHECK(y[usize(i * 6 + j)] == static_cast<f32>(sum));
    }
    CHECK(y[usize(i * 6 + 5)] == -1.0f);
  }
}

TEST_CASE("gradient products ask for the layouts of the derivation", "[cuda]") {
  lt_fake() = LtFake{};
  GemmCache cache(fake_cublaslt(), nullptr, kWorkspace);
  const std::vector<f32> a = numbers(64, 0);
  std::vector<f32> y(64);
  Gemm g;
  g.a = g.b = a.data();
  g.y = y.data();
  g.layout = GemmLayout::kNN;  // dx [4, 3] = dy [4, 6] w [6, 3]
  g.m = 4;
  g.n = 3;
  g.k = 6;
  g.lda = 6;
  g.ldb = g.ldy = 3;
  cache.run(g, nullptr);
  g.layout = GemmLayout::kTN;  // dw [6, 3] += dy [4, 6]^T x [4, 3]
  g.m = 6;
  g.k = 4;
  g.beta = 1;
  cache.run(g, nullptr);
  const LtCall& dx = lt_fake().calls.at(0);
  CHECK((dx.trans_a == lt::kOpN && dx.trans_b == lt::kOpN));
  CHECK((dx.a.rows == 3 && dx.a.cols == 6 && dx.b.rows == 6 && dx.b.cols == 4));
  const LtCall& dw = lt_fake().calls.at(1);
  CHECK((dw.trans_a == lt::kOpN && dw.trans_b == lt::kOpT));
  CHECK((dw.a.rows == 3 && dw.a.cols == 4 && dw.b.rows == 6 && dw.b.cols == 4));
  CHECK((dw.beta == 1.0f && dw.d.rows == 3 && dw.d.cols == 6));
}

TEST_CASE("plans are made once per shape and released", "[cuda]") {
  lt_fake() = LtFake{};
  const std::vector<f32> a = numbers(256, 0);
  std::vector<f32> y(256);
  const std::vector<f32> bias_a = numbers(4, 1);
  const std::vector<f32> bias_b = numbers(4, 2);
  {
    GemmCache cache(fake_cublaslt(), nullptr, kWorkspace);
    Gemm g;
    g.m = g.n = g.k = 4;
    g.a = g.b = a.data();
    g.y = y.data();
    g.lda = g.ldb = g.ldy = 4;
    g.epilogue = GemmEpilogue::kBias;
    g.bias = bias_a.data();
    cache.run(g, nullptr);
    g.bias = bias_b.data();  // another layer of the same shape
    cache.run(g, nullptr);
    CHECK(cache.plans() == 1);
    CHECK(lt_fake().heuristic_calls == 1);
    CHECK(lt_fake().calls.at(0).bias == bias_a.data());
    CHECK(lt_fake().calls.at(1).bias == bias_b.data());
    g.m = 3;
    cache.run(g, nullptr);
    CHECK(cache.plans() == 2);
    g.m = 0;
    cache.run(g, nullptr);
    CHECK(lt_fake().calls.size() == 3);
  }
  CHECK(lt_fake().live_objects == 0);
}

TEST_CASE("a batch states its count and strides", "[cuda]") {
  lt_fake() = LtFake{};
  GemmCache cache(fake_cublaslt(), nullptr, kWorkspace);
  const std::vector<f32> a = numbers(64, 0);
  std::vector<f32> y(64);
  Gemm g;
  g.layout = GemmLayout::kNN;
  g.m = g.n = g.k = 2;
  g.batch = 3;
  g.a = g.b = a.data();
  g.y = y.data();
  g.lda = g.ldb = g.ldy = 2;
  g.stride_a = 4;
  g.stride_b = 8;
  g.stride_y = 4;
  g.alpha = 0.5f;
  cache.run(g, nullptr);
  const LtCall& call = lt_fake().calls.at(0);
  CHECK((call.a.batch == 3 && call.b.batch == 3 && call.d.batch == 3));
  CHECK((call.a.batch_stride == 8 && call.b.batch_stride == 4 && call.d.batch_stride == 4));
  CHECK(y[8] == static_cast<f32>(0.5 * (f64{a[8]} * a[16] + f64{a[9]} * a[18])));
}

TEST_CASE("refusals and failures of the library are told apart", "[cuda]") {
  lt_fake() = LtFake{};
  GemmCache cache(fake_cublaslt(), nullptr, kWorkspace);
  const std::vector<f32> a = numbers(64, 0);
  std::vector<f32> y(64);
  Gemm g;
  g.m = g.n = g.k = 4;
  g.a = g.b = a.data();
  g.y = y.data();
  g.lda = g.ldb = g.ldy = 4;
  Gemm fused = g;
  fused.epilogue = GemmEpilogue::kBias;
  fused.bias = a.data();
  lt_fake().refuse_epilogues = true;
  CHECK_FALSE(cache.supports(fused));
  CHECK(cache.supports(g));
  CHECK_THROWS_AS(cache.run(fused, nullptr), Error);
  lt_fake().fail_matmul = 13;
  try {
    cache.run(g, nullptr);
    FAIL("an error was expected");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kInternal);
    CHECK(e.message() == "cuBLASLt: multiply: fake failure");
  }
  lt_fake() = LtFake{};
  lt_fake().proposals = {std::size_t{1} << 40};
  g.m = 2;
  CHECK_FALSE(cache.supports(g));  // nothing fits the workspace
  lt_fake() = LtFake{};
}

namespace {

std::vector<u16> rounded(const std::vector<f32>& x) {
  std::vector<u16> out;
  for (const f32 v : x)
    out.push_back(f32_to_bf16(v));
  return out;
}

}  // namespace

TEST_CASE("bf16 operands, f32 sums, every epilogue", "[cuda]") {
  const i64 m = 3, n = 16, k = 5;
  const std::vector<u16> x = rounded(numbers(m * k, 0));
  const std::vector<u16> w = rounded(numbers(n * k, 1));
  const std::vector<u16> bias = rounded(numbers(n, 2));
  const auto sum_at = [&](i64 i, i64 j) {
    f64 sum = 0;
    for (i64 l = 0; l < k; ++l)
      sum += f64{bf16_to_f32(x[usize(i * k + l)])} * f64{bf16_to_f32(w[usize(j * k + l)])};
    return sum;
  };
  for (const GemmEpilogue epilogue :
       {GemmEpilogue::kNone, GemmEpilogue::kBias, GemmEpilogue::kGeluAux,
        GemmEpilogue::kGeluAuxBias, GemmEpilogue::kDGelu}) {
    lt_fake() = LtFake{};
    GemmCache cache(fake_cublaslt(), nullptr, kWorkspace);
    std::vector<u16> y(usize(m * n)), aux = rounded(numbers(m * n, 3));
    Gemm g;
    g.in = g.out = DType::kBf16;
    g.m = m;
    g.n = n;
    g.k = k;
    g.a = x.data();
    g.b = w.data();
    g.y = y.data();
    g.lda = g.ldb = k;
    g.ldy = g.ld_aux = n;
    g.epilogue = epilogue;
    const bool biased = epilogue == GemmEpilogue::kBias || epilogue == GemmEpilogue::kGeluAuxBias;
    if (biased) g.bias = bias.data();
    if (epilogue != GemmEpilogue::kNone && epilogue != GemmEpilogue::kBias) g.aux = aux.data();
    cache.run(g, nullptr);
    const LtCall& call = lt_fake().calls.at(0);
    CHECK((call.a.type == lt::kR16BF && call.b.type == lt::kR16BF && call.d.type == lt::kR16BF));
    for (i64 i = 0; i < m; ++i) {
      for (i64 j = 0; j < n; ++j) {
        f64 v = sum_at(i, j);
        if (biased) v += f64{bf16_to_f32(bias[usize(j)])};
        const f64 saved = f64{bf16_to_f32(aux[usize(i * n + j)])};
        if (epilogue == GemmEpilogue::kGeluAux || epilogue == GemmEpilogue::kGeluAuxBias) {
          CHECK(saved == f64{bf16_to_f32(f32_to_bf16(static_cast<f32>(v)))});
          v = 0.5 * saved *
              (1 + std::tanh(0.7978845608 * (saved + 0.044715 * saved * saved * saved)));
        }
        if (epilogue == GemmEpilogue::kDGelu) {
          const f64 t = std::tanh(0.7978845608 * (saved + 0.044715 * saved * saved * saved));
          v *= 0.5 * (1 + t) +
               0.5 * saved * (1 - t * t) * 0.7978845608 * (1 + 3 * 0.044715 * saved * saved);
        }
        const f64 got = f64{bf16_to_f32(y[usize(i * n + j)])};
        CHECK(std::abs(got - v) <= 0.004 * std::abs(v) + 1e-30);
      }
    }
  }
}

TEST_CASE("bf16 operands add to an f32 gradient, by sums without atomics", "[cuda]") {
  lt_fake() = LtFake{};
  GemmCache cache(fake_cublaslt(), nullptr, kWorkspace);
  const std::vector<u16> dy = rounded(numbers(4 * 6, 0));
  const std::vector<u16> x = rounded(numbers(4 * 3, 1));
  std::vector<f32> dw(6 * 3, 0.25f);
  Gemm g;
  g.in = DType::kBf16;
  g.layout = GemmLayout::kTN;
  g.m = 6;
  g.n = 3;
  g.k = 4;
  g.a = dy.data();
  g.lda = 6;
  g.b = x.data();
  g.ldb = g.ldy = 3;
  g.y = dw.data();
  g.beta = 1;
  cache.run(g, nullptr);
  CHECK(lt_fake().reductions == (lt::kReductionComputeType | lt::kReductionOutputType));
  CHECK((lt_fake().calls.at(0).a.type == lt::kR16BF && lt_fake().calls.at(0).d.type == lt::kR32F));
  for (i64 i = 0; i < 6; ++i) {
    for (i64 j = 0; j < 3; ++j) {
      f64 sum = 0.25;
      for (i64 r = 0; r < 4; ++r)
        sum += f64{bf16_to_f32(dy[usize(r * 6 + i)])} * f64{bf16_to_f32(x[usize(r * 3 + j)])};
      CHECK(dw[usize(i * 3 + j)] == static_cast<f32>(sum));
    }
  }
  g.in = DType::kF32;  // another product, though the shape is the same
  CHECK(cache.supports(g));
  CHECK(cache.plans() == 2);
}

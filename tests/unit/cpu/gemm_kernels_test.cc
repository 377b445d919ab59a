#include <string>

#include "cpu/kernels.h"
#include "kernel_helpers.h"

using namespace lm;
using namespace lm::test;
using cpu::Act;
using cpu::Epilogue;
using cpu::Layout;

namespace {

f64 act_reference(Act act, f64 a) {
  switch (act) {
    case Act::kNone:
      return a;
    case Act::kGeluTanh:
      return 0.5 * a * (1 + std::tanh(std::sqrt(2 / M_PI) * (a + 0.044715 * a * a * a)));
    case Act::kGeluErf:
      return 0.5 * a * (1 + std::erf(a / std::sqrt(2.0)));
    case Act::kRelu:
      return a > 0 ? a : 0;
    case Act::kRelu2:
      return a > 0 ? a * a : 0;
    case Act::kSilu:
      return a / (1 + std::exp(-a));
  }
  return 0;
}

struct Operands {
  Layout layout;
  i64 m, n, k, lda, ldb;
  std::vector<f32> a, b;
  f64 a_at(i64 i, i64 kk) const {
    return static_cast<f64>(a[usize(layout == Layout::kTN ? kk * lda + i : i * lda + kk)]);
  }
  f64 b_at(i64 kk, i64 j) const {
    return static_cast<f64>(b[usize(layout == Layout::kNT ? j * ldb + kk : kk * ldb + j)]);
  }
  f64 dot(i64 i, i64 j) const {
    f64 sum = 0;
    for (i64 kk = 0; kk < k; ++kk)
      sum += a_at(i, kk) * b_at(kk, j);
    return sum;
  }
};

Operands make_operands(Layout layout, i64 m, i64 n, i64 k, u64 seed) {
  Operands o{layout, m, n, k, 0, 0, {}, {}};
  o.lda = (layout == Layout::kTN ? m : k) + 3;
  o.ldb = (layout == Layout::kNT ? k : n) + 5;
  o.a = random_values((layout == Layout::kTN ? k : m) * o.lda + 1, seed);
  o.b = random_values((layout == Layout::kNT ? n : k) * o.ldb + 1, seed + 1);
  return o;
}

std::vector<f32> product(const Operands& o) {
  std::vector<f32> c(usize(o.m * o.n), Guarded::poison());
  cpu::gemm(o.layout, o.m, o.n, o.k, o.a.data(), o.lda, o.b.data(), o.ldb, c.data(), o.n);
  return c;
}

constexpr Layout kLayouts[] = {Layout::kNT, Layout::kNN, Layout::kTN};

struct Dims {
  i64 m, n, k;
};

}  // namespace

TEST_CASE("products of odd shapes agree with f64 sums and write nothing else", "[cpu]") {
  const Dims shapes[] = {{1, 1, 1},    {1, 17, 5},     {2, 33, 300},  {3, 64, 257},
                         {5, 16, 16},  {6, 31, 1},     {7, 100, 64},  {13, 48, 513},
                         {97, 65, 30}, {101, 70, 600}, {200, 19, 90}, {1, 130, 1000}};
  for_each_isa([&] {
    for (const Layout layout : kLayouts) {
      for (const Dims& s : shapes) {
        const Operands o = make_operands(layout, s.m, s.n, s.k, 7);
        const i64 ldc = s.n + 2;
        Guarded c(s.m * ldc);
        cpu::gemm(layout, s.m, s.n, s.k, o.a.data(), o.lda, o.b.data(), o.ldb, c.data(), ldc);
        std::vector<f64> want;
        std::vector<f32> got;
        bool gaps = true;
        for (i64 i = 0; i < s.m; ++i) {
          for (i64 j = 0; j < s.n; ++j) {
            want.push_back(o.dot(i, j));
            got.push_back(c[i * ldc + j]);
          }
          for (i64 j = s.n; j < ldc; ++j)
            gaps = gaps && std::isnan(c[i * ldc + j]);
        }
        INFO("layout " << static_cast<int>(layout) << " m " << s.m << " n " << s.n << " k " << s.k);
        CHECK(nmse(got, want) < 1e-12 * std::sqrt(static_cast<f64>(s.k)));
        CHECK(gaps);
        CHECK(c.intact());
      }
    }
  });
}

TEST_CASE("the epilogue adds bias, keeps the pre-activation, activates and adds the residual",
          "[cpu]") {
  const Dims shapes[] = {{1, 40, 20}, {9, 37, 300}, {130, 50, 270}};
  const Act acts[] = {Act::kNone, Act::kGeluTanh, Act::kGeluErf,
                      Act::kRelu, Act::kRelu2,    Act::kSilu};
  for_each_isa([&] {
    for (const Dims& s : shapes) {
      for (const Act act : acts) {
        const Operands o = make_operands(Layout::kNT, s.m, s.n, s.k, 11);
        const std::vector<f32> bias = random_values(s.n, 3), residual = random_values(s.m * s.n, 4);
        Guarded c(s.m * s.n), aux(s.m * s.n);
        Epilogue e;
        e.alpha = 0.5f;
        e.bias = bias.data();
        e.act = act;
        e.residual = residual.data();
        e.ld_residual = s.n;
        e.aux = aux.data();
        e.ld_aux = s.n;
        cpu::gemm(Layout::kNT, s.m, s.n, s.k, o.a.data(), o.lda, o.b.data(), o.ldb, c.data(), s.n,
                  e);
        std::vector<f64> want, want_aux;
        for (i64 i = 0; i < s.m; ++i) {
          for (i64 j = 0; j < s.n; ++j) {
            const f64 v = 0.5 * o.dot(i, j) + static_cast<f64>(bias[usize(j)]);
            want_aux.push_back(v);
            want.push_back(act_reference(act, v) + static_cast<f64>(residual[usize(i * s.n + j)]));
          }
        }
        INFO("m " << s.m << " act " << static_cast<int>(act));
        CHECK(nmse(c.values(), want) < 1e-11);
        CHECK(nmse(aux.values(), want_aux) < 1e-11);
        CHECK((c.intact() && aux.intact()));
      }
    }
  });
}

TEST_CASE("accumulation equals a residual that is the output itself", "[cpu]") {
  const Dims shapes[] = {{2, 30, 700}, {150, 41, 600}};
  for (const Layout layout : kLayouts) {
    for (const Dims& s : shapes) {
      const Operands o = make_operands(layout, s.m, s.n, s.k, 5);
      const std::vector<f32> plain = product(o), start = random_values(s.m * s.n, 9);
      std::vector<f32> c = start, want = start;
      Epilogue e;
      e.accumulate = true;
      cpu::gemm(layout, s.m, s.n, s.k, o.a.data(), o.lda, o.b.data(), o.ldb, c.data(), s.n, e);
      for (std::size_t i = 0; i < c.size(); ++i)
        want[i] = plain[i] + start[i];
      CHECK(same_bits(c, want));
    }
  }
}

TEST_CASE("a depth of zero gives the epilogue of zero and zero rows write nothing", "[cpu]") {
  const std::vector<f32> bias = {1, 2, 3};
  std::vector<f32> c(6, Guarded::poison());
  Epilogue e;
  e.bias = bias.data();
  const f32 nothing = 0;
  cpu::gemm(Layout::kNT, 2, 3, 0, &nothing, 0, &nothing, 0, c.data(), 3, e);
  CHECK(c == std::vector<f32>{1, 2, 3, 1, 2, 3});
  cpu::gemm(Layout::kNT, 0, 3, 4, &nothing, 4, &nothing, 4, c.data(), 3, e);
  CHECK(c == std::vector<f32>{1, 2, 3, 1, 2, 3});
  std::vector<f32> t(4, Guarded::poison());
  cpu::gemm(Layout::kTN, 2, 2, 0, &nothing, 2, &nothing, 2, t.data(), 2);
  CHECK(t == std::vector<f32>(4, 0.0f));
}

TEST_CASE("every element is one chain of fused multiply-adds in order of k", "[cpu]") {
  // v3 and v4 have FMA; v2 rounds the product and the sum.
  for_each_isa([&] {
    const bool fused = cpu::isa_name() != "v2";
    for (const Layout layout : kLayouts) {
      const Operands o = make_operands(layout, 23, 45, 700, 21);
      std::vector<f32> want;
      for (i64 i = 0; i < o.m; ++i) {
        for (i64 j = 0; j < o.n; ++j) {
          f32 acc = 0;
          for (i64 kk = 0; kk < o.k; ++kk) {
            const f32 x = static_cast<f32>(o.a_at(i, kk)), y = static_cast<f32>(o.b_at(kk, j));
            const f32 rounded = x * y;
            acc = fused ? std::fma(x, y, acc) : rounded + acc;
          }
          want.push_back(acc);
        }
      }
      CHECK(same_bits(product(o), want));
    }
  });
}

TEST_CASE("a row's bits do not depend on how many rows are multiplied with it", "[cpu]") {
  const i64 n = 77, k = 530;
  for_each_isa([&] {
    const std::vector<f32> a = random_values(130 * k, 1), w = random_values(n * k, 2);
    cpu::PackedWeights packed;
    packed.pack(Layout::kNT, n, k, w.data(), k);
    std::vector<std::vector<f32>> alone;
    const std::vector<f32> bias = random_values(n, 3);
    Epilogue e;
    e.bias = bias.data();
    e.act = Act::kGeluTanh;
    for (i64 i = 0; i < 130; ++i) {
      std::vector<f32> row(usize(n), Guarded::poison());
      cpu::gemm(1, a.data() + i * k, k, packed, row.data(), n, e);
      alone.push_back(row);
    }
    std::vector<i64> counts;
    for (i64 m = 1; m <= 70; ++m)
      counts.push_back(m);
    counts.push_back(96);
    counts.push_back(97);
    counts.push_back(130);
    for (const i64 m : counts) {
      std::vector<f32> want, c(usize(m * n), Guarded::poison()), d = c;
      for (i64 i = 0; i < m; ++i) {
        want.insert(want.end(), alone[usize(i)].begin(), alone[usize(i)].end());
      }
      cpu::gemm(m, a.data(), k, packed, c.data(), n, e);
      cpu::gemm(Layout::kNT, m, n, k, a.data(), k, w.data(), k, d.data(), n, e);
      INFO(m << " rows");
      CHECK(same_bits(c, want));
      CHECK(same_bits(d, want));
    }
  });
}

TEST_CASE("products have equal bits with 1, 2 and 7 threads", "[cpu]") {
  for (const Layout layout : kLayouts) {
    for (const Dims& s : {Dims{3, 300, 500}, Dims{64, 200, 300}, Dims{250, 330, 270}}) {
      const Operands o = make_operands(layout, s.m, s.n, s.k, 31);
      check_threads([&] { return product(o); });
    }
  }
}

TEST_CASE("the transposed product sums chunks of 4096 in order", "[cpu]") {
  const i64 m = 5, n = 18, k = 2 * cpu::kTransposedChunk + 100;
  const Operands o = make_operands(Layout::kTN, m, n, k, 41);
  std::vector<f32> want(usize(m * n), 0.0f);
  for (i64 k0 = 0; k0 < k; k0 += cpu::kTransposedChunk) {
    Operands part = o;
    part.k = std::min(cpu::kTransposedChunk, k - k0);
    part.a.assign(o.a.begin() + k0 * o.lda, o.a.end());
    part.b.assign(o.b.begin() + k0 * o.ldb, o.b.end());
    const std::vector<f32> c = product(part);
    for (std::size_t i = 0; i < c.size(); ++i)
      want[i] = k0 == 0 ? c[i] : c[i] + want[i];
  }
  CHECK(same_bits(product(o), want));
}

TEST_CASE("packed weights give the bits of the unpacked product in both layouts", "[cpu]") {
  for_each_isa([&] {
    for (const Layout layout : {Layout::kNT, Layout::kNN}) {
      for (const Dims& s : {Dims{1, 65, 40}, Dims{7, 16, 333}, Dims{120, 33, 64}}) {
        const Operands o = make_operands(layout, s.m, s.n, s.k, 51);
        cpu::PackedWeights w;
        CHECK(w.empty());
        w.pack(layout, s.n, s.k, o.b.data(), o.ldb);
        CHECK((w.n() == s.n && w.k() == s.k && w.bytes() >= 4 * s.n * s.k));
        std::vector<f32> c(usize(s.m * s.n), Guarded::poison());
        cpu::gemm(s.m, o.a.data(), o.lda, w, c.data(), s.n);
        CHECK(same_bits(c, product(o)));
      }
    }
  });
}

TEST_CASE("16-bit weights multiply as the numbers they store", "[cpu]") {
  for_each_isa([&] {
    for (const Layout layout : {Layout::kNT, Layout::kNN}) {
      const i64 m = 9, n = 50, k = 70;
      const std::vector<f32> a = random_values(m * k, 1), w = random_values(n * k, 2);
      std::vector<u16> half(w.size());
      std::vector<f32> back(w.size());
      const i64 ldw = layout == Layout::kNT ? k : n;
      for (const cpu::WeightType from : {cpu::WeightType::kBf16, cpu::WeightType::kF16}) {
        const bool bf16 = from == cpu::WeightType::kBf16;
        (bf16 ? cpu::f32_to_bf16 : cpu::f32_to_f16)(ssize(w), w.data(), half.data());
        (bf16 ? cpu::bf16_to_f32 : cpu::f16_to_f32)(ssize(w), half.data(), back.data());
        std::vector<f32> want(usize(m * n));
        cpu::gemm(layout, m, n, k, a.data(), k, back.data(), ldw, want.data(), n);
        for (const bool keep : {false, true}) {
          if (keep && !bf16) continue;
          cpu::PackedWeights packed;
          packed.pack16(layout, n, k, from, half.data(), ldw, keep);
          std::vector<f32> c(usize(m * n), Guarded::poison());
          cpu::gemm(m, a.data(), k, packed, c.data(), n);
          CHECK(same_bits(c, want));
          if (keep) CHECK(packed.bytes() < 3 * n * k * 2);
        }
      }
    }
  });
  cpu::PackedWeights w;
  const u16 one = 0x3c00;
  CHECK_THROWS_AS(w.pack16(Layout::kNT, 1, 1, cpu::WeightType::kF16, &one, 1, true), Error);
}

TEST_CASE("rows packed from several tensors are those of one", "[cpu]") {
  for_each_isa([&] {
    const i64 k = 70;
    for (const DType dtype : {DType::kF32, DType::kBf16, DType::kF16}) {
      const OwnedTensor numbers({178, k}), whole({178, k}, dtype);
      const std::vector<f32> w = random_values(178 * k, 3), a = random_values(5 * k, 4);
      std::copy(w.begin(), w.end(), numbers.view.f32_data());
      copy_convert(numbers.view, whole.view);
      const auto product_of = [&](const std::vector<Tensor>& parts) {
        cpu::PackedWeights packed;
        CHECK(packed.pack_rows(parts));
        CHECK((packed.n() == 178 && packed.k() == k));
        std::vector<f32> c(usize(5 * 178), Guarded::poison());
        cpu::gemm(5, a.data(), k, packed, c.data(), 178);
        return c;
      };
      const std::vector<f32> want = product_of({whole.view});
      // 64 rows are whole panels at every level; the last tensor may have any number.
      CHECK(same_bits(product_of({slice(whole.view, 0, 64), slice(whole.view, 64, 64),
                                  slice(whole.view, 128, 50)}),
                      want));
      cpu::PackedWeights packed;
      const std::vector<Tensor> odd = {slice(whole.view, 0, 50), slice(whole.view, 50, 128)};
      CHECK_FALSE(packed.pack_rows(odd));
      CHECK(packed.empty());
    }
    const OwnedTensor wide({64, k}), half({64, k}, DType::kBf16);
    const std::vector<Tensor> mixed = {wide.view, half.view};
    CHECK_FALSE(cpu::PackedWeights().pack_rows(mixed));
  });
}

TEST_CASE("batched and grouped products equal one product each", "[cpu]") {
  const i64 batch = 3, m = 11, n = 21, k = 33;
  const std::vector<f32> a = random_values(batch * m * k, 1), b = random_values(batch * n * k, 2);
  std::vector<f32> c(usize(batch * m * n)), want(c);
  cpu::gemm_batched(Layout::kNT, batch, m, n, k, a.data(), k, m * k, b.data(), k, n * k, c.data(),
                    n, m * n);
  for (i64 i = 0; i < batch; ++i) {
    cpu::gemm(Layout::kNT, m, n, k, a.data() + i * m * k, k, b.data() + i * n * k, k,
              want.data() + i * m * n, n);
  }
  CHECK(same_bits(c, want));
  // Groups of 20, 0 and 13 rows; the empty one must not be touched.
  const i64 offsets[] = {0, 20, 20, 33};
  const std::vector<f32> bias = random_values(batch * n, 8);
  check_threads([&] {
    std::vector<f32> g(usize(33 * n), Guarded::poison());
    cpu::gemm_grouped(Layout::kNT, 3, offsets, n, k, a.data(), k, b.data(), k, n * k, g.data(), n,
                      bias.data(), Act::kSilu);
    return g;
  });
  std::vector<f32> g(usize(33 * n), Guarded::poison()), separate(g);
  cpu::gemm_grouped(Layout::kNT, 3, offsets, n, k, a.data(), k, b.data(), k, n * k, g.data(), n,
                    bias.data(), Act::kSilu);
  for (const i64 group : {0, 2}) {
    Epilogue e;
    e.bias = bias.data() + group * n;
    e.act = Act::kSilu;
    cpu::gemm(Layout::kNT, offsets[group + 1] - offsets[group], n, k, a.data() + offsets[group] * k,
              k, b.data() + group * n * k, k, separate.data() + offsets[group] * n, n, e);
  }
  CHECK(same_bits(g, separate));
}

#if !defined(__clang__)  // clang 14 has no test of levels
TEST_CASE("a level is supported where the compiler's own test says so", "[cpu]") {
  std::vector<std::string_view> expected = {"v2"};
  if (__builtin_cpu_supports("x86-64-v3")) expected.push_back("v3");
  if (__builtin_cpu_supports("x86-64-v4")) expected.push_back("v4");
  CHECK(cpu::supported_isas() == expected);
}
#endif

TEST_CASE("levels are chosen by name and misuse is refused", "[cpu]") {
  CHECK_THROWS_AS(cpu::select_isa("avx9"), Error);
  CHECK(cpu::supported_isas().front() == "v2");
  const f32 one = 1;
  f32 c = 0;
  if (cpu::supported_isas().size() > 1) {
    cpu::PackedWeights w;
    w.pack(Layout::kNT, 1, 1, &one, 1);
    cpu::select_isa("v2");
    CHECK_THROWS_AS(cpu::gemm(1, &one, 1, w, &c, 1), Error);
    cpu::select_isa("auto");
  }
  const cpu::PackedWeights empty;
  CHECK_THROWS_AS(cpu::gemm(1, &one, 1, empty, &c, 1), Error);
  Epilogue e;
  e.bias = &one;
  CHECK_THROWS_AS(cpu::gemm(Layout::kTN, 1, 1, 1, &one, 1, &one, 1, &c, 1, e), Error);
}

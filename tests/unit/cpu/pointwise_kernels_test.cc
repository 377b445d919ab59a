#include <algorithm>
#include <functional>

#include "cpu/kernels.h"
#include "kernel_helpers.h"

using namespace lm;
using namespace lm::test;
using cpu::Act;

namespace {

// Distance in units of the last place of the f32 nearest to the exact value.
f64 ulps(f32 got, f64 exact) {
  const f32 near = static_cast<f32>(exact);
  if (got == near) return 0;
  const f64 ulp = std::max(
      static_cast<f64>(std::nextafter(std::abs(near), INFINITY)) - std::abs(static_cast<f64>(near)),
      0x1p-149);
  return std::abs(static_cast<f64>(got) - exact) / ulp;
}

std::vector<f32> evaluate(Unary f, const std::vector<f32>& x, f32 p = 0) {
  Guarded y(ssize(x));
  cpu::unary(f, ssize(x), x.data(), y.data(), p);
  CHECK(y.intact());
  return y.values();
}

f64 worst_ulps(Unary f, f32 low, f32 high, f64 (*exact)(f64)) {
  std::vector<f32> x;
  for (i64 i = 0; i <= 100003; ++i) {
    x.push_back(low + (high - low) * static_cast<f32>(static_cast<f64>(i) / 100003));
  }
  const std::vector<f32> y = evaluate(f, x);
  f64 worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    worst = std::max(worst, ulps(y[i], exact(static_cast<f64>(x[i]))));
  }
  return worst;
}

f64 sigmoid_exact(f64 x) {
  return 1 / (1 + std::exp(-x));
}

}  // namespace

TEST_CASE("exp, log, tanh and sigmoid stay within their stated errors", "[cpu]") {
  for_each_isa([] {
    CHECK(worst_ulps(Unary::kExp, -103.0f, 88.7f, std::exp) <= 2);
    CHECK(worst_ulps(Unary::kExp, -1.0f, 1.0f, std::exp) <= 2);
    CHECK(worst_ulps(Unary::kLog, 1e-30f, 4.0f, std::log) <= 2);
    CHECK(worst_ulps(Unary::kLog, 0.5f, 2e20f, std::log) <= 2);
    CHECK(worst_ulps(Unary::kTanh, -10.0f, 10.0f, std::tanh) <= 4);
    CHECK(worst_ulps(Unary::kSigmoid, -80.0f, 20.0f, sigmoid_exact) <= 4);
  });
}

TEST_CASE("limits, infinities and NaN pass through the elementary functions", "[cpu]") {
  for_each_isa([] {
    const std::vector<f32> x = {-INFINITY, -200.0f, 0.0f, 100.0f, INFINITY, NAN};
    const std::vector<f32> e = evaluate(Unary::kExp, x);
    CHECK((e[0] == 0 && e[1] == 0 && e[2] == 1 && e[3] == INFINITY && e[4] == INFINITY));
    CHECK(std::isnan(e[5]));
    const std::vector<f32> l = evaluate(Unary::kLog, {0.0f, -1.0f, INFINITY, NAN, 0x1p-149f, 1.0f});
    CHECK((l[0] == -INFINITY && std::isnan(l[1]) && l[2] == INFINITY && std::isnan(l[3])));
    CHECK(static_cast<f64>(l[4]) == Approx(-149 * std::log(2.0)));
    CHECK(l[5] == 0);
    const std::vector<f32> t = evaluate(Unary::kTanh, x);
    CHECK((t[0] == -1 && t[1] == -1 && t[2] == 0 && t[3] == 1 && t[4] == 1 && std::isnan(t[5])));
    const std::vector<f32> s = evaluate(Unary::kSigmoid, x);
    CHECK((s[0] == 0 && s[2] == 0.5f && s[4] == 1 && std::isnan(s[5])));
  });
}

namespace {

struct Function {
  const char* name;
  std::function<f64(f64)> exact;
  std::function<void(i64, const f32*, f32*)> forward;
  std::function<void(i64, const f32*, const f32*, f32*)> backward;
};

f64 gelu_tanh(f64 a) {
  return 0.5 * a * (1 + std::tanh(std::sqrt(2 / M_PI) * (a + 0.044715 * a * a * a)));
}
f64 gelu_erf(f64 a) {
  return 0.5 * a * std::erfc(-a / std::sqrt(2.0));
}

Function unary_case(const char* name, Unary f, f64 (*exact)(f64), f32 p = 0) {
  return {name, exact, [=](i64 n, const f32* x, f32* y) { cpu::unary(f, n, x, y, p); },
          [=](i64 n, const f32* x, const f32* dy, f32* dx) {
            cpu::unary_backward(f, n, x, dy, dx, p);
          }};
}
Function act_case(const char* name, Act act, f64 (*exact)(f64)) {
  return {
      name, exact, [=](i64 n, const f32* x, f32* y) { cpu::act_forward(act, n, x, y); },
      [=](i64 n, const f32* x, const f32* dy, f32* dx) { cpu::act_backward(act, n, x, dy, dx); }};
}

std::vector<Function> functions() {
  return {
      unary_case("exp", Unary::kExp, [](f64 x) { return std::exp(x); }),
      unary_case("tanh", Unary::kTanh, [](f64 x) { return std::tanh(x); }),
      unary_case("sigmoid", Unary::kSigmoid, sigmoid_exact),
      unary_case(
          "softcap", Unary::kSoftcap, [](f64 x) { return 2 * std::tanh(x / 2); }, 2.0f),
      unary_case("square", Unary::kSquare, [](f64 x) { return x * x; }),
      act_case("none", Act::kNone, [](f64 x) { return x; }),
      act_case("gelu_tanh", Act::kGeluTanh, gelu_tanh),
      act_case("gelu_erf", Act::kGeluErf, gelu_erf),
      act_case("relu", Act::kRelu, [](f64 x) { return x > 0 ? x : 0; }),
      act_case("relu2", Act::kRelu2, [](f64 x) { return x > 0 ? x * x : 0; }),
      act_case("silu", Act::kSilu, [](f64 x) { return x * sigmoid_exact(x); }),
  };
}

}  // namespace

TEST_CASE("elementwise functions and slopes agree with f64 at every tail length", "[cpu]") {
  for_each_isa([] {
    for (const Function& f : functions()) {
      INFO(f.name);
      for (const i64 n : {0, 1, 3, 4, 7, 16, 31, 33, 1000}) {
        std::vector<f32> x = random_values(n, 3, 4.0f);
        for (f32& v : x)
          v += v < 0 ? -0.01f : 0.01f;  // away from kinks and poles
        const std::vector<f32> dy = random_values(n, 4);
        Guarded y(n), dx(n);
        f.forward(n, x.data(), y.data());
        f.backward(n, x.data(), dy.data(), dx.data());
        std::vector<f64> want, slope;
        for (i64 i = 0; i < n; ++i) {
          const f64 v = static_cast<f64>(x[usize(i)]);
          want.push_back(f.exact(v));
          slope.push_back((f.exact(v + 1e-6) - f.exact(v - 1e-6)) / 2e-6 *
                          static_cast<f64>(dy[usize(i)]));
        }
        CHECK(nmse(y.values(), want) < 1e-11);
        CHECK(nmse(dx.values(), slope) < 1e-11);
        CHECK((y.intact() && dx.intact()));
      }
    }
    const std::vector<f32> positive = {0.25f, 2.0f, 9.0f};
    CHECK(evaluate(Unary::kSqrt, positive) == std::vector<f32>{0.5f, std::sqrt(2.0f), 3.0f});
    const std::vector<f32> dy = {1, 1, 1};
    std::vector<f32> dx(3);
    cpu::unary_backward(Unary::kSqrt, 3, positive.data(), dy.data(), dx.data());
    CHECK(dx[0] == 1.0f);
    cpu::unary_backward(Unary::kLog, 3, positive.data(), dy.data(), dx.data());
    CHECK(dx[0] == 4.0f);
  });
}

TEST_CASE("gated units agree with f64 and may write their gradient over the input", "[cpu]") {
  for_each_isa([] {
    for (const i64 f : {1, 5, 16, 70}) {
      const i64 rows = 4;
      const std::vector<f32> x = random_values(rows * 2 * f, 1, 3.0f),
                             dy = random_values(rows * f, 2);
      Guarded y(rows * f);
      cpu::glu_forward(Act::kSilu, rows, f, x.data(), 2 * f, y.data(), f);
      std::vector<f32> dx = x;
      cpu::glu_backward(Act::kSilu, rows, f, dx.data(), 2 * f, dy.data(), f, dx.data(), 2 * f);
      std::vector<f64> want, grad(usize(rows * 2 * f));
      for (i64 r = 0; r < rows; ++r) {
        for (i64 i = 0; i < f; ++i) {
          const f64 a = static_cast<f64>(x[usize(r * 2 * f + i)]);
          const f64 u = static_cast<f64>(x[usize(r * 2 * f + f + i)]);
          const f64 d = static_cast<f64>(dy[usize(r * f + i)]), s = sigmoid_exact(a);
          want.push_back(a * s * u);
          grad[usize(r * 2 * f + i)] = d * u * s * (1 + a * (1 - s));
          grad[usize(r * 2 * f + f + i)] = d * s * a;
        }
      }
      CHECK(nmse(y.values(), want) < 1e-11);
      CHECK(nmse(dx, grad) < 1e-11);
      CHECK(y.intact());
    }
  });
}

TEST_CASE("arithmetic on vectors and rows is exact per element", "[cpu]") {
  for_each_isa([] {
    const i64 rows = 3, cols = 21, n = rows * cols;
    const std::vector<f32> x = random_values(n, 1), y = random_values(n, 2),
                           v = random_values(cols, 3);
    Guarded out(n);
    const auto expect = [&](auto f) {
      for (i64 i = 0; i < n; ++i)
        REQUIRE(out[i] == f(i));
      REQUIRE(out.intact());
    };
    cpu::add(n, x.data(), y.data(), out.data());
    expect([&](i64 i) { return x[usize(i)] + y[usize(i)]; });
    cpu::subtract(n, x.data(), y.data(), out.data());
    expect([&](i64 i) { return x[usize(i)] - y[usize(i)]; });
    cpu::multiply(n, x.data(), y.data(), out.data());
    expect([&](i64 i) { return x[usize(i)] * y[usize(i)]; });
    cpu::divide(n, x.data(), y.data(), out.data());
    expect([&](i64 i) { return x[usize(i)] / y[usize(i)]; });
    cpu::scale(n, 0.3f, x.data(), out.data());
    expect([&](i64 i) { return x[usize(i)] * 0.3f; });
    cpu::fill(n, 2.0f, out.data());
    cpu::axpy(n, 0.5f, x.data(), out.data());  // a product by 1/2 is exact: fused or not is equal
    expect([&](i64 i) { return 0.5f * x[usize(i)] + 2.0f; });
    cpu::add_row_vector(rows, cols, x.data(), cols, v.data(), out.data(), cols);
    expect([&](i64 i) { return x[usize(i)] + v[usize(i % cols)]; });
    cpu::multiply_row_vector(rows, cols, x.data(), cols, v.data(), out.data(), cols);
    expect([&](i64 i) { return x[usize(i)] * v[usize(i % cols)]; });
    cpu::scale_rows(rows, cols, x.data(), cols, y.data(), out.data(), cols);
    expect([&](i64 i) { return x[usize(i)] * y[usize(i / cols)]; });
    cpu::copy_rows(rows, cols, x.data(), cols, out.data(), cols);
    expect([&](i64 i) { return x[usize(i)]; });
    std::vector<u8> mask;
    for (i64 i = 0; i < n; ++i)
      mask.push_back(static_cast<u8>(i % 3 == 0 ? 2 : 0));
    cpu::where(n, mask.data(), x.data(), y.data(), out.data());
    expect([&](i64 i) { return i % 3 == 0 ? x[usize(i)] : y[usize(i)]; });
  });
}

TEST_CASE("strided copies permute and broadcast", "[cpu]") {
  // x [2,3,4] read as [4,2,3]: out[c][a][b] = x[a][b][c].
  std::vector<f32> x;
  for (i64 i = 0; i < 24; ++i)
    x.push_back(static_cast<f32>(i));
  const i64 shape[] = {4, 2, 3}, strides[] = {1, 12, 4};
  std::vector<f32> out(24);
  cpu::copy_strided(3, shape, strides, x.data(), out.data());
  for (i64 c = 0; c < 4; ++c) {
    for (i64 a = 0; a < 2; ++a) {
      for (i64 b = 0; b < 3; ++b) {
        REQUIRE(out[usize((c * 2 + a) * 3 + b)] == x[usize(a * 12 + b * 4 + c)]);
      }
    }
  }
  const i64 wide[] = {2, 3}, none[] = {1, 0};
  cpu::copy_strided(2, wide, none, x.data(), out.data());
  CHECK(std::vector<f32>(out.begin(), out.begin() + 6) == std::vector<f32>{0, 0, 0, 1, 1, 1});
  CHECK_THROWS_AS(cpu::copy_strided(6, shape, strides, x.data(), out.data()), Error);
}

TEST_CASE("sums are accurate and have equal bits with 1, 2 and 7 threads", "[cpu]") {
  for_each_isa([] {
    const i64 n = 300001;
    const std::vector<f32> x = random_values(n, 1);
    f64 sum = 0, squares = 0;
    for (const f32 v : x) {
      sum += static_cast<f64>(v);
      squares += static_cast<f64>(v) * static_cast<f64>(v);
    }
    CHECK(cpu::sum(n, x.data()) == Approx(sum).epsilon(1e-12).margin(1e-9));
    CHECK(cpu::sum_squares(n, x.data()) == Approx(squares).epsilon(1e-12));
    CHECK(cpu::sum(0, x.data()) == 0);
    check_threads([&] {
      std::vector<f32> all(usize(97), 1.0f);
      cpu::add_column_sums(3000, 97, x.data(), 98, all.data());
      const f64 s = cpu::sum_squares(n, x.data());
      all.push_back(static_cast<f32>(s));
      all.push_back(static_cast<f32>((s - static_cast<f64>(static_cast<f32>(s))) * 1e6));
      return all;
    });
    std::vector<f32> columns(usize(97), 1.0f), rows(5), dots(5);
    cpu::add_column_sums(3000, 97, x.data(), 98, columns.data());
    f64 third = 1;
    for (i64 r = 0; r < 3000; ++r)
      third += static_cast<f64>(x[usize(r * 98 + 3)]);
    CHECK(static_cast<f64>(columns[3]) == Approx(third).epsilon(1e-4).margin(1e-3));
    cpu::row_sums(5, 97, x.data(), 98, rows.data());
    cpu::row_dots(5, 97, x.data(), 98, x.data() + 1, 98, dots.data());
    f64 s = 0, d = 0;
    for (i64 i = 0; i < 97; ++i) {
      s += static_cast<f64>(x[usize(98 + i)]);
      d += static_cast<f64>(x[usize(98 + i)]) * static_cast<f64>(x[usize(99 + i)]);
    }
    CHECK(static_cast<f64>(rows[1]) == Approx(s).epsilon(1e-5).margin(1e-5));
    CHECK(static_cast<f64>(dots[1]) == Approx(d).epsilon(1e-5).margin(1e-5));
  });
}

TEST_CASE("embedding rows are scaled copies and their gradient is summed in row order", "[cpu]") {
  for_each_isa([] {
    const i64 rows = 50, cols = 19, vocab = 7;
    const std::vector<f32> table = random_values(vocab * cols, 1),
                           dy = random_values(rows * cols, 2);
    std::vector<i32> ids;
    for (i64 r = 0; r < rows; ++r)
      ids.push_back(static_cast<i32>((r * r + 3) % vocab));
    Guarded y(rows * cols);
    cpu::embedding_forward(rows, cols, table.data(), cols, ids.data(), 2.0f, false, y.data(), cols);
    for (i64 i = 0; i < rows * cols; ++i) {
      REQUIRE(y[i] == 2.0f * table[usize(ids[usize(i / cols)] * cols + i % cols)]);
    }
    const std::vector<f32> once = y.values();
    cpu::embedding_forward(rows, cols, table.data(), cols, ids.data(), 2.0f, true, y.data(), cols);
    for (i64 i = 0; i < rows * cols; ++i)
      REQUIRE(y[i] == 2.0f * once[usize(i)]);
    CHECK(y.intact());
    ids[4] = -1;  // skipped
    std::vector<f32> want(usize(vocab * cols), 1.0f), got = want;
    for (i64 r = 0; r < rows; ++r) {
      for (i64 c = 0; c < cols && ids[usize(r)] >= 0; ++c) {
        f32& w = want[usize(ids[usize(r)] * cols + c)];
        w = w + 0.5f * dy[usize(r * cols + c)];
      }
    }
    check_threads([&] {
      got.assign(usize(vocab * cols), 1.0f);
      cpu::embedding_backward(rows, cols, vocab, ids.data(), 0.5f, dy.data(), cols, got.data(),
                              cols);
      return got;
    });
    CHECK(same_bits(got, want));
    ids[5] = 7;
    CHECK_THROWS_AS(cpu::embedding_backward(rows, cols, vocab, ids.data(), 1, dy.data(), cols,
                                            got.data(), cols),
                    Error);
  });
}

TEST_CASE("softmax rows and log-sum-exp agree with f64", "[cpu]") {
  for_each_isa([] {
    for (const i64 cols : {1, 5, 16, 1000}) {
      const i64 rows = 3;
      const std::vector<f32> x = random_values(rows * cols, 1, 20.0f),
                             dy = random_values(rows * cols, 2);
      Guarded y(rows * cols), dx(rows * cols), lse(rows);
      cpu::softmax_rows(rows, cols, x.data(), cols, y.data(), cols);
      cpu::softmax_backward(rows, cols, y.data(), cols, dy.data(), cols, dx.data(), cols);
      cpu::logsumexp_rows(rows, cols, x.data(), cols, lse.data());
      std::vector<f64> p, g, l;
      for (i64 r = 0; r < rows; ++r) {
        f64 z = 0, mean = 0;
        const f32* row = x.data() + r * cols;
        for (i64 i = 0; i < cols; ++i)
          z += std::exp(static_cast<f64>(row[i]));
        for (i64 i = 0; i < cols; ++i) {
          p.push_back(std::exp(static_cast<f64>(row[i])) / z);
          mean += p.back() * static_cast<f64>(dy[usize(r * cols + i)]);
        }
        for (i64 i = 0; i < cols; ++i) {
          g.push_back(p[usize(r * cols + i)] * (static_cast<f64>(dy[usize(r * cols + i)]) - mean));
        }
        l.push_back(std::log(z));
      }
      CHECK(nmse(y.values(), p) < 1e-11);
      if (cols > 1) CHECK(nmse(dx.values(), g) < 1e-10);
      CHECK(nmse(lse.values(), l) < 1e-12);
      CHECK((y.intact() && dx.intact() && lse.intact()));
    }
  });
}

TEST_CASE("AdamW steps as the formula in f64, decay cautious on request", "[cpu]") {
  for_each_isa([] {
    const i64 n = 37;
    for (const bool cautious : {false, true}) {
      std::vector<f32> w = random_values(n, 1), m = random_values(n, 2), v = random_values(n, 3);
      const std::vector<f32> g = random_values(n, 4);
      for (f32& x : v)
        x = x * x;
      std::vector<f64> w64 = to_f64(w), m64 = to_f64(m), v64 = to_f64(v);
      cpu::AdamW cfg;
      cfg.lr = 0.1f;
      cfg.weight_decay = 0.2f;
      cfg.correction1 = 0.3f;
      cfg.correction2 = 0.4f;
      cfg.grad_scale = 0.5f;
      cfg.cautious = cautious;
      cpu::adamw(n, cfg, g.data(), w.data(), m.data(), v.data());
      for (std::size_t i = 0; i < g.size(); ++i) {
        const f64 b1 = static_cast<f64>(cfg.beta1), b2 = static_cast<f64>(cfg.beta2);
        const f64 gi = 0.5 * static_cast<f64>(g[i]);
        m64[i] = b1 * m64[i] + (1 - b1) * gi;
        v64[i] = b2 * v64[i] + (1 - b2) * gi * gi;
        const f64 step = m64[i] / 0.3 / (std::sqrt(v64[i] / 0.4) + 1e-8);
        const f64 decay = !cautious || step * w64[i] > 0 ? 0.2 : 0.0;
        w64[i] -= 0.1 * (step + decay * w64[i]);
      }
      CHECK(nmse(w, w64) < 1e-11);
      CHECK(nmse(m, m64) < 1e-11);
      CHECK(nmse(v, v64) < 1e-11);
    }
  });
}

TEST_CASE("casts round to nearest even and keep special values", "[cpu]") {
  for_each_isa([] {
    // bf16: 1 + 2^-8 is halfway between 1 and 1 + 2^-7 and goes to the even 1; 1 + 3*2^-8 goes up.
    const std::vector<f32> x = {1.0f + 0x1p-8f, 1.0f + 3 * 0x1p-8f, INFINITY, -0.0f, NAN, 3.4e38f};
    std::vector<u16> h(x.size());
    cpu::f32_to_bf16(ssize(x), x.data(), h.data());
    CHECK((h[0] == 0x3f80 && h[1] == 0x3f82 && h[2] == 0x7f80 && h[3] == 0x8000));
    CHECK(((h[4] & 0x7f80) == 0x7f80 && (h[4] & 0x7f) != 0));
    CHECK(h[5] == 0x7f80);
    // f16: 65504 is the largest, 65519.99 rounds to it, 65520 to infinity; 2^-24 is the smallest,
    // 2^-25 is halfway to zero and goes to the even zero.
    const std::vector<f32> y = {65504.0f,   65519.0f, 65520.0f,  0x1p-24f, 0x1p-25f,
                                0x1.8p-24f, NAN,      -INFINITY, 0x1p-14f, 1.0f + 0x1p-11f};
    std::vector<u16> f(y.size());
    cpu::f32_to_f16(ssize(y), y.data(), f.data());
    CHECK(f[0] == 0x7bff);
    CHECK(f[1] == 0x7bff);
    CHECK(f[2] == 0x7c00);
    CHECK(f[3] == 1);
    CHECK(f[4] == 0);
    CHECK(f[5] == 2);
    CHECK((f[6] & 0x7fff) > 0x7c00);
    CHECK(f[7] == 0xfc00);
    CHECK(f[8] == 0x0400);
    CHECK(f[9] == 0x3c00);
  });
}

TEST_CASE("every 16-bit number survives the way to f32 and back", "[cpu]") {
  for_each_isa([] {
    std::vector<u16> all(65536), back(65536);
    for (i64 i = 0; i < 65536; ++i)
      all[usize(i)] = static_cast<u16>(i);
    std::vector<f32> wide(65536);
    cpu::bf16_to_f32(65536, all.data(), wide.data());
    cpu::f32_to_bf16(65536, wide.data(), back.data());
    i64 wrong = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool nan = (all[i] & 0x7f80) == 0x7f80 && (all[i] & 0x7f) != 0;
      wrong += nan ? !std::isnan(wide[i]) : back[i] != all[i];
    }
    cpu::f16_to_f32(65536, all.data(), wide.data());
    cpu::f32_to_f16(65536, wide.data(), back.data());
    for (std::size_t i = 0; i < all.size(); ++i) {
      const int exponent = (all[i] >> 10) & 31, fraction = all[i] & 1023;
      const f32 sign = (all[i] & 0x8000) != 0 ? -1.0f : 1.0f;
      if (exponent == 31 && fraction != 0) {
        wrong += !std::isnan(wide[i]);
        continue;
      }
      const f32 value = exponent == 31 ? INFINITY
                        : exponent == 0
                            ? std::ldexp(static_cast<f32>(fraction), -24)
                            : std::ldexp(static_cast<f32>(1024 + fraction), exponent - 25);
      wrong += wide[i] != sign * value || back[i] != all[i];
    }
    CHECK(wrong == 0);
  });
}

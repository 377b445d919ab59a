#include "cpu/kernels.h"
#include "kernel_helpers.h"

using namespace lm;
using namespace lm::test;

namespace {

struct Row {
  std::vector<f64> y;
  f64 mean = 0, rstd = 0;
};

Row norm_reference(const f64* x, i64 n, const std::vector<f32>& w, const std::vector<f32>& b,
                   bool centred, bool plus_one, f64 eps) {
  Row row;
  f64 square = 0;
  for (i64 i = 0; centred && i < n; ++i)
    row.mean += x[i] / static_cast<f64>(n);
  for (i64 i = 0; i < n; ++i)
    square += (x[i] - row.mean) * (x[i] - row.mean);
  row.rstd = 1 / std::sqrt(square / static_cast<f64>(n) + eps);
  for (i64 i = 0; i < n; ++i) {
    const f64 weight = w.empty() ? 1 : static_cast<f64>(w[usize(i)]) + (plus_one ? 1 : 0);
    const f64 bias = b.empty() ? 0 : static_cast<f64>(b[usize(i)]);
    row.y.push_back((x[i] - row.mean) * row.rstd * weight + bias);
  }
  return row;
}

struct Case {
  i64 rows, cols;
  bool centred, plus_one, weights;
};

constexpr Case kCases[] = {{1, 1, false, false, true},    {3, 7, true, false, true},
                           {5, 64, false, true, true},    {600, 33, true, false, true},
                           {600, 33, false, false, true}, {2, 768, true, false, false},
                           {0, 8, true, false, true},     {4, 100, false, false, false}};

f64 dot(const std::vector<f64>& x, const std::vector<f32>& w) {
  f64 sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    sum += x[i] * static_cast<f64>(w[i]);
  return sum;
}

}  // namespace

TEST_CASE("norms agree with f64, alone and fused with the residual", "[cpu]") {
  for_each_isa([] {
    for (const Case& c : kCases) {
      for (const bool fused : {false, true}) {
        const i64 n = c.rows * c.cols;
        const std::vector<f32> x = random_values(n, 1, 4.0f), add = random_values(n, 2);
        const std::vector<f32> w = c.weights ? random_values(c.cols, 3) : std::vector<f32>();
        const std::vector<f32> b =
            c.weights && c.centred ? random_values(c.cols, 4) : std::vector<f32>();
        Guarded y(n), sum(n), mean(c.rows), rstd(c.rows);
        cpu::NormForward a;
        a.rows = c.rows;
        a.cols = c.cols;
        a.x = x.data();
        a.ldx = a.ldy = a.ld_add = a.ld_sum = c.cols;
        a.weight = c.weights ? w.data() : nullptr;
        a.bias = b.empty() ? nullptr : b.data();
        a.plus_one = c.plus_one;
        a.y = y.data();
        a.rstd = rstd.data();
        if (c.centred) a.mean = mean.data();
        if (fused) {
          a.add = add.data();
          a.sum = sum.data();
        }
        (c.centred ? cpu::layernorm_forward : cpu::rmsnorm_forward)(a);
        std::vector<f64> want, in = to_f64(x);
        for (std::size_t i = 0; fused && i < in.size(); ++i) {
          in[i] = static_cast<f64>(x[i] + add[i]);
          REQUIRE(sum[static_cast<i64>(i)] == x[i] + add[i]);
        }
        for (i64 r = 0; r < c.rows; ++r) {
          const Row row = norm_reference(in.data() + r * c.cols, c.cols, w, b, c.centred,
                                         c.plus_one, static_cast<f64>(a.eps));
          want.insert(want.end(), row.y.begin(), row.y.end());
          REQUIRE(static_cast<f64>(rstd[r]) == Approx(row.rstd).epsilon(1e-5));
        }
        INFO("cols " << c.cols << " centred " << c.centred);
        CHECK(nmse(y.values(), want) < 1e-11);
        CHECK((y.intact() && sum.intact() && mean.intact() && rstd.intact()));
      }
    }
  });
}

namespace {

struct NormGradients {
  std::vector<f32> dx, dw, db;
};

NormGradients norm_backward(const Case& c, const std::vector<f32>& x, const std::vector<f32>& w,
                            const std::vector<f32>& dy, const f32* extra) {
  std::vector<f32> y(x.size()), mean(usize(c.rows)), rstd(usize(c.rows));
  cpu::NormForward f;
  f.rows = c.rows;
  f.cols = c.cols;
  f.x = x.data();
  f.ldx = f.ldy = c.cols;
  f.weight = c.weights ? w.data() : nullptr;
  f.plus_one = c.plus_one;
  f.y = y.data();
  f.mean = c.centred ? mean.data() : nullptr;
  f.rstd = rstd.data();
  (c.centred ? cpu::layernorm_forward : cpu::rmsnorm_forward)(f);
  Guarded dx(ssize(x));
  NormGradients g{{}, std::vector<f32>(usize(c.cols), 2.0f), std::vector<f32>(usize(c.cols), 3.0f)};
  cpu::NormBackward a;
  a.rows = c.rows;
  a.cols = c.cols;
  a.dy = dy.data();
  a.x = x.data();
  a.lddy = a.ldx = a.lddx = a.ld_dx_add = c.cols;
  a.weight = f.weight;
  a.plus_one = c.plus_one;
  a.mean = mean.data();
  a.rstd = rstd.data();
  a.dx_add = extra;
  a.dx = dx.data();
  a.dweight = g.dw.data();
  if (c.centred) a.dbias = g.db.data();
  (c.centred ? cpu::layernorm_backward : cpu::rmsnorm_backward)(a);
  CHECK(dx.intact());
  g.dx = dx.values();
  return g;
}

}  // namespace

TEST_CASE("norm gradients match directional differences in f64", "[cpu]") {
  for_each_isa([] {
    for (const Case& c : kCases) {
      if (c.cols < 2 || c.rows == 0) continue;
      const i64 n = c.rows * c.cols;
      const std::vector<f32> x = random_values(n, 1, 2.0f), dy = random_values(n, 2);
      const std::vector<f32> w = c.weights ? random_values(c.cols, 3) : std::vector<f32>();
      const NormGradients g = norm_backward(c, x, w, dy, nullptr);
      const std::vector<f32> dir = random_values(n, 9), wdir = random_values(c.cols, 10);
      const auto loss_at = [&](f64 xs, f64 ws) {
        std::vector<f32> weight = w;
        if (ws != 0) {
          for (i64 i = 0; i < c.cols; ++i) {
            weight[usize(i)] += static_cast<f32>(ws) * wdir[usize(i)];
          }
        }
        std::vector<f64> in = to_f64(x), out;
        for (i64 i = 0; i < n; ++i)
          in[usize(i)] += xs * static_cast<f64>(dir[usize(i)]);
        for (i64 r = 0; r < c.rows; ++r) {
          const Row row = norm_reference(in.data() + r * c.cols, c.cols, weight, {}, c.centred,
                                         c.plus_one, 1e-5);
          out.insert(out.end(), row.y.begin(), row.y.end());
        }
        return dot(out, dy);
      };
      INFO("rows " << c.rows << " cols " << c.cols << " centred " << c.centred);
      const f64 slope = (loss_at(1e-5, 0) - loss_at(-1e-5, 0)) / 2e-5;
      CHECK(dot(to_f64(g.dx), dir) == Approx(slope).epsilon(1e-4).margin(1e-4));
      if (!c.weights) continue;
      // y is linear in the weight: a step of 1/4 has no truncation error.
      const f64 wslope = (loss_at(0, 0.25) - loss_at(0, -0.25)) / 0.5;
      std::vector<f64> dw = to_f64(g.dw), db = to_f64(g.db);
      for (f64& v : dw)
        v -= 2.0;  // the kernel adds to what was there
      CHECK(dot(dw, wdir) == Approx(wslope).epsilon(1e-4).margin(1e-4));
      for (i64 j = 0; c.centred && j < c.cols; ++j) {
        f64 sum = 3.0;
        for (i64 r = 0; r < c.rows; ++r)
          sum += static_cast<f64>(dy[usize(r * c.cols + j)]);
        REQUIRE(db[usize(j)] == Approx(sum).margin(1e-4));
      }
    }
  });
}

TEST_CASE("the gradient that reaches a norm's input by another way is added", "[cpu]") {
  const Case c = kCases[1];
  const std::vector<f32> x = random_values(21, 1), w = random_values(7, 2),
                         dy = random_values(21, 3), extra = random_values(21, 4);
  const NormGradients plain = norm_backward(c, x, w, dy, nullptr);
  const NormGradients added = norm_backward(c, x, w, dy, extra.data());
  for (std::size_t i = 0; i < 21; ++i)
    CHECK(added.dx[i] == plain.dx[i] + extra[i]);
}

TEST_CASE("norm gradients have equal bits with 1, 2 and 7 threads", "[cpu]") {
  for (const Case& c : {kCases[3], kCases[4]}) {
    const i64 n = c.rows * c.cols;
    const std::vector<f32> x = random_values(n, 1), dy = random_values(n, 2),
                           w = random_values(c.cols, 3);
    check_threads([&] {
      NormGradients g = norm_backward(c, x, w, dy, nullptr);
      g.dx.insert(g.dx.end(), g.dw.begin(), g.dw.end());
      g.dx.insert(g.dx.end(), g.db.begin(), g.db.end());
      return g.dx;
    });
  }
}

namespace {

struct RopeCase {
  i64 rows, heads, d, rotary;
  bool interleaved, norm, plus_one;
};

constexpr RopeCase kRope[] = {
    {5, 3, 16, 16, false, false, false}, {4, 2, 20, 6, false, false, false},
    {4, 2, 20, 8, true, false, false},   {300, 2, 24, 24, false, true, false},
    {6, 1, 10, 10, false, true, true},   {3, 2, 9, 0, false, true, false}};

struct RopeTables {
  std::vector<f32> cos, sin, weight;
  std::vector<i32> pos;
  cpu::Rope rope;
  explicit RopeTables(const RopeCase& c) {
    const i64 half = c.rotary / 2;
    for (i64 p = 0; p < 40; ++p) {
      for (i64 j = 0; j < half; ++j) {
        const f64 angle =
            static_cast<f64>(p) * std::pow(100.0, -static_cast<f64>(j) / static_cast<f64>(half));
        cos.push_back(static_cast<f32>(std::cos(angle)));
        sin.push_back(static_cast<f32>(std::sin(angle)));
      }
    }
    for (i64 r = 0; r < c.rows; ++r)
      pos.push_back(static_cast<i32>((r * 17 + 3) % 40));
    weight = random_values(c.d, 6);
    rope.rows = c.rows;
    rope.heads = c.heads;
    rope.head_dim = c.d;
    rope.rotary_dim = c.rotary;
    rope.interleaved = c.interleaved;
    rope.cos = cos.data();
    rope.sin = sin.data();
    rope.pos = pos.data();
    rope.plus_one = c.plus_one;
    if (c.norm) rope.norm_weight = weight.data();
  }
};

std::vector<f64> rope_reference(const RopeCase& c, const RopeTables& t, const std::vector<f64>& x,
                                const std::vector<f32>& weight) {
  std::vector<f64> y;
  const i64 half = c.rotary / 2;
  for (i64 r = 0; r < c.rows; ++r) {
    for (i64 h = 0; h < c.heads; ++h) {
      std::vector<f64> v(x.begin() + (r * c.heads + h) * c.d,
                         x.begin() + (r * c.heads + h + 1) * c.d);
      if (c.norm) v = norm_reference(v.data(), c.d, weight, {}, false, c.plus_one, 1e-6).y;
      std::vector<f64> out = v;
      for (i64 j = 0; j < half; ++j) {
        const i64 i0 = c.interleaved ? 2 * j : j, i1 = c.interleaved ? 2 * j + 1 : j + half;
        const i64 at = t.pos[usize(r)] * half + j;
        const f64 co = static_cast<f64>(t.cos[usize(at)]), si = static_cast<f64>(t.sin[usize(at)]);
        out[usize(i0)] = v[usize(i0)] * co - v[usize(i1)] * si;
        out[usize(i1)] = v[usize(i1)] * co + v[usize(i0)] * si;
      }
      y.insert(y.end(), out.begin(), out.end());
    }
  }
  return y;
}

}  // namespace

TEST_CASE("rotary embedding agrees with f64, in place too, and its gradient with differences",
          "[cpu]") {
  for_each_isa([] {
    for (const RopeCase& c : kRope) {
      const RopeTables t(c);
      const i64 n = c.rows * c.heads * c.d, ld = c.heads * c.d;
      const std::vector<f32> x = random_values(n, 1), dy = random_values(n, 2);
      Guarded y(n), rstd(c.rows * c.heads);
      cpu::rope_forward(t.rope, x.data(), ld, y.data(), ld, rstd.data());
      INFO("d " << c.d << " rotary " << c.rotary << " norm " << c.norm);
      CHECK(nmse(y.values(), rope_reference(c, t, to_f64(x), t.weight)) < 1e-11);
      CHECK((y.intact() && rstd.intact()));
      std::vector<f32> place = x;
      cpu::rope_forward(t.rope, place.data(), ld, place.data(), ld, nullptr);
      CHECK(same_bits(place, y.values()));

      Guarded dx(n);
      std::vector<f32> dw(usize(c.d), 1.0f);
      cpu::rope_backward(t.rope, dy.data(), ld, x.data(), ld, rstd.data(), dx.data(), ld,
                         dw.data());
      CHECK(dx.intact());
      const std::vector<f32> dir = random_values(n, 9), wdir = random_values(c.d, 10);
      const auto loss_at = [&](f64 xs, f32 ws) {
        std::vector<f64> in = to_f64(x);
        std::vector<f32> weight = t.weight;
        for (i64 i = 0; i < n; ++i)
          in[usize(i)] += xs * static_cast<f64>(dir[usize(i)]);
        for (i64 i = 0; i < c.d; ++i)
          weight[usize(i)] += ws * wdir[usize(i)];
        return dot(rope_reference(c, t, in, weight), dy);
      };
      const f64 slope = (loss_at(1e-5, 0) - loss_at(-1e-5, 0)) / 2e-5;
      CHECK(dot(to_f64(dx.values()), dir) == Approx(slope).epsilon(1e-4).margin(1e-4));
      std::vector<f64> got = to_f64(dw);
      for (f64& v : got)
        v -= 1.0;
      const f64 wslope = (loss_at(0, 0.25f) - loss_at(0, -0.25f)) / 0.5;
      CHECK(dot(got, wdir) == Approx(wslope).epsilon(1e-4).margin(1e-4));
    }
  });
  cpu::Rope odd;
  odd.rotary_dim = 3;
  odd.head_dim = 8;
  CHECK_THROWS_AS(cpu::rope_forward(odd, nullptr, 0, nullptr, 0, nullptr), Error);
}

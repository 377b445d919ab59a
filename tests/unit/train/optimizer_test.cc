#include "train/optimizer.h"

#include <cmath>

#include "catch.h"
#include "core/parallel.h"
#include "core/random.h"
#include "cpu/backend.h"
#include "tiny.h"

using namespace lm;
using train::AdamW;
using train::AdamWOptions;

namespace {

struct Slow {
  std::vector<f64> w, m, v;
  /// Loshchilov & Hutter, algorithm 2, one parameter at a time.
  void update(const AdamWOptions& o, i64 t, f64 lr, f64 scale, const std::vector<f64>& g,
              f64 decay) {
    for (std::size_t i = 0; i < w.size(); ++i) {
      const f64 x = g[i] * scale;
      m[i] = o.beta1 * m[i] + (1 - o.beta1) * x;
      v[i] = o.beta2 * v[i] + (1 - o.beta2) * x * x;
      const f64 mh = m[i] / (1 - std::pow(o.beta1, static_cast<f64>(t)));
      const f64 vh = v[i] / (1 - std::pow(o.beta2, static_cast<f64>(t)));
      w[i] -= lr * (mh / (std::sqrt(vh) + o.eps) + decay * w[i]);
    }
  }
};

}  // namespace

TEST_CASE("AdamW follows a double-precision reference over many updates", "[train]") {
  ParamSet set;
  set.add("matrix", {7, 11}, true);
  set.add("bias", {11}, false);
  set.add("last", {3, 3}, true);
  set.add("frozen", {5}, true, false);
  const AdamWOptions options{0.9, 0.95, 1e-8, 0.3};
  AdamW adam(set, options, 1, cpu_backend());
  ParamSlab weights(set), grads(set, 1, SlabOf::kTrained);
  REQUIRE(grads.elements() == weights.elements() - 64);
  const RandomStream random(3, RandomPurpose::kOther);
  std::vector<Slow> slow(4);
  u64 draw = 0;
  for (i32 p = 0; p < 4; ++p) {
    for (i64 i = 0; i < set[p].count; ++i) {
      weights[p].f32_data()[i] = static_cast<f32>(random.normal(draw++));
      slow[usize(p)].w.push_back(static_cast<f64>(weights[p].f32_data()[i]));
    }
    slow[usize(p)].m.assign(usize(set[p].count), 0);
    slow[usize(p)].v.assign(usize(set[p].count), 0);
  }
  const comm::Part whole{0, weights.elements()};
  for (i64 t = 1; t <= 50; ++t) {
    for (i32 p = 0; p < 3; ++p) {
      std::vector<f64> g;
      for (i64 i = 0; i < set[p].count; ++i) {
        grads[p].f32_data()[i] = static_cast<f32>(random.normal(draw++));
        g.push_back(static_cast<f64>(grads[p].f32_data()[i]));
      }
      slow[usize(p)].update(options, t, 1e-2, 0.5, g, p == 1 ? 0.0 : 0.3);
    }
    adam.update(t, 1e-2, 0.5, grads, weights, nullptr, whole);
  }
  for (i32 p = 0; p < 4; ++p)
    for (i64 i = 0; i < set[p].count; ++i)
      CHECK(static_cast<f64>(weights[p].f32_data()[i]) ==
            Approx(slow[usize(p)].w[usize(i)]).epsilon(2e-5).margin(1e-6));
}

TEST_CASE("a step by hand: the first update moves by the learning rate", "[train]") {
  // m/(1-b1) = g, v/(1-b2) = g^2: the update is lr * (sign(g) + decay * w).
  ParamSet set;
  set.add("w", {2}, true);
  AdamW adam(set, {0.9, 0.95, 0.0, 0.5}, 1, cpu_backend());
  ParamSlab weights(set), grads(set);
  weights.data()[0] = 2;
  weights.data()[1] = -4;
  grads.data()[0] = 10;
  grads.data()[1] = -0.001f;
  adam.update(1, 0.1, 1, grads, weights, nullptr, {0, weights.elements()});
  CHECK(weights.data()[0] == Approx(2 - 0.1 * (1 + 1.0)));
  CHECK(weights.data()[1] == Approx(-4 - 0.1 * (-1 - 2.0)));
}

TEST_CASE("parts of the slab give the bits of the whole, for any thread count", "[train]") {
  ParamSet set;
  set.add("a", {300, 17}, true);
  set.add("b", {17}, false);
  const auto run = [&](int threads, i64 pieces) {
    set_threads(threads);
    AdamW adam(set, {}, 4, cpu_backend());
    ParamSlab weights(set, 4), grads(set, 4);
    const RandomStream random(5, RandomPurpose::kOther);
    for (i64 i = 0; i < set[0].count; ++i)
      grads.data()[i] = static_cast<f32>(random.normal(static_cast<u64>(i)));
    const i64 each = weights.elements() / pieces;
    for (i64 t = 1; t <= 3; ++t)
      for (i64 p = 0; p < pieces; ++p)
        adam.update(t, 0.01, 1, grads, weights, nullptr, {p * each, (p + 1) * each});
    set_threads(1);
    return weights;
  };
  const ParamSlab one = run(1, 1);
  CHECK(test::same_bits(one, run(2, 1)));
  CHECK(test::same_bits(one, run(7, 4)));
  CHECK(one.data()[0] != 0);
}

TEST_CASE("norm and clipping by hand", "[train]") {
  ParamSet set;
  set.add("a", {2}, true);
  ParamSlab grads(set);
  grads.data()[0] = 3;
  grads.data()[1] = -4;
  const std::unique_ptr<comm::Comm> self = comm::self_comm();
  CHECK(train::gradient_norm(grads, {0, grads.elements()}, *self, cpu_backend()) == 5.0);
  CHECK(train::clip_scale(5.0, 1.0) == Approx(0.2).epsilon(1e-6));
  CHECK(train::clip_scale(0.5, 1.0) == 1.0);
  CHECK(train::clip_scale(5.0, 0.0) == 1.0);
}

// Every method against a slow version in f64 that follows its definition with sorts and copies.

#include <algorithm>
#include <numeric>

#include "core/hash.h"
#include "fixture.h"

using namespace lm;
using lm::test::check_close;
using lm::test::Numbers;
using lm::test::VectorMerge;

namespace {

constexpr i64 kRows = 37;
constexpr i64 kCols = 301;
constexpr i64 kCount = kRows * kCols;

struct Reference {
  Numbers base;
  std::vector<Numbers> x;
  Numbers weight;
  f64 lambda = 1;
  bool normalize = false;

  Numbers delta(std::size_t m) const {
    Numbers out = x[m];
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] -= base[i];
    return out;
  }
};

f64 norm(const Numbers& v, int p) {
  f64 sum = 0;
  for (const f64 one : v)
    sum = p == 0 ? std::max(sum, std::fabs(one)) : sum + std::pow(std::fabs(one), p);
  return p == 2 ? std::sqrt(sum) : sum;
}

// Descending magnitude, ties by index; keeps ranks [first, last).
Numbers window(const Numbers& v, i64 first, i64 last) {
  std::vector<i64> order(v.size());
  std::iota(order.begin(), order.end(), i64{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](i64 a, i64 b) { return std::fabs(v[usize(a)]) > std::fabs(v[usize(b)]); });
  Numbers out(v.size(), 0.0);
  for (i64 r = first; r < last; ++r)
    out[usize(order[usize(r)])] = v[usize(order[usize(r)])];
  return out;
}

u32 word(u64 seed, i64 model, i64 element) {
  const u64 name = fnv1a64("x");
  const Philox4 words = philox({static_cast<u32>(element / 4), static_cast<u32>(model) << 16,
                                static_cast<u32>(name), static_cast<u32>(name >> 32)},
                               {static_cast<u32>(seed), static_cast<u32>(seed >> 32)});
  return words[usize(element % 4)];
}

Numbers bernoulli(const Numbers& v, f64 p, u64 seed, i64 model) {
  Numbers out = v;
  for (std::size_t i = 0; i < v.size(); ++i)
    if (static_cast<f64>(word(seed, model, static_cast<i64>(i))) >= std::floor(p * 0x1p32))
      out[i] = 0;
  return out;
}

// Keep probabilities of della, row by row, by sorting.
Numbers della_probabilities(const Numbers& v, i64 cols, f64 density, f64 epsilon) {
  Numbers out(v.size());
  for (std::size_t at = 0; at < v.size(); at += usize(cols)) {
    std::vector<i64> order(usize(cols));
    std::iota(order.begin(), order.end(), i64{0});
    std::stable_sort(order.begin(), order.end(), [&](i64 a, i64 b) {
      return std::fabs(v[at + usize(a)]) < std::fabs(v[at + usize(b)]);
    });
    for (i64 r = 0; r < cols; ++r) {
      out[at + usize(order[usize(r)])] =
          cols > 1
              ? density - epsilon + 2 * epsilon * static_cast<f64>(r) / static_cast<f64>(cols - 1)
              : density;
    }
  }
  return out;
}

Numbers rescaled(const Numbers& before, Numbers after, const std::string& how, f64 density) {
  f64 factor = 1;
  if (how == "inverse") factor = 1 / density;
  const int p = how == "l1" ? 1 : how == "l2" ? 2 : how == "linf" ? 0 : -1;
  if (p >= 0) factor = norm(before, p) / norm(after, p);
  for (f64& one : after)
    one *= factor;
  return after;
}

Numbers added(const Reference& r, const std::vector<Numbers>& deltas, bool elect) {
  Numbers out = r.base;
  for (std::size_t i = 0; i < out.size(); ++i) {
    f64 sum = 0;
    f64 weights = 0;
    for (std::size_t m = 0; m < deltas.size(); ++m) {
      sum += r.weight[m] * deltas[m][i];
      weights += r.weight[m];
    }
    if (elect) {
      const bool positive = sum >= 0;
      sum = weights = 0;
      for (std::size_t m = 0; m < deltas.size(); ++m) {
        const f64 one = r.weight[m] * deltas[m][i];
        if (one == 0 || (one > 0) != positive) continue;
        sum += one;
        weights += r.weight[m];
      }
    }
    if (r.normalize && weights != 0) sum /= weights;
    out[i] += r.lambda * sum;
  }
  return out;
}

Reference make(u64 seed) {
  Reference r;
  r.base = test::normal(kCount, seed);
  for (u64 m = 0; m < 3; ++m) {
    r.x.push_back(r.base);
    const Numbers delta = test::normal(kCount, seed + m + 1, 0.05);
    // Quantised, so that there are ties, and some that did not change at all.
    for (std::size_t i = 0; i < delta.size(); ++i)
      r.x[m][i] += std::round(delta[i] * 128) / 128;
  }
  // Exactly representable sums, so that ties stay ties.
  for (Numbers* v : {&r.base, &r.x[0], &r.x[1], &r.x[2]})
    for (f64& one : *v)
      one = std::round(one * 1024) / 1024;
  r.weight = {0.5, 0.3, 0.7};
  return r;
}

VectorMerge as_merge(const Reference& r, const std::string& method, std::string settings = {}) {
  VectorMerge merge{method, DType::kF64, {kRows, kCols}, r.base, r.x};
  for (const f64 weight : r.weight)
    merge.settings.push_back(cat(":", weight, settings));
  merge.seed = 77;
  return merge;
}

}  // namespace

TEST_CASE("task arithmetic and ties agree with sorting", "[merge]") {
  Reference r = make(1);
  std::vector<Numbers> whole;
  std::vector<Numbers> trimmed;
  for (std::size_t m = 0; m < 3; ++m) {
    whole.push_back(r.delta(m));
    trimmed.push_back(window(whole[m], 0, kCount * 3 / 10));
  }
  check_close(as_merge(r, "task_arithmetic")(), added(r, whole, false));
  r.normalize = true;
  check_close(as_merge(r, "ties", ":density=.3")(), added(r, trimmed, true));
  r.lambda = 0.8;
  VectorMerge merge = as_merge(r, "ties", ":density=.3");
  merge.set = {"lambda=.8"};
  check_close(merge(), added(r, trimmed, true));
  merge = as_merge(r, "task_arithmetic");
  merge.set = {"lambda=.8", "normalize=true"};
  check_close(merge(), added(r, whole, false));
}

TEST_CASE("dare agrees with drawing element by element, under every rescaling", "[merge]") {
  Reference r = make(2);
  for (const std::string how : {"none", "inverse", "l1", "l2", "linf"}) {
    std::vector<Numbers> deltas;
    for (std::size_t m = 0; m < 3; ++m) {
      const Numbers delta = r.delta(m);
      deltas.push_back(rescaled(delta, bernoulli(delta, 0.4, 77, static_cast<i64>(m)), how, 0.4));
    }
    for (const bool elect : {false, true}) {
      INFO(how << " " << elect);
      VectorMerge merge = as_merge(r, elect ? "dare_ties" : "dare_linear", ":density=.4");
      merge.set = {"rescale=" + how};
      check_close(merge(), added(r, deltas, elect));
    }
  }
}

TEST_CASE("della agrees with sorting rows", "[merge]") {
  Reference r = make(3);
  for (const std::string how : {"none", "inverse", "l1", "per_element"}) {
    std::vector<Numbers> deltas;
    for (std::size_t m = 0; m < 3; ++m) {
      const Numbers delta = r.delta(m);
      const Numbers p = della_probabilities(delta, kCols, 0.5, 0.2);
      Numbers left = delta;
      for (std::size_t i = 0; i < left.size(); ++i) {
        const bool keep = static_cast<f64>(word(77, static_cast<i64>(m), static_cast<i64>(i))) <
                          std::floor(p[i] * 0x1p32);
        if (!keep) left[i] = 0;
        if (keep && how == "per_element") left[i] /= p[i];
      }
      deltas.push_back(rescaled(delta, left, how, 0.5));
    }
    for (const bool elect : {false, true}) {
      INFO(how << " " << elect);
      r.normalize = elect;
      VectorMerge merge = as_merge(r, elect ? "della" : "della_linear", ":density=.5:epsilon=.2");
      merge.set = {"rescale=" + how};
      check_close(merge(), added(r, deltas, elect));
    }
  }
}

TEST_CASE("breadcrumbs agree with sorting", "[merge]") {
  Reference r = make(4);
  std::vector<Numbers> deltas;
  const i64 top = kCount * 5 / 100;
  const i64 keep = kCount * 6 / 10;
  for (std::size_t m = 0; m < 3; ++m)
    deltas.push_back(window(r.delta(m), top, top + keep));
  check_close(as_merge(r, "breadcrumbs", ":density=.6:gamma=.05")(), added(r, deltas, false));
  check_close(as_merge(r, "breadcrumbs_ties", ":density=.6:gamma=.05")(), added(r, deltas, true));
}

TEST_CASE("sce agrees with sorting variances", "[merge]") {
  const Reference r = make(5);
  for (const f64 topk : {1.0, 0.3}) {
    Numbers variance(usize(kCount));
    i64 varying = 0;
    for (std::size_t i = 0; i < usize(kCount); ++i) {
      // In this order, so that ties between variances are the same ties.
      f64 mean = 0;
      for (std::size_t m = 0; m < 3; ++m)
        mean += r.x[m][i] - r.base[i];
      mean /= 3;
      for (std::size_t m = 0; m < 3; ++m)
        variance[i] += (r.x[m][i] - r.base[i] - mean) * (r.x[m][i] - r.base[i] - mean);
      variance[i] /= 3;
      varying += variance[i] != 0 ? 1 : 0;
    }
    const i64 keep = static_cast<i64>(std::floor(topk * static_cast<f64>(varying)));
    const Numbers chosen = topk < 1 ? window(variance, 0, keep) : Numbers(usize(kCount), 1.0);
    Numbers energy(3, 0.0);
    for (std::size_t m = 0; m < 3; ++m)
      for (std::size_t i = 0; i < usize(kCount); ++i)
        if (chosen[i] != 0) energy[m] += std::pow(r.x[m][i] - r.base[i], 2);
    Numbers want = r.base;
    for (std::size_t i = 0; i < usize(kCount); ++i) {
      if (chosen[i] == 0) continue;
      f64 sum = 0;
      for (std::size_t m = 0; m < 3; ++m)
        sum += r.x[m][i] - r.base[i];
      f64 above = 0;
      f64 below = 0;
      for (std::size_t m = 0; m < 3; ++m) {
        const f64 d = r.x[m][i] - r.base[i];
        if (d == 0 || (d > 0) != (sum >= 0)) continue;
        const f64 share = energy[m] / (energy[0] + energy[1] + energy[2]);
        above += share * d;
        below += share;
      }
      want[i] += above / std::max(below, 1e-6);
    }
    VectorMerge merge{"sce", DType::kF64, {kRows, kCols}, r.base, r.x};
    merge.set = {cat("select_topk=", topk)};
    INFO(topk);
    check_close(merge(), want, topk < 1 ? 1e-9 : 1e-12);
  }
}

TEST_CASE("nuslerp by rows and columns is nuslerp of each", "[merge]") {
  const Reference r = make(6);
  for (const bool base : {false, true}) {
    for (const bool rows : {true, false}) {
      Numbers want(usize(kCount));
      const i64 vectors = rows ? kRows : kCols;
      const i64 length = rows ? kCols : kRows;
      const auto place = [&](i64 v, i64 i) { return usize(rows ? v * kCols + i : i * kCols + v); };
      for (i64 v = 0; v < vectors; ++v) {
        f64 aa = 0;
        f64 bb = 0;
        f64 ab = 0;
        const auto at = [&](std::size_t m, i64 i) {
          return r.x[m][place(v, i)] - (base ? r.base[place(v, i)] : 0);
        };
        for (i64 i = 0; i < length; ++i) {
          aa += at(0, i) * at(0, i);
          bb += at(1, i) * at(1, i);
          ab += at(0, i) * at(1, i);
        }
        const f64 theta = std::acos(std::clamp(ab / std::sqrt(aa * bb), -1.0, 1.0));
        const f64 t = 0.3 / 0.8;
        for (i64 i = 0; i < length; ++i) {
          want[place(v, i)] = std::sin((1 - t) * theta) / std::sin(theta) * at(0, i) +
                              std::sin(t * theta) / std::sin(theta) * at(1, i) +
                              (base ? r.base[place(v, i)] : 0);
        }
      }
      VectorMerge merge{"nuslerp",        DType::kF64,   {kRows, kCols}, base ? r.base : Numbers(),
                        {r.x[0], r.x[1]}, {":.5", ":.3"}};
      merge.set = {"flatten=false", rows ? "row_wise=true" : "row_wise=false"};
      INFO(base << " " << rows);
      check_close(merge(), want, 1e-9);
    }
  }
}

TEST_CASE("model_stock by rows is model_stock of each row", "[merge]") {
  const Reference r = make(7);
  Numbers want;
  for (i64 row = 0; row < kRows; ++row) {
    const auto part = [&](const Numbers& v) {
      return Numbers(v.begin() + row * kCols, v.begin() + (row + 1) * kCols);
    };
    VectorMerge one{
        "model_stock", DType::kF64, {}, part(r.base), {part(r.x[0]), part(r.x[1]), part(r.x[2])}};
    for (const f64 value : one())
      want.push_back(value);
  }
  VectorMerge merge{"model_stock", DType::kF64, {kRows, kCols}, r.base, r.x};
  merge.set = {"filter_wise=true"};
  check_close(merge(), want);
}

TEST_CASE("arcee_fusion agrees with sorted importances", "[merge]") {
  const Reference r = make(8);
  Numbers importance(usize(kCount));
  for (i64 row = 0; row < kRows; ++row) {
    const auto softmax = [&](const Numbers& v, i64 i) {
      f64 sum = 0;
      for (i64 c = 0; c < kCols; ++c)
        sum += std::exp(v[usize(row * kCols + c)]);
      return std::exp(v[usize(row * kCols + i)]) / sum + 1e-8;
    };
    f64 divergence = 0;
    for (i64 c = 0; c < kCols; ++c)
      divergence += softmax(r.x[0], c) * std::log(softmax(r.x[0], c) / softmax(r.base, c));
    for (i64 c = 0; c < kCols; ++c) {
      const std::size_t i = usize(row * kCols + c);
      importance[i] = std::fabs(r.x[0][i] - r.base[i]) * divergence;
    }
  }
  Numbers sorted = importance;
  std::sort(sorted.begin(), sorted.end());
  const auto quantile = [&](f64 q) {
    const f64 at = q * static_cast<f64>(kCount - 1);
    const std::size_t low = static_cast<std::size_t>(at);
    return sorted[low] + (at - std::floor(at)) * (sorted[low + 1] - sorted[low]);
  };
  const f64 bound = quantile(.5) + 1.5 * (quantile(.75) - quantile(.25));
  Numbers want = r.base;
  i64 kept = 0;
  for (std::size_t i = 0; i < usize(kCount); ++i) {
    if (importance[i] < bound) continue;
    want[i] = r.x[0][i];
    ++kept;
  }
  CHECK(kept > 0);
  CHECK(kept < kCount / 4);
  check_close(VectorMerge{"arcee_fusion", DType::kF64, {kRows, kCols}, r.base, {r.x[0]}}(), want);
}

TEST_CASE("fisher and regmean agree with their formulas", "[merge]") {
  const test::TempDir dir;
  const i64 out = 5;
  const i64 in = 4;
  std::vector<Numbers> w, gram, fisher;
  merge::Recipe regmean;
  regmean.method = merge::find_method("regmean");
  merge::Recipe weighted;
  weighted.method = merge::find_method("fisher");
  for (u64 m = 0; m < 2; ++m) {
    w.push_back(test::normal(out * in, m + 1));
    const Numbers x = test::normal(7 * in, m + 20);
    gram.emplace_back(usize(in * in), 0.0);
    for (i64 r = 0; r < 7; ++r)
      for (i64 i = 0; i < in * in; ++i)
        gram[m][usize(i)] += x[usize(r * in + i / in)] * x[usize(r * in + i % in)];
    fisher.push_back(test::normal(out * in, m + 30));
    for (f64& one : fisher[m])
      one = one * one;
    fisher[m][0] = 0;
    const std::string model =
        test::write_model(dir, cat("m", m),
                          {{"x", DType::kF64, {out, in}, w[m]},
                           {"y", DType::kF64, {3}, {1, 2, 3.0 * static_cast<f64>(m)}}});
    const std::string grams =
        test::write_model(dir, cat("g", m), {{"x", DType::kF64, {in, in}, gram[m]}});
    const std::string fishers = test::write_model(
        dir, cat("f", m),
        {{"x", DType::kF64, {out, in}, fisher[m]}, {"y", DType::kF64, {3}, {1, 1, 1}}});
    regmean.models.push_back(merge::parse_operand(cat(model, ":gram=", grams), *regmean.method));
    weighted.models.push_back(
        merge::parse_operand(cat(model, ":fisher=", fishers), *weighted.method));
  }
  const merge::MemorySink a = test::merged(regmean, *LocalContext());
  const merge::MemorySink b = test::merged(weighted, *LocalContext());
  const Numbers got = test::numbers(DType::kF64, a.tensors().find("x")->second.bytes);
  check_close(test::numbers(DType::kF64, a.tensors().find("y")->second.bytes), {1, 2, 1.5});
  // The defining equation: W (G_0 + G_1) = W_0 G_0 + W_1 G_1.
  for (i64 r = 0; r < out; ++r) {
    for (i64 c = 0; c < in; ++c) {
      f64 left = 0;
      f64 right = 0;
      for (i64 j = 0; j < in; ++j) {
        for (std::size_t m = 0; m < 2; ++m) {
          const f64 g = gram[m][usize(j * in + c)] * (j == c ? 1 : 0.9);
          left += got[usize(r * in + j)] * g;
          right += w[m][usize(r * in + j)] * g;
        }
      }
      CHECK(std::fabs(left - right) < 1e-9 * (1 + std::fabs(right)));
    }
  }
  Numbers want(usize(out * in));
  for (std::size_t i = 0; i < want.size(); ++i) {
    const f64 f0 = std::max(fisher[0][i], 1e-6);
    const f64 f1 = std::max(fisher[1][i], 1e-6);
    want[i] = (f0 * w[0][i] + f1 * w[1][i]) / (f0 + f1);
  }
  check_close(test::numbers(DType::kF64, b.tensors().find("x")->second.bytes), want);
}

TEST_CASE("16-bit tensors are merged in f32 and rounded once", "[merge]") {
  Reference r = make(9);
  for (const DType dtype : {DType::kBf16, DType::kF16}) {
    r.base = test::rounded(dtype, r.base);
    for (Numbers& x : r.x)
      x = test::rounded(dtype, x);
    std::vector<Numbers> whole;
    for (std::size_t m = 0; m < 3; ++m)
      whole.push_back(r.delta(m));
    VectorMerge merge = as_merge(r, "task_arithmetic");
    merge.dtype = dtype;
    const Numbers got = merge();
    const Numbers want = test::rounded(dtype, added(r, whole, false));
    i64 off = 0;  // a last place apart, where f32 rounds to the other side of a tie
    for (std::size_t i = 0; i < got.size(); ++i) {
      const f64 place = std::fabs(want[i]) * (dtype == DType::kBf16 ? 0x1p-7 : 0x1p-10) + 1e-7;
      CHECK(std::fabs(got[i] - want[i]) <= place);
      off += got[i] != want[i] ? 1 : 0;
    }
    CHECK(off < kCount / 500);
  }
}

// The Inv-Entropy family: worked example, closed form, its three properties, and the definition
// with full matrices.

#include "uq/inverse.h"

#include <algorithm>
#include <cmath>

#include "catch.h"
#include "core/random.h"

namespace {

using lm::f64;
using lm::i32;
using lm::i64;
using lm::usize;
using lm::uq::InverseDraw;
using lm::uq::InverseMeasures;

using Matrix = std::vector<std::vector<f64>>;

const std::vector<f64> kPrompts = {1, .8, .6, .8, 1, .4, .6, .4, 1};
const std::vector<f64> kMixed = {1, 1, .2, 1, 1, .2, .2, .2, 1};
const std::vector<f64> kSame(9, 1.0);
const std::vector<f64> kDifferent = {1, 0, 0, 0, 1, 0, 0, 0, 1};

InverseMeasures measure(const std::vector<f64>& sx, const std::vector<f64>& sy) {
  InverseDraw draw;
  draw.set_prompts(sx, static_cast<i64>(std::lround(std::sqrt(static_cast<f64>(sx.size())))));
  return draw.measure(sy);
}

Matrix stochastic(const std::vector<f64>& s, i64 n) {
  Matrix p(usize(n), std::vector<f64>(usize(n)));
  for (i64 i = 0; i < n; ++i) {
    f64 sum = 0;
    for (i64 j = 0; j < n; ++j)
      sum += s[usize(i * n + j)];
    for (i64 j = 0; j < n; ++j)
      p[usize(i)][usize(j)] = s[usize(i * n + j)] / sum;
  }
  return p;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c(a.size(), std::vector<f64>(a.size(), 0.0));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < a.size(); ++j) {
      for (std::size_t k = 0; k < a.size(); ++k)
        c[i][j] += a[i][k] * b[k][j];
    }
  }
  return c;
}

std::vector<f64> uniform_times(const Matrix& p) {
  std::vector<f64> out(p.size(), 0.0);
  for (const std::vector<f64>& row : p) {
    for (std::size_t j = 0; j < row.size(); ++j)
      out[j] += row[j] / static_cast<f64>(p.size());
  }
  return out;
}

// n + 1 prompts and answers with one similarity off the diagonal each.
std::vector<f64> even(i64 n, f64 similarity) {
  std::vector<f64> s(usize(n * n), similarity);
  for (i64 i = 0; i < n; ++i)
    s[usize(i * n + i)] = 1;
  return s;
}

}  // namespace

TEST_CASE("the worked example of three wordings is met to every digit", "[uq]") {
  const Matrix px = stochastic(kPrompts, 3);
  const Matrix py = stochastic(kMixed, 3);
  CHECK(px[0][0] == Approx(.416667).margin(1e-6));
  CHECK(px[1][1] == Approx(.454545).margin(1e-6));
  CHECK(px[1][2] == Approx(.181818).margin(1e-6));
  CHECK(py[2][0] == Approx(.142857).margin(1e-6));
  CHECK(py[0][0] == Approx(.454545).margin(1e-6));
  const Matrix step = product(py, px);
  const std::vector<f64> want_diagonal = {.381956, .376309, .418831};
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(step[i][i] == Approx(want_diagonal[i]).margin(1e-6));
  CHECK(step[0][2] == Approx(.241736).margin(1e-6));
  CHECK(step[2][0] == Approx(.325758).margin(1e-6));
  const std::vector<f64> p_answer = uniform_times(py);
  CHECK(p_answer[0] == Approx(.350649).margin(1e-6));
  CHECK(p_answer[2] == Approx(.298701).margin(1e-6));
  const std::vector<f64> p_prompt = uniform_times(product(py, step));
  const std::vector<f64> want_prompt = {.365169, .340196, .294634};
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(p_prompt[i] == Approx(want_prompt[i]).margin(1e-6));
  const std::vector<f64> paper = uniform_times(step);
  const std::vector<f64> want_paper = {.363223, .336009, .300767};
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(paper[i] == Approx(want_paper[i]).margin(1e-6));
  const std::vector<f64> want_given = {.366768, .387871, .287694};
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(step[0][i] * p_answer[0] / p_prompt[i] == Approx(want_given[i]).margin(1e-6));
  const std::vector<f64> want_last = {.266463, .224258, .424613};
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(step[2][i] * p_answer[2] / p_prompt[i] == Approx(want_last[i]).margin(1e-6));

  const InverseMeasures got = measure(kPrompts, kMixed);
  CHECK(got.inv_entropy == Approx(1.099901).margin(1e-6));
  CHECK(got.ni_entropy == Approx(1.098937).margin(1e-6));
  CHECK(got.inv_max_pyx == Approx(.424613).margin(1e-6));
  CHECK(got.inv_max_py == Approx(.350649).margin(1e-6));
  CHECK(got.wd_px_py == Approx(.009680).margin(1e-6));
  CHECK(got.inv_trace == Approx(1.177096).margin(1e-6));
  // Weighted by the prompts, pairs (.8: 1) (.6: .2) (.4: .2): 1 - 1/1.8.
  CHECK(got.spuq == Approx(1 - 1.0 / 1.8).margin(1e-12));
}

TEST_CASE("four even wordings follow the closed form", "[uq]") {
  const std::vector<f64> want = {1.386294, 1.399313, 1.439736};
  const std::vector<f64> distance = {0, .5, 1};
  f64 last_trace = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    const f64 ey = distance[k];
    const f64 p = (4 - 3 * .2 - 3 * ey + 3 * .2 * ey) / ((4 - 3 * .2) * (4 - 3 * ey));
    const InverseMeasures got = measure(even(4, .8), even(4, 1 - ey));
    CHECK(got.inv_entropy == Approx(want[k]).margin(1e-6));
    CHECK(got.inv_entropy == Approx(-4 * p * std::log(p)).margin(1e-12));
    CHECK(got.inv_trace == Approx(4 * p).margin(1e-12));
    CHECK(got.inv_trace > last_trace);
    last_trace = got.inv_trace;
  }
}

TEST_CASE("Inv-Entropy is not monotone and says so, the trace is", "[uq]") {
  const InverseMeasures same = measure(kPrompts, kSame);
  const InverseMeasures mixed = measure(kPrompts, kMixed);
  const InverseMeasures apart = measure(kPrompts, kDifferent);
  CHECK(same.inv_entropy == Approx(1.096748).margin(1e-6));
  CHECK(mixed.inv_entropy == Approx(1.099901).margin(1e-6));
  CHECK(apart.inv_entropy == Approx(1.069742).margin(1e-6));
  CHECK(apart.nonmonotone);
  CHECK(same.inv_trace == Approx(1).margin(1e-12));
  CHECK(mixed.inv_trace == Approx(1.177096).margin(1e-6));
  CHECK(apart.inv_trace == Approx(1.371212).margin(1e-6));
  // Ten wordings: every p stays below 1/e, where entropy still rises.
  const InverseMeasures many = measure(even(10, .8), even(10, .5));
  CHECK(!many.nonmonotone);
  CHECK(many.inv_entropy > measure(even(10, .8), even(10, 1)).inv_entropy);
}

TEST_CASE("identical wordings carry no information about the answers", "[uq]") {
  for (const std::vector<f64>& sy : {kSame, kMixed, kDifferent})
    CHECK(measure(kSame, sy).inv_entropy == Approx(std::log(3.0)).margin(1e-12));
}

TEST_CASE("the prompts' matrix is not symmetric and the trace does not mind the order", "[uq]") {
  const Matrix px = stochastic(kPrompts, 3);
  CHECK(std::abs(px[0][1] - px[1][0]) > .01);
  const Matrix one = product(stochastic(kMixed, 3), px);
  const Matrix other = product(px, stochastic(kMixed, 3));
  CHECK(one[0][0] + one[1][1] + one[2][2] ==
        Approx(other[0][0] + other[1][1] + other[2][2]).margin(1e-12));
  // The transposed matrix gives another entropy.
  CHECK(std::abs(one[0][0] -
                 (px[0][0] * stochastic(kMixed, 3)[0][0] + px[0][1] * stochastic(kMixed, 3)[0][1] +
                  px[0][2] * stochastic(kMixed, 3)[0][2])) > 1e-4);
}

TEST_CASE("a draw equals the definition by full matrices", "[uq]") {
  for (lm::u64 seed = 0; seed < 30; ++seed) {
    CAPTURE(seed);
    const lm::RandomStream random(seed, lm::RandomPurpose::kOther);
    const i64 n = 2 + static_cast<i64>(random.below(0, 9));
    std::vector<f64> sx = even(n, 0);
    std::vector<f64> sy = even(n, 0);
    for (i64 i = 0; i < n; ++i) {
      for (i64 j = 0; j < i; ++j) {
        const lm::u64 at = static_cast<lm::u64>(1 + 2 * (i * n + j));
        sx[usize(i * n + j)] = sx[usize(j * n + i)] = random.uniform(at);
        sy[usize(i * n + j)] = sy[usize(j * n + i)] = random.uniform(at + 1);
      }
    }
    const Matrix px = stochastic(sx, n);
    const Matrix py = stochastic(sy, n);
    const Matrix step = product(py, px);
    std::vector<f64> p_answer = uniform_times(py);
    std::vector<f64> p_prompt = uniform_times(product(py, step));
    f64 h = 0;
    f64 ni = 0;
    f64 most = 0;
    for (std::size_t i = 0; i < usize(n); ++i) {
      const f64 q = step[i][i] * p_answer[i] / p_prompt[i];
      h -= step[i][i] * std::log(step[i][i]);
      ni -= q * std::log(q);
      most = std::max(most, q);
    }
    std::sort(p_answer.begin(), p_answer.end());
    std::sort(p_prompt.begin(), p_prompt.end());
    f64 distance = 0;
    for (std::size_t i = 0; i < usize(n); ++i)
      distance += std::abs(p_answer[i] - p_prompt[i]) / static_cast<f64>(n);
    const InverseMeasures got = measure(sx, sy);
    CHECK(got.inv_entropy == Approx(h).epsilon(1e-12));
    CHECK(got.ni_entropy == Approx(ni).epsilon(1e-12));
    CHECK(got.inv_max_pyx == Approx(most).epsilon(1e-12));
    CHECK(got.wd_px_py == Approx(distance).margin(1e-14));
  }
}

TEST_CASE("draws are a function of seed and question, and their mean nears the exact one", "[uq]") {
  // Two wordings with two answers each: four equally likely draws.
  const std::vector<f64> sx = even(2, .5);
  lm::uq::Similarities alike;
  alike.row = {0, 1, 0, 2};
  alike.rows = 3;
  alike.matrix = {1, .5, .1, .5, 1, .3, .1, .3, 1};
  const std::vector<std::vector<i32>> answers = {{0, 1}, {2, 3}};
  InverseDraw worker;
  f64 exact = 0;
  for (const i32 a : answers[0]) {
    for (const i32 b : answers[1])
      exact += measure(sx, {1, alike.at(a, b), alike.at(a, b), 1}).inv_trace / 4;
  }
  const auto mean = [&](i64 draws, lm::u64 seed, lm::u64 question) {
    return lm::uq::inverse_measures(sx, answers, alike, draws, seed, question, worker)
        .mean.inv_trace;
  };
  CHECK(mean(20000, 1, 2) == Approx(exact).margin(.002));
  CHECK(mean(7, 1, 2) == mean(7, 1, 2));
  CHECK(mean(7, 1, 2) != mean(7, 1, 3));
  CHECK(mean(7, 1, 2) != mean(7, 2, 2));
}

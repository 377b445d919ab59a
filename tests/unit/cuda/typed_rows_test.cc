// Kernels that own rows (norms, losses, softmax, sums) in f32 and bf16 against double precision:
// odd and large rows, unaligned pointers, groups, in place, guard zones, equal bits at a second
// run.

#include <numeric>

#include "loss.h"
#include "norm.h"
#include "reduce.h"
#include "softmax.h"
#include "unit/cuda/typed_buffer.h"

using namespace lm;
using namespace lm::test;
using cuda::Bf16;

namespace {

struct NormCase {
  i64 rows = 0, cols = 0, group = 1, offset = 0;
  bool layer = true, plus_one = false, residual = false, added = false, in_place = false;
};

template <typename T>
void check_norm(const NormCase& t) {
  INFO("rows " << t.rows << ", cols " << t.cols << ", group " << t.group << ", offset " << t.offset
               << ", layer " << t.layer << ", residual " << t.residual << ", added " << t.added
               << ", in place " << t.in_place << ", bytes " << sizeof(T));
  const i64 ld = t.group * t.cols + (t.group > 1 ? 8 : 0);
  const i64 outer = t.rows / t.group;
  const auto at = [&](i64 r, i64 c) { return r / t.group * ld + r % t.group * t.cols + c; };
  const i64 extent = outer * ld;
  Buffer<T> x(extent, t.offset, 1, 2), residual(extent, t.offset, 2), sum(extent, t.offset, 3),
      y(extent, t.offset, 4), dy(extent, t.offset, 5), dx(extent, t.offset, 6),
      added(extent, t.offset, 7);
  const Buffer<T> weight(t.cols, t.offset, 8), bias(t.cols, t.offset, 9);
  Buffer<f32> mean(t.rows, 0, 10), rstd(t.rows, 0, 11);
  Buffer<f32> dweight(t.cols, 1, 12), dbias(t.cols, 1, 13);
  cuda::NormForward<T> f;
  f.shape = {t.rows, t.cols, t.group, t.layer, t.plus_one, 1e-5f};
  f.x = x.data();
  f.ldx = f.ldy = f.ld_add = f.ld_sum = ld;
  if (t.residual) {
    f.add = residual.data();
    f.sum = sum.data();
  }
  f.weight = weight.data();
  f.bias = t.layer ? bias.data() : nullptr;
  f.y = y.data();
  f.mean = t.layer ? mean.data() : nullptr;
  f.rstd = rstd.data();
  const std::vector<f64> x0 = values(x);
  cuda::norm_forward(f, nullptr);
  const std::vector<u8> first = y.bits();
  cuda::norm_forward(f, nullptr);
  CHECK(y.bits() == first);
  CHECK((x.intact() && sum.intact() && y.intact() && mean.intact() && rstd.intact()));

  const Buffer<T>& in = t.residual ? sum : x;
  std::vector<f64> got, ref, dref(usize(extent)), wref = values(dweight), bref = values(dbias);
  const std::vector<f64> dy0 = values(dy), added0 = values(added);
  const f64 n = static_cast<f64>(t.cols);
  for (i64 r = 0; r < t.rows; ++r) {
    f64 mu = 0, square = 0;
    for (i64 c = 0; c < t.cols; ++c) {
      if (t.residual) {
        const f64 both = x0[usize(at(r, c))] + residual.at(at(r, c));
        REQUIRE(sum.at(at(r, c)) == wide(rounded<T>(both)));
      }
      mu += in.at(at(r, c));
    }
    mu = t.layer ? mu / n : 0;
    for (i64 c = 0; c < t.cols; ++c)
      square += (in.at(at(r, c)) - mu) * (in.at(at(r, c)) - mu);
    const f64 scale = 1 / std::sqrt(square / n + 1e-5);
    if (t.layer) REQUIRE(std::fabs(mean.at(r) - mu) <= 1e-5);
    REQUIRE(std::fabs(rstd.at(r) - scale) <= 1e-5 * scale);
    f64 along = 0, level = 0;
    for (i64 c = 0; c < t.cols; ++c) {
      const f64 w = weight.at(c) + (t.plus_one ? 1 : 0);
      const f64 hat = (in.at(at(r, c)) - mu) * scale;
      got.push_back(y.at(at(r, c)));
      ref.push_back(w * hat + (t.layer ? bias.at(c) : 0));
      const f64 d = dy0[usize(at(r, c))];
      along += d * w * hat / n;
      level += t.layer ? d * w / n : 0;
      wref[usize(c)] += d * hat;
      bref[usize(c)] += d;
    }
    for (i64 c = 0; c < t.cols; ++c) {
      const f64 w = weight.at(c) + (t.plus_one ? 1 : 0);
      const f64 hat = (in.at(at(r, c)) - mu) * scale;
      dref[usize(at(r, c))] = scale * (dy0[usize(at(r, c))] * w - level - hat * along) +
                              (t.added ? added0[usize(at(r, c))] : 0);
    }
  }
  check_close<T>(got, ref);

  cuda::NormBackward<T> b;
  b.shape = f.shape;
  b.dy = dy.data();
  b.x = in.data();
  b.lddy = b.ldx = b.lddx = b.ld_dx_add = ld;
  b.weight = weight.data();
  b.mean = f.mean;
  b.rstd = rstd.data();
  b.dx_add = t.added ? added.data() : nullptr;
  b.dx = t.in_place ? (t.added ? added.data() : dy.data()) : dx.data();
  b.dweight = dweight.data();
  b.dbias = dbias.data();
  b.add_weight = b.add_bias = true;
  Buffer<f32> space(cuda::norm_backward_space(t.rows, t.cols) / 4, 0, 14);
  const std::vector<u8> dy_bits = dy.bits(), added_bits = added.bits(), w_bits = dweight.bits();
  const auto run = [&] {
    cuda::norm_backward(b, space.data(), nullptr);
    CHECK((dx.intact() && dy.intact() && added.intact() && space.intact() && dweight.intact() &&
           dbias.intact()));
  };
  run();
  const Buffer<T>& out = t.in_place ? (t.added ? added : dy) : dx;
  std::vector<f64> dgot, dwanted;
  for (i64 r = 0; r < t.rows; ++r) {
    for (i64 c = 0; c < t.cols; ++c) {
      dgot.push_back(out.at(at(r, c)));
      dwanted.push_back(dref[usize(at(r, c))]);
    }
  }
  check_close<T>(dgot, dwanted, 1.05);
  check_close<f32>(values(dweight), wref, 8);
  check_close<f32>(values(dbias), bref, 8);
  const std::vector<u8> out_bits = out.bits(), w_after = dweight.bits();
  dy.restore(dy_bits);
  added.restore(added_bits);
  dweight.restore(w_bits);
  run();
  CHECK(out.bits() == out_bits);
  CHECK(dweight.bits() == w_after);
  b.dx = nullptr;  // parameter gradients alone, stored
  b.add_weight = b.add_bias = false;
  b.dbias = nullptr;
  dy.restore(dy_bits);
  const std::vector<u8> bias_bits = dbias.bits();
  run();
  CHECK(dbias.bits() == bias_bits);
}

}  // namespace

TEST_CASE("norms hold for rows of every length", "[cuda]") {
  for (const i64 cols : {1, 7, 8, 40, 64, 72, 128, 200, 256, 264, 520, 768, 1032, 2056}) {
    for (const bool layer : {false, true}) {
      check_norm<Bf16>({19, cols, 1, 0, layer, !layer, layer, !layer, layer});
      check_norm<f32>({19, cols, 1, 0, layer, !layer, layer, !layer, layer});
    }
  }
}

TEST_CASE("norms hold for the longest rows in registers and beyond", "[cuda]") {
  for (const i64 cols : {3080, 4104, 8192, 8200}) {
    check_norm<Bf16>({2, cols, 1, 0, true, false, true, true, true});
    check_norm<f32>({2, cols, 1, 0, true, false, true, false, true});
  }
}

TEST_CASE("norms hold for unaligned rows, groups, none and many rows", "[cuda]") {
  for (const i64 cols : {8, 64, 96, 264}) {
    check_norm<Bf16>({12, cols, 1, 1, true, false, true, true, false});
    check_norm<f32>({12, cols, 1, 1, false, true, true, false, true});
    check_norm<Bf16>({24, cols, 3, 0, false, false, false, false, true});
    check_norm<f32>({24, cols, 3, 0, false, true, false, false, false});
    check_norm<Bf16>({0, cols, 1, 0, true, false, false, false, false});
    check_norm<Bf16>({1, cols, 1, 0, true, false, false, false, false});
  }
  check_norm<Bf16>({1801, 264, 1, 0, true, false, true, true, true});  // blocks take several turns
  check_norm<Bf16>({17000, 8, 1, 0, false, false, false, true, false});
}

namespace {

template <typename T>
void check_sums(i64 rows, i64 cols, i64 ld, i64 offset, bool product) {
  INFO("[" << rows << ", " << cols << "], ld " << ld << ", offset " << offset << ", product "
           << product);
  const Buffer<T> x(rows * ld, offset, 1), y(rows * ld, offset, 2);
  Buffer<f32> by_column(cols, 1, 3), by_row(rows, 1, 4), all(1, 1, 5);
  std::vector<f64> columns = values(by_column), row = values(by_row), total = values(all);
  std::vector<f64> size(1);
  for (i64 r = 0; r < rows; ++r) {
    for (i64 c = 0; c < cols; ++c) {
      const f64 v = 0.5 * x.at(r * ld + c) * (product ? y.at(r * ld + c) : 1);
      columns[usize(c)] += v;
      row[usize(r)] += v;
      total[0] += v;
      size[0] += v * v;
    }
  }
  const cuda::Summed<T> s{rows, cols, x.data(), ld, product ? y.data() : nullptr, ld};
  const i64 bytes = std::max(cuda::sum_columns_space(rows, cols), cuda::sum_all_space(rows, cols));
  Buffer<f32> space(bytes / 4, 0, 6);
  const std::vector<u8> before = by_column.bits();
  cuda::sum_columns(s, 0.5f, true, by_column.data(), space.data(), nullptr);
  cuda::sum_rows(s, 0.5f, true, by_row.data(), nullptr);
  CHECK(space.intact());
  cuda::sum_all(s, 0.5f, true, all.data(), space.data(), nullptr);
  CHECK((space.intact() && by_column.intact() && by_row.intact() && all.intact()));
  check_close<f32>(values(by_column), columns, 4);
  check_close<f32>(values(by_row), row, 4);
  CHECK(std::fabs(all.at(0) - total[0]) <= 1e-6 * (std::sqrt(size[0]) + std::fabs(total[0])));
  const std::vector<u8> first = by_column.bits();
  by_column.restore(before);
  cuda::sum_columns(s, 0.5f, true, by_column.data(), space.data(), nullptr);
  CHECK(by_column.bits() == first);
}

}  // namespace

TEST_CASE("sums hold for every shape and alignment", "[cuda]") {
  for (const bool product : {false, true}) {
    for (const i64 offset : {0, 1}) {
      for (const i64 rows : {1, 255, 257, 600}) {
        check_sums<Bf16>(rows, 1, 1, offset, product);
        check_sums<Bf16>(rows, 40, 40, offset, product);
        check_sums<f32>(rows, 40, 48, offset, product);
      }
      check_sums<Bf16>(33, 520, 528, offset, product);
      check_sums<Bf16>(33, 301, 301, offset, product);
      check_sums<f32>(33, 260, 260, offset, product);
    }
  }
  check_sums<Bf16>(17000, 8, 8, 0, false);  // more than 64 chunks
  check_sums<Bf16>(0, 16, 16, 0, false);
}

TEST_CASE("softmax of bf16 rows and its gradient", "[cuda]") {
  for (const i64 cols : {1, 9, 264}) {
    constexpr i64 kRows = 3;
    Buffer<Bf16> x(kRows * cols, 1, 1, 3), y(kRows * cols, 1, 2), d(kRows * cols, 1, 3);
    const std::vector<f64> up = values(d);
    Buffer<f32> lse(kRows, 0, 4);
    cuda::softmax(kRows, cols, 0.5f, x.data(), cols, y.data(), cols, nullptr);
    cuda::logsumexp(kRows, cols, x.data(), cols, lse.data(), nullptr);
    cuda::softmax_grad(kRows, cols, 0.5f, y.data(), cols, d.data(), cols, d.data(), cols, nullptr);
    CHECK((x.intact() && y.intact() && d.intact() && lse.intact()));
    std::vector<f64> p, g;
    for (i64 r = 0; r < kRows; ++r) {
      f64 sum = 0, whole = 0, inner = 0;
      for (i64 c = 0; c < cols; ++c) {
        sum += std::exp(0.5 * x.at(r * cols + c));
        whole += std::exp(x.at(r * cols + c));
        inner += y.at(r * cols + c) * up[usize(r * cols + c)];
      }
      CHECK(std::fabs(lse.at(r) - std::log(whole)) <= 1e-5);
      for (i64 c = 0; c < cols; ++c) {
        p.push_back(std::exp(0.5 * x.at(r * cols + c)) / sum);
        g.push_back(0.5 * y.at(r * cols + c) * (up[usize(r * cols + c)] - inner));
      }
    }
    check_close<Bf16>(values(y), p, 1.3);  // a few values carry the sum
    if (cols > 1) check_close<Bf16>(values(d), g, 1.3);
    const std::vector<i32> index = {0, -1, static_cast<i32>(cols - 1)};
    Buffer<Bf16> picked(kRows, 1, 5), spread(kRows * cols, 1, 6);
    cuda::pick(kRows, cols, x.data(), cols, index.data(), picked.data(), nullptr);
    cuda::pick_grad(kRows, cols, lse.data(), index.data(), spread.data(), cols, nullptr);
    CHECK(picked.at(0) == x.at(0));
    CHECK(picked.at(1) == 0);
    CHECK(spread.at(3 * cols - 1) == wide(rounded<Bf16>(lse.at(2))));
    CHECK((picked.intact() && spread.intact()));
  }
}

namespace {

struct LossCase {
  i64 rows = 0, vocab = 0, ld = 0, offset = 0;
  f32 softcap = 0, z = 0, smoothing = 0;
};

template <typename T>
void check_loss(const LossCase& t) {
  INFO("[" << t.rows << ", " << t.vocab << "], ld " << t.ld << ", offset " << t.offset << ", cap "
           << t.softcap << ", bytes " << sizeof(T));
  Buffer<T> x(t.rows * t.ld, t.offset, 1, 2);
  const std::vector<f64> before = values(x);
  const std::vector<u8> bits = x.bits();
  std::vector<i32> target;
  Buffer<f32> weight(t.rows, 1, 2), loss(t.rows, 1, 3), lse(t.rows, 1, 4);
  for (i64 r = 0; r < t.rows; ++r)
    target.push_back(r == 1 ? -100 : static_cast<i32>(r == 0 ? t.vocab - 1 : r * 7 % t.vocab));
  cuda::CrossEntropy<T> ce;
  ce.rows = t.rows;
  ce.vocab = t.vocab;
  ce.ld = t.ld;
  ce.logits = x.data();
  ce.target = target.data();
  ce.weight = weight.data();
  ce.softcap = t.softcap;
  ce.z_loss = t.z;
  ce.label_smoothing = t.smoothing;
  ce.loss = loss.data();
  ce.lse = lse.data();
  cuda::Fault fault;
  cuda::cross_entropy(ce, &fault, nullptr);
  CHECK(x.bits() == bits);
  ce.want_grad = true;
  cuda::cross_entropy(ce, &fault, nullptr);
  CHECK((x.intact() && loss.intact() && lse.intact() && fault.taken == 0));
  std::vector<f64> ref = before;
  const f64 n = static_cast<f64>(t.vocab), e = f64{t.smoothing};
  for (i64 r = 0; r < t.rows; ++r) {
    std::vector<f64> l;
    for (i64 c = 0; c < t.vocab; ++c) {
      const f64 v = before[usize(r * t.ld + c)];
      l.push_back(t.softcap > 0 ? t.softcap * std::tanh(v / t.softcap) : v);
    }
    const f64 top = *std::max_element(l.begin(), l.end());
    f64 sum = 0, mean = 0;
    for (const f64 v : l) {
      sum += std::exp(v - top);
      mean += v / n;
    }
    const f64 z = top + std::log(sum);
    const bool counted = target[usize(r)] >= 0;
    const f64 w = counted ? weight.at(r) : 0;
    const f64 y = counted ? l[usize(target[usize(r)])] : 0;
    CHECK(std::fabs(lse.at(r) - z) <= 2e-5 * (1 + std::fabs(z)));
    const f64 expected = w * (z - (1 - e) * y - e * mean + f64{t.z} * z * z);
    CHECK(std::fabs(loss.at(r) - expected) <= 1e-4 * (1 + std::fabs(expected)));
    for (i64 c = 0; c < t.vocab; ++c) {
      f64 g = w * (1 + 2 * f64{t.z} * z) * std::exp(l[usize(c)] - z) - w * e / n;
      if (c == target[usize(r)]) g -= w * (1 - e);
      if (t.softcap > 0) g *= 1 - l[usize(c)] * l[usize(c)] / (f64{t.softcap} * f64{t.softcap});
      ref[usize(r * t.ld + c)] = g;
      // Each probability by itself: the target's would hide the others.
      const f64 limit = std::is_same_v<T, Bf16> ? 0.004 : 2e-5;
      REQUIRE(std::fabs(x.at(r * t.ld + c) - g) <= limit * std::fabs(g) + 2e-7);
    }
    for (i64 c = t.vocab; c < t.ld; ++c)
      REQUIRE(x.at(r * t.ld + c) == before[usize(r * t.ld + c)]);
  }
  const std::vector<u8> first = x.bits();
  x.restore(bits);
  cuda::cross_entropy(ce, &fault, nullptr);
  CHECK(x.bits() == first);
}

}  // namespace

TEST_CASE("cross-entropy rows hold for every vocabulary", "[cuda]") {
  for (const i64 vocab : {1, 7, 8, 13, 1000, 4104}) {
    for (const i64 offset : {0, 1}) {
      const i64 ld = (vocab + 31) / 32 * 32;
      check_loss<Bf16>({4, vocab, ld, offset, 0, 0, 0});
      check_loss<f32>({4, vocab, ld, offset, 0, 1e-3f, 0.1f});
      check_loss<Bf16>({4, vocab, ld, offset, 5, 1e-3f, 0.1f});
    }
  }
}

TEST_CASE("cross-entropy rows reach from registers to shared memory and beyond", "[cuda]") {
  check_loss<Bf16>({2, 50304, 50304, 0, 0, 0, 0});
  check_loss<Bf16>({2, 32773, 32776, 0, 0, 1e-4f, 0});
  check_loss<Bf16>({1, 53261, 53280, 0, 0, 0, 0.1f});
  check_loss<f32>({2, 26641, 26656, 0, 30, 0, 0});
}

TEST_CASE("statistics of bf16 logits", "[cuda]") {
  constexpr i64 kVocab = 300, kRows = 2;
  const Buffer<Bf16> x(kRows * kVocab, 1, 1, 2);
  const std::vector<i32> target = {17, -100};
  std::vector<f32> logprob(kRows), entropy(kRows);
  std::vector<i32> argmax(kRows), rank(kRows);
  cuda::RowStats<Bf16> s;
  s.rows = kRows;
  s.vocab = s.ld = kVocab;
  s.logits = x.data();
  s.target = target.data();
  s.logprob = logprob.data();
  s.entropy = entropy.data();
  s.argmax = argmax.data();
  s.rank = rank.data();
  cuda::Fault fault;
  cuda::row_stats(s, &fault, nullptr);
  for (i64 r = 0; r < kRows; ++r) {
    f64 sum = 0, h = 0;
    i64 best = 0, above = 0;
    for (i64 c = 0; c < kVocab; ++c) {
      sum += std::exp(x.at(r * kVocab + c));
      if (x.at(r * kVocab + c) > x.at(r * kVocab + best)) best = c;
      const f64 y = x.at(r * kVocab + 17);
      above += x.at(r * kVocab + c) > y || (x.at(r * kVocab + c) == y && c < 17);
    }
    for (i64 c = 0; c < kVocab; ++c) {
      const f64 d = x.at(r * kVocab + c) - std::log(sum);
      h -= std::exp(d) * d;
    }
    CHECK(std::fabs(f64{entropy[usize(r)]} - h) <= 1e-4);
    CHECK(argmax[usize(r)] == best);
    CHECK(rank[usize(r)] == (r == 0 ? above : -1));
    const f64 expected = r == 0 ? x.at(17) - std::log(sum) : 0;
    CHECK(std::fabs(f64{logprob[usize(r)]} - expected) <= 1e-5);
  }
}

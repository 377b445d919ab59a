// Linear layers on a few rows against double precision; their bits by row.

#include "linear_rows.h"

#include "core/parallel.h"
#include "unit/cuda/typed_buffer.h"

using namespace lm;
using namespace lm::test;
using cuda::Bf16;

namespace {

f64 expected_of(Unary f, f64 v) {
  if (f == Unary::kSilu) return v / (1 + std::exp(-v));
  if (f == Unary::kGeluTanh)
    return 0.5 * v * (1 + std::tanh(0.7978845608028654 * (v + 0.044715 * v * v * v)));
  return v;
}

struct Parts {
  bool bias = false;
  bool residual = false;
  Unary f = Unary::kNone;
};

// y of `rows` rows, each checked; returns its bits by row.
template <typename T, typename Y>
std::vector<std::vector<u8>> check(i64 rows, i64 n, i64 k, const Parts& parts) {
  INFO(rows << " x " << n << " x " << k);
  const i64 ldx = k + 16, ld_residual = n + 3, ldy = n + 5;
  const Buffer<T> x(rows * ldx, 0, 1), w(n * k, 0, 2, 1 / std::sqrt(static_cast<f64>(k)));
  const Buffer<T> bias(n, 1, 3), residual(rows * ld_residual, 1, 4);
  Buffer<Y> y(rows * ldy, 1, 5);
  const std::vector<u8> before = y.bits();
  cuda::LinearRows<T> l;
  l.rows = rows;
  l.n = n;
  l.k = k;
  l.x = x.data();
  l.ldx = ldx;
  l.w = w.data();
  l.ldw = k;
  l.bias = parts.bias ? bias.data() : nullptr;
  l.residual = parts.residual ? residual.data() : nullptr;
  l.ld_residual = ld_residual;
  l.f = parts.f;
  REQUIRE(cuda::few_rows(l));
  cuda::linear_rows(l, y.data(), ldy, nullptr);
  std::vector<f64> got, ref;
  std::vector<std::vector<u8>> bits;
  constexpr i64 kItem = static_cast<i64>(sizeof(Y));
  const std::vector<u8> after = y.bits();
  for (i64 r = 0; r < rows; ++r) {
    for (i64 c = 0; c < n; ++c) {
      f64 v = 0;
      for (i64 i = 0; i < k; ++i)
        v += x.at(r * ldx + i) * w.at(c * k + i);
      if (parts.bias) v += bias.at(c);
      if (parts.residual) v += residual.at(r * ld_residual + c);
      ref.push_back(expected_of(parts.f, v));
      got.push_back(y.at(r * ldy + c));
    }
    const auto row = after.begin() + r * ldy * kItem;
    bits.emplace_back(row, row + n * kItem);
    CHECK(std::equal(row + n * kItem, row + ldy * kItem, before.begin() + (r * ldy + n) * kItem));
  }
  check_close<Y>(got, ref, std::is_same_v<T, Bf16> && std::is_same_v<Y, f32> ? 10 : 2);
  CHECK(y.intact());
  return bits;
}

template <typename T, typename Y>
void check_all() {
  const i64 pack = 16 / static_cast<i64>(sizeof(T));
  for (const i64 k : {pack, 31 * pack, 33 * pack, 270 * pack}) {
    for (const i64 n : {1, 9, 24}) {
      for (const Parts& parts :
           {Parts{}, Parts{true, false, Unary::kGeluTanh}, Parts{true, true, Unary::kNone},
            Parts{false, true, Unary::kSilu}}) {
        std::vector<std::vector<u8>> most;
        for (const i64 rows : {8, 7, 5, 4, 3, 2, 1}) {
          const std::vector<std::vector<u8>> bits = check<T, Y>(rows, n, k, parts);
          if (most.empty()) most = bits;
          // The first rows are the same at every number of rows.
          for (i64 r = 0; r < rows; ++r)
            REQUIRE(bits[usize(r)] == most[usize(r)]);
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("a layer on a few rows is the sum, whatever the other rows", "[cuda]") {
  set_threads(2);
  check_all<f32, f32>();
  check_all<Bf16, Bf16>();
  check_all<Bf16, f32>();
}

TEST_CASE("more rows and rows off 16-byte boundaries are not taken", "[cuda]") {
  const Buffer<Bf16> x(9 * 32, 0, 1), w(4 * 32, 0, 2);
  cuda::LinearRows<Bf16> l;
  l.rows = 8;
  l.n = 4;
  l.k = l.ldx = l.ldw = 32;
  l.x = x.data();
  l.w = w.data();
  CHECK(cuda::few_rows(l));
  const auto with = [&](auto change) {
    cuda::LinearRows<Bf16> other = l;
    change(other);
    return cuda::few_rows(other);
  };
  CHECK_FALSE(with([](auto& o) { o.rows = 9; }));
  CHECK_FALSE(with([](auto& o) { o.rows = 0; }));
  CHECK_FALSE(with([](auto& o) { o.k = 31; }));
  CHECK_FALSE(with([](auto& o) { o.ldx = 33; }));
  CHECK_FALSE(with([](auto& o) { o.ldw = 36; }));
  CHECK_FALSE(with([](auto& o) { ++o.x; }));
  CHECK_FALSE(with([](auto& o) { ++o.w; }));
}

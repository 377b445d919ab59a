// Kernels that no operator of the table reaches, and edges of those it does: sizes 0 and 1, odd
// sizes, unaligned pointers, guard zones, runs of equal ids across sorting tiles.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "adamw.h"
#include "attention.h"
#include "catch.h"
#include "core/random.h"
#include "cpu/pointwise.h"
#include "embedding.h"
#include "pointwise.h"
#include "reduce.h"
#include "tensor/convert.h"

using namespace lm;

namespace {

constexpr u32 kGuard = 0x7FC0BEEFu;  // a NaN

// n floats between guards, `offset` floats off a 16-byte boundary.
class Guarded {
 public:
  Guarded(i64 n, i64 offset, u64 stream) : n_(n), at_(8 + offset), words_(usize(n + 16 + offset)) {
    std::memset(words_.data(), 0, words_.size() * 4);
    const f32 guard = guard_value();
    for (f32& w : words_)
      w = guard;
    const RandomStream draw(11, RandomPurpose::kOther, stream);
    for (i64 i = 0; i < n; ++i)
      data()[i] = static_cast<f32>(draw.normal(static_cast<u64>(i)));
  }
  f32* data() { return words_.data() + at_; }
  std::vector<f32> copy() const { return {words_.begin() + at_, words_.begin() + at_ + n_}; }
  bool intact() const {
    for (i64 i = 0; i < isize(words_); ++i) {
      u32 bits = 0;
      std::memcpy(&bits, &words_[usize(i)], 4);
      if ((i < at_ || i >= at_ + n_) && bits != kGuard) return false;
    }
    return true;
  }

 private:
  static f32 guard_value() {
    f32 x = 0;
    std::memcpy(&x, &kGuard, 4);
    return x;
  }
  i64 n_;
  i64 at_;
  std::vector<f32> words_;
};

}  // namespace

TEST_CASE("elementwise kernels take every size and alignment alike", "[cuda]") {
  for (const i64 n : {0, 1, 3, 4, 5, 1023, 2049}) {
    std::vector<f32> expected;
    for (const i64 offset : {0, 1, 3}) {
      Guarded a(n, offset, 1);
      Guarded b(n, 0, 2);
      Guarded y(n, offset, 3);
      cuda::Pair<f32> p;
      p.rows = 1;
      p.cols = n;
      p.a = a.data();
      p.lda = p.ldy = n;
      p.b = b.data();
      p.b_row = n;
      p.b_col = 1;
      p.y = y.data();
      cuda::add_scaled(p, 0.5f, -2.0f, nullptr);
      CHECK((a.intact() && b.intact() && y.intact()));
      for (i64 i = 0; i < n; ++i) {
        REQUIRE(y.data()[i] == 0.5f * a.data()[i] + -2.0f * b.data()[i]);
      }
      cuda::copy_rows(1, n, 4, a.data(), n, y.data(), n, nullptr);
      CHECK(y.intact());
      CHECK(y.copy() == a.copy());
    }
  }
}

TEST_CASE("AdamW steps as on the CPU and writes the bf16 copy", "[cuda]") {
  for (const bool cautious : {false, true}) {
    constexpr i64 kCount = 777;
    Guarded g(kCount, 1, 1), w(kCount, 1, 2), m(kCount, 1, 3), v(kCount, 1, 4);
    for (i64 i = 0; i < kCount; ++i)
      v.data()[i] = std::fabs(v.data()[i]);
    std::vector<f32> w2 = w.copy(), m2 = m.copy(), v2 = v.copy();
    const std::vector<f32> grad = g.copy();
    cuda::AdamW a{0.01f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.271f, 0.142625f, 0.5f, cautious};
    const cpu::AdamW b{0.01f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.271f, 0.142625f, 0.5f, cautious};
    std::vector<u16> copy(kCount);
    cuda::adamw(kCount, a, g.data(), w.data(), m.data(), v.data(), copy.data(), nullptr);
    cpu::adamw(kCount, b, grad.data(), w2.data(), m2.data(), v2.data());
    for (i64 i = 0; i < kCount; ++i) {
      REQUIRE(std::fabs(w.data()[i] - w2[usize(i)]) <= 1e-6f * (1.0f + std::fabs(w2[usize(i)])));
      REQUIRE(std::fabs(m.data()[i] - m2[usize(i)]) <= 1e-6f);
      REQUIRE(std::fabs(v.data()[i] - v2[usize(i)]) <= 1e-6f * v2[usize(i)]);
      REQUIRE(copy[usize(i)] == f32_to_bf16(w.data()[i]));
    }
    CHECK((g.intact() && w.intact() && m.intact() && v.intact()));
  }
}

TEST_CASE("casts equal the host's for every 16-bit pattern", "[cuda]") {
  std::vector<u16> all(65536);
  for (i64 i = 0; i < 65536; ++i)
    all[usize(i)] = static_cast<u16>(i);
  std::vector<f32> device(65536), host(65536);
  const auto same = [&] {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (std::isnan(host[i])) {
        if (!std::isnan(device[i])) return false;
      } else if (std::memcmp(&host[i], &device[i], 4) != 0) {
        return false;
      }
    }
    return true;
  };
  cuda::bf16_to_f32(65536, all.data(), device.data(), nullptr);
  std::transform(all.begin(), all.end(), host.begin(), bf16_to_f32);
  CHECK(same());
  cuda::f16_to_f32(65536, all.data(), device.data(), nullptr);
  std::transform(all.begin(), all.end(), host.begin(), f16_to_f32);
  CHECK(same());
}

TEST_CASE("the squared norm is the double-precision sum in any split", "[cuda]") {
  for (const i64 n : {0, 1, 4095, 4097, 20000}) {
    Guarded x(n, 0, 9);
    std::vector<f64> space(usize(cuda::sum_all_space(1, n) / 8 + 1));
    f32 out = -1;
    const cuda::Summed<f32> s{1, n, x.data(), n, x.data(), n};
    cuda::sum_all(s, 1.0f, false, &out, space.data(), nullptr);
    f64 expected = 0;
    for (const f32 v : x.copy())
      expected += f64{v} * v;
    CHECK(std::fabs(out - expected) <= 1e-7 * expected);
  }
}

TEST_CASE("row sums by id follow row order across sorting tiles", "[cuda]") {
  for (const i64 rows : {1, 511, 513, 1500}) {
    constexpr i64 kCols = 3, kVocab = 7;
    Guarded x(rows * kCols, 0, 5);
    Guarded table(kVocab * kCols, 0, 6);
    std::vector<f32> expected = table.copy();
    std::vector<i32> ids;
    const RandomStream draw(8, RandomPurpose::kOther);
    for (i64 i = 0; i < rows; ++i)
      ids.push_back(static_cast<i32>(draw.below(static_cast<u64>(i), 9)) - 1);  // -1 .. 7
    for (i64 i = 0; i < rows; ++i) {
      if (ids[usize(i)] < 0 || ids[usize(i)] >= kVocab) continue;
      for (i64 c = 0; c < kCols; ++c)
        expected[usize(ids[usize(i)] * kCols + c)] += 0.5f * x.data()[i * kCols + c];
    }
    std::vector<u64> space(usize(cuda::scatter_space(rows, kCols) / 8));
    cuda::scatter_add_rows(rows, kCols, kVocab, ids.data(), 0.5f, x.data(), kCols, table.data(),
                           kCols, space.data(), nullptr);
    CHECK(table.copy() == expected);  // the same additions in the same order
    CHECK(table.intact());
  }
}

TEST_CASE("16-bit tables give their rows widened", "[cuda]") {
  std::vector<u16> table;
  for (i64 i = 0; i < 12; ++i)
    table.push_back(static_cast<u16>(0x3F80 + i));  // bf16 1, 1 + 2^-7, ...
  const std::vector<i32> ids = {2, 0, 5};           // 5 is outside: zeros
  Guarded y(9, 1, 1);
  cuda::Gather<f32> g;
  g.rows = 3;
  g.cols = 3;
  g.table_rows = 4;
  g.table = table.data();
  g.type = cuda::TableType::kBf16;
  g.ldt = 3;
  g.ids = ids.data();
  g.scale = 2;
  g.y = y.data();
  g.ldy = 3;
  cuda::gather_rows(g, nullptr, cuda::FaultKind::kNone, nullptr);
  CHECK(y.copy() == std::vector<f32>{2 + 6.0f / 64, 2 + 7.0f / 64, 2 + 8.0f / 64, 2, 2 + 1.0f / 64,
                                     2 + 2.0f / 64, 0, 0, 0});
  CHECK(y.intact());
}

TEST_CASE("attention holds for the widest heads", "[cuda]") {
  // One key: the output is its value whatever the score, and lse is the score.
  for (const i64 d : {129, 256}) {
    Guarded q(d, 0, 1), k(d, 0, 2), v(d, 0, 3), o(d, 0, 4);
    const std::vector<i32> span = {0, 1, 0, 0, 0, 0};
    cuda::Attention a;
    a.rows = a.keys = a.heads = a.kv_heads = 1;
    a.head_dim = a.ldq = a.ldkv = d;
    a.scale = 0.125f;
    a.spans = span.data();
    a.q = q.data();
    a.k = k.data();
    a.v = v.data();
    f32 lse = 0;
    cuda::attention_forward(a, o.data(), d, &lse, nullptr, nullptr);
    CHECK(o.copy() == v.copy());
    CHECK(o.intact());
    f64 score = 0;
    for (i64 i = 0; i < d; ++i)
      score += f64{q.data()[i]} * k.data()[i];
    CHECK(std::fabs(lse - 0.125 * score) <= 1e-5);
  }
}

// Elementwise kernels, copies, rotary positions and tables in f32 and bf16 against double
// precision: odd sizes, unaligned pointers, strides, guard zones, equal bits at a second run.

#include "adamw.h"
#include "divide.h"
#include "embedding.h"
#include "pointwise.h"
#include "rope.h"
#include "unit/cuda/typed_buffer.h"

using namespace lm;
using namespace lm::test;
using cuda::Bf16;

namespace {

f64 sigmoid(f64 x) {
  return 1 / (1 + std::exp(-x));
}

// f(x) and f'(x), softcap's c = 3.
std::pair<f64, f64> function(Unary f, f64 x) {
  const f64 rate = std::sqrt(2 / M_PI);
  switch (f) {
    case Unary::kGeluTanh: {
      const f64 t = std::tanh(rate * (x + 0.044715 * x * x * x));
      return {x * sigmoid(2 * rate * (x + 0.044715 * x * x * x)),
              0.5 * (1 + t) + 0.5 * x * (1 - t * t) * rate * (1 + 3 * 0.044715 * x * x)};
    }
    case Unary::kGeluErf:
      return {0.5 * x * std::erfc(-x * M_SQRT1_2),
              0.5 * std::erfc(-x * M_SQRT1_2) + x * std::exp(-x * x / 2) / std::sqrt(2 * M_PI)};
    case Unary::kRelu:
      return {x > 0 ? x : 0, x > 0 ? 1 : 0};
    case Unary::kRelu2:
      return {x > 0 ? x * x : 0, x > 0 ? 2 * x : 0};
    case Unary::kSilu:
      return {x * sigmoid(x), sigmoid(x) * (1 + x * (1 - sigmoid(x)))};
    case Unary::kTanh:
      return {std::tanh(x), 1 - std::tanh(x) * std::tanh(x)};
    case Unary::kSigmoid:
      return {sigmoid(x), sigmoid(x) * (1 - sigmoid(x))};
    case Unary::kExp:
      return {std::exp(x), std::exp(x)};
    case Unary::kSquare:
      return {x * x, 2 * x};
    case Unary::kSoftcap:
      return {3 * std::tanh(x / 3), 1 - std::tanh(x / 3) * std::tanh(x / 3)};
    case Unary::kLogSigmoid:
      return {std::min(x, 0.0) - std::log1p(std::exp(-std::fabs(x))), sigmoid(-x)};
    default:
      return {x, 1};
  }
}

template <typename T>
bool near(f64 got, f64 ref) {
  const bool is_bf16 = std::is_same_v<T, Bf16>;
  return std::fabs(got - ref) <= (is_bf16 ? 0.00396 : 2e-6) * std::fabs(ref) + 1e-6;
}

template <typename T>
void check_functions(i64 n, i64 offset) {
  INFO(n << " elements, offset " << offset << ", " << sizeof(T) << " bytes");
  const Buffer<T> a(n, offset, 1, 2), d(n, 0, 2);
  for (const Unary f : {Unary::kNone, Unary::kGeluTanh, Unary::kGeluErf, Unary::kRelu,
                        Unary::kRelu2, Unary::kSilu, Unary::kTanh, Unary::kSigmoid, Unary::kExp,
                        Unary::kSquare, Unary::kSoftcap, Unary::kLogSigmoid}) {
    INFO("function " << static_cast<int>(f));
    Buffer<T> y(n, offset, 3), g(n, 0, 4);
    cuda::Pair<T> p;
    p.rows = 1;
    p.cols = p.lda = p.ldy = p.b_row = n;
    p.a = a.data();
    p.y = y.data();
    cuda::unary(p, f, 3.0f, nullptr);
    p.b = d.data();
    p.b_col = 1;
    p.y = g.data();
    cuda::unary_grad(p, f, 3.0f, nullptr);
    CHECK((y.intact() && g.intact() && a.intact() && d.intact()));
    for (i64 i = 0; i < n; ++i) {
      const auto [value, slope] = function(f, a.at(i));
      INFO("x = " << a.at(i) << ", dy = " << d.at(i) << ": " << y.at(i) << ", " << g.at(i));
      REQUIRE(near<T>(y.at(i), value));
      REQUIRE(near<T>(g.at(i), d.at(i) * slope));
    }
  }
}

// b as a matrix, a row, a column, a scalar; y may be a.
template <typename T>
void check_pair(i64 rows, i64 cols, i64 ld, i64 offset) {
  INFO("[" << rows << ", " << cols << "], ld " << ld << ", offset " << offset);
  for (const int along : {0, 1, 2, 3}) {
    Buffer<T> a(rows * ld, offset, 1);
    const Buffer<T> b(rows * ld + 1, offset, 2);
    const std::vector<f64> before = values(a);
    cuda::Pair<T> p;
    p.rows = rows;
    p.cols = cols;
    p.a = p.y = a.data();
    p.lda = p.ldy = ld;
    p.b = b.data();
    p.b_row = along == 0 ? ld : along == 2 ? 1 : 0;
    p.b_col = along <= 1 ? 1 : 0;
    cuda::add_scaled(p, 0.5f, -2.0f, nullptr);
    CHECK(a.intact());
    for (i64 r = 0; r < rows; ++r) {
      for (i64 c = 0; c < ld; ++c) {
        const f64 x = before[usize(r * ld + c)];
        const f64 other = c < cols ? b.at(r * p.b_row + c * p.b_col) : 0;
        REQUIRE(near<T>(a.at(r * ld + c), c < cols ? 0.5 * x - 2 * other : x));
      }
    }
  }
}

template <typename T>
void check_glu(i64 rows, i64 half, i64 offset) {
  INFO("[" << rows << ", " << half << "], offset " << offset);
  for (const Unary f : {Unary::kSilu, Unary::kGeluTanh, Unary::kRelu2}) {
    Buffer<T> x(rows * 2 * half, offset, 1), y(rows * half, offset, 2);
    const Buffer<T> dy(rows * half, offset, 3);
    const std::vector<f64> before = values(x);
    cuda::glu(rows, half, f, x.data(), 2 * half, y.data(), half, nullptr);
    cuda::glu_grad(rows, half, f, x.data(), 2 * half, dy.data(), half, x.data(), 2 * half, nullptr);
    CHECK((x.intact() && y.intact()));
    for (i64 i = 0; i < rows * half; ++i) {
      const i64 at = i / half * 2 * half + i % half;
      const auto [value, slope] = function(f, before[usize(at)]);
      const f64 u = before[usize(at + half)];
      REQUIRE(near<T>(y.at(i), value * u));
      REQUIRE(near<T>(x.at(at), dy.at(i) * u * slope));
      REQUIRE(near<T>(x.at(at + half), dy.at(i) * value));
    }
  }
}

}  // namespace

TEST_CASE("division by multiplication is exact", "[cuda]") {
  const RandomStream draw(1, RandomPurpose::kOther);
  constexpr u32 kMost = 0x7FFFFFFFu;
  for (u64 i = 0; i < 2000; ++i) {
    const u32 by = static_cast<u32>(1 + draw.below(4 * i, i % 2 == 0 ? 100 : kMost));
    const cuda::Divider d(by);
    const u32 multiple = static_cast<u32>(draw.below(4 * i + 1, kMost)) / by * by;
    for (const u32 n : {0u, 1u, by - 1, by, multiple, multiple == 0 ? 0 : multiple - 1, kMost})
      REQUIRE(d.quotient(n) == n / by);
  }
}

TEST_CASE("functions and slopes hold in every size and alignment", "[cuda]") {
  for (const i64 n : {0, 1, 7, 8, 9, 1023, 4101}) {
    for (const i64 offset : {0, 1}) {
      check_functions<Bf16>(n, offset);
      check_functions<f32>(n, offset);
    }
  }
}

TEST_CASE("functions of bf16 keep their digits near zero and far out", "[cuda]") {
  std::vector<Bf16> x, y(65536);
  for (i64 i = 0; i < 65536; ++i) {
    const Bf16 v{static_cast<u16>(i)};
    x.push_back(std::isfinite(wide(v)) && std::fabs(wide(v)) < 80 ? v : Bf16{0});
  }
  for (const Unary f :
       {Unary::kGeluTanh, Unary::kSilu, Unary::kTanh, Unary::kSigmoid, Unary::kExp}) {
    cuda::Pair<Bf16> p;
    p.rows = 1;
    p.cols = p.lda = p.ldy = 65536;
    p.a = x.data();
    p.y = y.data();
    cuda::unary(p, f, 0, nullptr);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const f64 ref = function(f, wide(x[i])).first;
      // Below 1e-35 the device's division may give zero.
      INFO(static_cast<int>(f) << " at " << wide(x[i]) << ": " << wide(y[i]) << ", " << ref);
      REQUIRE(std::fabs(wide(y[i]) - ref) <= 0.00396 * std::fabs(ref) + 1e-35);
    }
  }
}

TEST_CASE("pairs take strides and broadcasts", "[cuda]") {
  for (const i64 offset : {0, 1}) {
    check_pair<Bf16>(3, 40, 48, offset);
    check_pair<f32>(3, 40, 48, offset);
    check_pair<Bf16>(37, 8, 8, offset);
    check_pair<Bf16>(5, 13, 13, offset);
    check_pair<Bf16>(1, 1, 1, offset);
    check_pair<f32>(5, 13, 16, offset);
    check_pair<Bf16>(300, 16, 24, offset);
  }
}

TEST_CASE("gated units hold in every size and alignment, in place too", "[cuda]") {
  for (const i64 half : {1, 7, 8, 24, 300}) {
    for (const i64 offset : {0, 1}) {
      for (const i64 rows : {0, 1, 5}) {
        check_glu<Bf16>(rows, half, offset);
        check_glu<f32>(rows, half, offset);
      }
    }
  }
}

TEST_CASE("copies move items of every size", "[cuda]") {
  for (const i64 bytes : {1, 2, 4, 8, 16}) {
    for (const auto& [rows, cols, ld] : {std::array<i64, 3>{0, 4, 4},
                                         {1, 1, 1},
                                         {1, 1037, 1037},
                                         {5, 16, 16},
                                         {7, 9, 13},
                                         {3, 16, 32}}) {
      for (const i64 offset : {0, 1}) {
        const Buffer<f32> from(rows * ld * bytes, offset, 1);
        Buffer<f32> to(rows * ld * bytes, offset, 2);
        const std::vector<u8> before = to.bits();
        cuda::copy_rows(rows, cols, bytes, from.data(), ld, to.data(), ld, nullptr);
        CHECK(to.intact());
        const std::vector<u8> got = to.bits(), source = from.bits();
        for (i64 i = 0; i < rows * ld * bytes; ++i) {
          const bool inside = i % (ld * bytes) < cols * bytes;
          REQUIRE(got[usize(i)] == (inside ? source : before)[usize(i)]);
        }
      }
    }
  }
}

TEST_CASE("converting copies round, widen and add", "[cuda]") {
  for (const auto& [rows, cols, ld] :
       {std::array<i64, 3>{1, 1, 1}, {1, 2053, 2053}, {5, 16, 16}, {7, 9, 13}, {3, 16, 32}}) {
    for (const i64 offset : {0, 1}) {
      for (const bool add : {false, true}) {
        const Buffer<Bf16> narrow(rows * ld, offset, 1);
        const Buffer<f32> full(rows * ld, offset, 2);
        Buffer<f32> to_full(rows * ld, offset, 3);
        Buffer<Bf16> to_narrow(rows * ld, offset, 4);
        const std::vector<f64> a = values(to_full), b = values(to_narrow);
        cuda::convert_rows(rows, cols, narrow.data(), ld, add, to_full.data(), ld, nullptr);
        cuda::convert_rows(rows, cols, full.data(), ld, add, to_narrow.data(), ld, nullptr);
        CHECK((to_full.intact() && to_narrow.intact()));
        for (i64 i = 0; i < rows * ld; ++i) {
          const bool inside = i % ld < cols;
          const f32 x = static_cast<f32>(a[usize(i)]), y = static_cast<f32>(b[usize(i)]);
          const f32 more = static_cast<f32>(narrow.at(i));
          REQUIRE(to_full.at(i) == f64{!inside ? x : add ? x + more : more});
          const f32 sum = !inside ? y : add ? y + full.data()[i] : full.data()[i];
          REQUIRE(to_narrow.at(i) == wide(rounded<Bf16>(sum)));
        }
      }
    }
  }
}

TEST_CASE("fills and broadcasts write whole rows only", "[cuda]") {
  for (const auto& [rows, cols, ld] :
       {std::array<i64, 3>{1, 1, 1}, {1, 1029, 1029}, {5, 16, 24}, {7, 9, 13}}) {
    for (const i64 offset : {0, 1}) {
      Buffer<Bf16> y(rows * ld, offset, 1), z(rows * ld, offset, 2);
      const std::vector<f64> a = values(y), b = values(z);
      const Buffer<f32> v(rows + cols, 0, 3);
      cuda::fill(rows, cols, 1.5f, y.data(), ld, nullptr);
      cuda::broadcast(rows, cols, v.data(), 1, 0, 2.0f, z.data(), ld, nullptr);
      CHECK((y.intact() && z.intact()));
      for (i64 i = 0; i < rows * ld; ++i) {
        const bool inside = i % ld < cols;
        REQUIRE(y.at(i) == (inside ? 1.5 : a[usize(i)]));
        REQUIRE(z.at(i) == (inside ? wide(rounded<Bf16>(2 * v.at(i / ld))) : b[usize(i)]));
      }
    }
  }
}

TEST_CASE("dropout keeps the same elements in every type and alignment", "[cuda]") {
  constexpr i64 kRows = 5, kCols = 24;
  cuda::Dropout d;
  d.key0 = 3;
  d.node = 7;
  d.threshold = 1u << 30;
  d.factor = 4.0f / 3.0f;
  const Buffer<Bf16> x(kRows * kCols, 0, 1), shifted(kRows * kCols, 1, 1);
  const Buffer<f32> full(kRows * kCols, 0, 1);
  Buffer<Bf16> y(kRows * kCols, 0, 2), z(kRows * kCols, 1, 2);
  Buffer<f32> w(kRows * kCols, 0, 2);
  cuda::dropout(kRows, kCols, d, x.data(), kCols, y.data(), kCols, nullptr);
  cuda::dropout(kRows, kCols, d, shifted.data(), kCols, z.data(), kCols, nullptr);
  cuda::dropout(kRows, kCols, d, full.data(), kCols, w.data(), kCols, nullptr);
  CHECK((y.intact() && z.intact()));
  CHECK(y.bits() == z.bits());
  i64 kept = 0;
  for (i64 i = 0; i < kRows * kCols; ++i) {
    CHECK((y.at(i) == 0) == (w.at(i) == 0));
    kept += y.at(i) != 0;
  }
  CHECK(kept > kRows * kCols / 2);
  CHECK(kept < kRows * kCols);
}

namespace {

template <typename T>
void check_rope(i64 head_dim, i64 rotary, bool interleaved, i64 tail, i64 offset, bool in_place) {
  INFO("head " << head_dim << ", rotary " << rotary << ", interleaved " << interleaved << ", tail "
               << tail << ", offset " << offset << ", in place " << in_place);
  constexpr i64 kRows = 7, kHeads = 3, kPositions = 5;
  const i64 half = rotary / 2;
  cuda::Rope p;
  p.rows = kRows;
  p.heads = kHeads;
  p.head_dim = head_dim;
  p.rotary_dim = rotary;
  p.cols = kHeads * head_dim + tail;
  p.interleaved = interleaved;
  p.positions = kPositions;
  const Buffer<f32> table(2 * kPositions * half, 0, 9);
  p.cos = table.data();
  p.sin = table.data() + kPositions * half;
  const std::vector<i32> pos = {0, 4, 2, 2, 1, 3, 0};
  p.pos = pos.data();
  Buffer<T> x(kRows * p.cols, offset, 1), y(kRows * p.cols, offset, 2);
  const std::vector<f64> before = values(x);
  Buffer<T>& out = in_place ? x : y;
  cuda::Fault fault;
  cuda::rope(p, x.data(), p.cols, out.data(), p.cols, &fault, nullptr);
  CHECK((x.intact() && y.intact() && fault.taken == 0));
  for (i64 r = 0; r < kRows; ++r) {
    for (i64 c = 0; c < p.cols; ++c) {
      const i64 base = r * p.cols + c;
      const i64 in_head = c % head_dim;
      f64 ref = before[usize(base)];
      if (c < kHeads * head_dim && in_head < rotary) {
        const i64 pair = interleaved ? in_head / 2 : in_head % half;
        const bool second = interleaved ? in_head % 2 == 1 : in_head >= half;
        const i64 step = interleaved ? 1 : half;
        const f64 other = before[usize(second ? base - step : base + step)];
        const f64 cos = table.at(pos[usize(r)] * half + pair);
        const f64 sin = table.at(kPositions * half + pos[usize(r)] * half + pair);
        ref = ref * cos + (second ? 1 : -1) * other * sin;
      }
      const f64 limit = std::is_same_v<T, Bf16> ? 0.00396 : 1e-6;
      REQUIRE(std::fabs(out.at(base) - ref) <= limit * std::fabs(ref) + 1e-6);
    }
  }
}

}  // namespace

TEST_CASE("rotary positions hold for whole, partial and interleaved heads", "[cuda]") {
  for (const i64 offset : {0, 1}) {
    for (const bool in_place : {false, true}) {
      for (const bool interleaved : {false, true}) {
        check_rope<Bf16>(16, 16, interleaved, 0, offset, in_place);
        check_rope<Bf16>(64, 32, interleaved, 24, offset, in_place);
        check_rope<Bf16>(6, 4, interleaved, 5, offset, in_place);
        check_rope<f32>(16, 8, interleaved, 8, offset, in_place);
        check_rope<f32>(6, 6, interleaved, 1, offset, in_place);
      }
    }
  }
  cuda::Fault fault;
  const i32 pos = 5;
  std::vector<Bf16> x(16);
  const Buffer<f32> table(16, 0, 1);
  cuda::Rope p;
  p.rows = p.heads = 1;
  p.cols = p.head_dim = p.rotary_dim = 16;
  p.positions = 1;
  p.cos = p.sin = table.data();
  p.pos = &pos;
  cuda::rope(p, x.data(), 16, x.data(), 16, &fault, nullptr);
  CHECK((fault.taken == 1 && fault.value == 5 && fault.limit == 1));
}

TEST_CASE("two tables are gathered in one pass, any types", "[cuda]") {
  for (const i64 cols : {3, 8, 24, 1032}) {
    for (const i64 offset : {0, 1}) {
      INFO(cols << " columns, offset " << offset);
      const Buffer<Bf16> words(6 * cols, offset, 1);
      const Buffer<f32> places(4 * cols, 0, 2);
      Buffer<Bf16> y(5 * cols, offset, 3);
      const std::vector<i32> ids = {5, 0, 9, 2, 2}, pos = {3, 1, 2, 0, 7};
      cuda::Gather<Bf16> g;
      g.rows = 5;
      g.cols = g.ldt = g.ld_plus = g.ldy = cols;
      g.table_rows = 6;
      g.plus_rows = 4;
      g.table = words.data();
      g.type = cuda::TableType::kBf16;
      g.plus = places.data();
      g.ids = ids.data();
      g.plus_ids = pos.data();
      g.plus_kind = cuda::FaultKind::kPosition;
      g.scale = 3;
      g.y = y.data();
      cuda::Fault fault;
      cuda::gather_rows(g, &fault, cuda::FaultKind::kToken, nullptr);
      CHECK(y.intact());
      CHECK(fault.taken == 1);
      for (i64 i = 0; i < 5 * cols; ++i) {
        const i64 id = ids[usize(i / cols)], place = pos[usize(i / cols)];
        const f64 ref = (id < 6 ? 3 * words.at(id * cols + i % cols) : 0) +
                        (place < 4 ? places.at(place * cols + i % cols) : 0);
        REQUIRE(near<Bf16>(y.at(i), ref));
      }
    }
  }
}

namespace {

// Rows to the ids given, twice; against double precision.
template <typename T, typename O>
void check_scatter(const std::vector<i32>& ids, i64 table_rows, i64 cols, i64 offset) {
  const i64 rows = isize(ids);
  INFO(rows << " rows of " << cols << " to " << table_rows << ", offset " << offset);
  const Buffer<T> x(rows * cols, offset, 1);
  Buffer<O> table(table_rows * cols, offset, 2);
  const std::vector<u8> before = table.bits();
  std::vector<f64> ref = values(table);
  for (i64 i = 0; i < rows; ++i) {
    const i64 id = ids[usize(i)];
    if (id < 0 || id >= table_rows) continue;
    for (i64 c = 0; c < cols; ++c)
      ref[usize(id * cols + c)] += 0.5 * x.at(i * cols + c);
  }
  const i64 bytes = cuda::scatter_space(rows, cols);
  Buffer<f32> space(bytes / 4 + 1, 0, 3);
  const auto run = [&] {
    cuda::scatter_add_rows(rows, cols, table_rows, ids.data(), 0.5f, x.data(), cols, table.data(),
                           cols, space.data(), nullptr);
    CHECK((table.intact() && space.intact()));
    return table.bits();
  };
  const std::vector<u8> first = run();
  check_close<O>(values(table), ref);
  table.restore(before);
  CHECK(run() == first);
}

std::vector<i32> runs(std::initializer_list<std::pair<i32, i64>> parts) {
  std::vector<i32> ids;
  for (const auto& [id, count] : parts)
    ids.insert(ids.end(), usize(count), id);
  return ids;
}
std::vector<i32> shuffled(i64 n, i64 below) {
  const RandomStream draw(5, RandomPurpose::kOther);
  std::vector<i32> ids;
  for (i64 i = 0; i < n; ++i)
    ids.push_back(static_cast<i32>(draw.below(static_cast<u64>(i), static_cast<u64>(below))));
  return ids;
}

}  // namespace

TEST_CASE("rows are added to their ids whatever the runs", "[cuda]") {
  for (const i64 cols : {3, 8, 40}) {
    for (const i64 offset : {0, 1}) {
      // Runs of exactly one and two pieces, one more, one less; neighbours that begin in one
      // window.
      const std::vector<i32> cut = runs({{1, 256}, {0, 257}, {4, 1}, {3, 512}, {2, 1025}, {9, 2}});
      check_scatter<Bf16, f32>(cut, 7, cols, offset);
      check_scatter<f32, f32>(cut, 7, cols, offset);
      check_scatter<Bf16, Bf16>(shuffled(700, 3), 5, cols, offset);
      check_scatter<Bf16, f32>({0}, 1, cols, offset);
      check_scatter<Bf16, f32>({}, 1, cols, offset);
      check_scatter<Bf16, f32>({-1, 8, 3}, 3, cols, offset);
    }
  }
  check_scatter<Bf16, f32>(shuffled(1500, 70000), 70000, 1, 0);  // three digits
  check_scatter<Bf16, f32>(shuffled(2100, 400), 400, 264, 0);
  check_scatter<f32, f32>(shuffled(2100, 255), 255, 1, 0);
}

TEST_CASE("AdamW gives the same bits at every alignment", "[cuda]") {
  constexpr i64 kCount = 2051;
  const cuda::AdamW cfg{0.01f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.271f, 0.142625f, 0.5f, true};
  std::vector<std::vector<u8>> results;
  for (const i64 offset : {0, 1}) {
    Buffer<f32> g(kCount, offset, 1), w(kCount, offset, 2), m(kCount, offset, 3),
        v(kCount, offset, 4);
    for (i64 i = 0; i < kCount; ++i)
      v.set(i, std::fabs(v.at(i)));
    Buffer<Bf16> copy(kCount, offset, 5);
    cuda::adamw(kCount, cfg, g.data(), w.data(), m.data(), v.data(),
                reinterpret_cast<u16*>(copy.data()), nullptr);
    CHECK((g.intact() && w.intact() && m.intact() && v.intact() && copy.intact()));
    for (i64 i = 0; i < kCount; ++i)
      REQUIRE(copy.at(i) == wide(rounded<Bf16>(w.at(i))));
    std::vector<u8> all = w.bits();
    for (const std::vector<u8>& more : {m.bits(), v.bits()})
      all.insert(all.end(), more.begin(), more.end());
    results.push_back(all);
  }
  CHECK(results[0] == results[1]);
}

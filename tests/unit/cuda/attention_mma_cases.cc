#include "unit/cuda/attention_mma_cases.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "attention_mma.h"
#include "catch.h"
#include "core/random.h"
#include "runtime.h"
#include "tensor/convert.h"

namespace lm::test {

namespace {

constexpr i64 kGuard = 64;          // elements before and after a buffer's rows
constexpr u16 kGuardBits = 0x7FBE;  // a NaN
constexpr u32 kGuardWord = 0x7FBE7FBEu;

/// rows x cols of T in device memory, rows ld apart, with guards around and between.
template <typename T>
class Matrix {
 public:
  Matrix(i64 rows, i64 cols, i64 ld)
      : rows_(rows), cols_(cols), ld_(ld), host_(usize(rows * ld + 2 * kGuard), guard()) {
    memory_ = static_cast<T*>(cuda::allocate(bytes()));
    put();
  }
  ~Matrix() { cuda::release(memory_); }
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;

  T* device() { return memory_ + kGuard; }
  T& at(i64 row, i64 col) { return host_[usize(kGuard + row * ld_ + col)]; }
  void put() { cuda::upload(memory_, host_.data(), bytes(), nullptr); }
  void get() { cuda::download(host_.data(), memory_, bytes(), nullptr); }
  bool intact() const {
    for (i64 i = 0; i < isize(host_); ++i) {
      const i64 inside = i - kGuard;
      if (inside >= 0 && inside < rows_ * ld_ && inside % ld_ < cols_) continue;
      if (host_[usize(i)] != guard()) return false;
    }
    return true;
  }
  const std::vector<T>& host() const { return host_; }

 private:
  static constexpr T guard() {
    return sizeof(T) == 2 ? static_cast<T>(kGuardBits) : static_cast<T>(kGuardWord);
  }
  i64 bytes() const { return isize(host_) * static_cast<i64>(sizeof(T)); }
  i64 rows_, cols_, ld_;
  std::vector<T> host_;
  T* memory_ = nullptr;
};

f64 value(u16 bits) {
  return bf16_to_f32(bits);
}

struct Result {
  std::vector<f64> o, lse, dq, dk, dv;
};

// Slow and obvious: row by row, all in f64. o of the gradients is the exact one.
Result reference(const AttentionCase& c, f64 scale, Matrix<u16>& qkv, Matrix<u16>& d_o) {
  const i64 rows = isize(c.spans) / 6, d = c.head_dim, group = c.heads / c.kv_heads;
  const i64 k_col = c.heads * d, v_col = k_col + c.kv_heads * d;
  Result r;
  r.o.resize(usize(rows * c.heads * d));
  r.dq.resize(r.o.size());
  r.lse.resize(usize(rows * c.heads), -std::numeric_limits<f64>::infinity());
  r.dk.resize(usize(c.keys * c.kv_heads * d));
  r.dv.resize(r.dk.size());
  for (i64 row = 0; row < rows; ++row) {
    if (row == c.bad_row) continue;
    std::vector<i64> seen;
    const i32* s = c.spans.data() + 6 * row;
    const i64 last = std::max(s[1] > s[0] ? s[4] + s[1] - s[0] - 1 : -1,
                              s[3] > s[2] ? s[5] + s[3] - s[2] - 1 : -1);
    const auto near = [&](i64 logical) { return c.window == 0 || last - logical < c.window; };
    for (i64 j = 0; j < c.keys; ++j) {
      if ((j >= s[0] && j < s[1] && near(s[4] + j - s[0])) ||
          (j >= s[2] && j < s[3] && near(s[5] + j - s[2])))
        seen.push_back(j);
    }
    if (seen.empty()) continue;
    for (i64 h = 0; h < c.heads; ++h) {
      const i64 kv = h / group * d;
      std::vector<f64> score, p, slope;
      f64 top = -std::numeric_limits<f64>::infinity(), total = 0;
      for (const i64 j : seen) {
        f64 x = 0;
        for (i64 e = 0; e < d; ++e)
          x += value(qkv.at(row, h * d + e)) * value(qkv.at(j, k_col + kv + e));
        x *= scale;
        f64 slope_here = 1;
        if (c.softcap > 0) {
          const f64 t = std::tanh(x / c.softcap);
          x = c.softcap * t;
          slope_here = 1 - t * t;
        }
        score.push_back(x);
        slope.push_back(slope_here);
        top = std::max(top, x);
      }
      for (const f64 x : score)
        total += std::exp(x - top);
      r.lse[usize(row * c.heads + h)] = top + std::log(total);
      f64 rest = 0;
      std::vector<f64> dp;
      for (i64 n = 0; n < isize(seen); ++n) {
        p.push_back(std::exp(score[usize(n)] - top) / total);
        f64 x = 0;
        for (i64 e = 0; e < d; ++e) {
          const f64 v = value(qkv.at(seen[usize(n)], v_col + kv + e));
          const f64 g = value(d_o.at(row, h * d + e));
          r.o[usize((row * c.heads + h) * d + e)] += p.back() * v;
          r.dv[usize(seen[usize(n)] * c.kv_heads * d + kv + e)] += p.back() * g;
          x += g * v;
        }
        dp.push_back(x);
        rest += p.back() * x;
      }
      for (i64 n = 0; n < isize(seen); ++n) {
        const f64 ds = p[usize(n)] * (dp[usize(n)] - rest) * slope[usize(n)] * scale;
        for (i64 e = 0; e < d; ++e) {
          r.dq[usize((row * c.heads + h) * d + e)] +=
              ds * value(qkv.at(seen[usize(n)], k_col + kv + e));
          r.dk[usize(seen[usize(n)] * c.kv_heads * d + kv + e)] +=
              ds * value(qkv.at(row, h * d + e));
        }
      }
    }
  }
  return r;
}

// |x - y| / |y| of columns [col, col + cols) of the matrix against y [rows, cols].
f64 error(Matrix<u16>& x, i64 rows, i64 col, i64 cols, const std::vector<f64>& y) {
  f64 difference = 0, norm = 0;
  for (i64 r = 0; r < rows; ++r) {
    for (i64 j = 0; j < cols; ++j) {
      const f64 expected = y[usize(r * cols + j)];
      const f64 e = value(x.at(r, col + j)) - expected;
      difference += e * e;
      norm += expected * expected;
    }
  }
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

struct Reported {
  explicit Reported() : memory(static_cast<cuda::Fault*>(cuda::allocate(sizeof(cuda::Fault)))) {
    cuda::set_zero(memory, sizeof(cuda::Fault), nullptr);
  }
  ~Reported() { cuda::release(memory); }
  Reported(const Reported&) = delete;
  Reported& operator=(const Reported&) = delete;
  cuda::Fault get() const {
    cuda::Fault f;
    cuda::download(&f, memory, sizeof(f), nullptr);
    return f;
  }
  cuda::Fault* memory;
};

cuda::Bf16* bf16(Matrix<u16>& m, i64 col = 0) {
  return reinterpret_cast<cuda::Bf16*>(m.device() + col);
}

std::vector<i32> documents(i64 rows, const std::vector<i32>& starts) {
  std::vector<i32> spans;
  i32 start = 0;
  for (i32 i = 0; i < rows; ++i) {
    for (const i32 s : starts)
      start = s == i ? s : start;
    spans.insert(spans.end(), {start, i + 1, 0, 0, 0, 0});
  }
  return spans;
}

}  // namespace

void check_attention(const AttentionCase& c) {
  INFO(c.name);
  const i64 rows = isize(c.spans) / 6, d = c.head_dim;
  const i64 width = (c.heads + 2 * c.kv_heads) * d, ld = width + c.gap;
  const i64 k_col = c.heads * d, v_col = k_col + c.kv_heads * d;
  const i64 slots = std::max(rows, c.keys);
  const i64 ldo = c.heads * d + c.gap;
  Matrix<u16> qkv(slots, width, ld), d_qkv(slots, width, ld);
  Matrix<u16> o(rows, c.heads * d, ldo), d_o(rows, c.heads * d, ldo);
  Matrix<u32> lse(rows, c.heads, c.heads);
  const RandomStream draw(17, RandomPurpose::kOther, static_cast<u64>(rows * 131 + d));
  u64 drawn = 0;
  for (i64 r = 0; r < slots; ++r) {
    for (i64 j = 0; j < width; ++j) {
      const bool hole = c.unwritten_from >= 0 && j >= k_col && r >= c.unwritten_from;
      qkv.at(r, j) = hole ? u16{0x7FC0} : f32_to_bf16(static_cast<f32>(draw.normal(drawn)));
      ++drawn;
    }
  }
  for (i64 r = 0; r < rows; ++r) {
    for (i64 j = 0; j < c.heads * d; ++j)
      d_o.at(r, j) = f32_to_bf16(static_cast<f32>(draw.normal(drawn++)));
  }
  qkv.put();
  d_o.put();
  Matrix<i32> spans(rows, 6, 6);
  for (i64 i = 0; i < 6 * rows; ++i)
    spans.at(i / 6, i % 6) = c.spans[usize(i)];
  spans.put();

  cuda::AttentionMma a;
  a.rows = rows;
  a.keys = c.keys;
  a.heads = c.heads;
  a.kv_heads = c.kv_heads;
  a.head_dim = d;
  a.scale = 1.5f / std::sqrt(static_cast<f32>(d));
  a.softcap = c.softcap;
  a.window = c.window;
  a.spans = spans.device();
  a.q = bf16(qkv);
  a.k = bf16(qkv, k_col);
  a.v = bf16(qkv, v_col);
  a.ldq = a.ldkv = ld;
  REQUIRE(cuda::attention_mma_supports(a));
  cuda::AttentionMmaBackward b;
  b.o = bf16(o);
  b.ldo = ldo;
  b.lse = reinterpret_cast<f32*>(lse.device());
  b.d_o = bf16(d_o);
  b.lddo = ldo;
  b.dq = bf16(d_qkv);
  b.dk = bf16(d_qkv, k_col);
  b.dv = bf16(d_qkv, v_col);
  b.lddq = b.lddkv = ld;

  Matrix<u32> space(1, cuda::attention_mma_forward_space(a) / 4,
                    cuda::attention_mma_forward_space(a) / 4);
  Matrix<u32> space2(1, cuda::attention_mma_backward_space(a) / 4,
                     cuda::attention_mma_backward_space(a) / 4);
  const Reported fault, fault2;
  std::vector<u16> first_o, first_d;
  std::vector<u32> first_lse;
  for (int run = 0; run < 2; ++run) {
    cuda::attention_mma_forward(a, bf16(o), ldo, reinterpret_cast<f32*>(lse.device()), fault.memory,
                                space.device(), nullptr);
    cuda::attention_mma_backward(a, b, space2.device(), fault2.memory, nullptr);
    cuda::wait(nullptr);
    o.get();
    lse.get();
    d_qkv.get();
    if (run == 0) {
      first_o = o.host();
      first_lse = lse.host();
      first_d = d_qkv.host();
    }
  }
  CHECK((first_o == o.host() && first_lse == lse.host() && first_d == d_qkv.host()));
  space.get();
  space2.get();
  const std::vector<u16> d_o_before = d_o.host(), qkv_before = qkv.host();
  d_o.get();
  qkv.get();
  CHECK((o.intact() && lse.intact() && space.intact() && space2.intact()));
  if (rows == c.keys) CHECK(d_qkv.intact());
  CHECK((d_o_before == d_o.host() && qkv_before == qkv.host()));

  const Result r = reference(c, a.scale, qkv, d_o);
  CHECK(error(o, rows, 0, c.heads * d, r.o) < 6e-3);
  CHECK(error(d_qkv, rows, 0, c.heads * d, r.dq) < 1e-2);
  CHECK(error(d_qkv, c.keys, k_col, c.kv_heads * d, r.dk) < 1e-2);
  CHECK(error(d_qkv, c.keys, v_col, c.kv_heads * d, r.dv) < 1e-2);
  f64 worst = 0;
  for (i64 i = 0; i < rows * c.heads; ++i) {
    f32 x = 0;
    std::memcpy(&x, &lse.at(i / c.heads, i % c.heads), 4);
    const f64 y = r.lse[usize(i)];
    if (std::isinf(y)) {
      CHECK(static_cast<f64>(x) == y);
    } else {
      worst = std::max(worst, std::fabs(x - y) / (1 + std::fabs(y)));
    }
  }
  CHECK(worst < 1e-5);
  for (const Reported* f : {&fault, &fault2}) {
    const cuda::Fault found = f->get();
    CHECK((found.taken != 0) == (c.bad_row >= 0));
    if (c.bad_row >= 0) {
      CHECK(found.kind == static_cast<i32>(cuda::FaultKind::kSpan));
      CHECK((found.row == c.bad_row && found.limit == c.keys));
    }
  }
}

std::vector<AttentionCase> attention_cases(bool few) {
  std::vector<AttentionCase> all;
  const auto add = [&](const char* name, i64 heads, i64 kv_heads, i64 d, i64 keys,
                       std::vector<i32> spans) -> AttentionCase& {
    AttentionCase c;
    c.name = name;
    c.heads = heads;
    c.kv_heads = kv_heads;
    c.head_dim = d;
    c.keys = keys;
    c.spans = std::move(spans);
    return all.emplace_back(std::move(c));
  };
  add("one row", 1, 1, 64, 1, documents(1, {}));
  add("causal, d 64, three heads of one", 3, 1, 64, 150, documents(150, {}));
  add("causal, d 128, strided", 1, 1, 128, 130, documents(130, {})).gap = 8;
  if (few) return all;
  add("documents, d 64", 2, 2, 64, 333, documents(333, {0, 5, 64, 200, 201})).gap = 24;
  add("documents, d 128, two heads of one", 2, 1, 128, 210, documents(210, {0, 100, 128}));
  add("head size 40", 2, 1, 40, 100, documents(100, {0, 30}));
  add("head size 96, softcap", 1, 1, 96, 70, documents(70, {})).softcap = 2.0f;
  add("softcap, d 64", 2, 2, 64, 140, documents(140, {0, 70})).softcap = 1.5f;

  add("no rows", 2, 1, 64, 70, {});
  add("no keys", 1, 1, 128, 0, std::vector<i32>(60, 0));

  // A prompt seen by all, then own rows: samples of 37 from 70 on.
  std::vector<i32> spans;
  for (i32 i = 0; i < 300; ++i) {
    const i32 start = i < 70 ? 0 : 70 + (i - 70) / 37 * 37;
    if (i < 70) spans.insert(spans.end(), {0, i + 1, 0, 0, 0, 0});
    if (i >= 70) spans.insert(spans.end(), {0, 70, start, i + 1, 0, 70});
  }
  add("prompt and samples", 2, 1, 64, 300, spans);
  // Both intervals anywhere, also overlapping and in falling order, keys that nobody sees, rows
  // without keys, and a span outside.
  const RandomStream draw(5, RandomPurpose::kOther);
  spans.clear();
  u64 drawn = 0;
  for (i32 i = 0; i < 170; ++i) {
    const auto below = [&](i32 n) { return static_cast<i32>(draw.below(drawn++, u64(n))); };
    if (i % 7 == 3 || (i >= 128 && i < 144)) {
      spans.insert(spans.end(), {9, 9, 3, 2, 0, 0});
      continue;
    }
    const i32 a = below(100), b = 200 + below(150);
    spans.insert(spans.end(), {a, a + below(30), b, b + below(60), 0, 0});
    if (i % 5 == 0) std::swap(spans[spans.size() - 6], spans[spans.size() - 4]);
    if (i % 5 == 0) std::swap(spans[spans.size() - 5], spans[spans.size() - 3]);
    if (i % 11 == 0) spans[spans.size() - 6] = below(60), spans[spans.size() - 5] = 60 + below(300);
  }
  AttentionCase& wild = add("two intervals", 2, 1, 64, 450, spans);
  for (i64 i = 0; i < isize(wild.spans); i += 6)
    wild.unwritten_from =
        std::max<i64>({wild.unwritten_from, spans[usize(i + 1)], spans[usize(i + 3)]});
  AttentionCase& bad = add("a span outside", 1, 1, 64, 160, documents(160, {}));
  bad.bad_row = 100;
  bad.spans[601] = 161;
  // Sliding window with a sink, wide heads.
  spans.clear();
  for (i32 i = 0; i < 260; ++i) {
    const i32 from = std::max(0, i - 20);
    spans.insert(spans.end(), {from, i + 1, 0, std::min(4, from), from, 0});
  }
  add("window and sink, d 128", 1, 1, 128, 260, spans);
  // The window of the attribute: within a document, across tiles, over two intervals.
  add("window 20, documents", 2, 1, 64, 333, documents(333, {0, 5, 200})).window = 20;
  add("window 64, d 128", 1, 1, 128, 210, documents(210, {0, 130})).window = 64;
  spans.clear();
  for (i32 i = 0; i < 150; ++i) {
    const i32 start = 70 + std::max(0, i - 70) / 37 * 37;
    if (i < 70) spans.insert(spans.end(), {0, i + 1, 0, 0, 0, 0});
    if (i >= 70) spans.insert(spans.end(), {0, 70, start, i + 1, 0, 70});
  }
  add("window 30, prompt and samples", 1, 1, 64, 150, spans).window = 30;
  // Everybody sees everything: tiles without masks.
  spans.clear();
  for (i32 i = 0; i < 192; ++i)
    spans.insert(spans.end(), {0, 192, 0, 0, 0, 0});
  add("all to all", 1, 1, 64, 192, spans);
  // A key short of whole tiles at either end.
  spans.clear();
  for (i32 i = 0; i < 128; ++i)
    spans.insert(spans.end(), {0, 63, 65, 127, 0, 63});
  add("nearly whole tiles", 1, 1, 64, 130, spans);
  return all;
}

}  // namespace lm::test

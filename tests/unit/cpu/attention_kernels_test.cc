#include <algorithm>

#include "cpu/kernels.h"
#include "kernel_helpers.h"

using namespace lm;
using namespace lm::test;
using cpu::AttentionShape;
using cpu::KeyValues;

namespace {

// A problem with contiguous keys: slots [slots, kv_heads, d].
struct Problem {
  AttentionShape shape;
  i64 slots = 0;
  std::vector<f32> q, k, v;
  std::vector<RowSpan> spans;

  i64 ldq() const { return shape.q_heads * shape.head_dim; }
  i64 ldkv() const { return shape.kv_heads * shape.head_dim; }
  KeyValues view() const {
    KeyValues kv;
    kv.k = k.data();
    kv.v = v.data();
    kv.row_stride = ldkv();
    kv.head_stride = shape.head_dim;
    return kv;
  }
};

Problem make(i64 rows, i64 slots, i64 q_heads, i64 kv_heads, i64 d, std::vector<RowSpan> spans,
             u64 seed = 1) {
  Problem p;
  p.shape = {rows, q_heads, kv_heads, d, 1.0f / std::sqrt(static_cast<f32>(d)), 0.0f, 0, {}};
  p.slots = slots;
  p.q = random_values(rows * q_heads * d, seed, 3.0f);
  p.k = random_values(slots * kv_heads * d, seed + 1, 3.0f);
  p.v = random_values(slots * kv_heads * d, seed + 2);
  p.spans = std::move(spans);
  return p;
}

std::vector<RowSpan> causal(i64 n) {
  std::vector<RowSpan> spans;
  for (i64 i = 0; i < n; ++i)
    spans.push_back(cpu::span_of(0, i + 1));
  return spans;
}

// Slots a row sees, in logical order (key_list applies to the second interval).
std::vector<i64> visible(const RowSpan& s, const std::vector<i32>& list) {
  std::vector<i64> slots;
  for (i64 j = s.a0; j < s.a1; ++j)
    slots.push_back(j);
  for (i64 j = s.b0; j < s.b1; ++j)
    slots.push_back(list.empty() ? j : list[usize(j)]);
  return slots;
}

// Those of them that a head's pattern leaves.
std::vector<i64> visible(const RowSpan& s, const std::vector<i32>& list, const SparseMask& mask,
                         i64 head) {
  const std::vector<i64> slots = visible(s, list);
  std::vector<i64> out;
  const i64 first = std::max(0, s.a1 - s.a0);
  for (i64 i = 0; i < ssize(slots); ++i) {
    const i64 logical = i < first ? s.la + i : s.lb + i - first;
    if (mask.sees(head, last_index(s), logical)) out.push_back(slots[usize(i)]);
  }
  return out;
}

struct Output {
  std::vector<f64> o, lse;
};

Output reference(const Problem& p, const std::vector<f64>& q, const std::vector<f64>& k,
                 const std::vector<f64>& v, const std::vector<i32>& list = {}) {
  const i64 d = p.shape.head_dim, group = p.shape.q_heads / p.shape.kv_heads;
  Output out;
  for (i64 i = 0; i < p.shape.rows; ++i) {
    for (i64 h = 0; h < p.shape.q_heads; ++h) {
      const std::vector<i64> slots = visible(p.spans[usize(i)], list, p.shape.sparse, h);
      std::vector<f64> s;
      f64 top = -INFINITY, z = 0;
      for (const i64 j : slots) {
        f64 dot = 0;
        for (i64 c = 0; c < d; ++c) {
          dot += q[usize(i * p.ldq() + h * d + c)] * k[usize(j * p.ldkv() + h / group * d + c)];
        }
        dot *= static_cast<f64>(p.shape.scale);
        const f64 cap = static_cast<f64>(p.shape.softcap);
        if (cap > 0) dot = cap * std::tanh(dot / cap);
        s.push_back(dot);
        top = std::max(top, dot);
      }
      for (f64& x : s)
        z += std::exp(x - top);
      out.lse.push_back(slots.empty() ? -INFINITY : top + std::log(z));
      for (i64 c = 0; c < d; ++c) {
        f64 sum = 0;
        for (std::size_t j = 0; j < slots.size(); ++j) {
          sum += std::exp(s[j] - top) / z * v[usize(slots[j] * p.ldkv() + h / group * d + c)];
        }
        out.o.push_back(sum);
      }
    }
  }
  return out;
}

std::vector<f32> run(const Problem& p, const KeyValues& kv, const i32* list = nullptr,
                     std::vector<f32>* lse = nullptr) {
  Guarded o(p.shape.rows * p.ldq()), l(p.shape.rows * p.shape.q_heads);
  cpu::attention_forward(p.shape, p.q.data(), p.ldq(), kv, p.spans.data(), list, o.data(), p.ldq(),
                         l.data());
  CHECK((o.intact() && l.intact()));
  if (lse != nullptr) *lse = l.values();
  return o.values();
}

// Rows [begin, end) of a problem as a problem of their own.
Problem rows_of(const Problem& p, i64 begin, i64 end) {
  Problem part = p;
  part.shape.rows = end - begin;
  part.q.assign(p.q.begin() + begin * p.ldq(), p.q.begin() + end * p.ldq());
  part.spans.assign(p.spans.begin() + begin, p.spans.begin() + end);
  return part;
}

std::vector<f32> run_in_pieces(const Problem& p, i64 piece) {
  std::vector<f32> all;
  for (i64 i = 0; i < p.shape.rows; i += piece) {
    const Problem part = rows_of(p, i, std::min(p.shape.rows, i + piece));
    const std::vector<f32> o = run(part, part.view());
    all.insert(all.end(), o.begin(), o.end());
  }
  return all;
}

// Every mask form of the engine over 600 slots.
std::vector<Problem> problems() {
  std::vector<Problem> all;
  all.push_back(make(300, 300, 4, 4, 16, causal(300)));
  all.push_back(make(290, 290, 6, 2, 33, causal(290)));  // grouped heads, odd head size
  std::vector<RowSpan> window, sink, shared, two_docs, both;
  for (i64 i = 0; i < 310; ++i) {
    const i64 from = std::max<i64>(0, i - 99);
    RowSpan w = cpu::span_of(from, i + 1);
    w.la = static_cast<i32>(from);
    window.push_back(w);
    // Four sink tokens and a window, at their true positions.
    RowSpan s = cpu::span_of(0, std::min<i64>(i + 1, 4));
    if (i >= 4) {
      const i64 start = std::max<i64>(4, i - 49);
      s.b0 = s.lb = static_cast<i32>(start);
      s.b1 = static_cast<i32>(i + 1);
    }
    sink.push_back(s);
    // A prompt of 270 tokens and an own part that starts at slot 300.
    RowSpan o = cpu::span_of(0, 270);
    o.b0 = 300;
    o.b1 = static_cast<i32>(301 + i % 290);
    o.lb = 270;
    shared.push_back(o);
    two_docs.push_back(i < 110 ? cpu::span_of(0, i + 1) : cpu::span_of(110, i + 1));
    both.push_back(i % 7 == 3 ? RowSpan{} : cpu::span_of(0, 310));  // bidirectional, some empty
  }
  all.push_back(make(310, 310, 2, 1, 24, window));
  all.push_back(make(310, 310, 2, 2, 16, sink));
  all.push_back(make(310, 600, 2, 2, 16, shared));
  all.push_back(make(310, 310, 3, 1, 20, two_docs));
  all.push_back(make(310, 310, 2, 2, 8, both));
  all.push_back(make(40, 40, 2, 2, 64, causal(40)));
  all.back().shape.softcap = 5.0f;
  // Sparse: windows that a tile holds several of, and one across; heads of one group that differ.
  const auto sparse = [&](Problem p, const SparseMask& mask) {
    p.shape.sparse = mask;
    all.push_back(std::move(p));
  };
  sparse(make(300, 300, 4, 4, 16, causal(300)), {16, 4, 1, 4});
  sparse(make(300, 300, 6, 2, 33, causal(300)), {16, 3, 1, 3});
  sparse(make(310, 310, 3, 1, 20, two_docs), {16, 2, 1, 2});
  sparse(make(310, 600, 2, 2, 16, shared), {48, 2, 1, 2});
  sparse(make(310, 310, 2, 2, 16, sink), {16, 5, 2, 2});
  sparse(make(310, 310, 2, 1, 24, window), {16, 2, 1, 1});
  sparse(make(640, 640, 2, 2, 8, causal(640)), {32, 9, 1, 9});
  all.push_back(make(1, 1, 1, 1, 1, causal(1)));
  return all;
}

}  // namespace

TEST_CASE("attention agrees with the f64 softmax for every kind of mask", "[cpu]") {
  for_each_isa([] {
    int index = 0;
    for (const Problem& p : problems()) {
      INFO("problem " << index++);
      std::vector<f32> lse;
      const std::vector<f32> o = run(p, p.view(), nullptr, &lse);
      const Output want = reference(p, to_f64(p.q), to_f64(p.k), to_f64(p.v));
      CHECK(nmse(o, want.o) < 1e-11);
      for (std::size_t i = 0; i < lse.size(); ++i) {
        if (std::isinf(want.lse[i])) {
          REQUIRE(lse[i] == -INFINITY);
        } else {
          REQUIRE(static_cast<f64>(lse[i]) == Approx(want.lse[i]).epsilon(1e-5).margin(1e-5));
        }
      }
    }
  });
}

TEST_CASE("attention rows have equal bits whole, in chunks and one by one", "[cpu]") {
  for_each_isa([] {
    int index = 0;
    for (const Problem& p : problems()) {
      INFO("problem " << index++);
      const std::vector<f32> whole = run(p, p.view());
      CHECK(same_bits(whole, run_in_pieces(p, 64)));
      CHECK(same_bits(whole, run_in_pieces(p, 7)));
      CHECK(same_bits(whole, run_in_pieces(p, 1)));
    }
  });
}

TEST_CASE("attention has equal bits with 1, 2 and 7 threads", "[cpu]") {
  for (const Problem& p : problems()) {
    check_threads([&] { return run(p, p.view()); });
  }
}

TEST_CASE("pages of 16 and 64 tokens give the bits of contiguous keys", "[cpu]") {
  for_each_isa([] {
    for (const Problem& p : problems()) {
      const std::vector<f32> whole = run(p, p.view());
      for (const i64 page_size : {16, 64}) {
        const i64 pages = (p.slots + page_size - 1) / page_size;
        const i64 page_floats = page_size * p.ldkv();
        // Pages in scrambled places, heads before rows inside a page; unused cells are NaN.
        std::vector<i32> table;
        for (i64 i = 0; i < pages; ++i)
          table.push_back(static_cast<i32>((i * 37 + 5) % 41));
        std::vector<f32> k(usize(41 * page_floats), Guarded::poison()), v(k);
        const i64 d = p.shape.head_dim;
        for (i64 j = 0; j < p.slots; ++j) {
          for (i64 h = 0; h < p.shape.kv_heads; ++h) {
            const i64 to =
                table[usize(j / page_size)] * page_floats + h * page_size * d + j % page_size * d;
            std::copy_n(p.k.data() + j * p.ldkv() + h * d, d, k.data() + to);
            std::copy_n(p.v.data() + j * p.ldkv() + h * d, d, v.data() + to);
          }
        }
        const std::vector<const i32*> tables(usize(p.shape.rows), table.data());
        KeyValues kv;
        kv.k = k.data();
        kv.v = v.data();
        kv.row_stride = d;
        kv.head_stride = page_size * d;
        kv.page_size = page_size;
        kv.page_stride = page_floats;
        kv.tables = tables.data();
        CHECK(same_bits(whole, run(p, kv)));
      }
    }
  });
}

TEST_CASE("16-bit keys and values count as the numbers they store", "[cpu]") {
  Problem p = make(70, 300, 4, 2, 20, {});
  for (i64 i = 0; i < 70; ++i)
    p.spans.push_back(cpu::span_of(0, 231 + i));
  std::vector<u16> k(p.k.size()), v(p.v.size());
  for (const cpu::KvType type : {cpu::KvType::kBf16, cpu::KvType::kF16}) {
    const bool bf16 = type == cpu::KvType::kBf16;
    Problem rounded = p;
    (bf16 ? cpu::f32_to_bf16 : cpu::f32_to_f16)(ssize(k), p.k.data(), k.data());
    (bf16 ? cpu::f32_to_bf16 : cpu::f32_to_f16)(ssize(v), p.v.data(), v.data());
    (bf16 ? cpu::bf16_to_f32 : cpu::f16_to_f32)(ssize(k), k.data(), rounded.k.data());
    (bf16 ? cpu::bf16_to_f32 : cpu::f16_to_f32)(ssize(v), v.data(), rounded.v.data());
    KeyValues kv = p.view();
    kv.k = k.data();
    kv.v = v.data();
    kv.type = type;
    CHECK(same_bits(run(p, kv), run(rounded, rounded.view())));
  }
}

TEST_CASE("a draft-tree row has the bits of the sequence it stands for", "[cpu]") {
  // 250 cached slots, a tree of drafts in slots 250..259: node 7's ancestors are 250, 253, 257.
  const i64 context = 250;
  const std::vector<i32> ancestors = {250, 253, 257};
  Problem tree = make(1, 260, 4, 2, 16, {});
  tree.spans = {{0, 250, 0, 3, 0, 250}};
  const std::vector<f32> got = run(tree, tree.view(), ancestors.data());
  Problem plain = tree;
  plain.spans = {cpu::span_of(0, 253)};
  for (i64 a = 0; a < 3; ++a) {
    std::copy_n(tree.k.data() + ancestors[usize(a)] * tree.ldkv(), tree.ldkv(),
                plain.k.data() + (context + a) * tree.ldkv());
    std::copy_n(tree.v.data() + ancestors[usize(a)] * tree.ldkv(), tree.ldkv(),
                plain.v.data() + (context + a) * tree.ldkv());
  }
  CHECK(same_bits(got, run(plain, plain.view())));
  const Output want = reference(tree, to_f64(tree.q), to_f64(tree.k), to_f64(tree.v), ancestors);
  CHECK(nmse(got, want.o) < 1e-11);
}

TEST_CASE("a forked sample has the bits of the sequence it stands for", "[cpu]") {
  // The prompt in slots 0..269 and the sample's own tokens in 300..: logically contiguous.
  const Problem p = problems()[4];
  const std::vector<f32> forked = run(p, p.view());
  Problem plain = p;
  std::copy(p.k.begin() + 300 * p.ldkv(), p.k.end(), plain.k.begin() + 270 * p.ldkv());
  std::copy(p.v.begin() + 300 * p.ldkv(), p.v.end(), plain.v.begin() + 270 * p.ldkv());
  for (RowSpan& s : plain.spans)
    s = cpu::span_of(0, 270 + (s.b1 - s.b0));
  CHECK(same_bits(forked, run(plain, plain.view())));
}

TEST_CASE("a window leaves the keys with the largest logical indices", "[cpu]") {
  struct Case {
    RowSpan span;
    i64 window;
    RowSpan expected;
  };
  const Case cases[] = {
      {{3, 10, 0, 0, 0, 0}, 0, {3, 10, 0, 0, 0, 0}},    // none
      {{3, 10, 0, 0, 0, 0}, 7, {3, 10, 0, 0, 0, 0}},    // just all
      {{3, 10, 0, 0, 0, 0}, 2, {8, 10, 0, 0, 5, 0}},    // indices 5 and 6 of 0..6
      {{0, 4, 20, 23, 0, 4}, 5, {2, 4, 20, 23, 2, 4}},  // 2, 3 and 4, 5, 6
      {{0, 4, 20, 23, 0, 4}, 1, {4, 4, 22, 23, 4, 6}},  // 6
      {{0, 4, 20, 23, 0, 90}, 3, {4, 4, 20, 23, 4, 90}},
      {{9, 9, 20, 23, 0, 1}, 2, {9, 9, 21, 23, 0, 2}},  // the first is empty
      {{7, 7, 5, 2, 3, 3}, 2, {7, 7, 5, 2, 3, 3}},      // nothing to see
  };
  for (const Case& one : cases) {
    const RowSpan got = windowed(one.span, one.window);
    CAPTURE(one.span.a0, one.span.b0, one.window);
    CHECK(visible(got, {}) == visible(one.expected, {}));
    if (got.a0 < got.a1) CHECK(got.la == one.expected.la);
    if (got.b0 < got.b1) CHECK(got.lb == one.expected.lb);
  }
}

TEST_CASE("a sparse mask leaves the shares of pairs that its blocks have", "[cpu]") {
  // Blocks of 16, windows of 8, one summary block, 8 patterns: of n block pairs on or below the
  // diagonal 36 % at 512 tokens, 25 % at 1024, 19 % at 2048, the same for every head.
  const SparseMask mask{16, 8, 1, 8};
  const auto share = [&](i64 tokens, i64 head) {
    i64 seen = 0, all = 0;
    for (i64 i = 0; i < tokens / 16; ++i) {
      for (i64 j = 0; j <= i; ++j, ++all)
        seen += mask.sees(head, i * 16 + 15, j * 16) ? 1 : 0;
    }
    return static_cast<f64>(seen) / static_cast<f64>(all);
  };
  for (i64 head = 0; head < 9; ++head) {
    CHECK(share(512, head) == Approx(192.0 / 528));
    CHECK(share(1024, head) == Approx(0.25).margin(0.005));
    CHECK(share(2048, head) == Approx(0.19).margin(0.005));
  }
  CHECK(mask.sees(0, 300, 127));  // the last block of a window
  CHECK_FALSE(mask.sees(0, 300, 111));
  CHECK(mask.sees(1, 300, 111));
  CHECK_FALSE(mask.sees(1, 300, 112));
  CHECK(mask.sees(1, 300, 256));
  CHECK(mask.sees(8, 300, 127));
  for (const SparseMask& one : {mask, SparseMask{16, 3, 1, 2}, SparseMask{32, 4, 2, 2}}) {
    for (const i64 n : {1, 47, 48, 49, 200}) {
      i64 pairs = 0;
      for (i64 q = 0; q < n; ++q)
        for (i64 k = 0; k <= q; ++k)
          pairs += one.sees(1, q, k) ? 1 : 0;
      CHECK(one.pairs(n) == pairs);
    }
  }
}

TEST_CASE("a sparse mask whose window holds all has the bits of none", "[cpu]") {
  for_each_isa([] {
    Problem p = make(300, 300, 4, 2, 16, causal(300));
    const std::vector<f32> dense = run(p, p.view());
    p.shape.sparse = {16, 19, 1, 2};  // 304 tokens
    CHECK(same_bits(dense, run(p, p.view())));
    p.shape.sparse = {16, 18, 1, 2};
    CHECK_FALSE(same_bits(dense, run(p, p.view())));
  });
}

TEST_CASE("a sparse draft-tree row has the bits of the sequence it stands for", "[cpu]") {
  // Keys 0..269, then drafts through a list: 275, 273, 279.
  Problem tree = make(1, 300, 2, 2, 16, {{0, 270, 0, 3, 0, 270}});
  tree.shape.sparse = {16, 2, 1, 2};
  const std::vector<i32> list = {275, 273, 279};
  const std::vector<f32> got = run(tree, tree.view(), list.data());
  Problem plain = tree;
  for (i64 i = 0; i < 3; ++i) {
    for (auto* x : {&plain.k, &plain.v})
      std::copy_n((x == &plain.k ? tree.k : tree.v).begin() + list[usize(i)] * tree.ldkv(),
                  tree.ldkv(), x->begin() + (270 + i) * tree.ldkv());
  }
  plain.spans = {cpu::span_of(0, 273)};
  CHECK(same_bits(got, run(plain, plain.view())));
}

TEST_CASE("keys that a pattern hides cannot reach a row, not even as NaN", "[cpu]") {
  for_each_isa([] {
    Problem p = make(1, 300, 2, 2, 16, {cpu::span_of(0, 300)});
    p.shape.sparse = {16, 4, 1, 4};
    const std::vector<f32> clean = run(p, p.view());
    for (i64 j = 0; j < 300; ++j) {
      if (p.shape.sparse.sees(0, 299, j) || p.shape.sparse.sees(1, 299, j)) continue;
      std::fill_n(p.k.data() + j * p.ldkv(), p.ldkv(), Guarded::poison());
      std::fill_n(p.v.data() + j * p.ldkv(), p.ldkv(), Guarded::poison());
    }
    CHECK(same_bits(clean, run(p, p.view())));
  });
}

TEST_CASE("keys a row does not see cannot reach it, not even as NaN", "[cpu]") {
  Problem p = make(9, 40, 2, 2, 16, causal(9));
  const std::vector<f32> clean = run(p, p.view());
  for (i64 j = 9; j < 40; ++j) {
    std::fill_n(p.k.data() + j * p.ldkv(), p.ldkv(), Guarded::poison());
    std::fill_n(p.v.data() + j * p.ldkv(), p.ldkv(), Guarded::poison());
  }
  CHECK(same_bits(clean, run(p, p.view())));
  // A NaN in the last key of the batch leaves the earlier rows alone.
  std::fill_n(p.v.data() + 8 * p.ldkv(), p.ldkv(), Guarded::poison());
  const std::vector<f32> tainted = run(p, p.view());
  const auto earlier = [&](const std::vector<f32>& x) {
    return std::vector<f32>(x.begin(), x.begin() + 8 * p.ldq());
  };
  CHECK(same_bits(earlier(clean), earlier(tainted)));
  CHECK(std::isnan(tainted.back()));
}

namespace {

struct Gradients {
  std::vector<f32> dq, dk, dv;
};

Gradients backward(const Problem& p, const std::vector<f32>& d_o) {
  std::vector<f32> lse;
  const std::vector<f32> o = run(p, p.view(), nullptr, &lse);
  Guarded dq(p.shape.rows * p.ldq()), dk(p.slots * p.ldkv()), dv(p.slots * p.ldkv());
  cpu::AttentionBackward a;
  a.q = p.q.data();
  a.k = p.k.data();
  a.v = p.v.data();
  a.o = o.data();
  a.d_o = d_o.data();
  a.lse = lse.data();
  a.ldq = a.ldo = a.lddo = a.lddq = p.ldq();
  a.ldkv = a.lddkv = p.ldkv();
  a.slots = p.slots;
  a.spans = p.spans.data();
  a.dq = dq.data();
  a.dk = dk.data();
  a.dv = dv.data();
  cpu::attention_backward(p.shape, a);
  CHECK((dq.intact() && dk.intact() && dv.intact()));
  return {dq.values(), dk.values(), dv.values()};
}

f64 weighted(const std::vector<f64>& x, const std::vector<f32>& w) {
  f64 sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    sum += x[i] * static_cast<f64>(w[i]);
  return sum;
}

}  // namespace

TEST_CASE("attention gradients match directional differences in f64", "[cpu]") {
  for_each_isa([] {
    int index = 0;
    for (const Problem& p : problems()) {
      INFO("problem " << index++);
      const std::vector<f32> d_o = random_values(p.shape.rows * p.ldq(), 77);
      const Gradients g = backward(p, d_o);
      const std::vector<f64> q = to_f64(p.q), k = to_f64(p.k), v = to_f64(p.v);
      const std::vector<const std::vector<f32>*> grads = {&g.dq, &g.dk, &g.dv};
      for (int input = 0; input < 3; ++input) {
        const std::vector<f32> dir = random_values(ssize(*grads[usize(input)]), 5 + u64(input));
        const f64 h = 1e-5;
        const auto loss_at = [&](f64 step) {
          std::vector<f64> x[3] = {q, k, v};
          for (std::size_t i = 0; i < dir.size(); ++i) {
            x[input][i] += step * static_cast<f64>(dir[i]);
          }
          return weighted(reference(p, x[0], x[1], x[2]).o, d_o);
        };
        const f64 slope = (loss_at(h) - loss_at(-h)) / (2 * h);
        const f64 ours = weighted(to_f64(*grads[usize(input)]), dir);
        INFO("input " << input);
        CHECK(ours == Approx(slope).epsilon(2e-4).margin(1e-3));
      }
    }
  });
}

TEST_CASE("attention gradients have equal bits with 1, 2 and 7 threads", "[cpu]") {
  for (const Problem& p : problems()) {
    const std::vector<f32> d_o = random_values(p.shape.rows * p.ldq(), 78);
    check_threads([&] {
      Gradients g = backward(p, d_o);
      g.dq.insert(g.dq.end(), g.dk.begin(), g.dk.end());
      g.dq.insert(g.dq.end(), g.dv.begin(), g.dv.end());
      return g.dq;
    });
  }
}

#include "unit/cuda/paged_cases.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "catch.h"
#include "core/random.h"
#include "cpu/backend.h"
#include "graph/exec.h"
#include "ops/ops.h"
#include "tensor/convert.h"

namespace lm::test {

namespace {

constexpr i64 kPageTokens = 16;
constexpr u64 kKeyRow = 1000;  // stream of a key row: kKeyRow + 4096 seq + slot

struct Form {
  i64 heads = 4, kv_heads = 2, dim = 8;
  f32 softcap = 0;
  DType cache = DType::kF32;
  DType activation = DType::kF32;
  i32 window = 0;
  i64 width() const { return kv_heads * dim; }
  i64 qkv() const { return (heads + 2 * kv_heads) * dim; }
};

struct Row {
  i64 seq = 0;
  i64 token = 0;  // which numbers the row has
  RowSpan span;
  i32 store = -1;
};

struct Way {
  i64 padded = 0;  // rows of the node, 0: just the rows
  i32 max_keys = 0;
  bool lone = false;
  std::vector<i32> list;
};

f32 stored(f32 x, DType type) {
  return type == DType::kBf16 ? bf16_to_f32(f32_to_bf16(x)) : x;
}

f32 draw(u64 stream, i64 i) {
  return static_cast<f32>(
      RandomStream(77, RandomPurpose::kOther, stream).normal(static_cast<u64>(i)));
}

// Sequences in pages of one pool, whose free slots are NaN.
class World {
 public:
  World(const Form& form, i64 sequences, i64 slots, u64 seed) : form_(form), slots_(slots) {
    const i64 each = (slots + kPageTokens - 1) / kPageTokens;
    const i64 pages = sequences * each + 3;
    std::vector<i32> order;
    for (i64 i = 0; i < pages; ++i)
      order.push_back(static_cast<i32>(i));
    const RandomStream random(seed, RandomPurpose::kOther, 5);
    for (i64 i = pages - 1; i > 0; --i)
      std::swap(order[usize(i)], order[random.below(static_cast<u64>(i), static_cast<u64>(i + 1))]);
    for (i64 s = 0; s < sequences; ++s)
      tables_.emplace_back(order.begin() + s * each, order.begin() + (s + 1) * each);
    pool_[0].assign(usize(pages * kPageTokens * form.width()),
                    std::numeric_limits<f32>::quiet_NaN());
    pool_[1] = pool_[0];
  }

  /// Keys and values of slots [begin, end), as rows with the tokens begin... would have stored
  /// them.
  void fill(i64 seq, i64 begin, i64 end) {
    for (i64 slot = begin; slot < end; ++slot)
      put(seq, slot, slot);
  }

  std::vector<f32> qkv(const Row& row) const {
    std::vector<f32> x(usize(form_.qkv()));
    const i64 q = form_.heads * form_.dim;
    for (i64 i = 0; i < q; ++i)
      x[usize(i)] =
          stored(1.5f * draw(static_cast<u64>(row.seq * 4096 + row.token), i), form_.activation);
    for (i64 i = 0; i < 2 * form_.width(); ++i)
      x[usize(q + i)] =
          stored(draw(kKeyRow + static_cast<u64>(row.seq * 4096 + row.token), i), form_.activation);
    return x;
  }

  /// The operator's result on a backend, [padded, heads dim]; stored rows stay in the world.
  std::vector<f32> run(const Backend& backend, const std::vector<Row>& rows, const Way& way = {}) {
    const i64 n = isize(rows);
    const i64 all = std::max(n, way.padded);
    std::vector<f32> x(usize(all * form_.qkv()), 0.5f);
    std::vector<RowSpan> spans;
    std::vector<i32> store;
    for (i64 i = 0; i < n; ++i) {
      const std::vector<f32> row = qkv(rows[usize(i)]);
      std::copy(row.begin(), row.end(), x.begin() + i * form_.qkv());
      spans.push_back(rows[usize(i)].span);
      store.push_back(rows[usize(i)].store);
    }
    std::vector<Storage> memory;
    const auto give = [&](const void* from, i64 bytes) {
      memory.push_back(backend.allocate(std::max<i64>(bytes, 1)));
      if (bytes > 0) backend.to_device(memory.back().data(), from, bytes);
      return static_cast<void*>(memory.back().data());
    };
    std::vector<const i32*> tables;
    for (const std::vector<i32>& table : tables_)
      tables.push_back(static_cast<const i32*>(give(table.data(), isize(table) * 4)));
    std::vector<const i32*> by_row;
    for (const Row& row : rows)
      by_row.push_back(tables[usize(row.seq)]);
    KvView view;
    view.rows = n;
    view.spans = static_cast<const RowSpan*>(give(spans.data(), n * 24));
    view.store = static_cast<const i32*>(give(store.data(), n * 4));
    view.tables = static_cast<const i32* const*>(give(by_row.data(), n * 8));
    if (!way.list.empty())
      view.key_list = static_cast<const i32*>(give(way.list.data(), isize(way.list) * 4));
    view.page_tokens = kPageTokens;
    view.dtype = form_.cache;
    view.lone_rows = way.lone;
    void* const keys = give_pool(backend, memory, pool_[0]);
    void* const values = give_pool(backend, memory, pool_[1]);
    view.k = &keys;
    view.v = &values;

    Graph g(ops(), form_.activation);
    const Value in = g.input("qkv", {all, form_.qkv()}, form_.activation);
    PagedAttr attr;
    attr.heads = static_cast<i32>(form_.heads);
    attr.kv_heads = static_cast<i32>(form_.kv_heads);
    attr.head_dim = static_cast<i32>(form_.dim);
    attr.softcap = form_.softcap;
    attr.window = form_.window;
    attr.max_keys = way.max_keys;
    const Value out = paged_attention(g, in, attr);
    g.keep(out);
    ExecOptions options;
    options.mode = ExecMode::kHeap;
    Executor executor(g, backend, options);
    OwnedTensor host({all, form_.qkv()}, form_.activation);
    copy_convert(make_tensor(x.data(), {all, form_.qkv()}), host.view);
    executor.set(in, host.view);
    const void* bindings[] = {&view};
    RunCtx ctx;
    ctx.bindings = bindings;
    executor.run(ctx);
    std::vector<f32> result(usize(all * form_.heads * form_.dim));
    executor.read(out, result);
    take_pool(backend, keys, pool_[0]);
    take_pool(backend, values, pool_[1]);
    return result;
  }

  /// One row's result from the pools as they are, f64.
  std::vector<f64> reference(const Row& row, const Way& way = {}) const {
    const RowSpan& span = row.span;
    const i64 last =
        std::max(span.la + span.a1 - span.a0, span.b1 > span.b0 ? span.lb + span.b1 - span.b0 : 0) -
        1;
    const auto near = [&](i64 logical) {
      return form_.window == 0 || last - logical < form_.window;
    };
    std::vector<i64> slots;
    for (i64 s = span.a0; s < span.a1; ++s)
      if (near(span.la + s - span.a0)) slots.push_back(s);
    for (i64 s = span.b0; s < span.b1; ++s)
      if (near(span.lb + s - span.b0)) slots.push_back(way.list.empty() ? s : way.list[usize(s)]);
    const std::vector<f32> x = qkv(row);
    std::vector<f64> out(usize(form_.heads * form_.dim), 0.0);
    const f64 scale = static_cast<f64>(1.0f / std::sqrt(static_cast<f32>(form_.dim)));
    for (i64 h = 0; h < form_.heads && !slots.empty(); ++h) {
      const i64 kv = h / (form_.heads / form_.kv_heads);
      std::vector<f64> p;
      for (const i64 slot : slots) {
        f64 s = 0;
        for (i64 e = 0; e < form_.dim; ++e)
          s += f64{x[usize(h * form_.dim + e)]} * f64{at(0, row.seq, slot, kv * form_.dim + e)};
        s *= scale;
        if (form_.softcap > 0) s = f64{form_.softcap} * std::tanh(s / f64{form_.softcap});
        p.push_back(s);
      }
      const f64 top = *std::max_element(p.begin(), p.end());
      f64 total = 0;
      for (f64& s : p)
        total += s = std::exp(s - top);
      for (std::size_t j = 0; j < p.size(); ++j) {
        for (i64 e = 0; e < form_.dim; ++e)
          out[usize(h * form_.dim + e)] +=
              p[j] / total * f64{at(1, row.seq, slots[j], kv * form_.dim + e)};
      }
    }
    return out;
  }

  /// Whether a slot holds what its row stores, converted to the cache's type.
  bool holds(i64 seq, i64 slot, i64 token) const {
    World other = *this;
    other.put(seq, slot, token);
    for (int i = 0; i < 2; ++i)
      if (std::memcmp(other.pool_[i].data(), pool_[i].data(), pool_[i].size() * 4) != 0)
        return false;
    return true;
  }

 private:
  i64 offset(i64 seq, i64 slot) const {
    return (tables_[usize(seq)][usize(slot / kPageTokens)] * kPageTokens + slot % kPageTokens) *
           form_.width();
  }
  f32 at(int which, i64 seq, i64 slot, i64 e) const {
    return pool_[which][usize(offset(seq, slot) + e)];
  }
  void put(i64 seq, i64 slot, i64 token) {
    Row row;
    row.seq = seq;
    row.token = token;
    const std::vector<f32> x = qkv(row);
    for (i64 e = 0; e < form_.width(); ++e) {
      const i64 from = form_.heads * form_.dim + e;
      pool_[0][usize(offset(seq, slot) + e)] = stored(x[usize(from)], form_.cache);
      pool_[1][usize(offset(seq, slot) + e)] = stored(x[usize(from + form_.width())], form_.cache);
    }
  }
  void* give_pool(const Backend& backend, std::vector<Storage>& memory,
                  const std::vector<f32>& pool) const {
    OwnedTensor host({isize(pool)}, form_.cache);
    copy_convert(make_tensor(const_cast<f32*>(pool.data()), {isize(pool)}), host.view);
    const i64 bytes = isize(pool) * item_bytes(form_.cache);
    memory.push_back(backend.allocate(bytes));
    backend.to_device(memory.back().data(), host.view.data, bytes);
    return memory.back().data();
  }
  void take_pool(const Backend& backend, const void* from, std::vector<f32>& pool) const {
    OwnedTensor host({isize(pool)}, form_.cache);
    backend.to_host(host.view.data, from, isize(pool) * item_bytes(form_.cache));
    copy_convert(host.view, make_tensor(pool.data(), {isize(pool)}));
  }

  Form form_;
  i64 slots_;
  std::vector<std::vector<i32>> tables_;
  std::vector<f32> pool_[2];
};

/// The row that writes `slot` and sees everything up to itself.
Row causal(i64 seq, i64 slot) {
  Row row;
  row.seq = seq;
  row.token = slot;
  row.store = static_cast<i32>(slot);
  row.span.a1 = static_cast<i32>(slot + 1);
  return row;
}

std::vector<Row> chain(i64 seq, i64 begin, i64 end) {
  std::vector<Row> rows;
  for (i64 slot = begin; slot < end; ++slot)
    rows.push_back(causal(seq, slot));
  return rows;
}

std::vector<f32> row_of(const std::vector<f32>& all, i64 row, const Form& form) {
  const i64 n = form.heads * form.dim;
  return {all.begin() + row * n, all.begin() + (row + 1) * n};
}

bool same_bits(const std::vector<f32>& a, const std::vector<f32>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * 4) == 0;
}

/// Largest error relative to the largest number.
f64 error_of(const std::vector<f32>& got, const std::vector<f64>& expected) {
  f64 worst = 0;
  f64 largest = 1e-30;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const f64 e = std::abs(static_cast<f64>(got[i]) - expected[i]);
    worst = e <= worst ? worst : e;  // NaN stays
    if (std::isnan(e)) return e;
    largest = std::max(largest, std::abs(expected[i]));
  }
  return worst / largest;
}

f64 tolerance(const Form& form) {
  return form.activation == DType::kBf16 ? 4e-3 : 5e-6;
}

const std::vector<Form>& forms() {
  static const std::vector<Form> all = {
      {4, 2, 8, 0, DType::kF32, DType::kF32},       {3, 3, 12, 5.0f, DType::kF32, DType::kF32},
      {6, 1, 20, 0, DType::kF32, DType::kF32},      {4, 1, 64, 0, DType::kBf16, DType::kF32},
      {4, 2, 64, 0, DType::kBf16, DType::kBf16},    {12, 1, 6, 0, DType::kBf16, DType::kBf16},
      {2, 2, 130, 0, DType::kF32, DType::kF32},     {1, 1, 256, 3.0f, DType::kBf16, DType::kBf16},
      {8, 1, 128, 0, DType::kBf16, DType::kBf16},   {4, 2, 8, 0, DType::kF32, DType::kF32, 150},
      {4, 1, 64, 0, DType::kBf16, DType::kBf16, 9},
  };
  return all;
}

void check_form(const Backend& backend, const Form& form) {
  World world(form, 4, 420, 3);
  world.fill(0, 0, 400);
  world.fill(1, 0, 3);
  world.fill(2, 0, 260);
  std::vector<Row> rows = chain(0, 400, 402);
  rows.push_back(causal(1, 3));
  rows.push_back(causal(2, 260));
  Row hole = causal(2, 261);  // [0, 100) and [130, 262)
  hole.span = {0, 100, 130, 262, 0, 100};
  rows.push_back(hole);
  Row window = causal(0, 402);  // of 140 keys
  window.span = {263, 403, 0, 0, 263, 0};
  rows.push_back(window);
  Row sink = causal(0, 403);  // five keys at the start and the last nine
  sink.span = {0, 5, 395, 404, 0, 395};
  rows.push_back(sink);
  Row blind;
  blind.seq = 3;
  rows.push_back(blind);
  for (const Way& way : {Way{isize(rows) + 3, 512, false, {}}, Way{0, 0, false, {}},
                         Way{isize(rows) + 1, 0, true, {}}}) {
    World after = world;
    const std::vector<f32> got = after.run(backend, rows, way);
    for (i64 i = 0; i < isize(rows); ++i) {
      INFO("row " << i << " max_keys " << way.max_keys);
      REQUIRE(error_of(row_of(got, i, form), after.reference(rows[usize(i)])) <= tolerance(form));
      if (rows[usize(i)].store >= 0)
        CHECK(after.holds(rows[usize(i)].seq, rows[usize(i)].store, rows[usize(i)].token));
    }
    for (i64 i = isize(rows); i < way.padded; ++i)
      CHECK(row_of(got, i, form) == std::vector<f32>(usize(form.heads * form.dim), 0.0f));
    if (form.activation != DType::kF32) continue;
    World host = world;
    const std::vector<f32> expected = host.run(cpu_backend(), rows, way);
    CHECK(error_of(got, {expected.begin(), expected.end()}) <= tolerance(form));
  }
  // A tree behind 260 slots: 0 - 1 - 3, 0 - 2; a hole in its trunk; through one list.
  std::vector<Row> tree;
  Way listed;
  const std::vector<std::vector<i32>> path = {{0}, {0, 1}, {0, 2}, {0, 1, 3}};
  for (i64 i = 0; i < 4; ++i) {
    Row row = causal(2, 260 + i);
    row.span = {0, 260, 0, 0, 0, 260};
    if (i == 3) row.span = {0, 90, 0, 0, 0, 90};
    row.span.b0 = static_cast<i32>(listed.list.size());
    if (i == 3)
      for (i32 s = 100; s < 260; ++s)
        listed.list.push_back(s);
    for (const i32 p : path[usize(i)])
      listed.list.push_back(260 + p);
    row.span.b1 = static_cast<i32>(listed.list.size());
    tree.push_back(row);
  }
  for (const i32 max_keys : {0, 300}) {
    listed.max_keys = max_keys;
    World after = world;
    const std::vector<f32> got = after.run(backend, tree, listed);
    for (i64 i = 0; i < 4; ++i)
      CHECK(error_of(row_of(got, i, form), after.reference(tree[usize(i)], listed)) <=
            tolerance(form));
  }
}

}  // namespace

void check_paged_values(const Backend& backend) {
  for (const Form& form : forms()) {
    INFO(form.heads << " heads of " << form.dim << " over " << form.kv_heads << ", cache "
                    << dtype_name(form.cache));
    check_form(backend, form);
  }
}

void check_paged_bits(const Backend& backend) {
  for (const std::size_t number : {0, 1, 4, 9, 10}) {
    const Form& form = forms()[number];
    CAPTURE(number);
    constexpr i64 kFirst = 118;
    constexpr i64 kLength = 139;  // across the edge of a part
    // The reference: every row alone, shared out.
    World alone(form, 3, kLength, 1);
    alone.fill(0, 0, kFirst);
    std::vector<std::vector<f32>> expected;
    for (i64 slot = kFirst; slot < kLength; ++slot)
      expected.push_back(alone.run(backend, {causal(0, slot)}, Way{0, 256, true, {}}));
    const auto check = [&](const std::vector<f32>& got, i64 at, i64 slot) {
      CAPTURE(slot);
      REQUIRE(same_bits(row_of(got, at, form), expected[usize(slot - kFirst)]));
    };
    for (const Way& way :
         {Way{0, 0, false, {}}, Way{0, 0, true, {}}, Way{24, 1 << 16, false, {}}}) {
      CAPTURE(way.max_keys, way.lone);
      World once(form, 3, kLength, 9);  // other pages
      once.fill(0, 0, kFirst);
      const std::vector<f32> got = once.run(backend, chain(0, kFirst, kLength), way);
      for (i64 slot = kFirst; slot < kLength; ++slot)
        check(got, slot - kFirst, slot);
      World chunks(form, 3, kLength, 4);
      chunks.fill(0, 0, kFirst);
      chunks.fill(1, 0, 140);
      chunks.fill(2, 0, 30);
      for (i64 slot = kFirst; slot < kLength; slot += 7) {
        const i64 end = std::min(kLength, slot + 7);
        std::vector<Row> rows = chain(0, slot, end);
        rows.insert(rows.begin() + 1, causal(1, 140 + (slot - kFirst) / 7));
        rows.push_back(causal(2, 30 + (slot - kFirst) / 7));
        const std::vector<f32> part = chunks.run(backend, rows, way);
        for (i64 i = slot; i < end; ++i)
          check(part, i == slot ? 0 : i - slot + 1, i);
      }
    }
    // The last row again behind a hole and in a tree: equal logical order, other slots.
    World moved(form, 3, 240, 6);
    moved.fill(0, 0, 240);
    Row last = causal(0, kLength - 1);
    const std::vector<f32> plain = moved.run(backend, {last}, Way{0, 256, false, {}});
    Way listed{0, 256, false, {}};
    for (i32 s = 100; s < kLength; ++s)
      listed.list.push_back(s);
    last.span = {0, 100, 0, kLength - 100, 0, 100};
    CHECK(same_bits(moved.run(backend, {last}, listed), plain));
    listed.max_keys = 0;
    CHECK(same_bits(moved.run(backend, {last}, listed), plain));
  }
  // More parts than are merged at once, all and in a window.
  for (const i32 window : {0, 4170}) {
    const Form form{1, 1, 8, 0, DType::kF32, DType::kF32, window};
    World deep(form, 1, 4240, 8);
    deep.fill(0, 0, 4239);
    const Row row = causal(0, 4239);
    const std::vector<f32> turns = deep.run(backend, {row}, Way{});
    CHECK(error_of(turns, deep.reference(row)) <= tolerance(form));
    CHECK(same_bits(deep.run(backend, {row}, Way{0, 1 << 13, false, {}}), turns));
  }
}

void check_paged_small(const Backend& backend) {
  for (const std::size_t number : {0, 5}) {
    const Form& form = forms()[number];
    World world(form, 2, 150, 2);
    world.fill(0, 0, 130);
    const std::vector<Row> rows = {causal(0, 130), causal(1, 0)};
    const std::vector<f32> got = world.run(backend, rows, Way{3, 256, false, {}});
    for (i64 i = 0; i < 2; ++i)
      CHECK(error_of(row_of(got, i, form), world.reference(rows[usize(i)])) <= tolerance(form));
  }
}

}  // namespace lm::test

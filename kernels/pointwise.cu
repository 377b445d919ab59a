// Elementwise kernels. Layout: rows of T (f32, bf16), ld elements apart. Rows that begin at
// multiples of 16 bytes and hold whole packs are read and written 16 bytes at a time, each thread
// with kUnroll packs of every operand in flight; contiguous operands count as one long row, and a
// number's row is found by multiplication (divide.h). Everything else takes one element per access.
// Each element is computed in f32 from its own inputs by one thread, so order and grid do not
// matter. A little over the size guide: the launchers share the maps of packs.
// H200, test-gpu [figures], bf16: copy 3.86 TB/s, GELU 3.83, its gradient 3.99, add 4.16, gated
// unit 4.20, its gradient 4.15, dropout 3.93, bf16 to f32 2.78.

#include "core/random.h"
#include "divide.h"
#include "functions.h"
#include "held.h"
#include "pointwise.h"
#include "with_fn.h"

namespace lm::cuda {

namespace {

constexpr int kThreads = 256;
constexpr int kUnroll = 2;

// First group of a thread and distance to its next, when a block takes kUnroll * kThreads at a
// time.
LM_DEVICE u32 first_group() {
  return static_cast<u32>(cu::block()) * (kUnroll * kThreads) + static_cast<u32>(cu::thread());
}
LM_DEVICE u32 group_step() {
  return static_cast<u32>(cu::grid_size()) * (kUnroll * kThreads);
}
i64 group_blocks(const GroupMap& map, i64 at_least) {
  return cu::blocks_for(map.count > at_least ? map.count : at_least, kUnroll * kThreads);
}
bool one_row(i64 rows, i64 cols, i64 ld) {
  return ld == cols || rows <= 1;
}

// What a pair of operands is combined by: with(work) calls work(g), g(a, b) the function. kBlocks:
// as many on a multiprocessor as registers allow without spilling.
struct AddScaled {
  static constexpr int kBlocks = 4;
  f32 alpha, beta;
  template <typename Work>
  LM_DEVICE void with(Work work) const {
    work([alpha = alpha, beta = beta](f32 a, f32 b) { return alpha * a + beta * b; });
  }
};
struct Multiply {
  static constexpr int kBlocks = 4;
  f32 alpha;
  template <typename Work>
  LM_DEVICE void with(Work work) const {
    work([alpha = alpha](f32 a, f32 b) { return alpha * (a * b); });
  }
};
template <typename T>
struct Apply {
  static constexpr int kBlocks = 4;
  Unary f;
  f32 p;
  template <typename Work>
  LM_DEVICE void with(Work work) const {
    with_fn(f, [&](auto fn) {
      work([p = p](f32 a, f32) { return apply<T>(decltype(fn)::value, a, p); });
    });
  }
};
template <typename T>
struct ApplyGrad {
  static constexpr int kBlocks = 3;
  Unary f;
  f32 p;
  template <typename Work>
  LM_DEVICE void with(Work work) const {
    with_fn(f, [&](auto fn) {
      work([p = p](f32 a, f32 b) { return b * slope<T>(decltype(fn)::value, a, p); });
    });
  }
};

template <typename T, typename F>
LM_GLOBAL void pair_rows(Pair<T> p, F f) {
  f.with([&](auto g) {
    const i64 n = p.rows * p.cols;
    for (i64 i = cu::index(); i < n; i += cu::stride()) {
      const i64 r = i / p.cols;
      const i64 c = i - r * p.cols;
      const f32 b = p.b == nullptr ? 0.0f : widen(p.b[r * p.b_row + c * p.b_col]);
      p.y[r * p.ldy + c] = narrow<T>(g(widen(p.a[r * p.lda + c]), b));
    }
  });
}

// A single row may end in less than a pack: its last elements are the first threads'.
template <typename T, typename F>
LM_GLOBAL LM_BOUNDS(kThreads, F::kBlocks) void pair_packs(Pair<T> p, GroupMap map, F f) {
  constexpr int kCount = Pack<T>::kCount;
  f.with([&](auto g) {
    for (u32 base = first_group(); base < map.count; base += group_step()) {
      Held<T> a[kUnroll];
      Held<T> b[kUnroll];
      LM_UNROLL
      for (int u = 0; u < kUnroll; ++u) {
        const u32 i = base + static_cast<u32>(u) * kThreads;
        if (i >= map.count) continue;
        const u32 r = map.row(i);
        const i64 c = i64{map.in_row(i, r)} * kCount;
        a[u] = hold(p.a + i64{r} * p.lda + c);
        if (p.b == nullptr) {
          b[u] = Held<T>{};
        } else if (p.b_col == 1) {
          b[u] = hold(p.b + i64{r} * p.b_row + c);
        } else {
          f32 same[kCount];
          LM_UNROLL
          for (int k = 0; k < kCount; ++k)
            same[k] = widen(p.b[i64{r} * p.b_row]);
          b[u] = hold_narrowed<T>(same);
        }
      }
      LM_UNROLL
      for (int u = 0; u < kUnroll; ++u) {
        const u32 i = base + static_cast<u32>(u) * kThreads;
        if (i >= map.count) continue;
        const u32 r = map.row(i);
        f32 y[kCount];
        LM_UNROLL
        for (int k = 0; k < kCount; ++k)
          y[k] = g(a[u].at(k), b[u].at(k));
        put(p.y + i64{r} * p.ldy + i64{map.in_row(i, r)} * kCount, hold_narrowed<T>(y));
      }
    }
    if (p.rows != 1) return;
    for (i64 c = i64{map.count} * kCount + cu::index(); c < p.cols; c += cu::stride()) {
      const f32 b = p.b == nullptr ? 0.0f : widen(p.b[c * p.b_col]);
      p.y[c] = narrow<T>(g(widen(p.a[c]), b));
    }
  });
}

template <typename T, typename F>
void run_pair(const char* name, Pair<T> p, F f, Stream* stream) {
  constexpr i64 kCount = Pack<T>::kCount;
  const i64 n = p.rows * p.cols;
  const bool b_flat = p.b == nullptr || (p.b_row == 0 && p.b_col == 0) ||
                      (p.b_col == 1 && p.b_row == p.cols) || (p.b_col == 1 && p.rows <= 1);
  if (n > 0 && b_flat && one_row(p.rows, p.cols, p.lda) && one_row(p.rows, p.cols, p.ldy)) {
    p.rows = 1;
    p.cols = n;
    p.lda = p.ldy = p.b_row = 0;
  }
  const bool b_packs = p.b == nullptr || p.b_col == 0 || packable(p.b, p.b_row);
  if (small_count(n / kCount) && (p.rows == 1 || p.cols % kCount == 0) && b_packs &&
      packable(p.a, p.lda) && packable(p.y, p.ldy)) {
    const GroupMap map(p.rows, p.cols, kCount);
    cu::launch(name, pair_packs<T, F>, group_blocks(map, n > 0 ? 1 : 0), kThreads, stream, p, map,
               f);
  } else {
    cu::launch(name, pair_rows<T, F>, cu::blocks_for(n, kThreads), kThreads, stream, p, f);
  }
}

template <typename T>
LM_GLOBAL void fill_rows(i64 rows, i64 cols, f32 value, T* y, i64 ldy) {
  for (i64 i = cu::index(); i < rows * cols; i += cu::stride()) {
    const i64 r = i / cols;
    y[r * ldy + (i - r * cols)] = narrow<T>(value);
  }
}

template <typename T>
LM_GLOBAL void fill_packs(GroupMap map, f32 value, T* y, i64 ldy) {
  constexpr int kCount = Pack<T>::kCount;
  Pack<T> pack;
  LM_UNROLL
  for (int k = 0; k < kCount; ++k)
    pack.v[k] = narrow<T>(value);
  for (u32 i = static_cast<u32>(cu::index()); i < map.count; i += static_cast<u32>(cu::stride())) {
    const u32 r = map.row(i);
    store_pack(y + i64{r} * ldy + i64{map.in_row(i, r)} * kCount, pack);
  }
}

template <typename V, typename T>
LM_GLOBAL void broadcast_rows(i64 rows, i64 cols, const V* v, i64 v_row, i64 v_col, f32 scale, T* y,
                              i64 ldy) {
  for (i64 i = cu::index(); i < rows * cols; i += cu::stride()) {
    const i64 r = i / cols;
    const i64 c = i - r * cols;
    y[r * ldy + c] = narrow<T>(scale * widen(v[r * v_row + c * v_col]));
  }
}

template <typename V, typename T>
LM_GLOBAL void broadcast_packs(GroupMap map, const V* v, i64 v_row, i64 v_col, f32 scale, T* y,
                               i64 ldy) {
  constexpr int kCount = Pack<T>::kCount;
  for (u32 i = static_cast<u32>(cu::index()); i < map.count; i += static_cast<u32>(cu::stride())) {
    const u32 r = map.row(i);
    const i64 c = i64{map.in_row(i, r)} * kCount;
    const V* from = v + i64{r} * v_row + c * v_col;
    Pack<T> pack;
    LM_UNROLL
    for (int k = 0; k < kCount; ++k)
      pack.v[k] = narrow<T>(scale * widen(from[k * v_col]));
    store_pack(y + i64{r} * ldy + c, pack);
  }
}

struct alignas(16) Bytes16 {
  u64 v[2];
};

// Strides in units.
template <typename Unit>
LM_GLOBAL LM_BOUNDS(kThreads, 4) void copy_units(GroupMap map, const Unit* x, i64 ldx, Unit* y,
                                                 i64 ldy) {
  for (u32 base = first_group(); base < map.count; base += group_step()) {
    Unit held[kUnroll];
    LM_UNROLL
    for (int u = 0; u < kUnroll; ++u) {
      const u32 i = base + static_cast<u32>(u) * kThreads;
      const u32 r = map.row(i);
      if (i < map.count) held[u] = x[i64{r} * ldx + map.in_row(i, r)];
    }
    LM_UNROLL
    for (int u = 0; u < kUnroll; ++u) {
      const u32 i = base + static_cast<u32>(u) * kThreads;
      const u32 r = map.row(i);
      if (i < map.count) y[i64{r} * ldy + map.in_row(i, r)] = held[u];
    }
  }
}

template <typename From, typename To>
LM_GLOBAL void convert_elements(i64 rows, i64 cols, const From* x, i64 ldx, bool add, To* y,
                                i64 ldy) {
  for (i64 i = cu::index(); i < rows * cols; i += cu::stride()) {
    const i64 r = i / cols;
    const i64 c = i - r * cols;
    To* to = y + r * ldy + c;
    const f32 v = widen(x[r * ldx + c]);
    *to = narrow<To>(add ? widen(*to) + v : v);
  }
}

template <typename From, typename To>
LM_GLOBAL LM_BOUNDS(kThreads, 4) void convert_eights(GroupMap map, const From* x, i64 ldx, bool add,
                                                     To* y, i64 ldy) {
  for (u32 base = first_group(); base < map.count; base += group_step()) {
    Eight v[kUnroll];
    LM_UNROLL
    for (int u = 0; u < kUnroll; ++u) {
      const u32 i = base + static_cast<u32>(u) * kThreads;
      const u32 r = map.row(i);
      if (i < map.count) v[u] = load_eight(x + i64{r} * ldx + i64{map.in_row(i, r)} * 8);
    }
    LM_UNROLL
    for (int u = 0; u < kUnroll; ++u) {
      const u32 i = base + static_cast<u32>(u) * kThreads;
      if (i >= map.count) continue;
      const u32 r = map.row(i);
      To* to = y + i64{r} * ldy + i64{map.in_row(i, r)} * 8;
      if (add) {
        const Eight before = load_eight(to);
        LM_UNROLL
        for (int k = 0; k < 8; ++k)
          v[u].v[k] = before.v[k] + v[u].v[k];
      }
      store_eight(to, v[u]);
    }
  }
}

template <typename T>
LM_GLOBAL void glu_rows(i64 rows, i64 half, Unary f, const T* x, i64 ldx, T* y, i64 ldy) {
  for (i64 i = cu::index(); i < rows * half; i += cu::stride()) {
    const i64 r = i / half;
    const i64 c = i - r * half;
    const T* row = x + r * ldx;
    y[r * ldy + c] = narrow<T>(apply<T>(f, widen(row[c]), 0.0f) * widen(row[half + c]));
  }
}

template <typename T>
LM_GLOBAL LM_BOUNDS(kThreads, 4) void glu_packs(GroupMap map, i64 half, Unary f, const T* x,
                                                i64 ldx, T* y, i64 ldy) {
  constexpr int kCount = Pack<T>::kCount;
  with_fn(f, [&](auto fn) {
    for (u32 base = first_group(); base < map.count; base += group_step()) {
      Held<T> a[kUnroll];
      Held<T> b[kUnroll];
      LM_UNROLL
      for (int u = 0; u < kUnroll; ++u) {
        const u32 i = base + static_cast<u32>(u) * kThreads;
        if (i >= map.count) continue;
        const u32 r = map.row(i);
        const T* from = x + i64{r} * ldx + i64{map.in_row(i, r)} * kCount;
        a[u] = hold(from);
        b[u] = hold(from + half);
      }
      LM_UNROLL
      for (int u = 0; u < kUnroll; ++u) {
        const u32 i = base + static_cast<u32>(u) * kThreads;
        if (i >= map.count) continue;
        const u32 r = map.row(i);
        f32 product[kCount];
        LM_UNROLL
        for (int k = 0; k < kCount; ++k) {
          product[k] = apply<T>(decltype(fn)::value, a[u].at(k), 0.0f) * b[u].at(k);
        }
        put(y + i64{r} * ldy + i64{map.in_row(i, r)} * kCount, hold_narrowed<T>(product));
      }
    }
  });
}

template <typename T>
LM_GLOBAL void glu_grad_rows(i64 rows, i64 half, Unary f, const T* x, i64 ldx, const T* dy,
                             i64 lddy, T* dx, i64 lddx) {
  for (i64 i = cu::index(); i < rows * half; i += cu::stride()) {
    const i64 r = i / half;
    const i64 c = i - r * half;
    const f32 a = widen(x[r * ldx + c]);
    const f32 u = widen(x[r * ldx + half + c]);
    const f32 d = widen(dy[r * lddy + c]);
    dx[r * lddx + c] = narrow<T>(d * u * slope<T>(f, a, 0.0f));
    dx[r * lddx + half + c] = narrow<T>(d * apply<T>(f, a, 0.0f));
  }
}

template <typename T>
LM_GLOBAL LM_BOUNDS(kThreads, 4) void glu_grad_packs(GroupMap map, i64 half, Unary f, const T* x,
                                                     i64 ldx, const T* dy, i64 lddy, T* dx,
                                                     i64 lddx) {
  constexpr int kCount = Pack<T>::kCount;
  with_fn(f, [&](auto fn) {
    constexpr Unary kFn = decltype(fn)::value;
    for (u32 i = static_cast<u32>(cu::index()); i < map.count;
         i += static_cast<u32>(cu::stride())) {
      const u32 r = map.row(i);
      const i64 c = i64{map.in_row(i, r)} * kCount;
      const Held<T> a = hold(x + i64{r} * ldx + c);
      const Held<T> b = hold(x + i64{r} * ldx + half + c);
      const Held<T> d = hold(dy + i64{r} * lddy + c);
      f32 da[kCount];
      f32 db[kCount];
      LM_UNROLL
      for (int k = 0; k < kCount; ++k) {
        const f32 at = a.at(k);
        const f32 up = d.at(k);
        da[k] = up * b.at(k) * slope<T>(kFn, at, 0.0f);
        db[k] = up * apply<T>(kFn, at, 0.0f);
      }
      put(dx + i64{r} * lddx + c, hold_narrowed<T>(da));
      put(dx + i64{r} * lddx + half + c, hold_narrowed<T>(db));
    }
  });
}

// The four words of a group of elements.
LM_DEVICE Philox4 dropout_words(const Dropout& d, u32 group) {
  return philox({d.step, d.micro_step, d.node, group}, {d.key0, d.key1});
}

// One thread makes the four words of a group and uses all of them.
template <typename T>
LM_GLOBAL void dropout_rows(i64 rows, i64 cols, Dropout d, const T* x, i64 ldx, T* y, i64 ldy) {
  const i64 n = rows * cols;
  for (i64 group = cu::index(); 4 * group < n; group += cu::stride()) {
    const Philox4 words = dropout_words(d, static_cast<u32>(group));
    for (i64 i = 4 * group; i < n && i < 4 * group + 4; ++i) {
      const i64 r = i / cols;
      const i64 c = i - r * cols;
      const bool kept = words[static_cast<std::size_t>(i & 3)] >= d.threshold;
      y[r * ldy + c] = narrow<T>(kept ? widen(x[r * ldx + c]) * d.factor : 0.0f);
    }
  }
}

// Rows hold whole packs, so pack i begins at element i * kCount of the row-major order.
template <typename T>
LM_GLOBAL void dropout_packs(GroupMap map, Dropout d, const T* x, i64 ldx, T* y, i64 ldy) {
  constexpr int kCount = Pack<T>::kCount;
  for (u32 i = static_cast<u32>(cu::index()); i < map.count; i += static_cast<u32>(cu::stride())) {
    const u32 r = map.row(i);
    const i64 c = i64{map.in_row(i, r)} * kCount;
    Pack<T> v = load_pack(x + i64{r} * ldx + c);
    LM_UNROLL
    for (int part = 0; part < kCount / 4; ++part) {
      const Philox4 words = dropout_words(d, i * (kCount / 4) + static_cast<u32>(part));
      LM_UNROLL
      for (int k = 0; k < 4; ++k) {
        T& e = v.v[part * 4 + k];
        e = narrow<T>(words[static_cast<std::size_t>(k)] >= d.threshold ? widen(e) * d.factor
                                                                        : 0.0f);
      }
    }
    store_pack(y + i64{r} * ldy + c, v);
  }
}

// Rows of units, strides in units; in pieces that 32-bit numbers hold.
template <typename Unit>
void copy_as(i64 rows, i64 units, const void* x, i64 ldx, void* y, i64 ldy, Stream* stream) {
  const Unit* from = static_cast<const Unit*>(x);
  Unit* to = static_cast<Unit*>(y);
  constexpr i64 kMost = i64{1} << 29;
  const i64 across = units < kMost ? units : kMost;
  const i64 down = across == 0 ? rows : kMost / across;
  for (i64 r = 0; r < rows; r += down) {
    const i64 part = rows - r < down ? rows - r : down;
    for (i64 c = 0; c < units; c += across) {
      const GroupMap map(part, units - c < across ? units - c : across, 1);
      cu::launch("copy_rows", copy_units<Unit>, group_blocks(map, 0), kThreads, stream, map,
                 from + r * ldx + c, ldx, to + r * ldy + c, ldy);
    }
  }
}

// f32 or bf16 rows of whole eights at 16-byte boundaries.
template <typename T>
bool in_eights(const T* p, i64 ld) {
  return cu::aligned16(p) && ld % 8 == 0;
}

template <typename From, typename To>
void convert(const char* name, i64 rows, i64 cols, const From* x, i64 ldx, bool add, To* y, i64 ldy,
             Stream* stream) {
  if (one_row(rows, cols, ldx) && one_row(rows, cols, ldy)) {
    cols *= rows;
    rows = 1;
    ldx = ldy = 0;
  }
  i64 done = 0;  // columns
  if (in_eights(x, ldx) && in_eights(y, ldy) && (rows == 1 || cols % 8 == 0) &&
      small_count(rows * (cols / 8))) {
    done = cols / 8 * 8;
    const GroupMap map(rows, cols, 8);
    cu::launch(name, convert_eights<From, To>, group_blocks(map, 0), kThreads, stream, map, x, ldx,
               add, y, ldy);
  }
  cu::launch(name, convert_elements<From, To>, cu::blocks_for(rows * (cols - done), kThreads),
             kThreads, stream, rows, cols - done, x + done, ldx, add, y + done, ldy);
}

}  // namespace

template <typename T>
void add_scaled(const Pair<T>& p, f32 alpha, f32 beta, Stream* stream) {
  run_pair("add_scaled", p, AddScaled{alpha, beta}, stream);
}
template <typename T>
void multiply(const Pair<T>& p, f32 alpha, Stream* stream) {
  run_pair("multiply", p, Multiply{alpha}, stream);
}
template <typename T>
void unary(const Pair<T>& p, Unary f, f32 param, Stream* stream) {
  run_pair("unary", p, Apply<T>{f, param}, stream);
}
template <typename T>
void unary_grad(const Pair<T>& p, Unary f, f32 param, Stream* stream) {
  run_pair("unary_grad", p, ApplyGrad<T>{f, param}, stream);
}

template <typename T>
void fill(i64 rows, i64 cols, f32 value, T* y, i64 ldy, Stream* stream) {
  constexpr i64 kCount = Pack<T>::kCount;
  if (one_row(rows, cols, ldy)) {
    cols *= rows;
    rows = 1;
    ldy = 0;
  }
  i64 done = 0;
  if (packable(y, ldy) && (rows == 1 || cols % kCount == 0) &&
      small_count(rows * (cols / kCount))) {
    done = cols / kCount * kCount;
    const GroupMap map(rows, cols, kCount);
    cu::launch("fill", fill_packs<T>, cu::blocks_for(map.count, 2 * kThreads), kThreads, stream,
               map, value, y, ldy);
  }
  cu::launch("fill", fill_rows<T>, cu::blocks_for(rows * (cols - done), kThreads), kThreads, stream,
             rows, cols - done, value, y + done, ldy);
}

template <typename V, typename T>
void broadcast(i64 rows, i64 cols, const V* v, i64 v_row, i64 v_col, f32 scale, T* y, i64 ldy,
               Stream* stream) {
  constexpr i64 kCount = Pack<T>::kCount;
  if (packable(y, ldy) && cols % kCount == 0 && small_count(rows * (cols / kCount))) {
    const GroupMap map(rows, cols, kCount);
    cu::launch("broadcast", broadcast_packs<V, T>, cu::blocks_for(map.count, kThreads), kThreads,
               stream, map, v, v_row, v_col, scale, y, ldy);
  } else {
    cu::launch("broadcast", broadcast_rows<V, T>, cu::blocks_for(rows * cols, kThreads), kThreads,
               stream, rows, cols, v, v_row, v_col, scale, y, ldy);
  }
}

void copy_rows(i64 rows, i64 cols, i64 item_bytes, const void* x, i64 ldx, void* y, i64 ldy,
               Stream* stream) {
  i64 bytes = cols * item_bytes;
  ldx *= item_bytes;
  ldy *= item_bytes;
  if (one_row(rows, bytes, ldx) && one_row(rows, bytes, ldy)) {
    bytes *= rows;
    rows = bytes > 0 ? 1 : 0;
    ldx = ldy = 0;
  }
  const auto address = [](const void* p) {
    return static_cast<i64>(reinterpret_cast<std::uintptr_t>(p));
  };
  const i64 aligned = address(x) | address(y) | ldx | ldy;
  if (rows == 1 && aligned % 16 == 0) {
    const i64 whole = bytes / 16 * 16;
    copy_as<Bytes16>(1, whole / 16, x, 0, y, 0, stream);
    copy_as<u8>(1, bytes - whole, static_cast<const u8*>(x) + whole, 0, static_cast<u8*>(y) + whole,
                0, stream);
  } else if ((aligned | bytes) % 16 == 0) {
    copy_as<Bytes16>(rows, bytes / 16, x, ldx / 16, y, ldy / 16, stream);
  } else if ((aligned | bytes) % 4 == 0) {
    copy_as<u32>(rows, bytes / 4, x, ldx / 4, y, ldy / 4, stream);
  } else if ((aligned | bytes) % 2 == 0) {
    copy_as<u16>(rows, bytes / 2, x, ldx / 2, y, ldy / 2, stream);
  } else {
    copy_as<u8>(rows, bytes, x, ldx, y, ldy, stream);
  }
}

template <typename From, typename To>
void convert_rows(i64 rows, i64 cols, const From* x, i64 ldx, bool add, To* y, i64 ldy,
                  Stream* stream) {
  convert("convert_rows", rows, cols, x, ldx, add, y, ldy, stream);
}

template <typename T>
void glu(i64 rows, i64 half, Unary f, const T* x, i64 ldx, T* y, i64 ldy, Stream* stream) {
  constexpr i64 kCount = Pack<T>::kCount;
  if (half % kCount == 0 && packable(x, ldx) && packable(y, ldy) &&
      small_count(rows * (half / kCount))) {
    const GroupMap map(rows, half, kCount);
    cu::launch("glu", glu_packs<T>, group_blocks(map, 0), kThreads, stream, map, half, f, x, ldx, y,
               ldy);
  } else {
    cu::launch("glu", glu_rows<T>, cu::blocks_for(rows * half, kThreads), kThreads, stream, rows,
               half, f, x, ldx, y, ldy);
  }
}

template <typename T>
void glu_grad(i64 rows, i64 half, Unary f, const T* x, i64 ldx, const T* dy, i64 lddy, T* dx,
              i64 lddx, Stream* stream) {
  constexpr i64 kCount = Pack<T>::kCount;
  if (half % kCount == 0 && packable(x, ldx) && packable(dy, lddy) && packable(dx, lddx) &&
      small_count(rows * (half / kCount))) {
    const GroupMap map(rows, half, kCount);
    cu::launch("glu_grad", glu_grad_packs<T>, cu::blocks_for(map.count, kThreads), kThreads, stream,
               map, half, f, x, ldx, dy, lddy, dx, lddx);
  } else {
    cu::launch("glu_grad", glu_grad_rows<T>, cu::blocks_for(rows * half, kThreads), kThreads,
               stream, rows, half, f, x, ldx, dy, lddy, dx, lddx);
  }
}

template <typename T>
void dropout(i64 rows, i64 cols, const Dropout& d, const T* x, i64 ldx, T* y, i64 ldy,
             Stream* stream) {
  constexpr i64 kCount = Pack<T>::kCount;
  if (cols % kCount == 0 && packable(x, ldx) && packable(y, ldy) &&
      small_count(rows * (cols / kCount))) {
    const GroupMap map(rows, cols, kCount);
    cu::launch("dropout", dropout_packs<T>, cu::blocks_for(map.count, kThreads), kThreads, stream,
               map, d, x, ldx, y, ldy);
  } else {
    cu::launch("dropout", dropout_rows<T>, cu::blocks_for(rows * cols, 4 * kThreads), kThreads,
               stream, rows, cols, d, x, ldx, y, ldy);
  }
}

void bf16_to_f32(i64 n, const u16* x, f32* y, Stream* stream) {
  convert("bf16_to_f32", 1, n, reinterpret_cast<const Bf16*>(x), n, false, y, n, stream);
}
void f16_to_f32(i64 n, const u16* x, f32* y, Stream* stream) {
  convert("f16_to_f32", 1, n, reinterpret_cast<const F16*>(x), n, false, y, n, stream);
}
void f32_to_bf16(i64 n, const f32* x, u16* y, Stream* stream) {
  convert("f32_to_bf16", 1, n, x, n, false, reinterpret_cast<Bf16*>(y), n, stream);
}

#define LM_POINTWISE(T)                                                                    \
  template void add_scaled(const Pair<T>&, f32, f32, Stream*);                             \
  template void multiply(const Pair<T>&, f32, Stream*);                                    \
  template void unary(const Pair<T>&, Unary, f32, Stream*);                                \
  template void unary_grad(const Pair<T>&, Unary, f32, Stream*);                           \
  template void fill(i64, i64, f32, T*, i64, Stream*);                                     \
  template void broadcast(i64, i64, const T*, i64, i64, f32, T*, i64, Stream*);            \
  template void glu(i64, i64, Unary, const T*, i64, T*, i64, Stream*);                     \
  template void glu_grad(i64, i64, Unary, const T*, i64, const T*, i64, T*, i64, Stream*); \
  template void dropout(i64, i64, const Dropout&, const T*, i64, T*, i64, Stream*);
LM_POINTWISE(f32)
LM_POINTWISE(Bf16)
#undef LM_POINTWISE
template void broadcast(i64, i64, const f32*, i64, i64, f32, Bf16*, i64, Stream*);
template void convert_rows(i64, i64, const Bf16*, i64, bool, f32*, i64, Stream*);
template void convert_rows(i64, i64, const f32*, i64, bool, Bf16*, i64, Stream*);

}  // namespace lm::cuda

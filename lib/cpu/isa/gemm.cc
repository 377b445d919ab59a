// Blocked product of rows with packed panels, packing, epilogue. Blocking only changes the order in
// which elements are visited, never the order inside an element's sum: between blocks of k the
// accumulators are stored and loaded again unrounded.

#include "cpu/isa/math.h"
#include "cpu/isa/parts.h"
#include "cpu/isa/tile.h"
#include "cpu/isa/transpose.h"

namespace lm::isa::LM_ISA {

namespace {

constexpr i64 kKc = 256;  // depth of a block: a panel chunk of 16 KiB (v3) stays in the first cache

constexpr TileSet<f32> kTiles = make_tiles<f32>();
constexpr TileSet<u16> kTiles16 = make_tiles<u16>();

// v = alpha*acc + bias; aux = v; c = act(v) + residual for one register tile held in `acc`.
template <int A>
void finish(const GemmBlock& g, i64 row, i64 rows, i64 col, i64 cols, const f32* acc, i64 ldacc) {
  const V alpha = splat(g.alpha);
  for (i64 r = 0; r < rows; ++r) {
    const f32* from = acc + r * ldacc;
    f32* c = g.c + (row + r) * g.ldc + col;
    for (i64 j = 0; j < cols; j += kLanes) {
      const i64 w = cols - j;
      V v = load(from + j) * alpha;
      if (g.bias != nullptr) v = v + load_n(g.bias + col + j, w);
      if (g.aux != nullptr) store_n(g.aux + (row + r) * g.ld_aux + col + j, v, w);
      v = act<A>(v);
      if (g.residual != nullptr) {
        v = v + load_n(g.residual + (row + r) * g.ld_residual + col + j, w);
      }
      store_n(c + j, v, w);
    }
  }
}

using FinishFn = void (*)(const GemmBlock&, i64, i64, i64, i64, const f32*, i64);
constexpr FinishFn kFinish[] = {finish<0>, finish<1>, finish<2>, finish<3>, finish<4>, finish<5>};

// Row groups of equal size: 8 rows are better cut 4 + 4 than 6 + 2.
struct Groups {
  i64 count, base, extra;
  explicit Groups(i64 m) : count((m + kMr - 1) / kMr), base(m / count), extra(m % count) {}
  i64 rows(i64 group) const { return base + (group < extra ? 1 : 0); }
};

// Rows of A between k0 and k1 by groups: element (r, kk) of a group at kk*kMr + r. In place, rows a
// multiple of 4 KiB apart share one set of the first cache and evict the panel; packed they do not.
// The transposing form writes kLanes floats per step, the next step overwrites the excess; the last
// excess falls into the slack behind the buffer.
void pack_groups(const GemmBlock& g, const Groups& groups, i64 k0, i64 k1, f32* dst) {
  const i64 depth = k1 - k0;
  i64 row = 0;
  for (i64 group = 0; group < groups.count; ++group, dst += depth * kMr) {
    const i64 rows = groups.rows(group);
    const f32* a = g.a + row * g.ars + k0 * g.acs;
    row += rows;
    i64 kk = 0;
    if (g.acs == 1) {
      for (; kk + kLanes <= depth; kk += kLanes) {
        const f32* from[kLanes];
        for (i64 r = 0; r < kLanes; ++r)
          from[r] = a + (r < rows ? r : 0) * g.ars + kk;
        f32 square[kLanes * kLanes];
        transpose_square(from, square, kLanes);
        for (i64 j = 0; j < kLanes; ++j)
          store(dst + (kk + j) * kMr, load(square + j * kLanes));
      }
    }
    for (; kk < depth; ++kk) {
      for (i64 r = 0; r < rows; ++r)
        dst[kk * kMr + r] = a[kk * g.acs + r * g.ars];
    }
  }
}

// The same from A stored [k, m], in short runs of k: each row of A is another page, and a line read
// for one group serves the next ones while it is still in the first cache.
void pack_groups_transposed(const GemmBlock& g, const Groups& groups, i64 k0, i64 k1, f32* dst) {
  constexpr i64 kRun = 16;
  const i64 depth = k1 - k0;
  for (i64 first = 0; first < depth; first += kRun) {
    const i64 last = first + kRun < depth ? first + kRun : depth;
    i64 row = 0;
    for (i64 group = 0; group < groups.count; ++group) {
      const i64 rows = groups.rows(group);
      const f32* a = g.a + (k0 + first) * g.acs + row;
      f32* to = dst + group * depth * kMr + first * kMr;
      for (i64 kk = first; kk < last; ++kk, a += g.acs, to += kMr) {
        if (rows == kMr) {
          __builtin_memcpy(to, a, kMr * sizeof(f32));
        } else {
          for (i64 r = 0; r < rows; ++r)
            to[r] = a[r];
        }
      }
      row += rows;
    }
  }
}

// One step of the loop nest: `vectors` vectors of columns from panel p, k range [k0, k1), all rows.
template <typename B>
struct Nest {
  const GemmBlock& g;
  const TileSet<B>& tiles;
  Groups groups;
  bool direct;  // no epilogue: whole tiles are accumulated in c itself
  f32* sums;    // partial sums [m][ld_sums] between blocks of k, else one tile
  i64 ld_sums;  // 0: one block of k
  f32* packed;  // rows of the current block of k, or null: read in place
  FinishFn finish;

  void step(i64 p, int vectors, i64 k0, i64 k1) const {
    const i64 col = p * kNr;
    const i64 width = vectors * kLanes;
    const i64 cols = g.n - col < width ? g.n - col : width;
    const B* b = static_cast<const B*>(g.b) + p * g.panel_stride + k0 * kNr;
    i64 row = 0;
    for (i64 group = 0; group < groups.count; ++group) {
      const i64 rows = groups.rows(group);
      // The next panel comes from the shared cache or memory while this one is used.
      const bool ahead = groups.count > 1 && vectors == 2 && col + width < g.n;
      const TileFn<B> run = ahead         ? tiles.ahead[rows]
                            : vectors > 2 ? tiles.wide[rows]
                                          : tiles.narrow[rows];
      const i64 share = kNr * i64{sizeof(B)} / groups.count + 1;  // bytes a step
      const char* next =
          reinterpret_cast<const char*>(b + g.panel_stride) + group * share * (k1 - k0);
      const f32* a =
          packed != nullptr ? packed + group * (k1 - k0) * kMr : g.a + row * g.ars + k0 * g.acs;
      const i64 ars = packed != nullptr ? 1 : g.ars;
      const i64 acs = packed != nullptr ? kMr : g.acs;
      if (direct && cols == width) {
        run(k1 - k0, a, ars, acs, b, kNr, g.panel_stride, g.c + row * g.ldc + col, g.ldc,
            k0 > 0 || g.resume, next, share);
      } else {
        f32* acc = ld_sums > 0 ? sums + row * ld_sums + col : sums;
        const i64 ldacc = ld_sums > 0 ? ld_sums : width;
        run(k1 - k0, a, ars, acs, b, kNr, g.panel_stride, acc, ldacc, k0 > 0, next, share);
        if (k1 == g.k) finish(g, row, rows, col, cols, acc, ldacc);
      }
      row += rows;
    }
  }
};

constexpr i64 kTileFloats = kMr * 8 * kLanes;

i64 panels_of(i64 n) {
  return (n + kNr - 1) / kNr;
}

// Where partial sums are needed, and where packed rows: both depend on the block's shape only.
i64 sum_floats(i64 m, i64 n, i64 k) {
  const i64 block = m * panels_of(n) * kNr;
  return m > kMr && k > kKc && block > kTileFloats ? block : kTileFloats;
}

// Rows that lie a multiple of 4 KiB apart share the sets of the first cache, which holds eight to
// twelve lines in each: a tall group of them read in place throws its own lines out.
bool rows_collide(i64 ars) {
  constexpr i64 kWays = 8;
  return kMr > kWays && ars * i64{sizeof(f32)} % 4096 == 0;
}

template <typename B>
void run_block(const GemmBlock& g, const TileSet<B>& tiles) {
  const i64 panels = panels_of(g.n);
  const Groups groups(g.m);
  // One group of rows uses each panel once: nothing to keep in cache between blocks of k.
  const i64 blocks = groups.count == 1 ? 1 : (g.k + kKc - 1) / kKc;
  const i64 depth = blocks > 0 ? (g.k + blocks - 1) / blocks : 0;
  const bool direct = g.alpha == 1.0f && g.bias == nullptr && g.act == cpu::Act::kNone &&
                      g.residual == nullptr && g.aux == nullptr;
  // Packing costs about half a cycle an element and pays when the rows meet eight panels or more.
  const bool pack = groups.count > 1 && (g.acs != 1 || (rows_collide(g.ars) && panels >= 8));
  f32* packed = pack ? g.scratch + sum_floats(g.m, g.n, g.k) : nullptr;
  const Nest<B> nest{g,         tiles,
                     groups,    direct,
                     g.scratch, blocks > 1 ? panels * kNr : 0,
                     packed,    kFinish[static_cast<int>(g.act)]};
  const int wide = groups.count == 1 ? wide_vectors(static_cast<int>(g.m)) : 2;
  for (i64 block = 0; block < (blocks > 0 ? blocks : 1); ++block) {
    const i64 k0 = block * depth;
    const i64 k1 = k0 + depth < g.k ? k0 + depth : g.k;
    if (pack) (g.acs == 1 ? pack_groups : pack_groups_transposed)(g, groups, k0, k1, packed);
    i64 p = 0;
    for (; p + wide / 2 <= panels; p += wide / 2)
      nest.step(p, wide, k0, k1);
    for (; p < panels; ++p)
      nest.step(p, 2, k0, k1);
  }
}

void gemm_block(const GemmBlock& g) {
  if (g.m <= 0 || g.n <= 0) return;
  if (g.b_bf16) {
    run_block<u16>(g, kTiles16);
  } else {
    run_block<f32>(g, kTiles);
  }
}

void gemm_finish(const GemmBlock& g, const f32* acc, i64 ldacc) {
  kFinish[static_cast<int>(g.act)](g, 0, g.m, 0, g.n, acc, ldacc);
}

i64 gemm_scratch(i64 m, i64 n, i64 k) {
  const i64 depth = k < kKc ? k : kKc;
  return sum_floats(m, n, k) + (m + kMr - 1) / kMr * kMr * depth + kLanes;
}

void pack_nt(i64 n, i64 k, const f32* b, i64 ldb, i64 p0, i64 p1, f32* dst) {
  for (i64 p = p0; p < p1; ++p, dst += k * kNr) {
    const i64 cols = n - p * kNr < kNr ? n - p * kNr : kNr;
    const f32* src = b + p * kNr * ldb;
    i64 kk = 0;
    if (cols == kNr) {
      for (; kk + kLanes <= k; kk += kLanes) {
        const f32* rows[kNr];
        for (i64 j = 0; j < kNr; ++j)
          rows[j] = src + j * ldb + kk;
        transpose_square(rows, dst + kk * kNr, kNr);
        transpose_square(rows + kLanes, dst + kk * kNr + kLanes, kNr);
      }
    }
    for (; kk < k; ++kk) {
      for (i64 j = 0; j < kNr; ++j)
        dst[kk * kNr + j] = j < cols ? src[j * ldb + kk] : 0.0f;
    }
  }
}

// One row of A against rows of B as they are stored, 2 * kLanes of them side by side: squares of B
// are turned in registers, and the sums run over k in the order of the tile.
void one_row_nt(i64 n, i64 k, const f32* a, const f32* b, i64 ldb, f32* c) {
  for (i64 col = 0; col < n; col += kNr) {
    const i64 cols = n - col < kNr ? n - col : kNr;
    const f32* rows[kNr];
    for (i64 j = 0; j < kNr; ++j)
      rows[j] = b + (col + (j < cols ? j : 0)) * ldb;
    // So many rows at once are more than the processor follows by itself.
    const i64 ahead = col + 2 * kNr <= n ? kNr * ldb : 0;
    V low = V{};
    V high = V{};
    i64 kk = 0;
    for (; kk + kLanes <= k; kk += kLanes) {
      if (kk % 16 == 0) {
        for (i64 j = 0; j < kNr; ++j)
          __builtin_prefetch(rows[j] + ahead, 0, 2);
      }
      V square[kLanes];
      transpose_square(rows, square);
      for (i64 j = 0; j < kLanes; ++j)
        low = fma(splat(a[kk + j]), square[j], low);
      transpose_square(rows + kLanes, square);
      for (i64 j = 0; j < kLanes; ++j)
        high = fma(splat(a[kk + j]), square[j], high);
      for (i64 j = 0; j < kNr; ++j)
        rows[j] += kLanes;
    }
    for (; kk < k; ++kk) {
      f32 column[kNr];
      for (i64 j = 0; j < kNr; ++j)
        column[j] = *rows[j]++;
      low = fma(splat(a[kk]), load(column), low);
      high = fma(splat(a[kk]), load(column + kLanes), high);
    }
    store(c + col, low);
    store(c + col + kLanes, high);
  }
}

void pack_nn(i64 n, i64 k, const f32* b, i64 ldb, i64 p0, i64 p1, f32* dst) {
  for (i64 p = p0; p < p1; ++p, dst += k * kNr) {
    const i64 cols = n - p * kNr;
    const f32* src = b + p * kNr;
    for (i64 kk = 0; kk < k; ++kk) {
      if (cols >= kNr) {
        store(dst + kk * kNr, load(src + kk * ldb));
        store(dst + kk * kNr + kLanes, load(src + kk * ldb + kLanes));
      } else {
        for (i64 j = 0; j < kNr; ++j)
          dst[kk * kNr + j] = j < cols ? src[kk * ldb + j] : 0.0f;
      }
    }
  }
}

}  // namespace

void install_gemm(Kernels& table) {
  table.lanes = kLanes;
  table.mr = kMr;
  table.nr = kNr;
  table.gemm_block = gemm_block;
  table.gemm_finish = gemm_finish;
  table.gemm_scratch = gemm_scratch;
  table.one_row_nt = one_row_nt;
  table.pack_nt = pack_nt;
  table.pack_nn = pack_nn;
}

}  // namespace lm::isa::LM_ISA

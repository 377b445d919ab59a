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

// One step of the loop nest: `wide` vectors of columns from panel p, k range [k0, k1), all rows.
template <typename B>
struct Nest {
  const GemmBlock& g;
  const TileSet<B>& tiles;
  bool direct;   // no epilogue: whole tiles are accumulated in c itself
  bool blocked;  // more than one block of k: partial sums live in scratch [m][ld_scratch]
  i64 ld_scratch;
  FinishFn finish;

  void step(i64 p, int vectors, i64 k0, i64 k1) const {
    const i64 col = p * kNr;
    const i64 width = vectors * kLanes;
    const i64 cols = g.n - col < width ? g.n - col : width;
    const B* b = static_cast<const B*>(g.b) + p * g.panel_stride + k0 * kNr;
    const i64 groups = (g.m + kMr - 1) / kMr;
    // Equal groups beat full ones with a rest (8 rows: 4 + 4), but packed rows come in full groups.
    const i64 base = g.m / groups;
    const i64 extra = g.m % groups;
    i64 row = 0;
    for (i64 group = 0; group < groups; ++group) {
      i64 rows = base + (group < extra ? 1 : 0);
      const f32* a = g.a + row * g.ars;
      if (g.a_group != 0) {
        rows = g.m - row < kMr ? g.m - row : kMr;
        a = g.a + group * g.a_group;
      }
      a += k0 * g.acs;
      const TileFn<B> run = vectors > 2 ? tiles.wide[rows] : tiles.narrow[rows];
      if (direct && cols == width) {
        run(k1 - k0, a, g.ars, g.acs, b, kNr, g.panel_stride, g.c + row * g.ldc + col, g.ldc,
            k0 > 0 || g.resume);
      } else {
        f32* acc = blocked ? g.scratch + row * ld_scratch + col : g.scratch;
        const i64 ldacc = blocked ? ld_scratch : width;
        run(k1 - k0, a, g.ars, g.acs, b, kNr, g.panel_stride, acc, ldacc, k0 > 0);
        if (k1 == g.k) finish(g, row, rows, col, cols, acc, ldacc);
      }
      row += rows;
    }
  }
};

template <typename B>
void run_block(const GemmBlock& g, const TileSet<B>& tiles) {
  const i64 panels = (g.n + kNr - 1) / kNr;
  const i64 groups = (g.m + kMr - 1) / kMr;
  const i64 largest = (g.m + groups - 1) / groups;
  // One group of rows uses each panel once: nothing to keep in cache between blocks of k.
  const i64 blocks = groups == 1 ? 1 : (g.k + kKc - 1) / kKc;
  const i64 depth = blocks > 0 ? (g.k + blocks - 1) / blocks : 0;
  const bool direct = g.alpha == 1.0f && g.bias == nullptr && g.act == cpu::Act::kNone &&
                      g.residual == nullptr && g.aux == nullptr;
  const Nest<B> nest{g,     tiles,         direct,
                     blocks > 1, panels * kNr, kFinish[static_cast<int>(g.act)]};
  const int wide = groups == 1 ? wide_vectors(static_cast<int>(largest)) : 2;
  for (i64 block = 0; block < (blocks > 0 ? blocks : 1); ++block) {
    const i64 k0 = block * depth;
    const i64 k1 = k0 + depth < g.k ? k0 + depth : g.k;
    i64 p = 0;
    for (; p + wide / 2 <= panels; p += wide / 2) nest.step(p, wide, k0, k1);
    for (; p < panels; ++p) nest.step(p, 2, k0, k1);
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
  const i64 tile_floats = kMr * 8 * kLanes;
  if (m <= kMr || k <= kKc) return tile_floats;
  const i64 block = m * ((n + kNr - 1) / kNr) * kNr;
  return block > tile_floats ? block : tile_floats;
}

void pack_nt(i64 n, i64 k, const f32* b, i64 ldb, i64 p0, i64 p1, f32* dst) {
  for (i64 p = p0; p < p1; ++p, dst += k * kNr) {
    const i64 cols = n - p * kNr < kNr ? n - p * kNr : kNr;
    const f32* src = b + p * kNr * ldb;
    i64 kk = 0;
    if (cols == kNr) {
      for (; kk + kLanes <= k; kk += kLanes) {
        const f32* rows[kNr];
        for (i64 j = 0; j < kNr; ++j) rows[j] = src + j * ldb + kk;
        transpose_square(rows, dst + kk * kNr, kNr);
        transpose_square(rows + kLanes, dst + kk * kNr + kLanes, kNr);
      }
    }
    for (; kk < k; ++kk) {
      for (i64 j = 0; j < kNr; ++j) dst[kk * kNr + j] = j < cols ? src[j * ldb + kk] : 0.0f;
    }
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
        for (i64 j = 0; j < kNr; ++j) dst[kk * kNr + j] = j < cols ? src[kk * ldb + j] : 0.0f;
      }
    }
  }
}

void pack_rows(i64 m, i64 k, const f32* a, i64 lda, f32* dst) {
  for (i64 i = 0; i < m; i += kMr, dst += k * kMr) {
    const i64 rows = m - i < kMr ? m - i : kMr;
    for (i64 kk = 0; kk < k; ++kk) {
      for (i64 r = 0; r < rows; ++r) dst[kk * kMr + r] = a[kk * lda + i + r];
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
  table.pack_nt = pack_nt;
  table.pack_nn = pack_nn;
  table.pack_rows = pack_rows;
}

}  // namespace lm::isa::LM_ISA

#pragma once
// What the kernels of attention_mma share: the plan (who sees what, by tile), tiles in shared
// memory, their products.
//
// Tiles are [rows, D] bf16, D = 64 or 128, a row's 16-byte chunks permuted by chunk ^ (row % 8):
// eight rows of one chunk, which is what ldmatrix reads at once, then lie in different banks, and
// so do eight chunks of a row. Rows and columns past the matrix are zeros.

#include "attention_mma.h"
#include "mma.h"

namespace lm::cuda::attn {

inline constexpr f32 kLog2e = 1.4426950408889634f;

/// The keys of a row: an from a0, bn from b0.
struct alignas(16) RowKeys {
  i32 a0 = 0, an = 0, b0 = 0, bn = 0;
  LM_DEVICE bool sees(i32 key) const {
    return static_cast<u32>(key - a0) < static_cast<u32>(an) ||
           static_cast<u32>(key - b0) < static_cast<u32>(bn);
  }
};

/// Keys seen by a set of rows: all that any of them sees lie in [a_begin,a_end) or [b_begin,b_end),
/// which are 0, 0 when empty; those of [a_all,a_all_end) and [b_all,b_all_end) are seen by every
/// row.
struct alignas(16) Seen {
  i32 a_begin, a_end, b_begin, b_end;
  i32 a_all, a_all_end, b_all, b_all_end;
  LM_DEVICE bool any(i32 begin, i32 end) const {
    return (begin < a_end && end > a_begin) || (begin < b_end && end > b_begin);
  }
  LM_DEVICE bool all(i32 begin, i32 end) const {
    return (begin >= a_all && end <= a_all_end) || (begin >= b_all && end <= b_all_end);
  }
};

/// Query tiles [first, end) see a key tile, all of them if dense.
struct alignas(16) QueryTiles {
  i32 first = 0, end = 0, dense = 0, unused = 0;
};

/// Who sees what, in device memory. Query tile t holds rows [t tile_rows, ...). *_order: the tiles
/// in the order of work.
struct Plan {
  i64 query_tiles = 0, key_tiles = 0;
  i64 padded_rows = 0;
  RowKeys* rows = nullptr;  // [padded_rows], without keys past the last row
  Seen* seen = nullptr;     // [query_tiles]
  i32* query_order = nullptr;
  QueryTiles* queries = nullptr;  // [key_tiles], for the backward
  i32* key_order = nullptr;
  i32* costs = nullptr;  // [query_tiles + key_tiles]
};
/// A plan's arrays from `space` on, null to measure; *bytes: their size, a multiple of 16.
Plan lay_plan(const AttentionMma& a, i64 tile_rows, i64 tile_keys, bool backward, void* space,
              i64* bytes);
void make_plan(const AttentionMma& a, i64 tile_rows, i64 tile_keys, bool backward, const Plan& plan,
               Fault* fault, Stream* stream);

LM_DEVICE i32 smaller(i32 a, i32 b) {
  return a < b ? a : b;
}
LM_DEVICE i32 larger(i32 a, i32 b) {
  return a > b ? a : b;
}
LM_DEVICE i32 warp_smallest(i32 v) {
  LM_UNROLL
  for (int mask = 16; mask > 0; mask >>= 1)
    v = smaller(v, cu::shfl_xor(v, mask));
  return v;
}
LM_DEVICE i32 warp_largest(i32 v) {
  LM_UNROLL
  for (int mask = 16; mask > 0; mask >>= 1)
    v = larger(v, cu::shfl_xor(v, mask));
  return v;
}

/// Seen of a warp's rows, which the lanes add one by one.
struct SeenSum {
  static constexpr i32 kFar = 0x7fffffff;
  Seen s{kFar, -1, kFar, -1, -1, kFar, -1, kFar};
  LM_DEVICE void add(const RowKeys& r) {
    if (r.an > 0) {
      s.a_begin = smaller(s.a_begin, r.a0);
      s.a_end = larger(s.a_end, r.a0 + r.an);
    }
    if (r.bn > 0) {
      s.b_begin = smaller(s.b_begin, r.b0);
      s.b_end = larger(s.b_end, r.b0 + r.bn);
    }
    s.a_all = larger(s.a_all, r.a0);
    s.a_all_end = smaller(s.a_all_end, r.a0 + r.an);
    s.b_all = larger(s.b_all, r.b0);
    s.b_all_end = smaller(s.b_all_end, r.b0 + r.bn);
  }
  /// The same in every lane.
  LM_DEVICE Seen warp_total() const {
    Seen t;
    t.a_begin = warp_smallest(s.a_begin);
    t.a_end = warp_largest(s.a_end);
    t.b_begin = warp_smallest(s.b_begin);
    t.b_end = warp_largest(s.b_end);
    t.a_all = warp_largest(s.a_all);
    t.a_all_end = warp_smallest(s.a_all_end);
    t.b_all = warp_largest(s.b_all);
    t.b_all_end = warp_smallest(s.b_all_end);
    if (t.a_end <= t.a_begin) t.a_begin = t.a_end = 0;
    if (t.b_end <= t.b_begin) t.b_begin = t.b_end = 0;
    return t;
  }
};
/// Of rows [first, first + Count), those below `rows`. The whole warp calls it.
template <int Count>
LM_DEVICE Seen warp_seen(const RowKeys* row_keys, i64 first, i64 rows) {
  SeenSum sum;
  const i64 row = first + cu::lane() % Count;
  if (row < rows) sum.add(row_keys[row]);
  return sum.warp_total();
}

/// The tiles of Keys keys that cover what is seen: first_key(0 .. count-1), none twice.
template <int Keys>
struct KeyTiles {
  i32 first = 0, count = 0, first_part = 0, gap = 0;
  LM_DEVICE explicit KeyTiles(const Seen& s) {
    const i32 a = s.a_begin / Keys, a_end = (s.a_end + Keys - 1) / Keys;
    const i32 b = s.b_begin / Keys, b_end = (s.b_end + Keys - 1) / Keys;
    if (b_end == 0) {
      first = a;
      count = first_part = a_end - a;
    } else if (a_end == 0) {
      first = b;
      count = first_part = b_end - b;
    } else if (b <= a_end && a <= b_end) {
      first = smaller(a, b);
      count = first_part = larger(a_end, b_end) - first;
    } else {
      first = a;
      first_part = a_end - a;
      count = first_part + b_end - b;
      gap = b - a_end;
    }
  }
  LM_DEVICE i32 first_key(i32 i) const { return (first + i + (i >= first_part ? gap : 0)) * Keys; }
};

/// Rows of a matrix that may be read: n from `begin`, and m from `other`.
struct Readable {
  i32 begin, n, other, m;
  LM_DEVICE bool operator()(i32 row) const {
    return static_cast<u32>(row - begin) < static_cast<u32>(n) ||
           static_cast<u32>(row - other) < static_cast<u32>(m);
  }
};
LM_DEVICE Readable seen_keys(const Seen& s) {
  return {s.a_begin, s.a_end - s.a_begin, s.b_begin, s.b_end - s.b_begin};
}

/// What a warp needs to know of its rows and its block while it goes through the key tiles, in its
/// own kBytes of shared memory: twelve registers less in the loops.
struct View {
  static constexpr int kBytes = 48;
  u32 at;
  LM_DEVICE void put(const Seen& s, const Seen& block) const {
    if (cu::lane() == 0) {
      const i32 v[12] = {s.a_begin,     s.a_end,     s.b_begin,     s.b_end,
                         s.a_all,       s.a_all_end, s.b_all,       s.b_all_end,
                         block.a_begin, block.a_end, block.b_begin, block.b_end};
      LM_UNROLL
      for (u32 i = 0; i < 12; ++i)
        cu::shared_store(at + 4 * i, static_cast<u32>(v[i]));
    }
    cu::sync_warp();
  }
  /// Whether any row of the warp sees a key of [begin, end), and whether all see all.
  LM_DEVICE bool any(i32 begin, i32 end) const {
    const Range r = load(at);
    return (begin < r.a_end && end > r.a) || (begin < r.b_end && end > r.b);
  }
  LM_DEVICE bool all(i32 begin, i32 end) const {
    const Range r = load(at + 16);
    return (begin >= r.a && end <= r.a_end) || (begin >= r.b && end <= r.b_end);
  }
  /// Of the block.
  LM_DEVICE Readable readable() const {
    const Range r = load(at + 32);
    return {r.a, r.a_end - r.a, r.b, r.b_end - r.b};
  }

 private:
  struct Range {
    i32 a, a_end, b, b_end;
  };
  static LM_DEVICE Range load(u32 from) {
    const cu::Words4 v = cu::shared_load16(from);
    return {static_cast<i32>(v.w[0]), static_cast<i32>(v.w[1]), static_cast<i32>(v.w[2]),
            static_cast<i32>(v.w[3])};
  }
};

/// A tile's place within its shared memory.
template <int D>
LM_DEVICE u32 chunk_at(int row, int chunk) {
  return static_cast<u32>(row * 2 * D + ((chunk ^ (row & 7)) << 4));
}
template <int D>
constexpr int tile_bytes(int rows) {
  return 2 * D * rows;
}
/// Addresses that this lane gives to ldmatrix for rows 0 to 15 and columns 0 to 15 of the tile at
/// `at`. as_a: the matrices in the order of an A operand's registers, or, transposed, of two B
/// operands (rows are k); as_b: of two B operands, rows are n. Columns 16 c on: XOR 32 c.
template <int D>
LM_DEVICE u32 as_a(u32 at) {
  return at + chunk_at<D>(cu::lane() & 15, cu::lane() >> 4);
}
template <int D>
LM_DEVICE u32 as_b(u32 at) {
  return at + chunk_at<D>((cu::lane() & 7) + ((cu::lane() >> 4) << 3), (cu::lane() >> 3) & 1);
}

/// Starts the copies of rows [first, first + Rows) of a head's columns, by Threads threads.
template <int D, int Rows, int Threads>
LM_DEVICE void copy_tile(u32 to, const Bf16* from, i64 ld, i32 first, const Readable& readable,
                         int head_dim) {
  constexpr int kChunks = D / 8;
  constexpr int kStep = Threads / kChunks;  // rows a round
  static_assert(kStep % 8 == 0 && Rows % kStep == 0);
  const int chunk = cu::thread() % kChunks;
  const int row = cu::thread() / kChunks;
  const bool column = 8 * chunk < head_dim;
  const Bf16* source = from + (first + row) * ld + 8 * chunk;
  const u32 target = to + chunk_at<D>(row, chunk);
  LM_UNROLL
  for (int r = 0; r < Rows; r += kStep) {
    cu::cp_async_16(target + static_cast<u32>(r * 2 * D), source,
                    column && readable(first + row + r));
    source += kStep * ld;
  }
}

/// A operands: fragments of Tiles x 16 rows by D columns, held in registers, or read at each use.
template <int D, int Tiles>
struct HeldRows {
  u32 a[D / 16][Tiles][4];
  LM_DEVICE void load(u32 lane_at) {
    LM_UNROLL
    for (int k = 0; k < D / 16; ++k) {
      LM_UNROLL
      for (int m = 0; m < Tiles; ++m)
        cu::ldmatrix_x4(a[k][m], (lane_at ^ static_cast<u32>(32 * k)) +
                                     static_cast<u32>(m * tile_bytes<D>(16)));
    }
  }
  LM_DEVICE void get(int k, u32 (&to)[Tiles][4]) const {
    LM_UNROLL
    for (int m = 0; m < Tiles; ++m) {
      LM_UNROLL
      for (int i = 0; i < 4; ++i)
        to[m][i] = a[k][m][i];
    }
  }
};
template <int D, int Tiles>
struct SharedRows {
  u32 lane_at = 0;
  LM_DEVICE void load(u32 at) { lane_at = at; }
  LM_DEVICE void get(int k, u32 (&to)[Tiles][4]) const {
    LM_UNROLL
    for (int m = 0; m < Tiles; ++m)
      cu::ldmatrix_x4(
          to[m], (lane_at ^ static_cast<u32>(32 * k)) + static_cast<u32>(m * tile_bytes<D>(16)));
  }
};

template <int Tiles, int N>
LM_DEVICE void clear(f32 (&c)[Tiles][N][4]) {
  LM_UNROLL
  for (int m = 0; m < Tiles; ++m) {
    LM_UNROLL
    for (int n = 0; n < N; ++n) {
      LM_UNROLL
      for (int i = 0; i < 4; ++i)
        c[m][n][i] = 0;
    }
  }
}

/// c += A B^T: A of Tiles x 16 rows, B a tile of 8 N rows at `b` (as_b), both D wide.
template <int D, int Tiles, int N, typename Rows>
LM_DEVICE void add_transposed(f32 (&c)[Tiles][N][4], const Rows& rows, u32 b) {
  LM_UNROLL
  for (int k = 0; k < D / 16; ++k) {
    u32 a[Tiles][4];
    rows.get(k, a);
    LM_UNROLL
    for (int n = 0; n < N; n += 2) {
      u32 two[4];
      cu::ldmatrix_x4(two, (b ^ static_cast<u32>(32 * k)) + static_cast<u32>(tile_bytes<D>(8 * n)));
      LM_UNROLL
      for (int m = 0; m < Tiles; ++m) {
        cu::mma_m16n8k16_bf16(c[m][n], a[m], two[0], two[1]);
        cu::mma_m16n8k16_bf16(c[m][n + 1], a[m], two[2], two[3]);
      }
    }
  }
}

/// Sums of one product as the A operand of the next: columns 16 k on.
template <int Tiles, int N>
LM_DEVICE void pack_rows(u32 (&a)[N / 2][Tiles][4], const f32 (&c)[Tiles][N][4]) {
  LM_UNROLL
  for (int k = 0; k < N / 2; ++k) {
    LM_UNROLL
    for (int m = 0; m < Tiles; ++m) {
      a[k][m][0] = cu::pack_bf16(c[m][2 * k][0], c[m][2 * k][1]);
      a[k][m][1] = cu::pack_bf16(c[m][2 * k][2], c[m][2 * k][3]);
      a[k][m][2] = cu::pack_bf16(c[m][2 * k + 1][0], c[m][2 * k + 1][1]);
      a[k][m][3] = cu::pack_bf16(c[m][2 * k + 1][2], c[m][2 * k + 1][3]);
    }
  }
}

/// c += A B: A of Tiles x 16 rows by 16 K columns, B a tile of 16 K rows, D wide, at `b` (as_a).
template <int D, int Tiles, int K>
LM_DEVICE void add_product(f32 (&c)[Tiles][D / 8][4], const u32 (&a)[K][Tiles][4], u32 b) {
  LM_UNROLL
  for (int k = 0; k < K; ++k) {
    LM_UNROLL
    for (int n = 0; n < D / 8; n += 2) {
      u32 two[4];
      cu::ldmatrix_x4_trans(
          two, (b ^ static_cast<u32>(16 * n)) + static_cast<u32>(k * tile_bytes<D>(16)));
      LM_UNROLL
      for (int m = 0; m < Tiles; ++m) {
        cu::mma_m16n8k16_bf16(c[m][n], a[k][m], two[0], two[1]);
        cu::mma_m16n8k16_bf16(c[m][n + 1], a[k][m], two[2], two[3]);
      }
    }
  }
}

/// Stores c, rounded, as rows [first, ...) below `rows` of a matrix, in 16-byte pieces put together
/// in this warp's own rows of a tile, at `at`.
template <int D, int Tiles>
LM_DEVICE void store_rows(const f32 (&c)[Tiles][D / 8][4], u32 at, Bf16* to, i64 ld, i64 first,
                          i64 rows, int head_dim) {
  const int g = cu::lane() / 4;
  const int t = cu::lane() % 4;
  cu::sync_warp();
  LM_UNROLL
  for (int m = 0; m < Tiles; ++m) {
    LM_UNROLL
    for (int n = 0; n < D / 8; ++n) {
      const u32 place = at + chunk_at<D>(16 * m + g, n) + static_cast<u32>(4 * t);
      cu::shared_store(place, cu::pack_bf16(c[m][n][0], c[m][n][1]));
      cu::shared_store(place + static_cast<u32>(tile_bytes<D>(8)),
                       cu::pack_bf16(c[m][n][2], c[m][n][3]));
    }
  }
  cu::sync_warp();
  constexpr int kChunks = D / 8;
  const int chunk = cu::lane() % kChunks;
  LM_UNROLL
  for (int i = 0; i < 16 * Tiles; i += 32 / kChunks) {
    const int r = i + cu::lane() / kChunks;
    const cu::Words4 words = cu::shared_load16(at + chunk_at<D>(r, chunk));
    if (first + r < rows && 8 * chunk < head_dim) {
      cu::store16(to + (first + r) * ld + 8 * chunk, words);
    }
  }
}

/// tanh(product scale / cap): the capped score over cap.
LM_DEVICE f32 capped(f32 product, f32 scale_over_cap) {
  // tanh by one exponential: its absolute error, 1e-7, is what matters to a score.
  const f32 e = cu::exp2_approx(2.0f * kLog2e * scale_over_cap * product);
  return 1.0f - 2.0f * cu::reciprocal_approx(e + 1.0f);
}

LM_DEVICE f32 quad_sum(f32 v) {
  v += cu::shfl_xor(v, 1);
  return v + cu::shfl_xor(v, 2);
}
LM_DEVICE f32 quad_max(f32 v) {
  v = fmaxf(v, cu::shfl_xor(v, 1));
  return fmaxf(v, cu::shfl_xor(v, 2));
}

}  // namespace lm::cuda::attn

#pragma once
// Tiles of the attention kernels in shared memory, and their products. Who sees what:
// attention_plan.cuh.
//
// Tiles are [rows, D] bf16, D = 64 or 128, a row's 16-byte chunks permuted by chunk ^ (row % 8):
// eight rows of one chunk, which is what ldmatrix reads at once, then lie in different banks, and
// so do eight chunks of a row. Rows and columns past the matrix are zeros.

#include "attention_plan.cuh"
#include "mma.h"

namespace lm::cuda::attn {

inline constexpr f32 kLog2e = 1.4426950408889634f;

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

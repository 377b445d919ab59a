// Sums. sum_all: block b adds elements [4096 b, 4096 (b+1)) of the row-major order in f64, a second
// kernel of one block adds the partial sums. sum_columns: a block owns 256 rows and 32 columns, or
// 32 packs of columns where rows are whole packs at 16-byte boundaries; its 8 warps take every
// eighth row and are added in order. A second kernel adds the chunks in f64: a warp every eighth
// chunk (of many chunks every 32nd) of 32 columns, then the warps in order. sum_rows: a block per
// row.
// H200, test-gpu [figures], bf16 (a copy: 3.86 TB/s): column sums of 65,536 x 768 2.90 TB/s, x
// 3072 4.01.

#include "block.h"
#include "held.h"
#include "reduce.h"

namespace lm::cuda {

namespace {

constexpr int kThreads = 256;
constexpr i64 kBlockElements = 4096;
constexpr i64 kTileCols = 32;

template <typename T>
LM_GLOBAL void partial_sums(Summed<T> s, f64* partial) {
  const i64 n = s.rows * s.cols;
  const i64 blocks = (n + kBlockElements - 1) / kBlockElements;
  for (i64 b = cu::block(); b < blocks; b += cu::grid_size()) {
    const i64 end = n < (b + 1) * kBlockElements ? n : (b + 1) * kBlockElements;
    f64 sum = 0;
    for (i64 i = b * kBlockElements + cu::thread(); i < end; i += cu::block_size()) {
      const i64 r = i / s.cols;
      const i64 c = i - r * s.cols;
      const f64 x = static_cast<f64>(widen(s.x[r * s.ldx + c]));
      sum += s.y == nullptr ? x : x * static_cast<f64>(widen(s.y[r * s.ldy + c]));
    }
    sum = cu::block_sum(sum);
    if (cu::thread() == 0) partial[b] = sum;
  }
}

// Contiguous operands at 16-byte boundaries.
template <typename T>
LM_GLOBAL void partial_sums_flat(i64 n, const T* x, const T* y, f64* partial) {
  constexpr int kCount = Pack<T>::kCount;
  constexpr int kPacks = static_cast<int>(kBlockElements) / (kCount * kThreads);
  const i64 blocks = (n + kBlockElements - 1) / kBlockElements;
  for (i64 b = cu::block(); b < blocks; b += cu::grid_size()) {
    const i64 base = b * kBlockElements + i64{cu::thread()} * kCount;
    Pack<T> a[kPacks] = {};
    Pack<T> other[kPacks] = {};
    LM_UNROLL
    for (int j = 0; j < kPacks; ++j) {
      const i64 at = base + j * kCount * kThreads;
      if (at + kCount <= n) {
        a[j] = load_pack(x + at);
        if (y != nullptr && y != x) other[j] = load_pack(y + at);
      } else {
        for (int k = 0; k < kCount && at + k < n; ++k) {
          a[j].v[k] = x[at + k];
          if (y != nullptr && y != x) other[j].v[k] = y[at + k];
        }
      }
    }
    f64 sum = 0;
    LM_UNROLL
    for (int j = 0; j < kPacks; ++j) {
      LM_UNROLL
      for (int k = 0; k < kCount; ++k) {
        const f64 v = static_cast<f64>(widen(a[j].v[k]));
        if (y == nullptr) {
          sum += v;
        } else {
          sum += v * (y == x ? v : static_cast<f64>(widen(other[j].v[k])));
        }
      }
    }
    sum = cu::block_sum(sum);
    if (cu::thread() == 0) partial[b] = sum;
  }
}

template <typename O>
LM_GLOBAL void final_sum(i64 blocks, const f64* partial, f32 scale, bool add, O* out) {
  f64 sum = 0;
  for (i64 b = cu::thread(); b < blocks; b += cu::block_size())
    sum += partial[b];
  sum = cu::block_sum(sum) * static_cast<f64>(scale);
  if (cu::thread() == 0) {
    const f64 before = add ? static_cast<f64>(widen(out[0])) : 0.0;
    out[0] = narrow<O>(static_cast<f32>(sum + before));
  }
}

template <typename T, typename O>
LM_GLOBAL void row_sums(Summed<T> s, f32 scale, bool add, O* out) {
  for (i64 r = cu::block(); r < s.rows; r += cu::grid_size()) {
    const T* x = s.x + r * s.ldx;
    const T* y = s.y == nullptr ? nullptr : s.y + r * s.ldy;
    f32 sum = 0;
    for (i64 c = cu::thread(); c < s.cols; c += cu::block_size()) {
      sum += y == nullptr ? widen(x[c]) : widen(x[c]) * widen(y[c]);
    }
    sum = cu::block_sum(sum);
    if (cu::thread() == 0) out[r] = narrow<O>(scale * sum + (add ? widen(out[r]) : 0.0f));
  }
}

template <typename T>
LM_GLOBAL void column_chunks(Summed<T> s, f32* partial) {
  LM_SHARED(f32, part, 256);
  const i64 chunks = (s.rows + kSumChunkRows - 1) / kSumChunkRows;
  const i64 tiles = (s.cols + kTileCols - 1) / kTileCols;
  for (i64 t = cu::block(); t < chunks * tiles; t += cu::grid_size()) {
    const i64 chunk = t / tiles;
    const i64 c = (t - chunk * tiles) * kTileCols + cu::lane();
    const i64 end = s.rows < (chunk + 1) * kSumChunkRows ? s.rows : (chunk + 1) * kSumChunkRows;
    f32 sum = 0;
    if (c < s.cols) {
      for (i64 r = chunk * kSumChunkRows + cu::warp(); r < end; r += 8) {
        const f32 x = widen(s.x[r * s.ldx + c]);
        sum += s.y == nullptr ? x : x * widen(s.y[r * s.ldy + c]);
      }
    }
    part[cu::thread()] = sum;
    cu::sync();
    if (cu::warp() == 0 && c < s.cols) {
      for (int w = 1; w < 8; ++w)
        sum += part[w * 32 + cu::lane()];
      partial[chunk * s.cols + c] = sum;
    }
    cu::sync();
  }
}

// The same additions in the same order, kCount columns a lane, four rows of a warp in flight.
template <typename T>
LM_GLOBAL LM_BOUNDS(kThreads, 4) void column_packs(Summed<T> s, f32* partial) {
  constexpr int kCount = Pack<T>::kCount;
  constexpr int kRows = 4;
  LM_SHARED(f32, part, 8 * kCount * 32);
  const int packs = static_cast<int>(s.cols) / kCount;
  const int tiles = (packs + 31) / 32;
  const i64 chunks = (s.rows + kSumChunkRows - 1) / kSumChunkRows;
  for (i64 t = cu::block(); t < chunks * tiles; t += cu::grid_size()) {
    const i64 chunk = t / tiles;
    const int tile = static_cast<int>(t - chunk * tiles);
    const int p = tile * 32 + cu::lane();
    const i64 end = s.rows < (chunk + 1) * kSumChunkRows ? s.rows : (chunk + 1) * kSumChunkRows;
    f32 sum[kCount] = {};
    if (p < packs) {
      const T* x = s.x + p * kCount;
      const T* y = s.y == nullptr ? nullptr : s.y + p * kCount;
      for (i64 r = chunk * kSumChunkRows + cu::warp(); r < end; r += 8 * kRows) {
        Held<T> a[kRows];
        Held<T> b[kRows];
        LM_UNROLL
        for (int u = 0; u < kRows; ++u) {
          const i64 row = r + 8 * u;
          a[u] = row < end ? hold(x + row * s.ldx) : Held<T>{};
          b[u] = row < end && y != nullptr ? hold(y + row * s.ldy) : Held<T>{};
        }
        LM_UNROLL
        for (int u = 0; u < kRows; ++u) {
          LM_UNROLL
          for (int k = 0; k < kCount; ++k) {
            const f32 v = a[u].at(k);
            sum[k] += y == nullptr ? v : v * b[u].at(k);
          }
        }
      }
    }
    LM_UNROLL
    for (int k = 0; k < kCount; ++k)
      part[(cu::warp() * kCount + k) * 32 + cu::lane()] = sum[k];
    cu::sync();
    if (cu::warp() < kCount && p < packs) {
      f32 total = part[cu::thread()];
      for (int w = 1; w < 8; ++w)
        total += part[w * kCount * 32 + cu::thread()];
      partial[chunk * s.cols + p * kCount + cu::warp()] = total;
    }
    cu::sync();
  }
}

// partial [chunks, width]; columns below cols go to first, the others to second.
template <typename O>
LM_GLOBAL void add_chunks(i64 chunks, i64 width, i64 cols, const f32* partial, f32 scale, O* first,
                          bool add_first, O* second, bool add_second) {
  LM_SHARED(f64, part, 32 * 32);
  constexpr int kAhead = 8;
  const i64 warps = cu::block_size() / 32;
  for (i64 tile = cu::block(); tile * 32 < width; tile += cu::grid_size()) {
    const i64 c = tile * 32 + cu::lane();
    f64 sum = 0;
    if (c < width) {
      for (i64 k = cu::warp(); k < chunks; k += kAhead * warps) {
        f32 v[kAhead];
        LM_UNROLL
        for (int u = 0; u < kAhead; ++u)
          v[u] = k + u * warps < chunks ? partial[(k + u * warps) * width + c] : 0.0f;
        LM_UNROLL
        for (int u = 0; u < kAhead; ++u)
          sum += static_cast<f64>(v[u]);
      }
    }
    part[cu::thread()] = sum;
    cu::sync();
    O* out = c < cols ? first : second;
    if (cu::warp() == 0 && c < width && out != nullptr) {
      for (int w = 1; w < warps; ++w)
        sum += part[w * 32 + cu::lane()];
      O* to = out + (c < cols ? c : c - cols);
      const bool add = c < cols ? add_first : add_second;
      const f64 before = add ? static_cast<f64>(widen(*to)) : 0.0;
      *to = narrow<O>(static_cast<f32>(static_cast<f64>(scale) * sum + before));
    }
    cu::sync();
  }
}

template <typename O>
void launch_chunks(i64 chunks, i64 width, i64 cols, const f32* partial, f32 scale, O* first,
                   bool add_first, O* second, bool add_second, Stream* stream) {
  const int threads = chunks > 64 ? 1024 : 256;
  cu::launch("sum_partials", add_chunks<O>, cu::blocks_for(width, 32), threads, stream, chunks,
             width, cols, partial, scale, first, add_first, second, add_second);
}

i64 sum_blocks(i64 rows, i64 cols) {
  return (rows * cols + kBlockElements - 1) / kBlockElements;
}
i64 chunk_count(i64 rows) {
  return (rows + kSumChunkRows - 1) / kSumChunkRows;
}

}  // namespace

i64 sum_all_space(i64 rows, i64 cols) {
  return 8 * sum_blocks(rows, cols);
}
i64 sum_columns_space(i64 rows, i64 cols) {
  return 4 * chunk_count(rows) * cols;
}

template <typename T, typename O>
void sum_all(const Summed<T>& s, f32 scale, bool add, O* out, void* space, Stream* stream) {
  f64* partial = static_cast<f64*>(space);
  const i64 blocks = sum_blocks(s.rows, s.cols);
  const i64 grid = blocks < cu::kMaxBlocks ? blocks : cu::kMaxBlocks;
  const auto flat = [&s](const T* p, i64 ld) {
    return cu::aligned16(p) && (p == nullptr || ld == s.cols || s.rows <= 1);
  };
  if (flat(s.x, s.ldx) && flat(s.y, s.ldy)) {
    cu::launch("sum_all", partial_sums_flat<T>, grid, kThreads, stream, s.rows * s.cols, s.x, s.y,
               partial);
  } else {
    cu::launch("sum_all", partial_sums<T>, grid, kThreads, stream, s, partial);
  }
  cu::launch("sum_all, second step", final_sum<O>, 1, blocks > 4096 ? 1024 : kThreads, stream,
             blocks, partial, scale, add, out);
}

template <typename T, typename O>
void sum_rows(const Summed<T>& s, f32 scale, bool add, O* out, Stream* stream) {
  cu::launch("sum_rows", row_sums<T, O>, cu::blocks_for(s.rows, 1), cu::row_threads(s.cols), stream,
             s, scale, add, out);
}

template <typename T, typename O>
void sum_columns(const Summed<T>& s, f32 scale, bool add, O* out, void* space, Stream* stream) {
  constexpr i64 kCount = Pack<T>::kCount;
  f32* partial = static_cast<f32*>(space);
  const i64 chunks = chunk_count(s.rows);
  if (s.cols % kCount == 0 && s.cols < (i64{1} << 30) && packable(s.x, s.ldx) &&
      packable(s.y, s.ldy)) {
    const i64 tiles = (s.cols / kCount + 31) / 32;
    cu::launch("sum_columns", column_packs<T>, cu::blocks_for(chunks * tiles, 1), kThreads, stream,
               s, partial);
  } else {
    const i64 tiles = (s.cols + kTileCols - 1) / kTileCols;
    cu::launch("sum_columns", column_chunks<T>, cu::blocks_for(chunks * tiles, 1), kThreads, stream,
               s, partial);
  }
  O* none = nullptr;
  launch_chunks(chunks, s.cols, s.cols, partial, scale, out, add, none, false, stream);
}

void sum_partials(i64 chunks, i64 cols, const f32* partial, f32 scale, PartialSum first,
                  PartialSum second, Stream* stream) {
  launch_chunks(chunks, 2 * cols, cols, partial, scale, first.out, first.add, second.out,
                second.add, stream);
}

#define LM_SUMS(T, O)                                                     \
  template void sum_all(const Summed<T>&, f32, bool, O*, void*, Stream*); \
  template void sum_rows(const Summed<T>&, f32, bool, O*, Stream*);       \
  template void sum_columns(const Summed<T>&, f32, bool, O*, void*, Stream*);
LM_SUMS(f32, f32)
LM_SUMS(Bf16, f32)
LM_SUMS(Bf16, Bf16)
#undef LM_SUMS

}  // namespace lm::cuda

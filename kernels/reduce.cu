// Sums. sum_all: block b adds elements [4096 b, 4096 (b+1)) of the row-major order in f64, a second
// kernel of one block adds the partial sums. sum_columns: a block owns 32 columns and 256 rows, its
// 8 warps take every eighth row, a second kernel adds the chunks in f64. sum_rows: a block per row.

#include "block.h"
#include "element.h"
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

LM_GLOBAL void final_sum(i64 blocks, const f64* partial, f32 scale, bool add, f32* out) {
  f64 sum = 0;
  for (i64 b = cu::thread(); b < blocks; b += cu::block_size())
    sum += partial[b];
  sum = cu::block_sum(sum) * static_cast<f64>(scale);
  if (cu::thread() == 0) out[0] = static_cast<f32>(sum + (add ? static_cast<f64>(out[0]) : 0.0));
}

template <typename T>
LM_GLOBAL void row_sums(Summed<T> s, f32 scale, bool add, f32* out) {
  for (i64 r = cu::block(); r < s.rows; r += cu::grid_size()) {
    const T* x = s.x + r * s.ldx;
    const T* y = s.y == nullptr ? nullptr : s.y + r * s.ldy;
    f32 sum = 0;
    for (i64 c = cu::thread(); c < s.cols; c += cu::block_size()) {
      sum += y == nullptr ? widen(x[c]) : widen(x[c]) * widen(y[c]);
    }
    sum = cu::block_sum(sum);
    if (cu::thread() == 0) out[r] = scale * sum + (add ? out[r] : 0.0f);
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

LM_GLOBAL void add_chunks(i64 chunks, i64 cols, const f32* partial, i64 ld, f32 scale, bool add,
                          f32* out) {
  for (i64 c = cu::index(); c < cols; c += cu::stride()) {
    f64 sum = 0;
    for (i64 k = 0; k < chunks; ++k)
      sum += static_cast<f64>(partial[k * ld + c]);
    out[c] =
        static_cast<f32>(static_cast<f64>(scale) * sum + (add ? static_cast<f64>(out[c]) : 0.0));
  }
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

template <typename T>
void sum_all(const Summed<T>& s, f32 scale, bool add, f32* out, void* space, Stream* stream) {
  f64* partial = static_cast<f64*>(space);
  const i64 blocks = sum_blocks(s.rows, s.cols);
  cu::launch("sum_all", partial_sums<T>, blocks < cu::kMaxBlocks ? blocks : cu::kMaxBlocks,
             kThreads, stream, s, partial);
  cu::launch("sum_all, second step", final_sum, 1, kThreads, stream, blocks, partial, scale, add,
             out);
}

template <typename T>
void sum_rows(const Summed<T>& s, f32 scale, bool add, f32* out, Stream* stream) {
  cu::launch("sum_rows", row_sums<T>, cu::blocks_for(s.rows, 1), cu::row_threads(s.cols), stream, s,
             scale, add, out);
}

template <typename T>
void sum_columns(const Summed<T>& s, f32 scale, bool add, f32* out, void* space, Stream* stream) {
  f32* partial = static_cast<f32*>(space);
  const i64 tiles = (s.cols + kTileCols - 1) / kTileCols;
  cu::launch("sum_columns", column_chunks<T>, cu::blocks_for(chunk_count(s.rows) * tiles, 1),
             kThreads, stream, s, partial);
  sum_partials(chunk_count(s.rows), s.cols, partial, s.cols, scale, add, out, stream);
}

void sum_partials(i64 chunks, i64 cols, const f32* partial, i64 ld, f32 scale, bool add, f32* out,
                  Stream* stream) {
  cu::launch("sum_partials", add_chunks, cu::blocks_for(cols, 64), 64, stream, chunks, cols,
             partial, ld, scale, add, out);
}

#define LM_SUMS(T)                                                          \
  template void sum_all(const Summed<T>&, f32, bool, f32*, void*, Stream*); \
  template void sum_rows(const Summed<T>&, f32, bool, f32*, Stream*);       \
  template void sum_columns(const Summed<T>&, f32, bool, f32*, void*, Stream*);
LM_SUMS(f32)
LM_SUMS(Bf16)
#undef LM_SUMS

}  // namespace lm::cuda

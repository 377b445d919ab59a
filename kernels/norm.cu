// Norms. Shapes [rows, cols] f32, rows placed as NormShape says. A block owns a row; each thread
// takes every block_size-th column and always the same ones, so a row may be rewritten in place
// between passes without a barrier. Parameter gradients: partial sums over 256 rows x 32 columns
// (column_chunks of reduce.cu with xhat made on the way), then chunks in order. f32, fixed trees.

#include "block.h"
#include "norm.h"
#include "reduce.h"

namespace lm::cuda {

namespace {

constexpr i64 kTileCols = 32;

LM_DEVICE i64 place(const NormShape& s, i64 r, i64 ld) {
  const i64 outer = r / s.group;
  return outer * ld + (r - outer * s.group) * s.cols;
}

LM_GLOBAL void norm_rows(NormForward f) {
  const NormShape s = f.shape;
  const f32 count = static_cast<f32>(s.cols);
  for (i64 r = cu::block(); r < s.rows; r += cu::grid_size()) {
    const f32* x = f.x + place(s, r, f.ldx);
    const f32* add = f.add == nullptr ? nullptr : f.add + place(s, r, f.ld_add);
    f32* sum = f.sum == nullptr ? nullptr : f.sum + place(s, r, f.ld_sum);
    f32 total = 0;
    f32 squares = 0;
    for (i64 c = cu::thread(); c < s.cols; c += cu::block_size()) {
      const f32 v = add == nullptr ? x[c] : x[c] + add[c];
      if (sum != nullptr) sum[c] = v;
      total += v;
      squares += v * v;
    }
    // From here on the row is in `sum` if there is one: x or add may be the same memory.
    const f32* from = sum == nullptr ? x : sum;
    const f32* second = sum == nullptr ? add : nullptr;
    f32 mean = 0;
    if (s.layer) {
      mean = cu::block_sum(total) / count;
      squares = 0;
      for (i64 c = cu::thread(); c < s.cols; c += cu::block_size()) {
        const f32 d = (second == nullptr ? from[c] : from[c] + second[c]) - mean;
        squares += d * d;
      }
    }
    const f32 rstd = 1.0f / sqrtf(cu::block_sum(squares) / count + s.eps);
    if (cu::thread() == 0) {
      if (f.mean != nullptr) f.mean[r] = mean;
      if (f.rstd != nullptr) f.rstd[r] = rstd;
    }
    if (f.y == nullptr) continue;
    f32* y = f.y + place(s, r, f.ldy);
    const f32 one = s.plus_one ? 1.0f : 0.0f;
    for (i64 c = cu::thread(); c < s.cols; c += cu::block_size()) {
      const f32 hat = ((second == nullptr ? from[c] : from[c] + second[c]) - mean) * rstd;
      const f32 w = f.weight == nullptr ? 1.0f : f.weight[c] + one;
      y[c] = w * hat + (f.bias == nullptr ? 0.0f : f.bias[c]);
    }
  }
}

LM_GLOBAL void norm_grad_rows(NormBackward b) {
  const NormShape s = b.shape;
  const f32 one = s.plus_one ? 1.0f : 0.0f;
  const f32 count = static_cast<f32>(s.cols);
  for (i64 r = cu::block(); r < s.rows; r += cu::grid_size()) {
    const f32* x = b.x + place(s, r, b.ldx);
    const f32* dy = b.dy + place(s, r, b.lddy);
    const f32 mean = b.mean == nullptr ? 0.0f : b.mean[r];
    const f32 rstd = b.rstd[r];
    f32 along = 0;
    f32 level = 0;
    for (i64 c = cu::thread(); c < s.cols; c += cu::block_size()) {
      const f32 g = dy[c] * (b.weight == nullptr ? 1.0f : b.weight[c] + one);
      along += g * ((x[c] - mean) * rstd);
      level += g;
    }
    along = cu::block_sum(along) / count;
    level = s.layer ? cu::block_sum(level) / count : 0.0f;
    const f32* extra = b.dx_add == nullptr ? nullptr : b.dx_add + place(s, r, b.ld_dx_add);
    f32* dx = b.dx + place(s, r, b.lddx);
    for (i64 c = cu::thread(); c < s.cols; c += cu::block_size()) {
      const f32 g = dy[c] * (b.weight == nullptr ? 1.0f : b.weight[c] + one);
      const f32 hat = (x[c] - mean) * rstd;
      dx[c] = rstd * (g - level - hat * along) + (extra == nullptr ? 0.0f : extra[c]);
    }
  }
}

// partial [chunks, 2 cols]: sums of dy * xhat, then of dy.
LM_GLOBAL void norm_grad_params(NormBackward b, f32* partial) {
  LM_SHARED(f32, weight_part, 256);
  LM_SHARED(f32, bias_part, 256);
  const NormShape s = b.shape;
  const i64 chunks = (s.rows + kSumChunkRows - 1) / kSumChunkRows;
  const i64 tiles = (s.cols + kTileCols - 1) / kTileCols;
  for (i64 t = cu::block(); t < chunks * tiles; t += cu::grid_size()) {
    const i64 chunk = t / tiles;
    const i64 c = (t - chunk * tiles) * kTileCols + cu::lane();
    const i64 end = s.rows < (chunk + 1) * kSumChunkRows ? s.rows : (chunk + 1) * kSumChunkRows;
    f32 weight = 0;
    f32 bias = 0;
    if (c < s.cols) {
      for (i64 r = chunk * kSumChunkRows + cu::warp(); r < end; r += 8) {
        const f32 dy = b.dy[place(s, r, b.lddy) + c];
        const f32 mean = b.mean == nullptr ? 0.0f : b.mean[r];
        weight += dy * ((b.x[place(s, r, b.ldx) + c] - mean) * b.rstd[r]);
        bias += dy;
      }
    }
    weight_part[cu::thread()] = weight;
    bias_part[cu::thread()] = bias;
    cu::sync();
    if (cu::warp() == 0 && c < s.cols) {
      for (int w = 1; w < 8; ++w) {
        weight += weight_part[w * 32 + cu::lane()];
        bias += bias_part[w * 32 + cu::lane()];
      }
      partial[chunk * 2 * s.cols + c] = weight;
      partial[chunk * 2 * s.cols + s.cols + c] = bias;
    }
    cu::sync();
  }
}

i64 chunk_count(i64 rows) {
  return (rows + kSumChunkRows - 1) / kSumChunkRows;
}

}  // namespace

void norm_forward(const NormForward& f, Stream* stream) {
  cu::launch("norm_forward", norm_rows, cu::blocks_for(f.shape.rows, 1),
             cu::row_threads(f.shape.cols), stream, f);
}

i64 norm_backward_space(i64 rows, i64 cols) {
  return 8 * chunk_count(rows) * cols;
}

void norm_backward(const NormBackward& b, void* space, Stream* stream) {
  const NormShape& s = b.shape;
  // Before dx: it may be written over dy.
  if (b.dweight != nullptr || b.dbias != nullptr) {
    f32* partial = static_cast<f32*>(space);
    const i64 tiles = (s.cols + kTileCols - 1) / kTileCols;
    const i64 chunks = chunk_count(s.rows);
    cu::launch("norm_grad_params", norm_grad_params, cu::blocks_for(chunks * tiles, 1), 256, stream,
               b, partial);
    if (b.dweight != nullptr) {
      sum_partials(chunks, s.cols, partial, 2 * s.cols, 1.0f, b.add_weight, b.dweight, stream);
    }
    if (b.dbias != nullptr) {
      sum_partials(chunks, s.cols, partial + s.cols, 2 * s.cols, 1.0f, b.add_bias, b.dbias, stream);
    }
  }
  if (b.dx == nullptr) return;
  cu::launch("norm_backward", norm_grad_rows, cu::blocks_for(s.rows, 1), cu::row_threads(s.cols),
             stream, b);
}

}  // namespace lm::cuda

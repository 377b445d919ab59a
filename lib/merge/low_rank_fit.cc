#include "merge/low_rank_fit.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "merge/vectorised.h"
#include "stat/eigen.h"

namespace lm::merge {

namespace {

constexpr i64 kMore = 8;    // vectors beside the rank asked for
constexpr int kRounds = 6;  // of the iteration
constexpr i64 kColumnBlock = 64;

/// Vectors side by side: [length, width].
struct Block {
  Block(i64 rows, i64 columns) : length(rows), width(columns), values(usize(rows * columns), 0.0) {}
  f64* row(i64 i) { return values.data() + i * width; }
  const f64* row(i64 i) const { return values.data() + i * width; }
  i64 length;
  i64 width;
  std::vector<f64> values;
};

struct Matrix {
  std::span<const f32> values;
  i64 rows;
  i64 cols;
  const f32* row(i64 i) const { return values.data() + i * cols; }
};

void add_scaled(f64 factor, const f64* from, f64* to, i64 count) {
  vectorised([&]() LM_INLINE {
    for (i64 i = 0; i < count; ++i)
      to[i] += factor * from[i];
  });
}

// to = matrix from
void multiply(const Matrix& matrix, const Block& from, Block& to) {
  parallel_for(matrix.rows, 8, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      std::fill_n(to.row(i), to.width, 0.0);
      for (i64 j = 0; j < matrix.cols; ++j)
        add_scaled(static_cast<f64>(matrix.row(i)[j]), from.row(j), to.row(i), to.width);
    }
  });
}

// to = matrix' from
void multiply_transposed(const Matrix& matrix, const Block& from, Block& to) {
  const i64 blocks = (matrix.cols + kColumnBlock - 1) / kColumnBlock;
  parallel_for(blocks, 1, [&](i64 begin, i64 end) {
    for (i64 block = begin; block < end; ++block) {
      const i64 first = block * kColumnBlock;
      const i64 last = std::min(matrix.cols, first + kColumnBlock);
      std::fill(to.row(first), to.row(first) + (last - first) * to.width, 0.0);
      for (i64 i = 0; i < matrix.rows; ++i)
        for (i64 j = first; j < last; ++j)
          add_scaled(static_cast<f64>(matrix.row(i)[j]), from.row(i), to.row(j), to.width);
    }
  });
}

f64 product(const Block& block, i64 a, i64 b) {
  f64 sum = 0;
  for (i64 i = 0; i < block.length; ++i)
    sum += block.row(i)[a] * block.row(i)[b];
  return sum;
}

// Gram and Schmidt, twice; a vector that depends on those before it becomes zero.
void orthonormalise(Block& block) {
  for (i64 v = 0; v < block.width; ++v) {
    const f64 before = std::sqrt(product(block, v, v));
    for (int pass = 0; pass < 2; ++pass) {
      for (i64 u = 0; u < v; ++u) {
        const f64 along = product(block, u, v);
        for (i64 i = 0; i < block.length; ++i)
          block.row(i)[v] -= along * block.row(i)[u];
      }
    }
    const f64 norm = std::sqrt(product(block, v, v));
    const f64 scale = norm > 1e-13 * before && norm > 0 ? 1 / norm : 0;
    for (i64 i = 0; i < block.length; ++i)
      block.row(i)[v] *= scale;
  }
}

f64 squared_norm(const Matrix& matrix) {
  f64 sum = 0;
  for (i64 i = 0; i < matrix.rows; ++i)
    sum += lane_sum(matrix.cols, [&](i64 j) LM_INLINE {
      return static_cast<f64>(matrix.row(i)[j]) * static_cast<f64>(matrix.row(i)[j]);
    });
  return sum;
}

}  // namespace

LowRankFit fit_low_rank(std::span<const f32> values, i64 rows, i64 cols, i64 rank, f64 least,
                        u64 seed) {
  LM_CHECK(isize(values) == rows * cols && rank > 0, "a matrix and a rank");
  const Matrix matrix{values, rows, cols};
  const i64 width = std::min({rank + kMore, rows, cols});
  Block left(rows, width);
  Block right(cols, width);
  const RandomStream random(seed, RandomPurpose::kOther);
  for (i64 i = 0; i < isize(right.values); ++i)
    right.values[usize(i)] = random.normal(static_cast<u64>(i));
  multiply(matrix, right, left);
  orthonormalise(left);
  for (int round = 0; round < kRounds; ++round) {
    multiply_transposed(matrix, left, right);
    orthonormalise(right);
    multiply(matrix, right, left);
    orthonormalise(left);
  }
  // Of the matrix within the span of `left`: singular values and vectors by right' right.
  multiply_transposed(matrix, left, right);
  std::vector<f64> gram(usize(width * width));
  for (i64 u = 0; u < width; ++u)
    for (i64 v = u; v < width; ++v)
      gram[usize(u * width + v)] = gram[usize(v * width + u)] = product(right, u, v);
  stat::SymmetricEigen eigen;
  eigen.compute(gram, width, true);
  LowRankFit fit;
  const f64 all = squared_norm(matrix);
  const f64 largest = std::sqrt(std::max(0.0, eigen.values()[usize(width - 1)]));
  for (i64 k = width - 1; k >= 0 && fit.rank < rank; --k) {
    const f64 singular = std::sqrt(std::max(0.0, eigen.values()[usize(k)]));
    if (singular <= least || singular <= 1e-7 * largest) break;
    fit.singular.push_back(singular);
    fit.kept += all > 0 ? singular * singular / all : 0;
    ++fit.rank;
  }
  fit.b.resize(usize(rows * fit.rank));
  fit.a.resize(usize(fit.rank * cols));
  for (i64 k = 0; k < fit.rank; ++k) {
    const std::span<const f64> vector = eigen.vector(width - 1 - k);
    const f64 root = std::sqrt(fit.singular[usize(k)]);
    const auto mix = [&](const f64* from) {
      f64 sum = 0;
      for (i64 u = 0; u < width; ++u)
        sum += from[u] * vector[usize(u)];
      return sum;
    };
    for (i64 i = 0; i < rows; ++i)
      fit.b[usize(i * fit.rank + k)] = static_cast<f32>(mix(left.row(i)) * root);
    for (i64 j = 0; j < cols; ++j)
      fit.a[usize(k * cols + j)] = static_cast<f32>(mix(right.row(j)) / root);
  }
  return fit;
}

}  // namespace lm::merge

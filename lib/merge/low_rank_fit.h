#pragma once
// The best approximation of a matrix by one of low rank, as factors of a LoRA adapter. Randomised
// subspace iteration (Halko, Martinsson and Tropp 2011, algorithm 4.4) with a Rayleigh-Ritz step at
// the end: exact to rounding where rank + 8 reaches the smaller dimension, else singular values to
// many digits where they fall. Sums have a fixed order: the same bits for any number of threads.

#include <span>
#include <vector>

#include "core/types.h"

namespace lm::merge {

struct LowRankFit {
  i64 rank = 0;
  std::vector<f32> b;         // [rows, rank], times the root of the singular values
  std::vector<f32> a;         // [rank, cols], the same
  std::vector<f64> singular;  // [rank], descending
  f64 kept = 0;               // share of the matrix' squared norm that b a has
};

/// matrix: [rows, cols], finite. rank: at most; singular values of at most `least` are left out,
/// and those that are zero beside the largest. seed: of the start. O(26 rows cols (rank + 8)), in
/// parallel; memory 8 (rows + cols) (rank + 8) bytes.
LowRankFit fit_low_rank(std::span<const f32> matrix, i64 rows, i64 cols, i64 rank, f64 least,
                        u64 seed);

}  // namespace lm::merge

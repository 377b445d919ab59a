#pragma once
// How errors of single calls become the error of the whole, in closed form. k pieces of m units.
// Pure functions. Sources: Chen et al. 2024 (analysis of LLM-based algorithms); Hoeffding 1963.

#include <span>
#include <vector>

#include "core/types.h"

namespace lm::flow {

/// E|x| and sd|x| for x normal with this mean and sd. sd 0: |mean|.
f64 folded_mean(f64 mean, f64 sd);
f64 folded_sd(f64 mean, f64 sd);

/// Counting: the sum of k independent errors of mean mu and variance v.
struct SumError {
  f64 mean = 0;  // k mu
  f64 sd = 0;    // sqrt(k v)
  f64 absolute() const { return folded_mean(mean, sd); }
};
SumError sum_error(i64 k, f64 mu, f64 v);
/// |sum of errors| is at most this.
f64 sum_bound(std::span<const f64> errors);

/// Sorting: lists of the right lengths, each within its maximum error of the truth, merge to one
/// within the largest of them, and its mean error is at most the mean of theirs by length.
f64 merge_max_bound(std::span<const f64> errors);
f64 merge_mean_bound(std::span<const f64> errors, std::span<const i64> lengths);

/// Retrieval without a target: one of k calls answers falsely at rate h.
f64 any_of(f64 h, i64 k);

/// Retrieval with a target that `holding` of k pieces hold whole. Each of them misses it at rate
/// `miss` and then says nothing; each other piece answers falsely at rate h, no two alike. The
/// votes decide, ties of t values have error 1 - 1/t.
f64 retrieval_error(f64 miss, f64 h, i64 holding, i64 k);

/// Several needles and a final call: at most the sum.
f64 union_bound(std::span<const f64> rates);

/// Majority of q samples, each right with probability a and wrong ones all alike: the exact error,
/// ties counting half; and its bound exp(-2 q (a - 1/2)^2) for a > 1/2 (1 elsewhere).
f64 majority_error(f64 a, i64 q);
f64 majority_bound(f64 a, i64 q);

/// Reduction of k leaves by groups of `arity`: calls and levels of it.
struct TreeShape {
  i64 merges = 0;
  i64 depth = 0;
};
TreeShape tree_shape(i64 k, i64 arity);
/// Errors that add up, and errors of which the largest counts, each merge adding its own.
f64 tree_sum_error(i64 k, i64 arity, f64 leaf, f64 merge);
f64 tree_max_error(i64 k, i64 arity, f64 leaf, f64 merge);

/// Pieces of n units, of size m every `stride` units: 1 for m >= n, else 1 + ceil((n - m) /
/// stride).
i64 piece_count(i64 n, i64 m, i64 stride);

}  // namespace lm::flow

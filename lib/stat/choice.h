#pragma once
// Which of several ways is best by its mean over items, and how sure that is: ways are compared
// over the items that all were tried on. And how good a choice was, once the outcome of every way
// is known. Source: Efron and Tibshirani 1993 (paired resampling of items).

#include <span>
#include <string>
#include <vector>

#include "core/types.h"
#include "stat/bootstrap.h"
#include "stat/mean.h"

namespace lm::stat {

struct Way {
  std::string name;
  std::vector<f64> values;  // by item, the same items for all ways; NaN: not tried on this one
  f64 tie_breaker = 0;      // of equal means the least goes first, then the name
};

struct RankedWay {
  i64 way = 0;        // index
  MeanError mean;     // over the common items; infinite if one value is
  i64 tried = 0;      // items it was tried on
  i64 infinite = 0;   // of the common ones those of infinite value
  f64 p_best = 0;     // share of the resamples of items in which its mean is best
  bool tied = false;  // its mean paired difference from the first is within two standard errors, or
                      // of fewer than two items; never of an infinite mean
};

/// The items that every way was tried on, but for ways that were tried on none. Ascending.
std::vector<i64> common_items(std::span<const Way> ways);

/// Best first, over the common items: the least mean, or the largest with `highest`. Then ways of
/// an infinite mean, those of fewer infinite values first; ways that were tried on nothing come
/// last, with a NaN mean, as do all where nothing is common. All ways have equally many values.
/// O(draws ways items).
std::vector<RankedWay> rank_ways(std::span<const Way> ways, bool highest,
                                 const BootstrapOptions& options);

/// A choice of one of several ways by a score, beside the outcome of each, the larger the better.
struct Foresight {
  f64 spearman = 0;  // 1 if scores and outcomes order the ways alike; NaN for a constant side
  i64 chosen = 0;    // index of the best score, the first of equal ones
  f64 outcome = 0;   // of the chosen way
  f64 best = 0;      // of the best way
  f64 mean = 0;      // over the ways: what a blind choice gets
  f64 spread = 0;    // sample standard deviation of the outcomes; NaN of one
};

/// At least one way; scores may be infinite, never NaN; outcomes are finite. With `highest` the
/// larger score is the better one. O(n log n).
Foresight foresight(std::span<const f64> scores, std::span<const f64> outcomes, bool highest);

}  // namespace lm::stat

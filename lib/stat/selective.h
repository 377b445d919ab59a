#pragma once
// How well an uncertainty tells wrong answers from right ones, and what is gained by not answering.
// Items: uncertainty (as a Ranking: small is certain), wrong (1 or 0) or quality in [0,1]. Equal
// uncertainties are one threshold, and inside them the group's mean stands for every order. NaN
// where undefined (one class, constant quality). O(n). Pure functions.

#include <span>
#include <vector>

#include "core/types.h"
#include "stat/rank.h"

namespace lm::stat {

/// P(a wrong item is more uncertain than a right one), ties count one half (Mann-Whitney).
f64 auroc(const Ranking& uncertainty, std::span<const u8> wrong, Counts counts = {});

/// Average precision, sum of precision x step of recall, for finding the wrong items by large
/// uncertainty, or the right ones by small.
f64 average_precision_wrong(const Ranking& uncertainty, std::span<const u8> wrong,
                            Counts counts = {});
f64 average_precision_right(const Ranking& uncertainty, std::span<const u8> wrong,
                            Counts counts = {});

/// Mean over j of the mean quality of the j most certain of n items, for n - floor(reject n) < j
/// <= n: all of them for reject = 1. NaN for no items or if reject leaves no j.
f64 quality_area(const Ranking& uncertainty, std::span<const f64> quality, Counts counts = {},
                 f64 reject = 1);
/// Prediction rejection ratio: (area(u) - mean) / (area(oracle) - mean). best: the ranking of
/// -quality. reject = 0.5 is prr@.5. Source: Malinin and Gales 2021, with tie means.
f64 rejection_ratio(const Ranking& uncertainty, const Ranking& best, std::span<const f64> quality,
                    Counts counts = {}, f64 reject = 1);
/// Mean over coverages of the selective risk, 1 - quality (AURC, also called RCC); and what of it
/// a perfect order would not have (E-AURC, Geifman et al. 2019).
f64 risk_area(const Ranking& uncertainty, std::span<const f64> quality, Counts counts = {});
f64 excess_risk_area(const Ranking& uncertainty, const Ranking& best, std::span<const f64> quality,
                     Counts counts = {});

/// Mean quality of the most certain share of items, for each coverage in (0, 1]: the first
/// ceil(coverage n), tie groups by their mean. out: one value per coverage; coverages ascend.
void quality_at(const Ranking& uncertainty, std::span<const f64> quality,
                std::span<const f64> coverages, std::span<f64> out, Counts counts = {});

}  // namespace lm::stat

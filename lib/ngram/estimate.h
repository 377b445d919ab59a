#pragma once
// Interpolated modified Kneser-Ney estimation (Chen and Goodman 1998; Heafield et al. 2013).
//
// Words w, contexts h, h- = h without its first word, N = order.
//   a(g)   adjusted count: of order N, or if g starts with <s>, the raw count; else the number of
//          distinct v with v g observed. a(<unk>) = a(<s>) = 0.
//   D_k    = k - (k + 1) Y t_{k+1} / t_k, k = 1, 2, 3, Y = t_1 / (t_1 + 2 t_2), per order, where
//   t_k
//          counts the n-grams with a = k, pruned ones included; D(a) = D_min(a,3), D(0) = 0.
//   S(h)   = sum over w of a(hw), pruned ones included
//   u(w|h) = (a(hw) - D(a(hw))) / S(h)
//   g(h)   = (D_1 N_1(h) + D_2 N_2(h) + D_3 N_3+(h) + sum of a(hw) over pruned hw) / S(h)
//   p(w|h) = u(w|h) + g(h) p(w|h-);  p(w) = u(w) + g() / |V'|;  p(<unk>) = g() / |V'|
// V' is the kept vocabulary without <s>. The back-off of a kept h is g(h), or 1 if h is no context.
// With compat_kenlm two defects of lmplz are reproduced: the counts of D-27, and |V'| includes
// words that the vocabulary limit removed (so the kept words sum to less than one).

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/context.h"
#include "ngram/count.h"
#include "ngram/sink.h"
#include "ngram/trie.h"

namespace lm::ngram {

using Discounts = std::array<f64, 4>;  // [k] = D_k, [0] = 0

struct EstimateOptions {
  int order = 5;
  /// An n-gram goes when its raw count is at most its order's threshold. Non-decreasing; the last
  /// value serves the remaining orders; empty = nothing is pruned.
  std::vector<i64> prune;
  /// D_1, D_2, D_3+ for orders whose closed form fails; without it such an order is Error{kData}.
  std::optional<std::array<f64, 3>> discount_fallback;
  bool interpolate_unigrams = true;  // false: p(<unk>) = g(), p(w) = u(w), as SRILM does
  bool compat_kenlm = false;
  /// Only these words stay; n-grams with any other are pruned. Unset = all words stay.
  std::optional<std::vector<std::string>> vocab_limit;
};

struct EstimateReport {
  std::vector<LevelStats> stats;     // per order
  std::vector<Discounts> discounts;  // per order
  std::vector<int> fallback_orders;  // orders that took the fallback
  i64 spilled_bytes = 0;
};

/// Throws Error{kUsage} for thresholds that fall, more thresholds than orders, negative ones, or a
/// fallback discount outside [0, k].
void check_options(const EstimateOptions& options);

/// The closed form above. Throws Error{kData} with a hint when some t_1..t_3 is 0 or a D_k leaves
/// [0, k]; `order` is for the message.
Discounts closed_form_discounts(const LevelStats& stats, int order);

/// Estimates from finished counting and writes the model to sink. counter.finish() is called here.
/// Memory: about 16 bytes per n-gram, spilled beyond the budget. O(total n-grams).
EstimateReport estimate(const Context& ctx, const EstimateOptions& options, NgramCounter& counter,
                        ModelSink& sink);

}  // namespace lm::ngram

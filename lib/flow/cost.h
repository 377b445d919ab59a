#pragma once
// What a call costs, as a function of the tokens it reads and writes, and what that says about the
// size of pieces. Costs are seconds or money; the curve is the same. Pure functions.

#include <array>
#include <optional>
#include <span>

#include "core/types.h"

namespace lm::flow {

/// Tokens of a call: the prompt's, and those of all its replies.
struct CallTokens {
  i64 prefill = 0;
  i64 decode = 0;
  bool operator==(const CallTokens&) const = default;
};

/// c(L_in, L_out) = a0 + a1 L_in + a2 L_in^2 + b1 L_out + b2 L_in L_out.
struct CostModel {
  f64 a0 = 0;
  f64 a1 = 0;
  f64 a2 = 0;
  f64 b1 = 0;
  f64 b2 = 0;

  /// Prices of a token of each kind.
  static CostModel prices(f64 prefill, f64 decode) { return {0, prefill, 0, decode, 0}; }
  f64 of(f64 prefill, f64 decode) const {
    return a0 + a1 * prefill + a2 * prefill * prefill + b1 * decode + b2 * prefill * decode;
  }
  f64 of(const CallTokens& call) const {
    return of(static_cast<f64>(call.prefill), static_cast<f64>(call.decode));
  }
};

struct CostSample {
  CallTokens tokens;
  f64 cost = 0;    // at least 0
  f64 weight = 1;  // of its squared error
};

/// The coefficients of least weighted squared error among those that are not negative: all 2^5
/// sets of terms are solved, so that the minimum is exact. Of equal errors the set of fewer terms
/// counts: what calls do not tell apart (answers of one length) stays in the simplest term. No
/// samples: all zero. O(n).
CostModel fit_cost(std::span<const CostSample> samples);

/// Calls that cut n units into pieces of m, with a prompt of system + per_unit m tokens and an
/// answer of fixed length: total cost per unit of input, apart from what does not depend on m, is
/// K / m + a2 per_unit^2 m with K = a0 + a1 system + a2 system^2 + b1 answer + b2 system answer.
/// The m of the minimum; nothing where cost only falls with m (a2 = 0).
std::optional<f64> cheapest_piece(const CostModel& cost, f64 system, f64 per_unit, f64 answer);

}  // namespace lm::flow

#pragma once
// The decimal numerals of the numbers in an interval, perhaps multiples of something: exact, as an
// automaton that reads digits and knows whether it still stands on a bound and what remains modulo
// the divisor.

#include <optional>
#include <string>
#include <vector>

#include "grammar/expr.h"
#include "io/json_node.h"

namespace lm::grammar {

/// A finite decimal: sign, digits before the point without leading zeros ("0" if none), digits
/// behind it without trailing zeros.
struct Decimal {
  bool negative = false;
  std::string whole = "0";
  std::string fraction;
  bool zero() const { return whole == "0" && fraction.empty(); }
};
Decimal decimal(const io::Json& number);
/// Less than, equal to or greater than zero as a is to b.
int compare(const Decimal& a, const Decimal& b);

struct NumberSet {
  std::optional<Decimal> low, high;
  bool low_open = false;  // the bound itself is not in the set
  bool high_open = false;
  bool whole = false;                  // no fraction
  bool broken = false;                 // a fraction that is not zero
  std::vector<Decimal> multiples;      // of each of these
  std::vector<Decimal> not_multiples;  // of none of these, which are whole; with `whole` only
  void at_least(const Decimal& bound, bool open);
  void at_most(const Decimal& bound, bool open);
};

/// Digits before and behind the point where no bound has more.
inline constexpr i64 kMostDigits = 16;

/// Numerals without leading zeros, "-0" or exponent; of the set of all numbers also those with an
/// exponent of at most two digits. Refuses divisors whose automaton would be too large.
Expr numerals(ExprTable& table, const NumberSet& set);

}  // namespace lm::grammar

#pragma once
// Answers that can be computed, with errors of known distribution: what a flow is tested with
// where a model would be. Pure functions.
// n is the length of the input in characters; c(n) = rate + rate_per_char * n^rate_power, and
// p(n) is c(n) cut to [0, 1]. u(k) are independent uniforms of (seed, id, sample): the k-th one
// decides about the k-th thing.

#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "core/result.h"

namespace lm::answer {

struct Noise {
  enum class Kind : u8 {
    kNone,
    /// count_digits: the k-th character, if a digit, is missed if u(k) < p(n), if none, counted if
    /// u(k) < false_rate. Of d digits: mean d (1 - p) + (n - d) f, variance d p (1 - p) +
    /// (n - d) f (1 - f).
    kBinomialMiss,
    /// sort_numbers, echo: the k-th number or character is left out if u(k) < p(n).
    kDrop,
    /// sort_numbers: of the sorted ones the pair (2k, 2k + 1) is swapped if u(k) < p(n).
    kSwap,
    /// sort_numbers: of the sorted ones the k-th, as whole multiples of 10^-decimals, is moved by
    /// one of -w..w of them, all alike, w = c(n) 10^decimals, rounded.
    kJitter,
    /// find_needle: one that is there is missed if u(0) < p(n); one that is not there is invented
    /// if u(0) < false_rate: `digits` digits, all alike.
    kNeedle,
    /// All: the reply is `wrong` instead if u(0) < p(n).
    kWrong,
  };
  Kind kind = Kind::kNone;
  f64 rate = 0;
  f64 rate_per_char = 0;
  f64 rate_power = 1;
  f64 false_rate = 0;
  i64 decimals = 2;
  i64 digits = 6;
  std::string wrong;

  f64 curve(i64 chars) const;
  f64 chance(i64 chars) const;
};

struct Oracle {
  enum class Kind : u8 {
    kCountDigits,  // how many ASCII digits the input has
    kSortNumbers,  // its decimal numbers, ascending, as they are spelt
    kFindNeedle,   // the first run of digits behind the needle's first place
    kEcho,         // the input
    kJsonPath,     // the value at a path of the input, which is JSON; a text without its quotes
  };
  Kind kind = Kind::kEcho;
  Noise noise;
  std::string separator = ", ";  // of kSortNumbers
  std::string absent = "none";   // of kFindNeedle, where there is no such place or no digits
  std::string path;              // of kJsonPath: names and indices joined by dots
  std::string prefix, suffix;    // around every reply
};
/// Whether a kind of noise is for a kind of oracle.
bool fits(Oracle::Kind oracle, Noise::Kind noise);

/// The draws of a sample.
RandomStream oracle_draws(u64 seed, std::string_view id, i64 sample);

/// Fault "script": kJsonPath leads nowhere, or the input is no JSON.
Result<std::string> oracle_reply(const Oracle& oracle, std::string_view input,
                                 std::string_view needle, const RandomStream& draws);

/// Decimal numbers in a text as they are spelt: digits, perhaps a point and digits, perhaps a minus
/// with no letter or digit before it.
std::vector<std::string_view> numbers_in(std::string_view text);

}  // namespace lm::answer

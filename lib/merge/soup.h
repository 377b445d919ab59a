#pragma once
// Which of several candidates are averaged, judged by a score on held-out data: all of them, the
// best one, or those that do not make the mean worse, from the best on.
//
// Source: M. Wortsman et al., Model soups, 2022, recipe 1.

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::merge {

enum class SoupMode : u8 { kGreedy, kUniform, kMax };

struct SoupRule {
  SoupMode mode = SoupMode::kGreedy;
  bool minimize = false;  // lower scores are better
  bool strict = false;    // a mean that scores the same does not take the candidate in
};

/// A trial: the members so far and one candidate.
struct SoupStep {
  i64 candidate = 0;
  f64 score = 0;
  f64 best = 0;  // of the members before
  bool accepted = false;
};

struct Soup {
  std::vector<f64> scores;      // of the candidates; empty for kUniform
  std::vector<i64> members;     // in the order in which they were taken in
  std::vector<SoupStep> steps;  // of kGreedy
  std::optional<f64> score;     // of the members' mean; none for kUniform
};

/// The score of the mean of these candidates; a single one is scored as it is. Not NaN.
using SoupScore = std::function<f64(std::span<const i64> members)>;

/// Candidates are tried from the best score on, equal ones in their order. kGreedy and kMax score
/// each candidate once, kGreedy then candidates - 1 means; kUniform scores nothing. The greedy
/// result scores no worse than the best candidate. Throws what score throws.
Soup make_soup(i64 candidates, const SoupRule& rule, const SoupScore& score);

/// The words of --mode.
std::optional<SoupMode> parse_soup_mode(std::string_view text);

}  // namespace lm::merge

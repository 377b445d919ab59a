#pragma once
// Which of several fine-tunes are averaged, by a score on held-out data: all of them, the
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
  i64 rounds = 1;         // passes over those that were left out, until one takes nobody in
  bool weighted = false;  // a candidate's share is the best of 0.1, 0.2, ..., 1, not that of a mean
  bool leave_one_out = false;
};

/// A trial: the members so far and one candidate.
struct SoupStep {
  i64 candidate = 0;
  f64 score = 0;  // the best, where shares were searched
  f64 best = 0;   // of the members before
  bool accepted = false;
  f64 share = 0;  // of the candidate in that mean
  i64 round = 0;  // from 1 on
};

struct Soup {
  std::vector<f64> scores;          // of the candidates; empty for kUniform
  std::vector<i64> members;         // in the order in which they were taken in
  std::vector<f64> weights;         // of the members; equal ones unless the rule is weighted
  std::vector<SoupStep> steps;      // of kGreedy
  std::optional<f64> score;         // of the members' mean; none for kUniform
  std::vector<f64> without_member;  // of the mean of the others, by member; if asked for
};

/// The score of the weighted mean of these candidates; a single one is scored as it is. Not NaN.
using SoupScore = std::function<f64(std::span<const i64> members, std::span<const f64> weights)>;

/// Candidates are tried from the best score on, equal ones in their order. kGreedy and kMax score
/// each candidate once, kGreedy then candidates - 1 means a round (ten times as many when
/// weighted), leave_one_out as many more as there are members, if there are two; kUniform scores
/// nothing else. The greedy result scores no worse than the best candidate. A member whose weight
/// becomes 0 is one no more. Throws what score throws.
Soup make_soup(i64 candidates, const SoupRule& rule, const SoupScore& score);

/// The words of --mode.
std::optional<SoupMode> parse_soup_mode(std::string_view text);

}  // namespace lm::merge

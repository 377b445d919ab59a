#include "merge/soup.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace lm::merge {

Soup make_soup(i64 candidates, const SoupRule& rule, const SoupScore& score) {
  LM_CHECK(candidates > 0, "a soup has candidates");
  Soup soup;
  std::vector<i64> order(usize(candidates));
  std::iota(order.begin(), order.end(), i64{0});
  if (rule.mode == SoupMode::kUniform) {
    soup.members = std::move(order);
    return soup;
  }
  for (const i64 one : order)
    soup.scores.push_back(score(std::span(&one, 1)));
  const auto better = [&](f64 a, f64 b) { return rule.minimize ? a < b : a > b; };
  std::stable_sort(order.begin(), order.end(), [&](i64 a, i64 b) {
    return better(soup.scores[usize(a)], soup.scores[usize(b)]);
  });
  soup.members = {order[0]};
  soup.score = soup.scores[usize(order[0])];
  if (rule.mode == SoupMode::kMax) return soup;
  for (const i64 candidate : std::span(order).subspan(1)) {
    soup.members.push_back(candidate);
    SoupStep step{candidate, score(soup.members), *soup.score, false};
    step.accepted = better(step.score, step.best) || (!rule.strict && step.score == step.best);
    if (step.accepted) {
      soup.score = step.score;
    } else {
      soup.members.pop_back();
    }
    soup.steps.push_back(step);
  }
  return soup;
}

std::optional<SoupMode> parse_soup_mode(std::string_view text) {
  if (text == "greedy") return SoupMode::kGreedy;
  if (text == "uniform") return SoupMode::kUniform;
  if (text == "max") return SoupMode::kMax;
  return std::nullopt;
}

}  // namespace lm::merge

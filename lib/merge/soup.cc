#include "merge/soup.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace lm::merge {

namespace {

constexpr i64 kShares = 10;  // tenths

class SoupMaker {
 public:
  SoupMaker(i64 candidates, const SoupRule& rule, const SoupScore& score)
      : candidates_(candidates), rule_(rule), score_(score) {}
  Soup make();

 private:
  struct Mix {
    std::vector<i64> members;
    std::vector<f64> weights;
  };
  bool better(f64 a, f64 b) const { return rule_.minimize ? a < b : a > b; }
  std::vector<i64> by_score();
  Mix with(i64 candidate, f64 share) const;
  SoupStep try_candidate(i64 candidate, i64 round);
  std::vector<i64> pass(const std::vector<i64>& order, i64 round);
  void leave_out();

  i64 candidates_;
  const SoupRule& rule_;
  const SoupScore& score_;
  Soup soup_;
};

// The candidates from the best score on.
std::vector<i64> SoupMaker::by_score() {
  std::vector<i64> order(usize(candidates_));
  std::iota(order.begin(), order.end(), i64{0});
  const f64 whole = 1;
  for (const i64 one : order)
    soup_.scores.push_back(score_(std::span(&one, 1), std::span(&whole, 1)));
  std::stable_sort(order.begin(), order.end(), [&](i64 a, i64 b) {
    return better(soup_.scores[usize(a)], soup_.scores[usize(b)]);
  });
  return order;
}

// share 0: all have the same.
SoupMaker::Mix SoupMaker::with(i64 candidate, f64 share) const {
  Mix mix{soup_.members, soup_.weights};
  if (share > 0) {
    for (f64& weight : mix.weights)
      weight *= 1 - share;
  }
  mix.members.push_back(candidate);
  mix.weights.push_back(share > 0 ? share : 1);
  // All of the mean is the candidate: no product of zeros.
  if (share == 1) return {{candidate}, {1}};
  return mix;
}

SoupStep SoupMaker::try_candidate(i64 candidate, i64 round) {
  SoupStep step{candidate, 0, *soup_.score, false, 0, round};
  Mix best;
  for (i64 tenth = rule_.weighted ? 1 : kShares; tenth <= kShares; ++tenth) {
    const f64 share = rule_.weighted ? static_cast<f64>(tenth) / static_cast<f64>(kShares) : 0;
    Mix mix = with(candidate, share);
    const f64 score = score_(mix.members, mix.weights);
    if (!best.members.empty() && !better(score, step.score)) continue;
    step.score = score;
    step.share = mix.weights.back() / std::accumulate(mix.weights.begin(), mix.weights.end(), 0.0);
    best = std::move(mix);
  }
  step.accepted = better(step.score, step.best) || (!rule_.strict && step.score == step.best);
  if (step.accepted) {
    soup_.score = step.score;
    soup_.members = std::move(best.members);
    soup_.weights = std::move(best.weights);
  }
  return step;
}

// Returns those that were left out.
std::vector<i64> SoupMaker::pass(const std::vector<i64>& order, i64 round) {
  std::vector<i64> left;
  for (const i64 candidate : order) {
    soup_.steps.push_back(try_candidate(candidate, round));
    if (!soup_.steps.back().accepted) left.push_back(candidate);
  }
  return left;
}

void SoupMaker::leave_out() {
  if (soup_.members.size() < 2) return;
  for (std::size_t i = 0; i < soup_.members.size(); ++i) {
    Mix others{soup_.members, soup_.weights};
    others.members.erase(others.members.begin() + static_cast<i64>(i));
    others.weights.erase(others.weights.begin() + static_cast<i64>(i));
    soup_.without_member.push_back(score_(others.members, others.weights));
  }
}

Soup SoupMaker::make() {
  if (rule_.mode == SoupMode::kUniform) {
    soup_.members.resize(usize(candidates_));
    std::iota(soup_.members.begin(), soup_.members.end(), i64{0});
    soup_.weights.assign(usize(candidates_), 1);
    if (rule_.leave_one_out) leave_out();
    return std::move(soup_);
  }
  std::vector<i64> order = by_score();
  soup_.members = {order[0]};
  soup_.weights = {1};
  soup_.score = soup_.scores[usize(order[0])];
  if (rule_.mode == SoupMode::kMax) return std::move(soup_);
  order.erase(order.begin());
  for (i64 round = 1; round <= rule_.rounds && !order.empty(); ++round) {
    const std::size_t before = order.size();
    order = pass(order, round);
    if (order.size() == before) break;
  }
  if (rule_.leave_one_out) leave_out();
  return std::move(soup_);
}

}  // namespace

Soup make_soup(i64 candidates, const SoupRule& rule, const SoupScore& score) {
  LM_CHECK(candidates > 0, "a soup has candidates");
  return SoupMaker(candidates, rule, score).make();
}

std::optional<SoupMode> parse_soup_mode(std::string_view text) {
  if (text == "greedy") return SoupMode::kGreedy;
  if (text == "uniform") return SoupMode::kUniform;
  if (text == "max") return SoupMode::kMax;
  return std::nullopt;
}

}  // namespace lm::merge

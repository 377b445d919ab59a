#include "decode/draft_search.h"

#include <queue>

namespace lm::decode {

namespace {

constexpr i64 kDepth = 16;
constexpr f64 kLeast = 0.02;  // a less likely path is no guess

struct Open {
  f32 chance;
  i32 order;  // of two as likely the one that was found first
  i32 parent, token, depth;
  bool operator<(const Open& other) const {
    return chance != other.chance ? chance < other.chance : order > other.order;
  }
};

}  // namespace

void grow_tree(
    i64 most, DraftTree& tree,
    const std::function<void(i64 node, f64 least, std::vector<std::pair<f32, i32>>& out)>& next) {
  std::priority_queue<Open> open;
  std::vector<std::pair<f32, i32>> follow;
  i32 order = 0;
  const auto push = [&](f32 chance, i32 node, i32 depth) {
    next(node, kLeast / static_cast<f64>(chance), follow);
    if (depth == kDepth) return;
    for (const auto& [share, token] : follow) {
      if (static_cast<f64>(chance * share) < kLeast) break;
      open.push({chance * share, order++, node, token, depth + 1});
    }
  };
  push(1, -1, 0);
  while (!open.empty() && isize(tree) < most) {
    const Open best = open.top();
    open.pop();
    tree.push_back({best.token, best.parent, best.chance});
    if (isize(tree) < most) push(best.chance, static_cast<i32>(isize(tree) - 1), best.depth);
  }
}

}  // namespace lm::decode

#include "decode/choice_tree.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/error.h"
#include "decode/logprob.h"

namespace lm::decode {

ChoiceTree::ChoiceTree(std::span<const std::vector<i32>> alternatives) {
  std::map<std::pair<i32, i32>, i32> known;  // by parent and token
  for (const std::vector<i32>& tokens : alternatives) {
    LM_CHECK(!tokens.empty(), "an alternative has a token");
    i32 at = -1;
    for (const i32 token : tokens) {
      const auto [place, added] = known.try_emplace({at, token}, static_cast<i32>(nodes_.size()));
      if (at >= 0) nodes_[usize(at)].inner = true;
      if (added) {
        const i32 depth = at < 0 ? 1 : nodes_[usize(at)].depth + 1;
        nodes_.push_back({token, at, depth, false, 0});
      }
      at = place->second;
    }
    leaves_.push_back(at);
  }
}

std::vector<i32> ChoiceTree::path(i64 alternative) const {
  std::vector<i32> out;
  for (i32 at = leaves_[usize(alternative)]; at >= 0; at = nodes_[usize(at)].parent)
    out.push_back(at);
  std::reverse(out.begin(), out.end());
  return out;
}

bool ChoiceTree::score(i64 node, std::span<const f32> logits) {
  f64 log_sum = 0;
  bool summed = false;
  for (i64 i = node + 1; i < isize(nodes_); ++i) {
    ChoiceNode& child = nodes_[usize(i)];
    if (child.parent != node) continue;
    if (!summed) log_sum = normaliser(logits).log;
    summed = true;
    if (!std::isfinite(log_sum)) return false;
    child.logp = static_cast<f64>(logits[usize(child.token)]) - log_sum;
  }
  return true;
}

f64 ChoiceTree::weight(i64 alternative) const {
  f64 out = 0;
  for (const i32 at : path(alternative))
    out += nodes_[usize(at)].logp;
  return out;
}

std::vector<i32> ChoiceTree::next_read(i64 most, bool chain) {
  std::vector<i32> out;
  for (; read_ < alternatives(); ++read_) {
    std::vector<i32> with = out;
    for (const i32 at : path(read_))
      if (nodes_[usize(at)].inner) with.push_back(at);
    std::sort(with.begin(), with.end());
    with.erase(std::unique(with.begin(), with.end()), with.end());
    if (!out.empty() && with.size() > out.size() && (chain || isize(with) > most)) break;
    out = std::move(with);
  }
  return out;
}

bool is_chain(const ChoiceTree& tree, std::span<const i32> nodes) {
  i32 before = -1;
  for (const i32 at : nodes) {
    if (tree.node(at).parent != before) return false;
    before = at;
  }
  return true;
}

u64 ancestors_of(const ChoiceTree& tree, std::span<const i32> nodes, i64 place) {
  u64 out = 0;
  i32 up = tree.node(nodes[usize(place)]).parent;
  for (i64 j = place - 1; j >= 0 && up >= 0; --j) {
    if (nodes[usize(j)] != up) continue;
    out |= u64{1} << j;
    up = tree.node(up).parent;
  }
  return out;
}

}  // namespace lm::decode

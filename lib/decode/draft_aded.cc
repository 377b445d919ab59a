#include "decode/draft_aded.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "core/random.h"

namespace lm::decode {

namespace {

bool heavier(const std::pair<i32, f32>& a, const std::pair<i32, f32>& b) {
  return a.second != b.second ? a.second > b.second : a.first < b.first;
}

}  // namespace

/// Sets the weight of a token, and moves it to its place.
void TrigramMatrix::insert(Row& row, i32 token, f32 weight) {
  auto at = std::find_if(row.begin(), row.end(), [&](const auto& e) { return e.first == token; });
  if (at == row.end()) {
    if (isize(row) == kSuccessors) {
      if (!heavier({token, weight}, row.back())) return;
      row.pop_back();
    }
    at = row.insert(row.end(), {token, weight});
  }
  at->second = weight;
  for (; at != row.begin() && heavier(*at, *(at - 1)); --at)
    std::iter_swap(at, at - 1);
}

void TrigramMatrix::index(std::span<const i32> text) {
  std::vector<std::array<i32, 3>> grams;
  for (std::size_t i = 2; i < text.size(); ++i)
    grams.push_back({text[i - 2], text[i - 1], text[i]});
  std::sort(grams.begin(), grams.end());
  for (std::size_t begin = 0; begin < grams.size();) {
    std::size_t end = begin;
    while (end < grams.size() && grams[end][0] == grams[begin][0] &&
           grams[end][1] == grams[begin][1])
      ++end;
    Row& row = rows_[key(grams[begin][0], grams[begin][1])];
    for (std::size_t i = begin; i < end;) {
      std::size_t same = i;
      while (same < end && grams[same][2] == grams[i][2])
        ++same;
      const f32 share = static_cast<f32>(same - i) / static_cast<f32>(end - begin);
      const i32 token = grams[i][2];
      const auto old =
          std::find_if(row.begin(), row.end(), [&](const auto& e) { return e.first == token; });
      if (old == row.end() || old->second < share) insert(row, token, share);
      i = same;
    }
    begin = end;
  }
}

void TrigramMatrix::raise(i32 a, i32 b, i32 c, f32 by) {
  Row& row = rows_[key(a, b)];
  const auto old =
      std::find_if(row.begin(), row.end(), [&](const auto& e) { return e.first == c; });
  const f32 weight = old == row.end() ? 0 : old->second;
  // A new token stands before the lightest of a full pair: what is written now counts.
  if (old == row.end() && isize(row) == kSuccessors) row.pop_back();
  insert(row, c, std::min(kMost, weight + by));
}

const TrigramMatrix::Row* TrigramMatrix::find(i32 a, i32 b) const {
  const auto found = rows_.find(key(a, b));
  return found == rows_.end() || found->second.empty() ? nullptr : &found->second;
}

Aded::Aded(const AdedOptions& options, std::shared_ptr<TrigramMatrix> shared)
    : options_(options), matrix_(std::move(shared)) {
  if (!matrix_) matrix_ = std::make_shared<TrigramMatrix>();
}

void Aded::learn(std::span<const i32> history) {
  if (known_ == 0 && options_.prompt) matrix_->index(history);
  known_ = isize(history);
  const std::span<const i32> tail = history.last(std::min(history.size(), usize(options_.window)));
  for (std::size_t i = 2; i < tail.size(); ++i)
    matrix_->raise(tail[i - 2], tail[i - 1], tail[i], options_.raise);
}

/// The child of the largest bound; one that was never visited first.
i32 Aded::select(i32 node) const {
  const Node& from = nodes_[usize(node)];
  const f64 scale = options_.c1 + std::log((from.visits + options_.c2 + 1) / options_.c2);
  i32 best = from.first;
  f64 best_bound = -1;
  for (i32 child = from.first; child < from.first + from.children; ++child) {
    const Node& to = nodes_[usize(child)];
    if (to.visits == 0) return child;
    const f64 bound = to.value / to.visits +
                      scale * static_cast<f64>(to.prior) * std::sqrt(from.visits) / (1 + to.visits);
    if (bound <= best_bound) continue;
    best_bound = bound;
    best = child;
  }
  return best;
}

void Aded::expand(i32 node, i32 a, i32 b) {
  const TrigramMatrix::Row* const row = matrix_->find(a, b);
  if (row == nullptr) return;
  nodes_[usize(node)].first = static_cast<i32>(nodes_.size());
  nodes_[usize(node)].children = static_cast<i32>(row->size());
  const i32 depth = nodes_[usize(node)].depth + 1;
  for (const auto& [token, weight] : *row) {
    Node& child = nodes_.emplace_back();
    child.token = token;
    child.parent = node;
    child.depth = depth;
    child.prior = weight;
  }
}

/// Weights along successors drawn by weight, until a path has all its pairs.
f64 Aded::roll_out(i32 depth, i32 a, i32 b) {
  f64 out = 0;
  for (; depth + 1 < options_.pairs; ++depth) {
    const TrigramMatrix::Row* const row = matrix_->find(a, b);
    if (row == nullptr) break;
    f64 total = 0;
    for (const auto& entry : *row)
      total += static_cast<f64>(entry.second);
    const u64 bits = mix64(draws_++ + 0x9e3779b97f4a7c15ULL);
    f64 left = uniform53(static_cast<u32>(bits), static_cast<u32>(bits >> 32)) * total;
    std::size_t pick = 0;
    while (pick + 1 < row->size() && left >= static_cast<f64>((*row)[pick].second))
      left -= static_cast<f64>((*row)[pick++].second);
    out += static_cast<f64>((*row)[pick].second);
    a = b;
    b = (*row)[pick].first;
  }
  return out;
}

void Aded::search(i32 a, i32 b) {
  nodes_.assign(1, {});
  nodes_[0].token = b;
  for (i64 i = 0; i < options_.iterations; ++i) {
    i32 node = 0;
    i32 first = a;
    i32 second = b;
    f64 reward = 1;
    const auto go = [&](i32 child) {
      node = child;
      first = second;
      second = nodes_[usize(child)].token;
      reward += static_cast<f64>(nodes_[usize(child)].prior);
    };
    while (nodes_[usize(node)].children > 0)
      go(select(node));
    if (nodes_[usize(node)].depth + 1 < options_.pairs) {
      expand(node, first, second);
      if (nodes_[usize(node)].children > 0) go(select(node));
    }
    reward += roll_out(nodes_[usize(node)].depth, first, second);
    for (; node >= 0; node = nodes_[usize(node)].parent) {
      nodes_[usize(node)].visits += 1;
      nodes_[usize(node)].value += reward;
    }
  }
}

/// Paths to the most visited nodes, each with the heaviest successor of its last pair, and the
/// share of each token among what follows the pair before it.
std::vector<std::vector<std::pair<i32, f32>>> Aded::paths(i32 b) const {
  std::vector<i32> order(nodes_.size() - 1);
  std::iota(order.begin(), order.end(), 1);
  const std::size_t most = std::min(order.size(), usize(options_.paths));
  std::partial_sort(order.begin(), order.begin() + static_cast<i64>(most), order.end(),
                    [&](i32 x, i32 y) {
                      const f64 u = nodes_[usize(x)].visits;
                      const f64 v = nodes_[usize(y)].visits;
                      return u != v ? u > v : x < y;
                    });
  order.resize(most);
  const auto share_of = [](f32 weight, const TrigramMatrix::Row& row) {
    f32 total = 0;
    for (const auto& entry : row)
      total += entry.second;
    return weight / total;
  };
  std::vector<std::vector<std::pair<i32, f32>>> out;
  for (const i32 node : order) {
    std::vector<std::pair<i32, f32>> path;
    for (i32 i = node; i > 0; i = nodes_[usize(i)].parent) {
      const Node& from = nodes_[usize(nodes_[usize(i)].parent)];
      f32 total = 0;
      for (i32 child = from.first; child < from.first + from.children; ++child)
        total += nodes_[usize(child)].prior;
      path.emplace_back(nodes_[usize(i)].token, nodes_[usize(i)].prior / total);
    }
    std::reverse(path.begin(), path.end());
    const i32 last = path.back().first;
    const i32 before = path.size() > 1 ? path[path.size() - 2].first : b;
    if (const TrigramMatrix::Row* const row = matrix_->find(before, last))
      path.emplace_back(row->front().first, share_of(row->front().second, *row));
    if (std::find(out.begin(), out.end(), path) == out.end()) out.push_back(std::move(path));
  }
  return out;
}

void Aded::propose(std::span<const i32> history, i64 most, DraftTree& out) {
  learn(history);
  if (isize(history) < 2) return;
  const i32 a = history[history.size() - 2];
  const i32 b = history.back();
  if (matrix_->find(a, b) == nullptr) return;
  search(a, b);
  std::vector<std::vector<std::pair<i32, f32>>> found = paths(b);
  // The paths with the most distinct tokens go until all have few enough; of equal ones the last.
  const auto distinct = [](const std::vector<std::pair<i32, f32>>& path) {
    std::set<i32> tokens;
    for (const auto& entry : path)
      tokens.insert(entry.first);
    return isize(tokens);
  };
  std::vector<i64> sizes;
  for (const auto& path : found)
    sizes.push_back(distinct(path));
  i64 total = std::accumulate(sizes.begin(), sizes.end(), i64{0});
  while (total > options_.tokens) {
    const auto largest = std::max_element(sizes.rbegin(), sizes.rend());
    const i64 at = sizes.rend() - largest - 1;
    total -= *largest;
    sizes.erase(sizes.begin() + at);
    found.erase(found.begin() + at);
  }
  for (const auto& path : found) {
    i32 parent = -1;
    f32 chance = 1;
    for (const auto& [token, share] : path) {
      chance *= share;
      i64 node = child_of(out, parent, token);
      if (node < 0) {
        if (isize(out) == most) return;
        out.push_back({token, parent, chance});
        node = isize(out) - 1;
      }
      parent = static_cast<i32>(node);
    }
  }
}

}  // namespace lm::decode

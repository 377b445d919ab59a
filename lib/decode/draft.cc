#include "decode/draft.h"

#include <algorithm>

#include "core/hash.h"

namespace lm::decode {

namespace {

// How often what followed one, two or three equal tokens follows again, and goes on doing so: about
// what summaries and answers show (the sequence's own rate corrects it).
constexpr std::array<f32, 3> kFirst = {0.3f, 0.5f, 0.7f};
constexpr f32 kNext = 0.85f;

}  // namespace

bool is_chain(std::span<const DraftNode> tree) {
  for (i64 i = 0; i < isize(tree); ++i)
    if (tree[usize(i)].parent != i - 1) return false;
  return true;
}

void keep_chain(DraftTree& tree) {
  DraftTree path;
  for (i64 tip = -1;;) {
    i64 best = -1;
    for (i64 i = tip + 1; i < isize(tree); ++i)
      if (tree[usize(i)].parent == tip &&
          (best < 0 || tree[usize(i)].chance > tree[usize(best)].chance))
        best = i;
    if (best < 0) break;
    path.push_back(tree[usize(best)]);
    path.back().parent = static_cast<i32>(isize(path) - 2);
    tip = best;
  }
  tree = std::move(path);
}

void drop_unknown(DraftTree& tree, i64 vocab) {
  DraftTree kept;
  std::vector<i32> place(tree.size(), -1);
  for (std::size_t i = 0; i < tree.size(); ++i) {
    DraftNode node = tree[i];
    if (node.token < 0 || node.token >= vocab) continue;
    if (node.parent >= 0) {
      node.parent = place[usize(node.parent)];
      if (node.parent < 0) continue;
    }
    place[i] = static_cast<i32>(isize(kept));
    kept.push_back(node);
  }
  tree = std::move(kept);
}

i64 child_of(std::span<const DraftNode> tree, i64 parent, i32 token) {
  for (i64 i = parent + 1; i < isize(tree); ++i)
    if (tree[usize(i)].parent == parent && tree[usize(i)].token == token) return i;
  return -1;
}

u64 draft_ancestors(std::span<const DraftNode> tree, i64 node) {
  u64 out = 1;
  for (i64 i = tree[usize(node)].parent; i >= 0; i = tree[usize(i)].parent)
    out |= u64{1} << (i + 1);
  return out;
}

std::size_t PromptLookup::Hash::operator()(const Gram& gram) const {
  u64 hash = 0;
  for (const i32 token : gram)
    hash = mix64((hash + 0x9e3779b97f4a7c15ULL) ^ static_cast<u32>(token));
  return hash;
}

PromptLookup::Gram PromptLookup::gram_before(std::span<const i32> history, i64 end, i64 size) {
  Gram gram;
  gram.fill(-1);
  std::copy(history.begin() + end - size, history.begin() + end, gram.begin() + kLongest - size);
  return gram;
}

void PromptLookup::propose(std::span<const i32> history, i64 most, DraftTree& out) {
  for (; known_ < isize(history); ++known_) {
    for (i64 size = 1; size <= std::min(kLongest, known_); ++size)
      after_[gram_before(history, known_, size)] = known_;
  }
  for (i64 size = std::min(kLongest, isize(history)); size > 0; --size) {
    const auto found = after_.find(gram_before(history, isize(history), size));
    if (found == after_.end()) continue;
    f32 chance = kFirst[usize(size - 1)];
    for (i64 i = 0; i < most; ++i) {
      const i64 from = found->second + i;  // beyond the history: of the guesses themselves
      const i32 token =
          from < isize(history) ? history[usize(from)] : out[usize(from - isize(history))].token;
      out.push_back({token, static_cast<i32>(i - 1), chance});
      chance *= kNext;
    }
    return;
  }
}

}  // namespace lm::decode

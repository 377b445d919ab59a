#include "decode/draft_suffix.h"

#include <algorithm>
#include <queue>

namespace lm::decode {

namespace {

constexpr i64 kCounted = 32;  // stretches that a token counts for, the longest first
constexpr i64 kDepth = 32;
constexpr f32 kLeast = 0.02f;  // a less likely path is no guess

}  // namespace

void SuffixAutomaton::add(i32 token) {
  const auto clone_of = [&](i32 state, i64 length) {
    State copy = states_[usize(state)];
    copy.length = length;
    states_.push_back(std::move(copy));
    return static_cast<i32>(states_.size() - 1);
  };
  const auto redirect = [&](i32 from, i32 old, i32 to) {
    for (; from >= 0; from = states_[usize(from)].link) {
      const auto found = states_[usize(from)].next.find(token);
      if (found == states_[usize(from)].next.end() || found->second != old) break;
      found->second = to;
    }
  };
  i32 p = last_;
  const auto known = states_[usize(p)].next.find(token);
  if (known != states_[usize(p)].next.end()) {  // behind a separator: the stretch is there already
    const i32 q = known->second;
    if (states_[usize(q)].length == states_[usize(p)].length + 1) {
      last_ = q;
    } else {
      const i32 clone = clone_of(q, states_[usize(p)].length + 1);
      states_[usize(q)].link = clone;
      redirect(p, q, clone);
      last_ = clone;
    }
  } else {
    const i32 own = static_cast<i32>(states_.size());
    states_.emplace_back();
    states_.back().length = states_[usize(p)].length + 1;
    i32 q = -1;
    for (; p >= 0; p = states_[usize(p)].link) {
      const auto [at, fresh] = states_[usize(p)].next.try_emplace(token, own);
      if (fresh) continue;
      q = at->second;
      break;
    }
    i32 link = 0;
    if (q >= 0) {
      link = q;
      if (states_[usize(q)].length != states_[usize(p)].length + 1) {
        link = clone_of(q, states_[usize(p)].length + 1);
        states_[usize(q)].link = link;
        redirect(p, q, link);
      }
    }
    states_[usize(own)].link = link;
    last_ = own;
  }
  i32 state = last_;
  for (i64 i = 0; i < kCounted && state > 0; ++i, state = states_[usize(state)].link)
    ++states_[usize(state)].count;
}

SuffixAutomaton::Match SuffixAutomaton::repeated() const {
  const i32 link = states_[usize(last_)].link;
  if (link <= 0) return {};
  return {link, states_[usize(link)].length};
}

SuffixAutomaton::Match SuffixAutomaton::follow(Match match, i32 token) const {
  // The list may have grown since: a stretch may have become the end of a shorter state.
  while (match.state > 0 && match.length <= states_[usize(states_[usize(match.state)].link)].length)
    match.state = states_[usize(match.state)].link;
  for (;;) {
    const auto found = states_[usize(match.state)].next.find(token);
    if (found != states_[usize(match.state)].next.end()) return {found->second, match.length + 1};
    if (match.state == 0) return {};
    match.state = states_[usize(match.state)].link;
    match.length = states_[usize(match.state)].length;
  }
}

void SuffixAutomaton::propose(const Match& match, i64 depth, i64 most, DraftTree& out) const {
  struct Open {
    f32 chance;
    i32 order, parent, token, state;
    i64 depth;
    bool operator<(const Open& other) const {
      return chance != other.chance ? chance < other.chance : order > other.order;
    }
  };
  std::priority_queue<Open> open;
  i32 order = 0;
  const auto push = [&](f32 chance, i32 parent, i32 state, i64 length) {
    if (length >= depth) return;
    while (state > 0 && states_[usize(state)].next.empty())  // the list ends: a shorter stretch
      state = states_[usize(state)].link;
    if (state == 0) return;
    const State& from = states_[usize(state)];
    i64 total = 0;
    for (const auto& [token, next] : from.next)
      total += states_[usize(next)].count;
    for (const auto& [token, next] : from.next) {
      const f32 own =
          chance * static_cast<f32>(states_[usize(next)].count) / (static_cast<f32>(total) + 0.3f);
      if (own >= kLeast) open.push({own, order++, parent, token, next, length + 1});
    }
  };
  push(1, -1, match.state, 0);
  while (!open.empty() && isize(out) < most) {
    const Open best = open.top();
    open.pop();
    out.push_back({best.token, best.parent, best.chance});
    push(best.chance, static_cast<i32>(isize(out) - 1), best.state, best.depth);
  }
}

void SuffixDrafter::propose(std::span<const i32> history, i64 most, DraftTree& out) {
  for (; known_ < isize(history); ++known_) {
    own_.add(history[usize(known_)]);
    if (earlier_) elsewhere_ = earlier_->follow(elsewhere_, history[usize(known_)]);
  }
  const SuffixAutomaton::Match here = own_.repeated();
  const bool mine = here.length >= elsewhere_.length;
  const SuffixAutomaton::Match& match = mine ? here : elsewhere_;
  if (match.length == 0) return;
  const i64 depth = std::min(kDepth, 2 * match.length);
  (mine ? own_ : *earlier_).propose(match, depth, most, out);
}

void SuffixDrafter::finish(std::span<const i32> history) {
  if (!earlier_) return;
  earlier_->separate();
  for (const i32 token : history)
    earlier_->add(token);
}

}  // namespace lm::decode

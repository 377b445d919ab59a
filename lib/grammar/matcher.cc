#include "grammar/matcher.h"

#include <algorithm>
#include <set>

#include "core/error.h"

namespace lm::grammar {

namespace {

// Beyond this many places where a rule may be done inside a token, one walk with the stack below is
// cheaper than the rule's own mask and a walk from each place.
constexpr i64 kMostLeaves = 8192;

/// The automaton of the safe characters of token_trie.h: 0 between characters.
struct SafeStep {
  int from;
  int to;
  u8 low;
  u8 high;
};
constexpr SafeStep kSafeSteps[] = {
    {0, 0, 0x20, 0x21}, {0, 0, 0x23, 0x5B}, {0, 0, 0x5D, 0x7E}, {0, 1, 0xC2, 0xDF},
    {0, 2, 0xE0, 0xE0}, {0, 3, 0xE1, 0xEC}, {0, 4, 0xED, 0xED}, {0, 3, 0xEE, 0xEF},
    {0, 5, 0xF0, 0xF0}, {0, 6, 0xF1, 0xF3}, {0, 7, 0xF4, 0xF4}, {1, 0, 0x80, 0xBF},
    {2, 1, 0xA0, 0xBF}, {3, 1, 0x80, 0xBF}, {4, 1, 0x80, 0x9F}, {5, 3, 0x90, 0xBF},
    {6, 3, 0x80, 0xBF}, {7, 3, 0x80, 0x8F},
};

}  // namespace

Result<std::unique_ptr<Matcher>> Matcher::make(std::shared_ptr<const Grammar> grammar,
                                               std::shared_ptr<const TokenTrie> trie,
                                               std::vector<i32> ends,
                                               const MatcherOptions& options) {
  return faulted([&] {
    return std::unique_ptr<Matcher>(
        new Matcher(std::move(grammar), std::move(trie), std::move(ends), options));
  });
}

Matcher::Matcher(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTrie> trie,
                 std::vector<i32> ends, const MatcherOptions& options)
    : machine_(std::move(grammar), options.state_bytes, options.memory, options.beside),
      trie_(std::move(trie)),
      ends_(std::move(ends)),
      masks_(options.mask_bytes, options.memory) {
  for (const i32 end : ends_)
    LM_CHECK(end >= 0 && end < trie_->vocab(), "end tokens are in the vocabulary");
  path_.resize(usize(trie_->deepest()) + 1);
  class_sizes_.assign(usize(machine_.grammar().class_count()), 0);
  for (int b = 0; b < 256; ++b)
    ++class_sizes_[machine_.grammar().byte_class(static_cast<u8>(b))];
  plan_free_steps();
}

void Matcher::plan_free_steps() {
  for (const SafeStep& step : kSafeSteps) {
    std::set<i32> classes;
    for (int b = step.low; b <= step.high; ++b)
      classes.insert(machine_.grammar().byte_class(static_cast<u8>(b)));
    free_steps_.push_back({step.from, step.to, {classes.begin(), classes.end()}});
  }
}

// A class may reach beyond the safe bytes; its bytes are alike, so what it allows they allow.
int Matcher::free_length(State s, bool& ended) {
  std::vector<State> seen{s};  // between characters, those of each number in a row
  std::vector<std::pair<int, State>> open;
  std::size_t begin = 0;
  ended = false;
  const auto add = [](auto& list, auto one) {
    if (std::find(list.begin(), list.end(), one) == list.end()) list.push_back(one);
  };
  for (int n = 0; n < kLevels; ++n) {
    const std::size_t end = seen.size();
    bool within = false;
    open.clear();
    for (; begin < end; ++begin)
      open.emplace_back(0, seen[begin]);
    for (std::size_t i = 0; i < open.size(); ++i) {
      const std::pair<int, State> here = open[i];
      for (const FreeStep& step : free_steps_) {
        if (step.from != here.first) continue;
        for (const i32 c : step.classes) {
          const State to = machine_.step_class(here.second, c);
          if (to == kDead) return n;
          within |= machine_.accepting(to);
          if (step.to == 0) {
            add(seen, to);
          } else {
            add(open, std::pair(step.to, to));
          }
        }
      }
    }
    ended |= within;
    if (seen.size() == end) return kDeepestLevel;
  }
  return kLevels;
}

// on_node(node, index, state after its byte): false keeps the walk out of its subtree.
template <typename OnNode>
void Matcher::walk(int part, i64 begin, i64 end, State from, int skip_level, OnNode on_node) {
  if (begin >= end) return;
  const std::span<const TrieNode> nodes = trie_->nodes(part);
  path_[nodes[usize(begin)].depth] = from;
  for (i64 i = begin; i < end;) {
    const TrieNode& node = nodes[usize(i)];
    if (node.level > skip_level) {
      const State to = machine_.step(path_[node.depth], node.byte);
      if (to != kDead && on_node(node, i, to)) {
        if (node.size > 1) path_[usize(node.depth) + 1] = to;
        ++i;
        continue;
      }
    }
    i += node.size;
  }
}

template <typename OnEnd>
bool Matcher::add_tokens(State s, int first, TokenSink& sink, OnEnd on_end) {
  bool ended = false;
  const int level = free_length(s, ended);
  if (level > 0) sink.add(trie_->up_to(first, level));
  for (int part = first; part < first + 2; ++part) {
    walk(part, 0, isize(trie_->nodes(part)), s, level, [&](const TrieNode& node, i64 i, State to) {
      trie_->each_token(node, [&](i32 id) { sink.add(id); });
      if (node.size > 1 && machine_.accepting(to)) on_end(part, i);
      return true;
    });
  }
  return ended;
}

void Matcher::add_below(int part, u32 leaf, State from, TokenSink& sink) {
  const i64 end = i64{leaf} + trie_->nodes(part)[leaf].size;
  walk(part, i64{leaf} + 1, end, from, -1, [&](const TrieNode& node, i64, State) {
    trie_->each_token(node, [&](i32 id) { sink.add(id); });
    return true;
  });
}

// Short tokens whose bytes the rule reads itself, and where inside tokens it may be done.
Matcher::MaskPtr Matcher::inside(i32 rule_state) {
  if (MaskPtr known = masks_.find(MaskCache::kRuleState, rule_state)) return known;
  const State s = machine_.only({rule_state, machine_.ended()});
  TokenSink sink(trie_->words());
  std::array<std::vector<u32>, 2> leaves;
  const bool ended = add_tokens(s, kPlain, sink, [&](int part, i64 i) {
    leaves[usize(part)].push_back(static_cast<u32>(i));
  });
  KeptMask made = sink.finish();
  made.whole = ended || isize(leaves[0]) + isize(leaves[1]) > kMostLeaves;
  if (!made.whole) made.leaves = std::move(leaves);
  return masks_.keep(MaskCache::kRuleState, rule_state, std::move(made));
}

// alone: the frame is all there is of a state.
void Matcher::add_frame(const Frame& frame, bool alone, TokenSink& sink) {
  if (frame.rule_state == kDone) return;
  const auto nowhere = [](int, i64) {};
  const MaskPtr own = inside(machine_.within(frame.rule_state, kShortBytes));
  if (frame.next != machine_.ended() && own->whole) {
    if (alone) {
      add_tokens(machine_.only(frame), kPlain, sink, nowhere);
      add_tokens(machine_.only(frame), kLongPlain, sink, nowhere);
    } else {
      sink.add(*complete(machine_.only(frame)));
    }
    return;
  }
  sink.add(*own);
  add_tokens(machine_.only(frame), kLongPlain, sink, nowhere);
  if (frame.next == machine_.ended()) return;
  const State back = machine_.returned(frame.next);
  for (int part = kPlain; part <= kOdd; ++part) {
    for (const u32 leaf : own->leaves[usize(part)])
      add_below(part, leaf, back, sink);
  }
}

Matcher::MaskPtr Matcher::complete(State s) {
  const std::vector<Frame> frames(machine_.frames(s).begin(), machine_.frames(s).end());
  if (MaskPtr known = masks_.find(MaskCache::kState, s)) return known;
  TokenSink sink(trie_->words());
  for (const Frame& frame : frames)
    add_frame(frame, frames.size() == 1, sink);
  return masks_.keep(MaskCache::kState, s, sink.finish());
}

void Matcher::set_ends(State s, std::span<u32> out) const {
  for (const i32 end : ends_) {
    const u32 bit = u32{1} << (end & 31);
    u32& word = out[usize(end >> 5)];
    word = machine_.accepting(s) ? word | bit : word & ~bit;
  }
}

std::optional<Fault> Matcher::mask(State s, std::span<u32> out) {
  const std::lock_guard lock(mutex_);
  LM_CHECK(isize(out) == trie_->words(), "a mask has a bit for each token");
  std::fill(out.begin(), out.end(), 0);
  const Result<bool> done = faulted([&] {
    if (s != kDead) complete(s)->add_to(out);
    return true;
  });
  if (!done) return done.fault();
  set_ends(s, out);
  return std::nullopt;
}

std::optional<Fault> Matcher::closing_mask(State s, std::span<u32> out) {
  const std::lock_guard lock(mutex_);
  LM_CHECK(isize(out) == trie_->words(), "a mask has a bit for each token");
  std::fill(out.begin(), out.end(), 0);
  const i32 far = machine_.distance(s);
  if (far > 0) {
    const Result<bool> done = faulted([&] {
      for (int part = 0; part < kTrieParts; ++part) {
        walk(part, 0, isize(trie_->nodes(part)), s, -1, [&](const TrieNode& node, i64, State to) {
          if (machine_.distance(to) < far)
            trie_->each_token(node, [&](i32 id) { out[usize(id >> 5)] |= u32{1} << (id & 31); });
          return true;
        });
      }
      return true;
    });
    if (!done) return done.fault();
  }
  set_ends(s, out);
  return std::nullopt;
}

Result<State> Matcher::accept_bytes(State s, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  return faulted([&] {
    for (const char c : bytes)
      s = machine_.step(s, static_cast<u8>(c));
    return s;
  });
}

Result<State> Matcher::accept(State s, i32 token) {
  LM_CHECK(token >= 0 && token < trie_->vocab(), "a token is in the vocabulary");
  const std::string_view bytes = trie_->text(token);
  if (bytes.empty() || std::find(ends_.begin(), ends_.end(), token) != ends_.end()) return kDead;
  return accept_bytes(s, bytes);
}

bool Matcher::accepting(State s) const {
  const std::lock_guard lock(mutex_);
  return machine_.accepting(s);
}

i32 Matcher::distance(State s) const {
  const std::lock_guard lock(mutex_);
  return machine_.distance(s);
}

i64 Matcher::state_bytes_used() const {
  const std::lock_guard lock(mutex_);
  return machine_.bytes_used();
}

Result<bool> Matcher::closed(State s) {
  const std::lock_guard lock(mutex_);
  if (!machine_.accepting(s)) return false;
  return faulted([&] {
    for (i32 c = 0; c < machine_.grammar().class_count(); ++c)
      if (machine_.step_class(s, c) != kDead) return false;
    return true;
  });
}

Result<Matcher::Forced> Matcher::forced(State s) {
  const std::lock_guard lock(mutex_);
  return faulted([&] {
    Forced out{{}, s};
    // Ends: every step on the one way there is leads nearer to an accepting state.
    while (out.after != kDead && !machine_.accepting(out.after)) {
      State only = kDead;
      i32 by = -1;
      for (i32 c = 0; c < machine_.grammar().class_count(); ++c) {
        const State to = machine_.step_class(out.after, c);
        if (to == kDead) continue;
        if (by >= 0 || class_sizes_[usize(c)] > 1) return out;
        by = c;
        only = to;
      }
      out.text.push_back(static_cast<char>(machine_.grammar().byte_of(by)));
      out.after = only;
    }
    return out;
  });
}

Result<bool> Matcher::extends(std::string_view text, State after) {
  const std::lock_guard lock(mutex_);
  return faulted([&] {
    bool found = false;
    for (int part = 0; part < kTrieParts && !found; ++part) {
      const i64 node = trie_->find(part, text);
      if (node < 0) continue;
      const i64 end = node + trie_->nodes(part)[usize(node)].size;
      walk(part, node + 1, end, after, -1, [&](const TrieNode& below, i64, State) {
        found |= below.token != kNoToken;
        return !found;
      });
    }
    return found;
  });
}

}  // namespace lm::grammar

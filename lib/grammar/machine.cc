#include "grammar/machine.h"

#include <algorithm>
#include <set>

#include "core/hash.h"

namespace lm::grammar {

namespace {

// Stacks that differ are joined frame by frame as deep as this; below it they stand side by side,
// which is as exact.
constexpr int kDeepestJoin = 200;

}  // namespace

Machine::Machine(std::shared_ptr<const Grammar> grammar, i64 budget_bytes,
                 std::shared_ptr<TableMemory> memory, i64 beside)
    : grammar_(std::move(grammar)),
      hold_(std::move(memory), 2 * kHeapOfTables * grammar_->bytes() + beside),  // table_ is a copy
      table_(grammar_->table()),
      budget_(&table_.budget()) {
  table_.set_budget(Budget("grammar memory", budget_bytes, &hold_));
  pending_.resize(usize(grammar_->rule_count()));
  rule_of_rank_.resize(usize(grammar_->rule_count()));
  for (i32 rule = 0; rule < grammar_->rule_count(); ++rule)
    rule_of_rank_[usize(grammar_->rank(rule))] = rule;
  rule_states_.push_back({kNothing, 0, -1, {}, true, false, false});  // kDone
  sets_.push_back({0, -1, 0, kNever, kDead, false});                  // kDead
  std::vector<Frame> end{{kDone, kDead}};
  ended_ = intern(end);
  const Expr root = grammar_->body(grammar_->root());
  start_ = settle({{rule_state(root), ended_}});
}

State Machine::only(const Frame& frame) {
  budget_->charge(0);
  std::vector<Frame> one{frame};
  return intern(one);
}

i32 Machine::within(i32 from, i32 bytes) {
  budget_->charge(0);
  return rule_state(table_.within(rule_states_[usize(from)].expr, bytes));
}

State Machine::returned(State next) {
  if (sets_[usize(next)].returned == kNotYet) {
    budget_->charge(0);
    const std::span<const Frame> set = frames(next);
    const State made = settle({set.begin(), set.end()});
    sets_[usize(next)].returned = made;
  }
  return sets_[usize(next)].returned;
}

State Machine::step_slowly(State s, i32 byte_class) {
  if (s == kDead) return kDead;
  budget_->charge(0);  // what a spent budget left half made is not gone on with
  if (sets_[usize(s)].row < 0) {
    budget_->charge(grammar_->class_count() * static_cast<i64>(sizeof(State)));
    make_state_row(s);
    const State known = rows_[usize(sets_[usize(s)].row + byte_class)];
    if (known != kNotYet) return known;
  }
  std::vector<Frame> reached;
  for (i64 i = 0; i < sets_[usize(s)].count; ++i) {
    const Frame frame = frames_[usize(sets_[usize(s)].begin + i)];
    const i32 to = rule_step(frame.rule_state, byte_class);
    if (to != kDone) reached.push_back({to, frame.next});
  }
  const State made = settle(std::move(reached));
  rows_[usize(sets_[usize(s)].row + byte_class)] = made;
  return made;
}

// Where no frame goes on with a byte, that is known at once: most bytes are dead in most states.
void Machine::make_state_row(State s) {
  const i64 classes = grammar_->class_count();
  std::vector<State> row(usize(classes), kDead);
  for (i64 i = 0; i < sets_[usize(s)].count; ++i) {
    const i32 from = frames_[usize(sets_[usize(s)].begin + i)].rule_state;
    for (i32 c = 0; c < classes; ++c) {
      if (rule_step(from, c) != kDone) row[usize(c)] = kNotYet;
    }
  }
  sets_[usize(s)].row = isize(rows_);
  rows_.insert(rows_.end(), row.begin(), row.end());
}

// kDone where the rule does not go on with the byte.
i32 Machine::rule_step(i32 rule_state, i32 byte_class) {
  if (!rule_states_[usize(rule_state)].reads) return kDone;
  if (rule_states_[usize(rule_state)].row < 0) make_row(rule_state);
  return rule_rows_[usize(rule_states_[usize(rule_state)].row + byte_class)];
}

// All classes at once: most of them lead to the same few rests, so edges are marked per class and
// classes with the same marks share a state.
void Machine::make_row(i32 from) {
  const i32 classes = grammar_->class_count();
  const std::span<const ByteEdge> found = table_.byte_edges(rule_states_[usize(from)].expr);
  const std::vector<ByteEdge> edges(found.begin(), found.end());
  const i64 words = (isize(edges) + 63) / 64;
  std::vector<u64> marks(usize(classes * words), 0);
  for (i64 i = 0; i < isize(edges); ++i) {
    const ByteSet& set = table_.set(edges[usize(i)].set);
    for (i32 c = 0; c < classes; ++c) {
      if (set.has(grammar_->byte_of(c))) marks[usize(c * words + i / 64)] |= u64{1} << (i % 64);
    }
  }
  std::vector<i32> row(usize(classes), kDone);
  std::vector<i32> leaders;  // the first class of each set of marks
  for (i32 c = 0; c < classes; ++c) {
    const auto mine = marks.begin() + c * words;
    const auto twin = std::find_if(leaders.begin(), leaders.end(), [&](i32 other) {
      return std::equal(mine, mine + words, marks.begin() + other * words);
    });
    if (twin != leaders.end()) {
      row[usize(c)] = row[usize(*twin)];
      continue;
    }
    leaders.push_back(c);
    std::vector<Expr> rests;
    for (i64 i = 0; i < isize(edges); ++i) {
      if ((mine[i / 64] >> (i % 64) & 1) != 0) rests.push_back(edges[usize(i)].rest);
    }
    const Expr rest = alive(rests);
    if (rest != kNothing) row[usize(c)] = rule_state(rest);
  }
  budget_->charge(classes * static_cast<i64>(sizeof(i32)));
  rule_states_[usize(from)].row = isize(rule_rows_);
  rule_rows_.insert(rule_rows_.end(), row.begin(), row.end());
}

// Together those that some text finishes.
Expr Machine::alive(std::vector<Expr>& options) {
  std::erase_if(options, [&](Expr e) { return table_.shortest(e) >= kNever; });
  return table_.alt(options);
}

i32 Machine::rule_state(Expr expr) {
  const auto known = rule_state_of_.find(expr);
  if (known != rule_state_of_.end()) return known->second;
  const bool reads = !table_.byte_edges(expr).empty();
  const i32 distance = table_.shortest(expr);
  budget_->charge(static_cast<i64>(sizeof(RuleState)) + 48);
  const i32 id = static_cast<i32>(rule_states_.size());
  rule_states_.push_back({expr, distance, -1, {}, false, table_.nullable(expr), reads});
  rule_state_of_.emplace(expr, id);
  return id;
}

const std::vector<Machine::Return>& Machine::calls(i32 from) {
  if (!rule_states_[usize(from)].calls_known) {
    const std::span<const CallEdge> edges = table_.call_edges(rule_states_[usize(from)].expr);
    std::vector<CallEdge> sorted(edges.begin(), edges.end());
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const CallEdge& x, const CallEdge& y) { return x.rule < y.rule; });
    std::vector<Return> out;
    for (std::size_t i = 0; i < sorted.size();) {
      const i32 rule = sorted[i].rule;
      std::vector<Expr> options;
      for (; i < sorted.size() && sorted[i].rule == rule; ++i)
        options.push_back(sorted[i].rest);
      const Expr rest = alive(options);
      if (rest != kNothing) out.push_back({rule, rule_state(rest)});
    }
    budget_->charge(isize(out) * static_cast<i64>(sizeof(Return)));
    rule_states_[usize(from)].calls = std::move(out);
    rule_states_[usize(from)].calls_known = true;
  }
  return rule_states_[usize(from)].calls;
}

void Machine::add_calls(const Frame& frame) {
  for (const Return& call : calls(frame.rule_state)) {
    std::vector<Frame>& back = pending_[usize(call.rule)];
    if (back.empty()) {
      called_.push_back(grammar_->rank(call.rule));
      std::push_heap(called_.begin(), called_.end(), std::greater<>());
    }
    // A call at the end of a rule returns where the rule would.
    if (rule_states_[usize(call.rule_state)].expr == kEmpty) {
      const std::span<const Frame> below = frames(frame.next);
      back.insert(back.end(), below.begin(), below.end());
    } else {
      back.push_back({call.rule_state, frame.next});
    }
  }
}

// What may be finished here is: its callers stand behind the call as well.
void Machine::add_returns(std::vector<Frame>& reached) {
  std::set<Frame> known;
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const Frame frame = reached[i];
    if (!rule_states_[usize(frame.rule_state)].nullable) continue;
    if (known.empty()) known.insert(reached.begin(), reached.end());
    for (const Frame& below : frames(frame.next)) {
      if (known.insert(below).second) reached.push_back(below);
    }
  }
}

// Returns come first: they are made after a byte only, because an expression passes over calls that
// may be empty by itself. Then calls, each rule after all that call it before any byte, so that a
// rule is entered once with all frames to return to.
State Machine::settle(std::vector<Frame> reached) {
  add_returns(reached);
  for (const Frame& frame : reached)
    add_calls(frame);
  while (!called_.empty()) {
    std::pop_heap(called_.begin(), called_.end(), std::greater<>());
    const i32 rule = rule_of_rank_[usize(called_.back())];
    called_.pop_back();
    std::vector<Frame> back = std::move(pending_[usize(rule)]);
    pending_[usize(rule)].clear();
    const Frame entered{rule_state(grammar_->body(rule)), intern(back)};
    add_calls(entered);
    reached.push_back(entered);
  }
  std::erase_if(reached, [&](const Frame& frame) {
    return frame.rule_state != kDone && !rule_states_[usize(frame.rule_state)].reads;
  });
  return intern(reached);
}

// frames: of one rule state each, or made so.
State Machine::intern(std::vector<Frame>& set) {
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
  if (set.empty()) return kDead;
  if (joining_ < kDeepestJoin) {
    std::size_t kept = 0;
    for (std::size_t i = 1; i < set.size(); ++i) {
      if (set[i].rule_state == set[kept].rule_state && set[i].rule_state != kDone) {
        set[kept].next = joined(set[kept].next, set[i].next);
      } else {
        set[++kept] = set[i];
      }
    }
    set.resize(kept + 1);
  }
  u64 hash = set.size();
  for (const Frame& frame : set)
    hash = mix64(hash * 0x9E3779B97F4A7C15ULL +
                 (u64{static_cast<u32>(frame.rule_state)} << 32 | static_cast<u32>(frame.next)));
  const i32 known = set_index_.find(hash, [&](i32 id) {
    const std::span<const Frame> other = frames(id);
    return std::equal(other.begin(), other.end(), set.begin(), set.end());
  });
  if (known >= 0) return known;
  Set made{isize(frames_), -1, static_cast<i32>(set.size()), kNever, kNotYet, false};
  for (const Frame& frame : set) {
    const bool done = frame.rule_state == kDone;
    made.accepting |= done;
    const i64 far = done ? 0
                         : i64{rule_states_[usize(frame.rule_state)].distance} +
                               sets_[usize(frame.next)].distance;
    made.distance = static_cast<i32>(std::min<i64>(made.distance, far));
  }
  budget_->charge(static_cast<i64>(sizeof(Set)) + InternIndex::kBytes +
                  isize(set) * static_cast<i64>(sizeof(Frame)));
  const State id = static_cast<State>(sets_.size());
  sets_.push_back(made);
  frames_.insert(frames_.end(), set.begin(), set.end());
  set_index_.insert(hash, id);
  return id;
}

// Either set may be returned to.
State Machine::joined(State a, State b) {
  if (a == b) return a;
  const u64 key = u64{static_cast<u32>(std::min(a, b))} << 32 | static_cast<u32>(std::max(a, b));
  const auto known = joins_.find(key);
  if (known != joins_.end()) return known->second;
  std::vector<Frame> set(frames(a).begin(), frames(a).end());
  const std::span<const Frame> more = frames(b);
  set.insert(set.end(), more.begin(), more.end());
  ++joining_;
  const State made = intern(set);
  --joining_;
  budget_->charge(48);
  joins_.emplace(key, made);
  return made;
}

}  // namespace lm::grammar

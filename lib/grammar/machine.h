#pragma once
// The push-down automaton of a grammar, made while it runs. Inside a rule it is deterministic: a
// rule state is an expression, what remains of the rule. A frame is a rule state and what to go on
// with when the rule is done, which is again a set of frames; sets are kept once each, so a state
// of the machine, and every stack below it, is one small number. States that were reached once stay
// valid: copying a state is copying the number. Frames in the same rule state are joined (a
// graph-structured stack), and a rule that ends with a call does not grow the stack.
// Not thread-safe.
// Sources: Tomita 1987 (graph-structured stacks); Goto 1974 (hash consing).

#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "grammar/rules.h"

namespace lm::grammar {

/// A set of frames; kDead is the empty one: no text goes on from it.
using State = i32;
inline constexpr State kDead = 0;

struct Frame {
  i32 rule_state = 0;
  State next = kDead;                              // a set of frames to return to
  auto operator<=>(const Frame&) const = default;  // NOLINT: no pointer, clang-tidy 14
};
/// The rule state of a frame that says: the text may end here.
inline constexpr i32 kDone = 0;

class Machine {
 public:
  /// Throws Refusal "budget" when tables need more than budget_bytes; so do all that follow.
  /// memory: what the grammar, these tables and `beside` take is charged there; null: nowhere.
  Machine(std::shared_ptr<const Grammar> grammar, i64 budget_bytes,
          std::shared_ptr<TableMemory> memory = nullptr, i64 beside = 0);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  State start() const { return start_; }
  /// The state that means: nothing but the end.
  State ended() const { return ended_; }
  /// After one more byte.
  State step(State s, u8 byte) { return step_class(s, grammar_->byte_class(byte)); }
  State step_class(State s, i32 byte_class) {
    const i64 row = sets_[usize(s)].row;
    if (row >= 0) [[likely]] {
      const State known = rows_[usize(row + byte_class)];
      if (known != kNotYet) [[likely]]
        return known;
    }
    return step_slowly(s, byte_class);
  }
  bool accepting(State s) const { return sets_[usize(s)].accepting; }
  /// Bytes of the shortest text that leads from s to an end.
  i32 distance(State s) const { return sets_[usize(s)].distance; }
  std::span<const Frame> frames(State s) const {
    return {frames_.data() + sets_[usize(s)].begin, usize(sets_[usize(s)].count)};
  }
  /// The state of one frame alone.
  State only(const Frame& frame);
  /// The rule state of which all masks of tokens of at most `bytes` bytes are those of rule_state.
  i32 within(i32 rule_state, i32 bytes);
  /// Where a rule is just done whose frame has `next`.
  State returned(State next);
  const Grammar& grammar() const { return *grammar_; }
  i64 bytes_used() const { return budget_->used(); }

 private:
  static constexpr State kNotYet = -1;
  struct Set {
    i64 begin;  // in frames_
    i64 row;    // in rows_, -1: no step was made from here
    i32 count;
    i32 distance;
    State returned;  // kNotYet: not computed
    bool accepting;
  };
  struct Return {
    i32 rule;
    i32 rule_state;
  };
  struct RuleState {
    Expr expr;
    i32 distance;
    i64 row;  // in rule_rows_, -1: not computed
    std::vector<Return> calls;
    bool calls_known;
    bool nullable;
    bool reads;  // has a next byte of its own
  };

  State step_slowly(State s, i32 byte_class);
  void make_state_row(State s);
  i32 rule_step(i32 rule_state, i32 byte_class);
  void make_row(i32 rule_state);
  i32 rule_state(Expr expr);
  const std::vector<Return>& calls(i32 rule_state);
  Expr alive(std::vector<Expr>& options);
  /// The state in which the machine stands in `reached`, right after a byte or a return.
  State settle(std::vector<Frame> reached);
  void add_calls(const Frame& frame);
  void add_returns(std::vector<Frame>& reached);
  State intern(std::vector<Frame>& frames);
  State joined(State a, State b);

  std::shared_ptr<const Grammar> grammar_;
  TableHold hold_;
  ExprTable table_;
  Budget* budget_;
  std::vector<RuleState> rule_states_;
  std::unordered_map<Expr, i32> rule_state_of_;
  std::vector<i32> rule_rows_;
  std::vector<Frame> frames_;
  std::vector<Set> sets_;
  InternIndex set_index_;
  std::vector<State> rows_;
  std::unordered_map<u64, State> joins_;
  int joining_ = 0;
  std::vector<std::vector<Frame>> pending_;  // per rule: frames to return to
  std::vector<i32> called_;                  // heap of ranks of rules with pending frames
  std::vector<i32> rule_of_rank_;
  State ended_ = kDead;
  State start_ = kDead;
};

}  // namespace lm::grammar

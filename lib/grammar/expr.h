#pragma once
// Languages of byte strings as expressions: every notation the room reads becomes them, and every
// automaton state is one. Equal expressions have equal ids (hash consing), so a state is an id and
// automata are built lazily by taking derivatives: what may follow a first byte. A repetition
// {m,n} stays one node however large its bounds; intersection and complement are exact because a
// derivative of them is an intersection or complement again. A call stands for the language of a
// rule, which may contain itself; intersections and complements contain no calls.
// Not thread-safe.
// Sources: Brzozowski 1964 (derivatives); Antimirov 1996 (partial derivatives: sets of expressions
// as states of a non-deterministic automaton).

#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/types.h"
#include "grammar/byte_set.h"
#include "grammar/intern_index.h"
#include "grammar/refusal.h"

namespace lm::grammar {

using Expr = i32;
inline constexpr Expr kNothing = 0;  // no text at all
inline constexpr Expr kEmpty = 1;    // the empty text alone

enum class Op : u8 { kNone, kUnit, kBytes, kCat, kAlt, kRepeat, kCall, kAnd, kNot };

inline constexpr i32 kNoLimit = -1;        // of repetitions
inline constexpr i32 kNever = 1 << 29;     // length of a text that does not exist
inline constexpr i32 kUnknownLength = -1;  // not looked for yet

/// What a text of an expression may begin with: a byte of the set, or a text of the rule; then a
/// text of `rest`. Rules that match the empty text are also skipped where they stand.
struct ByteEdge {
  i32 set;
  Expr rest;
};
struct CallEdge {
  i32 rule;
  Expr rest;
};

class ExprTable {
 public:
  explicit ExprTable(Budget budget);

  Expr bytes(const ByteSet& set);
  Expr byte(u8 value);
  Expr literal(std::string_view text);
  Expr cat(Expr a, Expr b);
  Expr alt(std::vector<Expr> options);
  Expr alt(Expr a, Expr b) { return alt(std::vector<Expr>{a, b}); }
  /// At least min, at most max texts of a in a row; max may be kNoLimit.
  Expr repeat(Expr a, i32 min, i32 max);
  Expr star(Expr a) { return repeat(a, 0, kNoLimit); }
  Expr optional(Expr a) { return alt(a, kEmpty); }
  Expr call(i32 rule);
  /// Both operands free of calls.
  Expr both(Expr a, Expr b);
  /// Every byte string that is not of a, which is free of calls.
  Expr negate(Expr a);
  Expr without(Expr a, Expr b) { return both(a, negate(b)); }
  Expr any_char();  // one well-formed UTF-8 character
  Expr chars(const CharSet& set);

  Op op(Expr e) const { return nodes_[usize(e)].op; }
  bool nullable(Expr e) const { return nodes_[usize(e)].nullable; }
  bool has_calls(Expr e) const { return nodes_[usize(e)].calls; }
  i32 rule(Expr e) const { return nodes_[usize(e)].a; }
  const ByteSet& set(i32 id) const { return sets_[usize(id)]; }
  i64 set_count() const { return isize(sets_); }
  i64 size() const { return isize(nodes_); }
  /// Operands: of alternatives all, of others one or two.
  std::vector<Expr> operands(Expr e) const;
  /// The same expression with other operands.
  Expr with_operands(Expr e, std::span<const Expr> operands);

  /// Bytes of the shortest text, kNever if there is none. Exact; for intersections and complements
  /// by a search, remembered.
  i32 shortest(Expr e);
  /// Valid until the next call of byte_edges or call_edges.
  std::span<const ByteEdge> byte_edges(Expr e);
  std::span<const CallEdge> call_edges(Expr e);
  /// An expression that texts of at most `bytes` bytes lead through as they lead through e, so that
  /// states with other counts left find the same one: repetitions with larger bounds lose them.
  /// Intersections and complements stay as they are: what is left of them depends on all bounds.
  Expr within(Expr e, i32 bytes);
  /// Whether text is of e, which is free of calls.
  bool matches(Expr e, std::string_view text);

  /// What the rules match: their nullability and the length of their shortest texts. Called once,
  /// when all rules are known; before, calls count as not nullable.
  void resolve_calls(std::span<const Expr> rules);
  bool rule_nullable(i32 rule) const { return rule_nullable_[usize(rule)]; }
  i32 rule_shortest(i32 rule) const { return rule_shortest_[usize(rule)]; }

  Budget& budget() { return budget_; }
  const Budget& budget() const { return budget_; }
  /// From here on tables charge this one.
  void set_budget(Budget budget) { budget_ = budget; }

 private:
  struct Node {
    Op op;
    bool nullable;
    bool calls;
    bool boolean;  // an intersection or complement inside: shortest needs a search
    i32 a;         // operand, rule, byte set or first of alternatives in lists_
    i32 b;         // second operand, or how many alternatives
    i32 min;
    i32 max;
    i32 bound;  // the largest of a repetition inside
    i32 shortest;
    i32 edges;  // index into edge lists, -1: not computed
  };
  struct Edges {
    std::vector<ByteEdge> bytes;
    std::vector<CallEdge> calls;
  };

  Expr intern(Op op, i32 a, i32 b, i32 min = 0, i32 max = 0);
  Expr intern_alt(const std::vector<Expr>& options);
  Expr add(Node node, u64 hash);
  void describe(Node& node) const;
  i32 structural_shortest(const Node& node) const;
  i32 search_shortest(Expr e);
  i32 set_id(const ByteSet& set);
  Expr char_tails(std::span<const ByteSequence> sequences, int depth);
  const Edges& edges(Expr e);
  Edges derive(Expr e);
  void derive_cat(Expr e, Edges& out);
  void derive_both(Expr a, Expr b, Edges& out);
  void derive_negated(Expr a, Edges& out);

  Budget budget_;
  std::vector<Node> nodes_;
  std::vector<Expr> lists_;
  std::vector<ByteSet> sets_;
  std::vector<Edges> edge_lists_;
  InternIndex index_;
  InternIndex set_index_;
  std::vector<u8> rule_nullable_;
  std::vector<i32> rule_shortest_;
  std::unordered_map<Expr, Expr> within_;  // for one number of bytes
  i32 within_bytes_ = -1;
  Expr any_char_ = kNothing;
};

}  // namespace lm::grammar

#include "grammar/rules.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/str.h"

namespace lm::grammar {

namespace {

/// Expressions inside others. Marks are kept between questions: a table may be large, what is asked
/// about small.
class Inside {
 public:
  explicit Inside(const ExprTable& table) : table_(table) {}

  /// All expressions inside the bodies, ascending: operands before what is made of them.
  std::vector<Expr> of(std::vector<Expr> open) {
    std::vector<Expr> out;
    begin();
    while (!open.empty()) {
      const Expr e = open.back();
      open.pop_back();
      if (!mark(e)) continue;
      out.push_back(e);
      for (const Expr operand : table_.operands(e))
        open.push_back(operand);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  std::vector<i32> rules_called(Expr body) {
    std::vector<i32> out;
    for (const Expr e : of({body})) {
      if (table_.op(e) == Op::kCall) out.push_back(table_.rule(e));
    }
    return out;
  }

  /// Rules that a text of the body may begin with.
  std::vector<i32> rules_called_first(Expr body) {
    std::vector<i32> out;
    std::vector<Expr> open{body};
    begin();
    while (!open.empty()) {
      const Expr e = open.back();
      open.pop_back();
      if (!table_.has_calls(e) || !mark(e)) continue;
      if (table_.op(e) == Op::kCall) out.push_back(table_.rule(e));
      const std::vector<Expr> operands = table_.operands(e);
      for (std::size_t i = 0; i < operands.size(); ++i) {
        if (table_.op(e) == Op::kCat && i == 1 && !table_.nullable(operands[0])) break;
        open.push_back(operands[i]);
      }
    }
    return out;
  }

 private:
  void begin() {
    marks_.resize(usize(table_.size()), 0);
    ++now_;
  }
  bool mark(Expr e) { return std::exchange(marks_[usize(e)], now_) != now_; }

  const ExprTable& table_;
  std::vector<u32> marks_;
  u32 now_ = 0;
};

/// Depth first over a graph of rules without recursion of ours: leave(rule) after all its
/// successors, again(path) where a successor is still open.
void visit(const std::vector<std::vector<i32>>& graph, const std::function<void(i32)>& leave,
           const std::function<void(const std::vector<i32>&)>& again) {
  enum : u8 { kNew, kOpen, kDone };
  std::vector<u8> state(graph.size(), kNew);
  std::vector<i32> path;
  std::vector<std::size_t> next(graph.size(), 0);
  for (std::size_t from = 0; from < graph.size(); ++from) {
    if (state[from] != kNew) continue;
    path.push_back(static_cast<i32>(from));
    state[from] = kOpen;
    while (!path.empty()) {
      const i32 here = path.back();
      if (next[usize(here)] == graph[usize(here)].size()) {
        state[usize(here)] = kDone;
        leave(here);
        path.pop_back();
        continue;
      }
      const i32 to = graph[usize(here)][next[usize(here)]++];
      if (state[usize(to)] == kOpen) {
        again({std::find(path.begin(), path.end(), to), path.end()});
      } else if (state[usize(to)] == kNew) {
        state[usize(to)] = kOpen;
        path.push_back(to);
      }
    }
  }
}

}  // namespace

Grammar::Grammar(RuleSet&& set) : table_(std::move(set.table)), root_(set.root) {
  for (const Rule& rule : set.rules)
    bodies_.push_back(rule.body);
  table_.resolve_calls(bodies_);
  for (i32 i = 0; i < rule_count(); ++i) {
    if (table_.shortest(bodies_[usize(i)]) < kNever) continue;
    if (set.refuse_endless || i == root_)
      refuse(cat(set.rules[usize(i)].place, " matches no finite text"));
    bodies_[usize(i)] = kNothing;
  }
  order(set.rules);
  fold();
  classify();
  shortest_ = table_.shortest(bodies_[usize(root_)]);
  table_.budget().detach();  // what covered the compiling may end before the grammar does
}

void Grammar::order(const std::vector<Rule>& rules) {
  Inside inside(table_);
  std::vector<std::vector<i32>> graph;
  for (const Expr body : bodies_)
    graph.push_back(inside.rules_called_first(body));
  rank_.assign(bodies_.size(), 0);
  i32 last = rule_count();
  visit(
      graph, [&](i32 rule) { rank_[usize(rule)] = --last; },
      [&](const std::vector<i32>& loop) {
        std::string through;
        for (std::size_t i = 1; i < loop.size(); ++i)
          append(through, i == 1 ? " through " : ", ", rules[usize(loop[i])].place);
        refuse(cat(rules[usize(loop[0])].place, " may begin with itself", through,
                   ": left recursion; a repetition says the same"));
      });
}

// Rules that call nothing recursive become part of their callers. What stays a call: rules that
// contain themselves, and those used in several places that many tokens fit into, because what is
// known of the tokens inside a rule then serves all its places (matcher.h).
void Grammar::fold() {
  constexpr i64 kMostCopied = 4096;  // expressions that the copies of one rule may make
  constexpr int kWideSet = 32;
  constexpr i32 kMostNested = 64;
  Inside inside(table_);
  std::vector<std::vector<i32>> graph;
  for (const Expr body : bodies_)
    graph.push_back(inside.rules_called(body));
  std::vector<i64> uses(bodies_.size(), 0);
  for (const Expr e : inside.of(bodies_)) {
    for (const Expr operand : table_.operands(e)) {
      if (table_.op(operand) == Op::kCall) ++uses[usize(table_.rule(operand))];
    }
  }
  std::vector<i32> order;
  std::vector<u8> recursive(bodies_.size(), 0);
  visit(
      graph, [&](i32 rule) { order.push_back(rule); },
      [&](const std::vector<i32>& loop) { recursive[usize(loop[0])] = 1; });
  std::vector<u8> folded(bodies_.size(), 0);
  std::vector<i32> nested(bodies_.size(), 0);
  std::vector<Expr> now;  // by expression: what it is with its calls folded
  for (const i32 rule : order) {
    now.resize(usize(table_.size()), kNothing);
    for (const Expr e : inside.of({bodies_[usize(rule)]})) {
      now[usize(e)] = e;
      if (table_.op(e) == Op::kCall) {
        const i32 callee = table_.rule(e);
        const bool gone = bodies_[usize(callee)] == kNothing;
        if (gone || folded[usize(callee)] != 0) now[usize(e)] = bodies_[usize(callee)];
        if (folded[usize(callee)] != 0)
          nested[usize(rule)] = std::max(nested[usize(rule)], nested[usize(callee)] + 1);
        continue;
      }
      if (!table_.has_calls(e)) continue;
      std::vector<Expr> operands = table_.operands(e);
      for (Expr& operand : operands)
        operand = now[usize(operand)];
      now[usize(e)] = table_.with_operands(e, operands);
    }
    bodies_[usize(rule)] = now[usize(bodies_[usize(rule)])];
    const std::vector<Expr> parts = inside.of({bodies_[usize(rule)]});
    const bool wide = std::any_of(parts.begin(), parts.end(), [&](Expr e) {
      return table_.op(e) == Op::kBytes && table_.set(table_.rule(e)).count() >= kWideSet;
    });
    const i64 used = uses[usize(rule)];
    folded[usize(rule)] = recursive[usize(rule)] == 0 && nested[usize(rule)] < kMostNested &&
                          (used <= 1 || (!wide && isize(parts) * used <= kMostCopied));
  }
}

void Grammar::classify() {
  std::array<i32, 256> now{};
  i32 count = 1;
  for (i32 id = 0; id < table_.set_count(); ++id) {
    const ByteSet& set = table_.set(id);
    std::array<i32, 512> split;  // by class, and whether its bytes are in the set: the new class
    split.fill(-1);
    i32 next = 0;
    for (int b = 0; b < 256; ++b) {
      const i32 key = 2 * now[usize(b)] + (set.has(static_cast<u8>(b)) ? 1 : 0);
      if (split[usize(key)] < 0) split[usize(key)] = next++;
      now[usize(b)] = split[usize(key)];
    }
    count = next;
  }
  first_of_.assign(usize(count), 0);
  for (int b = 255; b >= 0; --b) {
    class_of_[usize(b)] = static_cast<u8>(now[usize(b)]);
    first_of_[usize(now[usize(b)])] = static_cast<u8>(b);
  }
}

}  // namespace lm::grammar

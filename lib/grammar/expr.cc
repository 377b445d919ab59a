#include "grammar/expr.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/hash.h"
#include "core/str.h"

namespace lm::grammar {

namespace {

u64 mixed(u64 seed, u64 value) {
  return mix64(seed * 0x9E3779B97F4A7C15ULL + value + 1);
}

i32 capped(i64 length) {
  return static_cast<i32>(std::min<i64>(length, kNever));
}

}  // namespace

void Budget::cover() {
  if (used_ <= limit_) {
    sure_ = std::min(limit_, hold_->cover(used_));
    return;
  }
  throw Refusal{Fault{"budget",
                      cat("the grammar needs more than the ", format_bytes(limit_), " of ", name_,
                          " for its states"),
                      -1}};
}

ExprTable::ExprTable(Budget budget) : budget_(budget) {
  intern(Op::kNone, 0, 0);
  intern(Op::kUnit, 0, 0);
}

// A call whose rule is not known yet counts as not nullable and of unknown length.
void ExprTable::describe(Node& node) const {
  const auto at = [&](i32 e) -> const Node& { return nodes_[usize(e)]; };
  node.boolean = node.op == Op::kAnd || node.op == Op::kNot;
  switch (node.op) {
    case Op::kNone:
    case Op::kBytes:
      node.nullable = false;
      break;
    case Op::kUnit:
      node.nullable = true;
      break;
    case Op::kCall:
      node.calls = true;
      node.nullable = !rule_nullable_.empty() && rule_nullable_[usize(node.a)] != 0;
      break;
    case Op::kAlt:
      node.nullable = false;
      for (i32 i = node.a; i < node.a + node.b; ++i) {
        const Node& option = at(lists_[usize(i)]);
        node.nullable |= option.nullable;
        node.calls |= option.calls;
        node.boolean |= option.boolean;
        node.bound = std::max(node.bound, option.bound);
      }
      break;
    case Op::kCat:
    case Op::kAnd:
      node.nullable = at(node.a).nullable && at(node.b).nullable;
      node.calls = at(node.a).calls || at(node.b).calls;
      node.boolean |= at(node.a).boolean || at(node.b).boolean;
      node.bound = std::max(at(node.a).bound, at(node.b).bound);
      break;
    case Op::kRepeat:
      node.nullable = node.min == 0 || at(node.a).nullable;
      node.calls = at(node.a).calls;
      node.boolean = at(node.a).boolean;
      node.bound = std::max({at(node.a).bound, node.min, node.max});
      break;
    case Op::kNot:
      node.nullable = !at(node.a).nullable;
      node.calls = at(node.a).calls;
      break;
  }
}

Expr ExprTable::add(Node node, u64 hash) {
  describe(node);
  LM_CHECK(!(node.calls && (node.op == Op::kAnd || node.op == Op::kNot)),
           "intersections and complements contain no calls");
  node.shortest = kUnknownLength;
  node.edges = -1;
  budget_.charge(static_cast<i64>(sizeof(Node)) + InternIndex::kBytes);
  const Expr id = static_cast<Expr>(nodes_.size());
  nodes_.push_back(node);
  index_.insert(hash, id);
  return id;
}

Expr ExprTable::intern(Op op, i32 a, i32 b, i32 min, i32 max) {
  const u64 hash = mixed(mixed(mixed(static_cast<u64>(op), static_cast<u32>(a)),
                               static_cast<u64>(static_cast<u32>(b))),
                         u64{static_cast<u32>(min)} << 32 | static_cast<u32>(max));
  const Expr known = index_.find(hash, [&](i32 id) {
    const Node& n = nodes_[usize(id)];
    return n.op == op && n.a == a && n.b == b && n.min == min && n.max == max;
  });
  if (known >= 0) return known;
  return add({op, false, false, false, a, b, min, max, 0, 0, 0}, hash);
}

Expr ExprTable::intern_alt(const std::vector<Expr>& options) {
  u64 hash = static_cast<u64>(Op::kAlt);
  for (const Expr e : options)
    hash = mixed(hash, static_cast<u32>(e));
  const Expr known = index_.find(hash, [&](i32 id) {
    const Node& n = nodes_[usize(id)];
    return n.op == Op::kAlt && n.b == isize(options) &&
           std::equal(options.begin(), options.end(), lists_.begin() + n.a);
  });
  if (known >= 0) return known;
  const i32 begin = static_cast<i32>(lists_.size());
  budget_.charge(isize(options) * static_cast<i64>(sizeof(Expr)));
  lists_.insert(lists_.end(), options.begin(), options.end());
  return add(
      {Op::kAlt, false, false, false, begin, static_cast<i32>(options.size()), 0, 0, 0, 0, 0},
      hash);
}

i32 ExprTable::set_id(const ByteSet& set) {
  u64 hash = 0;
  for (const u64 word : set.words())
    hash = mixed(hash, word);
  const i32 known = set_index_.find(hash, [&](i32 id) { return sets_[usize(id)] == set; });
  if (known >= 0) return known;
  const i32 id = static_cast<i32>(sets_.size());
  budget_.charge(static_cast<i64>(sizeof(ByteSet)) + InternIndex::kBytes);
  sets_.push_back(set);
  set_index_.insert(hash, id);
  return id;
}

Expr ExprTable::bytes(const ByteSet& set) {
  return set.empty() ? kNothing : intern(Op::kBytes, set_id(set), 0);
}

Expr ExprTable::byte(u8 value) {
  return bytes(ByteSet::range(value, value));
}

Expr ExprTable::literal(std::string_view text) {
  Expr out = kEmpty;
  for (auto it = text.rbegin(); it != text.rend(); ++it)
    out = cat(byte(static_cast<u8>(*it)), out);
  return out;
}

// Nested to the right, so that what follows a byte of a literal is its tail as it stands.
Expr ExprTable::cat(Expr a, Expr b) {
  if (a == kNothing || b == kNothing) return kNothing;
  if (a == kEmpty) return b;
  if (b == kEmpty) return a;
  std::vector<Expr> heads;
  while (op(a) == Op::kCat) {
    heads.push_back(nodes_[usize(a)].a);
    a = nodes_[usize(a)].b;
  }
  Expr out = intern(Op::kCat, a, b);
  for (auto it = heads.rbegin(); it != heads.rend(); ++it)
    out = intern(Op::kCat, *it, out);
  return out;
}

Expr ExprTable::alt(std::vector<Expr> options) {
  std::vector<Expr> flat;
  ByteSet joined;
  for (const Expr e : options) {
    const Node& n = nodes_[usize(e)];
    if (n.op == Op::kAlt) {
      for (i32 i = n.a; i < n.a + n.b; ++i) {
        const Expr inner = lists_[usize(i)];
        if (op(inner) == Op::kBytes) {
          joined = joined | sets_[usize(nodes_[usize(inner)].a)];
        } else {
          flat.push_back(inner);
        }
      }
    } else if (n.op == Op::kBytes) {
      joined = joined | sets_[usize(n.a)];
    } else if (e != kNothing) {
      flat.push_back(e);
    }
  }
  if (!joined.empty()) flat.push_back(bytes(joined));
  std::sort(flat.begin(), flat.end());
  flat.erase(std::unique(flat.begin(), flat.end()), flat.end());
  if (flat.empty()) return kNothing;
  if (flat.size() == 1) return flat.front();
  return intern_alt(flat);
}

Expr ExprTable::repeat(Expr a, i32 min, i32 max) {
  if (max == 0 || a == kEmpty) return kEmpty;
  if (a == kNothing) return min == 0 ? kEmpty : kNothing;
  if (min == 1 && max == 1) return a;
  const Node& n = nodes_[usize(a)];
  // (x*){m,n} is x*, and x?{m,n} is x{0,n}: without this, states would grow with the text.
  if (n.op == Op::kRepeat && n.min == 0 && n.max == kNoLimit) return a;
  if (n.op == Op::kRepeat && n.min == 0 && n.max == 1) return repeat(n.a, 0, max);
  if (n.op == Op::kAlt && n.b == 2 && lists_[usize(n.a)] == kEmpty)
    return repeat(lists_[usize(n.a + 1)], 0, max);
  if (min == 0 && max == 1) return alt(a, kEmpty);
  return intern(Op::kRepeat, a, 0, min, max);
}

Expr ExprTable::call(i32 rule) {
  return intern(Op::kCall, rule, 0);
}

Expr ExprTable::both(Expr a, Expr b) {
  if (a > b) std::swap(a, b);
  if (a == kNothing || a == b) return a;
  if (a == kEmpty) return nullable(b) ? kEmpty : kNothing;
  const Expr anything = star(bytes(ByteSet::range(0, 255)));
  if (a == anything) return b;
  if (b == anything) return a;
  if (op(a) == Op::kBytes && op(b) == Op::kBytes)
    return bytes(set(nodes_[usize(a)].a) & set(nodes_[usize(b)].a));
  const auto opposite = [&](Expr x, Expr y) {
    return op(x) == Op::kNot && nodes_[usize(x)].a == y;
  };
  if (opposite(a, b) || opposite(b, a)) return kNothing;
  return intern(Op::kAnd, a, b);
}

Expr ExprTable::negate(Expr a) {
  const Expr anything = star(bytes(ByteSet::range(0, 255)));
  if (a == kNothing) return anything;
  if (a == anything) return kNothing;
  if (op(a) == Op::kNot) return nodes_[usize(a)].a;
  return intern(Op::kNot, a, 0);
}

Expr ExprTable::chars(const CharSet& set) {
  const std::vector<ByteSequence> sequences = utf8_sequences(set);
  return char_tails(sequences, 0);
}

// Sequences ascend, so those that begin alike stand together; beginnings with the same tails join.
// A class of letters has some hundred sequences, and each state over it would have as many edges.
Expr ExprTable::char_tails(std::span<const ByteSequence> sequences, int depth) {
  const std::size_t at = static_cast<std::size_t>(depth);
  std::vector<std::pair<Expr, ByteSet>> groups;
  for (std::size_t i = 0; i < sequences.size();) {
    std::size_t end = i + 1;
    while (end < sequences.size() && sequences[end].at[at] == sequences[i].at[at])
      ++end;
    const Expr tail = sequences[i].size == depth + 1
                          ? kEmpty
                          : char_tails(sequences.subspan(i, end - i), depth + 1);
    const auto same = std::find_if(groups.begin(), groups.end(),
                                   [&](const auto& group) { return group.first == tail; });
    if (same == groups.end()) {
      groups.emplace_back(tail, sequences[i].at[at]);
    } else {
      same->second = same->second | sequences[i].at[at];
    }
    i = end;
  }
  std::vector<Expr> options;
  for (const std::pair<Expr, ByteSet>& group : groups)
    options.push_back(cat(bytes(group.second), group.first));
  return alt(std::move(options));
}

Expr ExprTable::any_char() {
  if (any_char_ == kNothing) any_char_ = chars(complement({}));
  return any_char_;
}

std::vector<Expr> ExprTable::operands(Expr e) const {
  const Node& n = nodes_[usize(e)];
  switch (n.op) {
    case Op::kAlt:
      return {lists_.begin() + n.a, lists_.begin() + n.a + n.b};
    case Op::kCat:
    case Op::kAnd:
      return {n.a, n.b};
    case Op::kRepeat:
    case Op::kNot:
      return {n.a};
    default:
      return {};
  }
}

Expr ExprTable::with_operands(Expr e, std::span<const Expr> operands) {
  const Node n = nodes_[usize(e)];
  switch (n.op) {
    case Op::kAlt:
      return alt({operands.begin(), operands.end()});
    case Op::kCat:
      return cat(operands[0], operands[1]);
    case Op::kAnd:
      return both(operands[0], operands[1]);
    case Op::kRepeat:
      return repeat(operands[0], n.min, n.max);
    case Op::kNot:
      return negate(operands[0]);
    default:
      return e;
  }
}

// Of operands whose lengths are known; kUnknownLength if one is not.
i32 ExprTable::structural_shortest(const Node& n) const {
  const auto of = [&](i32 e) { return nodes_[usize(e)].shortest; };
  switch (n.op) {
    case Op::kNone:
      return kNever;
    case Op::kUnit:
      return 0;
    case Op::kBytes:
      return 1;
    case Op::kCall:
      return rule_shortest_.empty() ? kUnknownLength : rule_shortest_[usize(n.a)];
    case Op::kCat:
      if (of(n.a) < 0 || of(n.b) < 0) return kUnknownLength;
      return capped(i64{of(n.a)} + of(n.b));
    case Op::kRepeat:
      return of(n.a) < 0 ? kUnknownLength : capped(i64{of(n.a)} * n.min);
    case Op::kAlt: {
      i32 least = kNever;
      for (i32 i = n.a; i < n.a + n.b; ++i) {
        const i32 one = of(lists_[usize(i)]);
        if (one < 0) return kUnknownLength;
        least = std::min(least, one);
      }
      return least;
    }
    default:
      return kUnknownLength;
  }
}

i32 ExprTable::shortest(Expr e) {
  // Operands first, on a stack of our own: a concatenation may be as long as a document.
  std::vector<Expr> open{e};
  while (!open.empty()) {
    const Expr top = open.back();
    Node& n = nodes_[usize(top)];
    if (n.shortest >= 0) {
      open.pop_back();
      continue;
    }
    if (n.op == Op::kAnd || n.op == Op::kNot) {
      search_shortest(top);
      continue;
    }
    n.shortest = structural_shortest(n);
    if (n.shortest >= 0) continue;
    for (const Expr operand : operands(top)) {
      if (nodes_[usize(operand)].shortest < 0) open.push_back(operand);
    }
  }
  return nodes_[usize(e)].shortest;
}

// Breadth first over first bytes. An expression without intersections ends a branch: its length is
// known from its structure.
i32 ExprTable::search_shortest(Expr e) {
  struct Seen {
    Expr e;
    i64 from;
    i32 depth;
  };
  std::vector<Seen> queue{{e, -1, 0}};
  std::map<Expr, i64> known{{e, 0}};
  i32 best = kNever;
  i64 best_at = -1;
  for (i64 i = 0; i < isize(queue) && queue[usize(i)].depth < best; ++i) {
    const Seen here = queue[usize(i)];
    i32 rest = kUnknownLength;
    if (nullable(here.e)) {
      rest = 0;
    } else if (i > 0 && (nodes_[usize(here.e)].shortest >= 0 || !nodes_[usize(here.e)].boolean)) {
      rest = shortest(here.e);
    }
    if (rest >= 0) {
      if (here.depth + rest < best) {
        best = here.depth + rest;
        best_at = i;
      }
      continue;
    }
    for (const ByteEdge& edge : std::vector<ByteEdge>(edges(here.e).bytes)) {
      if (!known.emplace(edge.rest, isize(queue)).second) continue;
      budget_.charge(64);
      queue.push_back({edge.rest, i, here.depth + 1});
    }
  }
  if (best_at < 0) {
    for (const Seen& one : queue)
      nodes_[usize(one.e)].shortest = kNever;
    return kNever;
  }
  for (i64 at = best_at; at >= 0; at = queue[usize(at)].from)
    nodes_[usize(queue[usize(at)].e)].shortest = best - queue[usize(at)].depth;
  return best;
}

Expr ExprTable::within(Expr e, i32 bytes) {
  if (nodes_[usize(e)].bound <= bytes) return e;
  if (within_bytes_ != bytes) within_.clear();
  within_bytes_ = bytes;
  std::vector<Expr> open{e};
  while (!open.empty()) {
    const Expr top = open.back();
    if (within_.count(top) != 0) {
      open.pop_back();
      continue;
    }
    const Node n = nodes_[usize(top)];
    std::vector<Expr> parts = operands(top);
    if (n.op == Op::kAnd || n.op == Op::kNot) parts.clear();
    bool ready = true;
    for (Expr& part : parts) {
      if (nodes_[usize(part)].bound <= bytes) continue;
      const auto known = within_.find(part);
      if (known == within_.end()) {
        open.push_back(part);
        ready = false;
      } else {
        part = known->second;
      }
    }
    if (!ready) continue;
    Expr made = top;
    if (n.op == Op::kRepeat) {
      made = repeat(parts[0], std::min(n.min, bytes + 1), n.max > bytes ? kNoLimit : n.max);
    } else if (!parts.empty()) {
      made = with_operands(top, parts);
    }
    budget_.charge(48);
    within_.emplace(top, made);
    open.pop_back();
  }
  return within_.at(e);
}

void ExprTable::resolve_calls(std::span<const Expr> rules) {
  rule_nullable_.assign(rules.size(), 0);
  rule_shortest_.assign(rules.size(), kNever);
  // Operands have smaller ids than what is made of them: one pass sees them first. Passes go on
  // while they find out more of the rules.
  for (bool changed = true; changed;) {
    changed = false;
    for (Node& n : nodes_) {
      if (n.calls) describe(n);
    }
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (nullable(rules[i]) && rule_nullable_[i] == 0) {
        rule_nullable_[i] = 1;
        changed = true;
      }
    }
  }
  // What is free of calls has its length already; only of what calls meet is it asked.
  for (const Expr rule : rules) {
    if (!has_calls(rule)) shortest(rule);
  }
  for (i64 e = 0, count = isize(nodes_); e < count; ++e) {
    if (!nodes_[usize(e)].calls) continue;
    for (const Expr operand : operands(static_cast<Expr>(e))) {
      if (!has_calls(operand)) shortest(operand);
    }
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (Node& n : nodes_) {
      if (n.calls) n.shortest = structural_shortest(n);
    }
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const i32 now = nodes_[usize(rules[i])].shortest;
      if (now < rule_shortest_[i]) {
        rule_shortest_[i] = now;
        changed = true;
      }
    }
  }
}

}  // namespace lm::grammar

// What an expression may begin with, and what is left of it then.

#include <algorithm>
#include <map>
#include <utility>

#include "grammar/expr.h"

namespace lm::grammar {

std::span<const ByteEdge> ExprTable::byte_edges(Expr e) {
  return edges(e).bytes;
}

std::span<const CallEdge> ExprTable::call_edges(Expr e) {
  return edges(e).calls;
}

const ExprTable::Edges& ExprTable::edges(Expr e) {
  if (nodes_[usize(e)].edges < 0) {
    Edges made = derive(e);
    budget_.charge(static_cast<i64>(sizeof(Edges)) +
                   isize(made.bytes) * static_cast<i64>(sizeof(ByteEdge)) +
                   isize(made.calls) * static_cast<i64>(sizeof(CallEdge)));
    nodes_[usize(e)].edges = static_cast<i32>(edge_lists_.size());
    edge_lists_.push_back(std::move(made));
  }
  return edge_lists_[usize(nodes_[usize(e)].edges)];
}

ExprTable::Edges ExprTable::derive(Expr e) {
  const Node n = nodes_[usize(e)];
  Edges out;
  switch (n.op) {
    case Op::kNone:
    case Op::kUnit:
      break;
    case Op::kBytes:
      out.bytes.push_back({n.a, kEmpty});
      break;
    case Op::kCall:
      out.calls.push_back({n.a, kEmpty});
      break;
    case Op::kAlt:
      for (i32 i = n.a; i < n.a + n.b; ++i) {
        const Edges& option = edges(lists_[usize(i)]);
        out.bytes.insert(out.bytes.end(), option.bytes.begin(), option.bytes.end());
        out.calls.insert(out.calls.end(), option.calls.begin(), option.calls.end());
      }
      break;
    case Op::kRepeat: {
      out = edges(n.a);
      const i32 min = nullable(n.a) ? 0 : std::max(n.min - 1, 0);
      const Expr rest = repeat(n.a, min, n.max == kNoLimit ? kNoLimit : n.max - 1);
      for (ByteEdge& edge : out.bytes)
        edge.rest = cat(edge.rest, rest);
      for (CallEdge& edge : out.calls)
        edge.rest = cat(edge.rest, rest);
      break;
    }
    case Op::kCat:
      derive_cat(e, out);
      break;
    case Op::kAnd:
      derive_both(n.a, n.b, out);
      break;
    case Op::kNot:
      derive_negated(n.a, out);
      break;
  }
  return out;
}

// What may be empty is passed over: its edges, and those of what follows.
void ExprTable::derive_cat(Expr e, Edges& out) {
  while (op(e) == Op::kCat) {
    const Expr head = nodes_[usize(e)].a;
    const Expr rest = nodes_[usize(e)].b;
    const Edges first = edges(head);
    for (const ByteEdge& edge : first.bytes)
      out.bytes.push_back({edge.set, cat(edge.rest, rest)});
    for (const CallEdge& edge : first.calls)
      out.calls.push_back({edge.rule, cat(edge.rest, rest)});
    if (!nullable(head)) return;
    e = rest;
  }
  const Edges& last = edges(e);
  out.bytes.insert(out.bytes.end(), last.bytes.begin(), last.bytes.end());
  out.calls.insert(out.calls.end(), last.calls.begin(), last.calls.end());
}

void ExprTable::derive_both(Expr a, Expr b, Edges& out) {
  const std::vector<ByteEdge> left = edges(a).bytes;
  const std::vector<ByteEdge> right = edges(b).bytes;
  for (const ByteEdge& x : left) {
    for (const ByteEdge& y : right) {
      const ByteSet common = set(x.set) & set(y.set);
      if (common.empty()) continue;
      const Expr rest = both(x.rest, y.rest);
      if (rest != kNothing) out.bytes.push_back({set_id(common), rest});
    }
  }
}

// After a byte, the complement of all that the byte may lead to: bytes of the same edges together.
void ExprTable::derive_negated(Expr a, Edges& out) {
  const std::vector<ByteEdge> inner = edges(a).bytes;
  std::map<std::vector<Expr>, ByteSet> groups;
  for (int b = 0; b < 256; ++b) {
    std::vector<Expr> rests;
    for (const ByteEdge& edge : inner) {
      if (set(edge.set).has(static_cast<u8>(b))) rests.push_back(edge.rest);
    }
    groups[std::move(rests)].add(static_cast<u8>(b));
  }
  for (const auto& [rests, bytes_of] : groups) {
    const Expr rest = negate(alt(rests));
    if (rest != kNothing) out.bytes.push_back({set_id(bytes_of), rest});
  }
}

bool ExprTable::matches(Expr e, std::string_view text) {
  for (const char c : text) {
    std::vector<Expr> next;
    for (const ByteEdge& edge : byte_edges(e)) {
      if (set(edge.set).has(static_cast<u8>(c))) next.push_back(edge.rest);
    }
    e = alt(std::move(next));
  }
  return nullable(e);
}

}  // namespace lm::grammar

// Evaluation: a walk over the parts. Values are views into the record, so nothing is allocated.

#include "mix/expression.h"

#include <algorithm>
#include <cmath>

#include "core/str.h"
#include "text/utf8.h"

namespace lm::mix {

using Type = Value::Type;

Expression::Expression(std::string_view source, Yields yields, Names& names,
                       const std::string& where, ErrorKind kind)
    : source_(source) {
  Program program = parse_expression(source, yields, names, where, kind);
  nodes_ = std::move(program.nodes);
  choices_ = std::move(program.choices);
  patterns_ = std::move(program.patterns);
  root_ = program.root;
}

Result<Expression::Outcome> Expression::test(Values& values) const {
  values.met_none = false;
  const int holds = truth(root_, values);
  if (holds < 0) return fault(values);
  return Outcome{holds == 1, values.met_none};
}

Result<Expression::Amount> Expression::amount(Values& values) const {
  const Value value = eval(root_, values);
  if (value.type == Type::kNone) return Amount{0, true};
  if (value.type != Type::kNumber) {
    if (value.type != Type::kFault) wrong(root_, value, "a number", values);
    return fault(values);
  }
  return Amount{value.number, false};
}

Fault Expression::fault(Values& values) const {
  LM_CHECK(values.fault.has_value(), "a failed evaluation says why");
  Fault out = std::move(*values.fault);
  values.fault.reset();
  return out;
}

namespace {

std::string_view words(const Value& value) {
  switch (value.type) {
    case Type::kBool:
      return "a boolean";
    case Type::kNumber:
      return "a number";
    case Type::kString:
      return "a string";
    case Type::kOther:
      return value.text;
    default:
      return "no value";
  }
}

}  // namespace

Value Expression::wrong(i32 at, const Value& seen, std::string_view expected,
                        Values& values) const {
  const Node& node = nodes_[usize(at)];
  values.fault = Fault{"type",
                       cat("column ", node.column, ": ",
                           node.op == Op::kField ? cat("field ", quote(node.text)) : "the value",
                           " is ", words(seen), ", expected ", expected),
                       -1};
  return Value::bad();
}

int Expression::truth(i32 at, Values& values) const {
  const Value value = eval(at, values);
  if (value.type == Type::kBool) return value.truth ? 1 : 0;
  if (value.type == Type::kFault) return -1;
  if (value.type == Type::kNone) {
    values.met_none = true;
    return 0;
  }
  wrong(at, value, "true or false", values);
  return -1;
}

Value Expression::eval(i32 at, Values& values) const {
  const Node& node = nodes_[usize(at)];
  switch (node.op) {
    case Op::kNumber:
      return Value::of(node.number);
    case Op::kString:
      return Value::of(std::string_view(node.text));
    case Op::kBool:
      return Value::of(node.index != 0);
    case Op::kNull:
      return {};
    case Op::kField:
      return values.field(node.index);
    case Op::kScore:
    case Op::kMax:
    case Op::kMin:
    case Op::kSum:
    case Op::kCount:
    case Op::kCovered:
    case Op::kHas:
      return attribute(node, values);
    case Op::kLength:
    case Op::kBytes:
    case Op::kMatches:
      return text_part(node, values);
    case Op::kIn:
      return member(node, values);
    case Op::kIsNull: {
      const Value value = eval(node.a, values);
      return value.type == Type::kFault ? value : Value::of(value.type == Type::kNone);
    }
    case Op::kEqual:
    case Op::kUnequal:
    case Op::kLess:
    case Op::kAtMost:
    case Op::kMore:
    case Op::kAtLeast:
      return compare(node, values);
    case Op::kNot: {
      const int holds = truth(node.a, values);
      return holds < 0 ? Value::bad() : Value::of(holds == 0);
    }
    case Op::kAnd:
    case Op::kOr: {
      const int first = truth(node.a, values);
      if (first < 0) return Value::bad();
      if ((first == 1) == (node.op == Op::kOr)) return Value::of(first == 1);
      const int second = truth(node.b, values);
      return second < 0 ? Value::bad() : Value::of(second == 1);
    }
    default:
      return arithmetic(node, values);
  }
}

Result<i64> Expression::whole_amount(Values& values, std::string_view option) const {
  constexpr f64 kMost = 1e15;
  const Result<Amount> counted = amount(values);
  if (!counted) {
    Fault fault = counted.fault();
    fault.detail = cat(option, ": ", fault.detail);
    return fault;
  }
  if (counted->none) return Fault{"missing", cat(option, ": a value it needs is missing"), -1};
  if (!(counted->value >= 0 && counted->value <= kMost))
    return Fault{"range", cat(option, " is ", counted->value, ", expected 0 to ", kMost), -1};
  return static_cast<i64>(std::llround(counted->value));
}

std::vector<i64> Expression::attributes() const {
  std::vector<i64> out;
  for (const Node& node : nodes_) {
    if (node.op >= Op::kScore && node.op <= Op::kHas) out.push_back(node.index);
  }
  return out;
}

Value Expression::attribute(const Node& node, Values& values) const {
  if (node.op == Op::kHas) return Value::of(values.has(node.index));
  const std::vector<text::ScoredSpan>* const spans = values.spans(node.index);
  if (spans == nullptr) return Value::bad();
  if (node.op == Op::kCount) return Value::of(static_cast<f64>(spans->size()));
  if (node.op == Op::kCovered) {
    const i64 length = values.text_length();
    return length < 0 ? Value::bad()
                      : Value::of(text::covered_share(*spans, node.number, length, values.sorted));
  }
  if (node.op == Op::kSum) {
    f64 sum = 0;
    for (const text::ScoredSpan& span : *spans)
      sum += span.score;
    return Value::of(sum);
  }
  if (spans->empty()) return {};
  f64 out = spans->front().score;
  if (node.op == Op::kScore) return Value::of(out);
  for (const text::ScoredSpan& span : *spans)
    out = node.op == Op::kMax ? std::max(out, span.score) : std::min(out, span.score);
  return Value::of(out);
}

Value Expression::arithmetic(const Node& node, Values& values) const {
  const Value a = eval(node.a, values);
  if (a.type == Type::kFault) return a;
  if (a.type != Type::kNumber && a.type != Type::kNone) return wrong(node.a, a, "a number", values);
  if (node.b < 0) {
    if (a.type == Type::kNone) return a;
    return Value::of(node.op == Op::kNegate ? -a.number : std::fabs(a.number));
  }
  const Value b = eval(node.b, values);
  if (b.type == Type::kFault) return b;
  if (b.type != Type::kNumber && b.type != Type::kNone) return wrong(node.b, b, "a number", values);
  if (a.type == Type::kNone || b.type == Type::kNone) return {};
  f64 out = 0;
  switch (node.op) {
    case Op::kAdd:
      out = a.number + b.number;
      break;
    case Op::kSubtract:
      out = a.number - b.number;
      break;
    case Op::kMultiply:
      out = a.number * b.number;
      break;
    case Op::kDivide:
      out = a.number / b.number;
      break;
    case Op::kModulo:
      out = std::fmod(a.number, b.number);
      break;
    case Op::kLeast:
      out = std::min(a.number, b.number);
      break;
    case Op::kGreatest:
      out = std::max(a.number, b.number);
      break;
    default:
      LM_CHECK(false, "not an operation on two numbers");
  }
  // Beyond f64 as well as x / 0: nothing that can be compared.
  return std::isfinite(out) ? Value::of(out) : Value{};
}

namespace {

template <typename T>
bool ordered(Op op, const T& a, const T& b) {
  switch (op) {
    case Op::kEqual:
      return a == b;
    case Op::kUnequal:
      return a != b;
    case Op::kLess:
      return a < b;
    case Op::kAtMost:
      return a <= b;
    case Op::kMore:
      return a > b;
    default:
      return a >= b;
  }
}

}  // namespace

Value Expression::compare(const Node& node, Values& values) const {
  const Value a = eval(node.a, values);
  if (a.type == Type::kFault) return a;
  const Value b = eval(node.b, values);
  if (b.type == Type::kFault) return b;
  if (a.type == Type::kOther) return wrong(node.a, a, "a value that can be compared", values);
  if (b.type == Type::kOther) return wrong(node.b, b, "a value that can be compared", values);
  if (a.type == Type::kNone || b.type == Type::kNone) {
    values.met_none = true;
    return Value::of(false);
  }
  const bool equality = node.op == Op::kEqual || node.op == Op::kUnequal;
  if (a.type == Type::kBool && !equality) return wrong(node.a, a, "a number or a string", values);
  if (a.type != b.type) {
    // Complain of what the record brings, not of what the rule says.
    const bool of_a = nodes_[usize(node.a)].op == Op::kField;
    return of_a ? wrong(node.a, a, words(b), values) : wrong(node.b, b, words(a), values);
  }
  if (a.type == Type::kNumber) return Value::of(ordered(node.op, a.number, b.number));
  if (a.type == Type::kString) return Value::of(ordered(node.op, a.text, b.text));
  return Value::of(ordered(node.op, a.truth, b.truth));
}

Value Expression::member(const Node& node, Values& values) const {
  const Value a = eval(node.a, values);
  if (a.type == Type::kFault) return a;
  if (a.type == Type::kNone) {
    values.met_none = true;
    return Value::of(false);
  }
  const Choices& choices = choices_[usize(node.index)];
  const bool numbers = choices.strings.empty();
  if (a.type != (numbers ? Type::kNumber : Type::kString))
    return wrong(node.a, a, numbers ? "a number" : "a string", values);
  if (numbers)
    return Value::of(std::binary_search(choices.numbers.begin(), choices.numbers.end(), a.number));
  return Value::of(
      std::binary_search(choices.strings.begin(), choices.strings.end(), a.text,
                         [](std::string_view x, std::string_view y) { return x < y; }));
}

Value Expression::text_part(const Node& node, Values& values) const {
  const Value a = eval(node.a, values);
  if (a.type == Type::kFault) return a;
  if (a.type == Type::kNone) {
    if (node.op != Op::kMatches) return a;
    values.met_none = true;
    return Value::of(false);
  }
  if (a.type != Type::kString) return wrong(node.a, a, "a string", values);
  if (node.op == Op::kBytes) return Value::of(static_cast<f64>(a.text.size()));
  if (node.op == Op::kLength) {
    const Node& of = nodes_[usize(node.a)];
    const bool whole = of.op == Op::kField && of.index == Names::kText;
    return Value::of(
        static_cast<f64>(whole ? values.text_length() : text::count_code_points(a.text)));
  }
  const int found = patterns_[usize(node.index)].find(a.text);
  if (found >= 0) return Value::of(found == 1);
  values.fault = Fault{"pattern", cat("column ", node.column, ": the pattern gave up"), -1};
  return Value::bad();
}

}  // namespace lm::mix

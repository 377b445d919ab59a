#pragma once
// The filter language: score("gopher_v1.word_count") >= 50 and not (metadata.stars < 5). Compiled
// once against the names of a reader; evaluating allocates nothing unless a record is bad.
//
//   or, and, not; == != < <= > >=; + - * / %; in [A, B]; matches "REGEX"; ( ); -x
//   numbers, "strings" or 'strings', true, false, null; fields by path: metadata.stars
//   score(K) max(K) min(K) sum(K) count(K) covered(K[, MIN]) has(K): spans of an attribute
//   field("odd-name.x"); length(S) bytes(S); abs(X) min(X, Y...) max(X, Y...)
//
// No value: a field that is missing or null, score, max and min of an attribute without spans, a
// division by zero, and what is computed from any of them. A comparison with no value is false, and
// so is no value where a truth is expected; X == null and X != null ask for it. Anything else that
// does not fit is a Fault of the record: no type is ever converted.
// Thread rule: an Expression is read-only and shared; the Values are a worker's own.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/result.h"
#include "mix/names.h"
#include "mix/pattern.h"
#include "mix/values.h"

namespace lm::mix {

enum class Op : u8 {
  kNumber,
  kString,
  kBool,
  kNull,
  kField,  // leaves
  kScore,
  kMax,
  kMin,
  kSum,
  kCount,
  kCovered,
  kHas,  // of an attribute
  kLength,
  kBytes,
  kAbs,
  kLeast,
  kGreatest,
  kNegate,  // of a
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,  // of a and b
  kEqual,
  kUnequal,
  kLess,
  kAtMost,
  kMore,
  kAtLeast,
  kIsNull,  // comparisons
  kIn,
  kMatches,
  kNot,
  kAnd,
  kOr
};

/// One part of a compiled expression; a and b are the parts it is made of, by index.
struct Node {
  Op op = Op::kNull;
  i32 a = -1;
  i32 b = -1;
  i64 index = -1;    // of a field, an attribute, a list, a pattern; of kBool its value
  f64 number = 0;    // kNumber; kCovered: the least score
  i64 column = 0;    // where it stands in the source, from 1
  std::string text;  // kString; kField and attributes: the name for messages
};

/// The list behind `in`: all of one type, sorted.
struct Choices {
  std::vector<f64> numbers;
  std::vector<std::string> strings;
};

class Expression {
 public:
  enum class Yields { kTruth, kNumber };
  struct Outcome {
    bool holds = false;
    bool met_none = false;  // a part without a value was decisive somewhere
  };
  struct Amount {
    f64 value = 0;
    bool none = false;
  };

  /// where: what messages begin with ("--where long"). Throws Error{kind} "WHERE: column N:
  /// expected
  /// ..., got ..." for what cannot be parsed, cannot be of the type, or has more than 64 KiB, 4096
  /// parts or 100 levels.
  Expression(std::string_view source, Yields yields, Names& names, const std::string& where,
             ErrorKind kind = ErrorKind::kUsage);

  /// Whether a yes-or-no expression holds for the open record. Faults: type (an operand of another
  /// type), range and type of spans, pattern (a pattern gave up).
  Result<Outcome> test(Values& values) const;
  /// What a numeric expression comes to.
  Result<Amount> amount(Values& values) const;
  /// The same as a whole number of things from 0 to 1e15, rounded: sums of these have no order.
  /// Faults name the option: also missing (no value) and range.
  Result<i64> whole_amount(Values& values, std::string_view option) const;
  const std::string& source() const { return source_; }
  /// Indices of the attributes it names, in order, perhaps repeated.
  std::vector<i64> attributes() const;

 private:
  Value eval(i32 at, Values& values) const;
  Value attribute(const Node& node, Values& values) const;
  Value arithmetic(const Node& node, Values& values) const;
  Value compare(const Node& node, Values& values) const;
  Value member(const Node& node, Values& values) const;
  Value text_part(const Node& node, Values& values) const;
  /// 1, 0, or -1 with a fault.
  int truth(i32 at, Values& values) const;
  Value wrong(i32 at, const Value& seen, std::string_view expected, Values& values) const;
  Fault fault(Values& values) const;

  std::string source_;
  std::vector<Node> nodes_;
  std::vector<Choices> choices_;
  std::vector<Pattern> patterns_;
  i32 root_ = -1;
};

/// The parser's result; used by Expression.
struct Program {
  std::vector<Node> nodes;
  std::vector<Choices> choices;
  std::vector<Pattern> patterns;
  i32 root = -1;
};
Program parse_expression(std::string_view source, Expression::Yields yields, Names& names,
                         const std::string& where, ErrorKind kind);

}  // namespace lm::mix

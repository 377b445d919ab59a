#pragma once
// The part of JSONPath that filters over documents use, compiled once:
//
//   $ or $@, then .name ['name'] [n] [*] .* ..name [?(TEST)]
//   TEST: @.a.b, !TEST, TEST && TEST, TEST || TEST, (TEST), A == B and != < <= > >=, A ~= 'REGEX'
//   A, B: @..., $..., numbers, 'strings', true, false, null
//
// [?(...)] asks each element of a list, and an object as a whole. A path alone is true if it leads
// to anything, be it false or null. Numbers compare by value. A comparison with what is not there
// is false, but != is true; < and its like are for numbers alone.
// Evaluation is selection.h's. Thread rule: read-only once made.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/types.h"
#include "mix/pattern.h"

namespace lm::mix {

struct PathStep {
  enum class Kind : u8 { kField, kIndex, kAll, kDeep, kFilter };
  Kind kind = Kind::kField;
  std::string name = {};  // kField, kDeep
  i64 number = 0;         // kIndex: which element; kFilter: which test
};

/// One side of a comparison: a constant or a path.
struct PathOperand {
  enum class Kind : u8 { kPath, kNumber, kString, kBool, kNull };
  Kind kind = Kind::kPath;
  bool from_root = false;  // of a path: $, not @
  i64 level = 0;           // tests around it
  std::vector<PathStep> steps = {};
  f64 number = 0;  // kNumber; kBool: 1 for true
  std::string text = {};
};

struct PathTest {
  enum class Op : u8 {
    kExists,
    kEqual,
    kUnequal,
    kLess,
    kAtMost,
    kMore,
    kAtLeast,
    kMatches,
    kNot,
    kAnd,
    kOr
  };
  Op op = Op::kExists;
  i64 a = -1;  // of comparisons operands and a pattern, of the others tests
  i64 b = -1;
};

class JsonPath {
 public:
  /// where: what messages begin with. Throws Error{kind} "WHERE: column N: expected ..., got ..."
  /// for what has not the form, and for more than 64 KiB, 4096 parts or 100 levels.
  JsonPath(std::string_view text, const std::string& where, ErrorKind kind);

  const std::vector<PathStep>& steps() const { return steps_; }
  const PathTest& test(i64 i) const { return tests_[usize(i)]; }
  const PathOperand& operand(i64 i) const { return operands_[usize(i)]; }
  const Pattern& pattern(i64 i) const { return patterns_[usize(i)]; }

  /// "a.b" of $.a.b: where it is names alone, none of them with a dot.
  std::optional<std::string> fields() const;
  /// Names below "attributes" that it asks for, in the order it does.
  std::vector<std::string> attributes() const;

 private:
  friend class JsonPathParser;
  std::vector<PathStep> steps_;
  std::vector<PathTest> tests_;
  std::vector<PathOperand> operands_;
  std::vector<Pattern> patterns_;
};

}  // namespace lm::mix

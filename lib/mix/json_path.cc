// The parser of JSONPath: recursive descent over the characters.

#include "mix/json_path.h"

#include <algorithm>

#include "core/str.h"
#include "core/utf8.h"
#include "text/utf8.h"

namespace lm::mix {

namespace {

constexpr std::size_t kMaxSource = std::size_t{64} << 10;
constexpr i64 kMaxParts = 4096;
constexpr i64 kMaxDepth = 100;
constexpr std::string_view kHint = "--syntax jq and expressions (--where, --drop) say more";

bool in_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '/' || c == '#' || static_cast<u8>(c) >= 0x80;
}

}  // namespace

class JsonPathParser {
 public:
  JsonPathParser(std::string_view source, const std::string& where, ErrorKind kind, JsonPath& out)
      : source_(source), where_(where), kind_(kind), out_(out) {
    if (source.size() > kMaxSource)
      throw Error(kind,
                  cat(where, ": has ", source.size(), " bytes, expected at most ", kMaxSource));
    if (!is_valid_utf8(source)) throw Error(kind, cat(where, ": is not UTF-8"));
  }

  void parse() {
    skip();
    if (!take("$")) expected("$");
    skip();
    take("@");
    out_.steps_ = steps();
    if (at_ < source_.size()) expected("a step such as .name, ['name'], [0] or [?(...)]");
  }

 private:
  [[noreturn]] void fail(std::size_t at, std::string_view what, std::string_view hint = {}) const {
    throw Error(
        kind_,
        cat(where_, ": column ", text::count_code_points(source_.substr(0, at)) + 1, ": ", what),
        std::string(hint));
  }
  [[noreturn]] void expected(std::string_view what) const {
    const std::size_t size = at_ < source_.size() ? usize(text::sequence_size(source_[at_])) : 0;
    fail(at_, cat("expected ", what, ", got ",
                  size == 0 ? std::string("the end") : quote(source_.substr(at_, size))));
  }
  void skip() {
    while (at_ < source_.size() && (source_[at_] == ' ' || source_[at_] == '\t' ||
                                    source_[at_] == '\n' || source_[at_] == '\r'))
      ++at_;
  }
  bool next_is(std::string_view sign) const { return source_.substr(at_).starts_with(sign); }
  bool take(std::string_view sign) {
    if (!next_is(sign)) return false;
    at_ += sign.size();
    return true;
  }
  void want(std::string_view sign) {
    skip();
    if (!take(sign)) expected(cat("'", sign, "'"));
  }
  void count() {
    if (++parts_ > kMaxParts) fail(at_, cat("more than ", kMaxParts, " parts"));
  }

  struct Level {
    explicit Level(JsonPathParser& parser) : parser_(parser) {
      if (++parser.depth_ > kMaxDepth)
        parser.fail(parser.at_, cat("nested deeper than ", kMaxDepth));
    }
    ~Level() { --parser_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    JsonPathParser& parser_;
  };

  std::vector<PathStep> steps() {
    std::vector<PathStep> out;
    while (true) {
      skip();
      count();
      if (take("..")) {
        out.push_back({PathStep::Kind::kDeep, deep_name()});
      } else if (take(".")) {
        skip();
        if (next_is("[")) continue;
        if (take("*")) {
          out.push_back({PathStep::Kind::kAll});
        } else {
          out.push_back({PathStep::Kind::kField, name()});
        }
      } else if (next_is("[")) {
        out.push_back(bracket());
      } else {
        return out;
      }
    }
  }

  std::string name() {
    const std::size_t begin = at_;
    while (at_ < source_.size() && in_name(source_[at_]))
      ++at_;
    if (at_ == begin) expected("a name");
    if (next_is("("))
      fail(begin, cat(source_.substr(begin, at_ - begin), "() is not understood"), kHint);
    return std::string(source_.substr(begin, at_ - begin));
  }

  std::string deep_name() {
    skip();
    if (next_is("*")) fail(at_, "..* is not understood", kHint);
    if (!take("[")) return name();
    skip();
    std::string out = string();
    want("]");
    return out;
  }

  PathStep bracket() {
    ++at_;
    skip();
    PathStep out;
    if (take("*")) {
      out.kind = PathStep::Kind::kAll;
    } else if (take("?")) {
      want("(");
      out.kind = PathStep::Kind::kFilter;
      ++level_;
      out.number = either();
      --level_;
      want(")");
    } else if (next_is("'") || next_is("\"")) {
      out.name = string();
    } else {
      const std::size_t begin = at_;
      while (at_ < source_.size() && source_[at_] >= '0' && source_[at_] <= '9')
        ++at_;
      const std::optional<i64> index = parse_int(source_.substr(begin, at_ - begin));
      if (!index) expected("a name in quotes, a number from 0, * or ?(...)");
      out.kind = PathStep::Kind::kIndex;
      out.number = *index;
    }
    skip();
    if (next_is(",") || next_is(":"))
      fail(at_, "lists of steps and ranges are not understood", kHint);
    want("]");
    return out;
  }

  std::string string() {
    if (!next_is("'") && !next_is("\"")) expected("a text in quotes");
    const char quote_sign = source_[at_];
    const std::size_t begin = at_;
    std::string out;
    for (++at_; at_ < source_.size() && source_[at_] != quote_sign; ++at_) {
      if (source_[at_] != '\\' || at_ + 1 == source_.size()) {
        out.push_back(source_[at_]);
        continue;
      }
      const char c = source_[++at_];
      if (c == 'n' || c == 't') {
        out.push_back(c == 'n' ? '\n' : '\t');
      } else {
        if (c != '\'' && c != '"' && c != '\\' && c != '/') out.push_back('\\');  // of a pattern
        out.push_back(c);
      }
    }
    if (at_ == source_.size()) fail(begin, cat("a text has no closing ", quote_sign));
    ++at_;
    return out;
  }

  i64 add(PathTest::Op op, i64 a, i64 b = -1) {
    count();
    out_.tests_.push_back({op, a, b});
    return isize(out_.tests_) - 1;
  }

  i64 either() {
    const Level level(*this);
    i64 left = both();
    for (skip(); take("||"); skip()) {
      const i64 right = both();
      left = add(PathTest::Op::kOr, left, right);
    }
    return left;
  }
  i64 both() {
    i64 left = negation();
    for (skip(); take("&&"); skip()) {
      const i64 right = negation();
      left = add(PathTest::Op::kAnd, left, right);
    }
    return left;
  }
  i64 negation() {
    const Level level(*this);
    skip();
    if (next_is("!") && !next_is("!=")) {
      ++at_;
      return add(PathTest::Op::kNot, negation());
    }
    if (!take("(")) return comparison();
    const i64 inside = either();
    want(")");
    return inside;
  }

  i64 comparison() {
    const std::size_t begin = at_;
    const i64 left = operand();
    skip();
    struct Sign {
      std::string_view text;
      PathTest::Op op;
    };
    static constexpr Sign kSigns[] = {
        {"==", PathTest::Op::kEqual},   {"!=", PathTest::Op::kUnequal},
        {"~=", PathTest::Op::kMatches}, {"<=", PathTest::Op::kAtMost},
        {">=", PathTest::Op::kAtLeast}, {"<", PathTest::Op::kLess},
        {">", PathTest::Op::kMore}};
    for (const Sign& sign : kSigns) {
      if (!take(sign.text)) continue;
      need_one(left, begin);
      skip();
      const std::size_t second = at_;
      if (sign.op == PathTest::Op::kMatches) return add(sign.op, left, pattern());
      const i64 right = operand();
      need_one(right, second);
      return add(sign.op, left, right);
    }
    for (const std::string_view word : {"in", "nin", "size", "noneOf", "anyOf", "subsetOf"}) {
      if (next_is(word)) fail(at_, cat(word, " is not understood"), kHint);
    }
    if (out_.operands_[usize(left)].kind != PathOperand::Kind::kPath) expected("a comparison");
    return add(PathTest::Op::kExists, left);
  }

  /// What is compared has to be one value.
  void need_one(i64 i, std::size_t at) const {
    for (const PathStep& step : out_.operands_[usize(i)].steps) {
      if (step.kind != PathStep::Kind::kField && step.kind != PathStep::Kind::kIndex)
        fail(at, "a path that leads to several values cannot be compared", kHint);
    }
  }

  i64 pattern() {
    const std::size_t at = at_;
    const std::string text = string();
    try {
      out_.patterns_.emplace_back(text);
    } catch (const Error& e) {
      fail(at, e.message());
    }
    return isize(out_.patterns_) - 1;
  }

  i64 operand() {
    skip();
    count();
    PathOperand out;
    out.level = level_;
    if (next_is("@") || next_is("$")) {
      out.from_root = source_[at_++] == '$';
      out.steps = steps();
    } else if (next_is("'") || next_is("\"")) {
      out.kind = PathOperand::Kind::kString;
      out.text = string();
    } else if (at_ < source_.size() &&
               (source_[at_] == '-' || (source_[at_] >= '0' && source_[at_] <= '9'))) {
      const std::size_t begin = at_++;
      while (at_ < source_.size() &&
             ((source_[at_] >= '0' && source_[at_] <= '9') || source_[at_] == '.' ||
              source_[at_] == 'e' || source_[at_] == 'E' ||
              ((source_[at_] == '-' || source_[at_] == '+') &&
               (source_[at_ - 1] == 'e' || source_[at_ - 1] == 'E'))))
        ++at_;
      const std::optional<f64> value = parse_float(source_.substr(begin, at_ - begin));
      if (!value)
        fail(begin, cat("expected a number, got ", quote(source_.substr(begin, at_ - begin), 30)));
      out.kind = PathOperand::Kind::kNumber;
      out.number = *value;
    } else if (take("true") || take("false")) {
      out.kind = PathOperand::Kind::kBool;
      out.number = source_.substr(at_ - 4, 4) == "true" ? 1 : 0;
    } else if (take("null")) {
      out.kind = PathOperand::Kind::kNull;
    } else {
      expected("@, $, a number, a text in quotes, true, false or null");
    }
    out_.operands_.push_back(std::move(out));
    return isize(out_.operands_) - 1;
  }

  std::string_view source_;
  const std::string& where_;
  ErrorKind kind_;
  JsonPath& out_;
  std::size_t at_ = 0;
  i64 depth_ = 0;
  i64 level_ = 0;
  i64 parts_ = 0;
};

JsonPath::JsonPath(std::string_view text, const std::string& where, ErrorKind kind) {
  JsonPathParser(text, where, kind, *this).parse();
}

std::optional<std::string> JsonPath::fields() const {
  std::string out;
  for (const PathStep& step : steps_) {
    if (step.kind != PathStep::Kind::kField || step.name.empty() ||
        step.name.find('.') != std::string::npos)
      return std::nullopt;
    append(out, out.empty() ? "" : ".", step.name);
  }
  if (out.empty()) return std::nullopt;
  return out;
}

std::vector<std::string> JsonPath::attributes() const {
  std::vector<std::string> out;
  const auto is_parent = [](const std::vector<PathStep>& steps) {
    return !steps.empty() && steps[0].kind == PathStep::Kind::kField &&
           steps[0].name == "attributes";
  };
  const auto note = [&out](const std::vector<PathStep>& steps, std::size_t at) {
    if (at < steps.size() && steps[at].kind == PathStep::Kind::kField)
      out.push_back(steps[at].name);
  };
  if (is_parent(steps_)) note(steps_, 1);
  // The tests of $.attributes[?(...)] are asked of the attributes.
  const bool below =
      is_parent(steps_) && steps_.size() == 2 && steps_[1].kind == PathStep::Kind::kFilter;
  for (const PathOperand& operand : operands_) {
    if (operand.kind != PathOperand::Kind::kPath) continue;
    if (operand.from_root) {
      if (is_parent(operand.steps)) note(operand.steps, 1);
    } else if (below && operand.level == 1) {
      note(operand.steps, 0);
    }
  }
  return out;
}

}  // namespace lm::mix

// The parser: recursive descent, one token ahead. Types that are known before any record is read
// are checked here, so that a rule that cannot hold for any record is refused.

#include <algorithm>
#include <limits>

#include "core/str.h"
#include "mix/expression.h"
#include "text/utf8.h"

namespace lm::mix {

namespace {

constexpr std::size_t kMaxSource = std::size_t{64} << 10;
constexpr i64 kMaxNodes = 4096;
constexpr i64 kMaxDepth = 100;

enum class Kind { kEnd, kNumber, kString, kName, kSign };

struct Token {
  Kind kind = Kind::kEnd;
  std::string_view text;  // as it stands
  std::string value;      // a string's content
  f64 number = 0;
  std::size_t at = 0;
};

/// What a part can be: of a field nothing is known.
enum class Static { kAny, kBool, kNumber, kString, kNull };

constexpr std::string_view kStaticWords[] = {"a value", "true or false", "a number", "a string",
                                             "null"};

struct Part {
  i32 node = -1;
  Static type = Static::kAny;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

class Parser {
 public:
  Parser(std::string_view source, Names& names, const std::string& where, ErrorKind kind)
      : source_(source), names_(names), where_(where), kind_(kind) {
    if (source.size() > kMaxSource)
      throw Error(kind,
                  cat(where, ": has ", source.size(), " bytes, expected at most ", kMaxSource));
    if (!is_valid_utf8(source)) throw Error(kind, cat(where, ": is not UTF-8"));
    advance();
  }

  Program parse(Expression::Yields yields) {
    const bool truth = yields == Expression::Yields::kTruth;
    const std::size_t begin = token_.at;
    const Part whole = either();
    if (token_.kind != Kind::kEnd) expected("an operator or the end");
    need(whole, truth ? Static::kBool : Static::kNumber, begin);
    out_.root = whole.node;
    return std::move(out_);
  }

 private:
  // Messages
  // ---------------------------------------------------------------------------------------

  i64 column(std::size_t at) const { return text::count_code_points(source_.substr(0, at)) + 1; }
  [[noreturn]] void fail(std::size_t at, std::string_view what, std::string hint = {}) const {
    throw Error(kind_, cat(where_, ": column ", column(at), ": ", what), std::move(hint));
  }
  std::string shown() const {
    return token_.kind == Kind::kEnd ? std::string("the end") : quote(token_.text, 30);
  }
  [[noreturn]] void expected(std::string_view what, std::string hint = {}) const {
    if (token_.kind == Kind::kSign && token_.text == "=" && hint.empty())
      hint = "equality is written ==";
    fail(token_.at, cat("expected ", what, ", got ", shown()), std::move(hint));
  }
  void need(const Part& part, Static type, std::size_t at) const {
    if (part.type == Static::kAny || part.type == type) return;
    fail(at, cat("expected ", kStaticWords[static_cast<int>(type)], ", got ",
                 kStaticWords[static_cast<int>(part.type)]));
  }

  // Tokens
  // -----------------------------------------------------------------------------------------

  void advance() {
    while (at_ < source_.size() && (source_[at_] == ' ' || source_[at_] == '\t' ||
                                    source_[at_] == '\n' || source_[at_] == '\r'))
      ++at_;
    token_ = {};
    token_.at = at_;
    if (at_ == source_.size()) return;
    const char c = source_[at_];
    if (is_digit(c) || (c == '.' && at_ + 1 < source_.size() && is_digit(source_[at_ + 1]))) {
      number();
    } else if (c == '"' || c == '\'') {
      string(c);
    } else if (starts_name(c)) {
      while (at_ < source_.size() && (starts_name(source_[at_]) || is_digit(source_[at_])))
        ++at_;
      token_.kind = Kind::kName;
      token_.text = source_.substr(token_.at, at_ - token_.at);
    } else {
      sign();
    }
  }

  void number() {
    while (at_ < source_.size()) {
      const char c = source_[at_];
      const char before = source_[at_ - (at_ > token_.at ? 1 : 0)];
      const bool exponent_sign = (c == '+' || c == '-') && (before == 'e' || before == 'E');
      if (!is_digit(c) && !starts_name(c) && c != '.' && !exponent_sign) break;
      ++at_;
    }
    token_.kind = Kind::kNumber;
    token_.text = source_.substr(token_.at, at_ - token_.at);
    const std::optional<f64> value = parse_float(token_.text);
    if (!value) fail(token_.at, cat("expected a number, got ", quote(token_.text, 30)));
    token_.number = *value;
  }

  void string(char quote_sign) {
    token_.kind = Kind::kString;
    for (++at_;; ++at_) {
      if (at_ >= source_.size()) fail(token_.at, cat("a string has no closing ", quote_sign));
      const char c = source_[at_];
      if (c == quote_sign) break;
      if (c != '\\' || at_ + 1 == source_.size()) {
        token_.value.push_back(c);
        continue;
      }
      const char next = source_[++at_];
      switch (next) {
        case '"':
        case '\'':
        case '\\':
          token_.value.push_back(next);
          break;
        case 'n':
          token_.value.push_back('\n');
          break;
        case 't':
          token_.value.push_back('\t');
          break;
        default:  // of a pattern: \d, \b
          token_.value.push_back('\\');
          token_.value.push_back(next);
      }
    }
    ++at_;
    token_.text = source_.substr(token_.at, at_ - token_.at);
  }

  void sign() {
    token_.kind = Kind::kSign;
    std::size_t size = usize(text::sequence_size(source_[at_]));
    for (const std::string_view two : {"==", "!=", "<=", ">=", "&&", "||"}) {
      if (source_.substr(at_, 2) == two) size = 2;
    }
    token_.text = source_.substr(at_, size);
    at_ += size;
    if (token_.text == "&&") expected("and");
    if (token_.text == "||") expected("or");
  }

  bool is_sign(std::string_view text) const {
    return token_.kind == Kind::kSign && token_.text == text;
  }
  bool take_sign(std::string_view text) {
    if (!is_sign(text)) return false;
    advance();
    return true;
  }
  bool take_word(std::string_view word) {
    if (token_.kind != Kind::kName || token_.text != word) return false;
    advance();
    return true;
  }
  void want_sign(std::string_view text, std::string_view after) {
    if (!take_sign(text)) expected(cat("'", text, "' ", after));
  }

  // Parts
  // ------------------------------------------------------------------------------------------

  i32 add(Node node, std::size_t at) {
    if (isize(out_.nodes) == kMaxNodes)
      fail(at, cat("more than ", kMaxNodes, " parts"), "a list is one part: x in [\"a\", \"b\"]");
    node.column = column(at);
    out_.nodes.push_back(std::move(node));
    return static_cast<i32>(out_.nodes.size() - 1);
  }
  Part unary(Op op, const Part& a, Static type, std::size_t at) {
    Node node;
    node.op = op;
    node.a = a.node;
    return {add(std::move(node), at), type};
  }
  Part binary(Op op, const Part& a, const Part& b, Static type, std::size_t at) {
    Node node;
    node.op = op;
    node.a = a.node;
    node.b = b.node;
    return {add(std::move(node), at), type};
  }

  struct Level {
    explicit Level(Parser& parser) : parser_(parser) {
      if (++parser.depth_ > kMaxDepth)
        parser.fail(parser.token_.at, cat("nested deeper than ", kMaxDepth));
    }
    ~Level() { --parser_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    Parser& parser_;
  };

  Part either() {
    const Level level(*this);
    std::size_t begin = token_.at;
    Part left = both();
    while (true) {
      const std::size_t at = token_.at;
      if (!take_word("or")) return left;
      need(left, Static::kBool, begin);
      begin = token_.at;
      const Part right = both();
      need(right, Static::kBool, begin);
      left = binary(Op::kOr, left, right, Static::kBool, at);
    }
  }

  Part both() {
    std::size_t begin = token_.at;
    Part left = negation();
    while (true) {
      const std::size_t at = token_.at;
      if (!take_word("and")) return left;
      need(left, Static::kBool, begin);
      begin = token_.at;
      const Part right = negation();
      need(right, Static::kBool, begin);
      left = binary(Op::kAnd, left, right, Static::kBool, at);
    }
  }

  Part negation() {
    const Level level(*this);
    const std::size_t at = token_.at;
    if (!take_word("not")) return comparison();
    const std::size_t begin = token_.at;
    const Part of = negation();
    need(of, Static::kBool, begin);
    return unary(Op::kNot, of, Static::kBool, at);
  }

  static std::optional<Op> comparison_op(std::string_view text) {
    if (text == "==") return Op::kEqual;
    if (text == "!=") return Op::kUnequal;
    if (text == "<") return Op::kLess;
    if (text == "<=") return Op::kAtMost;
    if (text == ">") return Op::kMore;
    if (text == ">=") return Op::kAtLeast;
    return std::nullopt;
  }

  Part comparison() {
    const std::size_t begin = token_.at;
    Part left = sum();
    const std::size_t at = token_.at;
    if (take_word("matches")) return matches(left, begin, at);
    if (take_word("in")) return list(left, begin, at);
    if (token_.kind == Kind::kName && token_.text == "not") {
      advance();
      if (!take_word("in")) expected("in after 'not'");
      return unary(Op::kNot, list(left, begin, at), Static::kBool, at);
    }
    const std::optional<Op> op =
        token_.kind == Kind::kSign ? comparison_op(token_.text) : std::nullopt;
    if (!op) return left;
    advance();
    const std::size_t second = token_.at;
    const Part right = sum();
    if (token_.kind == Kind::kSign && comparison_op(token_.text))
      expected("one comparison at a time", "a < b and b < c");
    return compared(*op, left, right, begin, second, at);
  }

  Part compared(Op op, const Part& left, const Part& right, std::size_t begin, std::size_t second,
                std::size_t at) {
    const bool equality = op == Op::kEqual || op == Op::kUnequal;
    if (left.type == Static::kNull || right.type == Static::kNull) {
      if (!equality) fail(at, "null has no order, expected == or !=");
      const Part of = left.type == Static::kNull ? right : left;
      const Part is = unary(Op::kIsNull, of, Static::kBool, at);
      return op == Op::kEqual ? is : unary(Op::kNot, is, Static::kBool, at);
    }
    if (!equality) {
      for (const auto& [part, where] : {std::pair(left, begin), std::pair(right, second)}) {
        if (part.type == Static::kBool)
          fail(where, "expected a number or a string, got true or false");
      }
    }
    if (left.type != Static::kAny) need(right, left.type, second);
    return binary(op, left, right, Static::kBool, at);
  }

  Part matches(const Part& left, std::size_t begin, std::size_t at) {
    need(left, Static::kString, begin);
    if (token_.kind != Kind::kString) expected("a pattern in quotes after 'matches'");
    try {
      out_.patterns.emplace_back(token_.value);
    } catch (const Error& e) {
      fail(token_.at, e.message());
    }
    advance();
    const Part part = unary(Op::kMatches, left, Static::kBool, at);
    out_.nodes[usize(part.node)].index = isize(out_.patterns) - 1;
    return part;
  }

  Part list(const Part& left, std::size_t begin, std::size_t at) {
    want_sign("[", "after 'in'");
    Choices choices;
    do {
      const bool negative = take_sign("-");
      const bool number = token_.kind == Kind::kNumber;
      if (!number && (negative || token_.kind != Kind::kString))
        expected(choices.numbers.empty() && choices.strings.empty() ? "a number or a string"
                 : choices.strings.empty()                          ? "a number"
                                                                    : "a string");
      if (number ? !choices.strings.empty() : !choices.numbers.empty())
        expected(cat(number ? "a string" : "a number", " as before"));
      if (number) {
        choices.numbers.push_back(negative ? -token_.number : token_.number);
      } else {
        choices.strings.push_back(token_.value);
      }
      advance();
    } while (take_sign(","));
    want_sign("]", "or ','");
    need(left, choices.strings.empty() ? Static::kNumber : Static::kString, begin);
    std::sort(choices.numbers.begin(), choices.numbers.end());
    std::sort(choices.strings.begin(), choices.strings.end());
    out_.choices.push_back(std::move(choices));
    const Part part = unary(Op::kIn, left, Static::kBool, at);
    out_.nodes[usize(part.node)].index = isize(out_.choices) - 1;
    return part;
  }

  Part sum() {
    std::size_t begin = token_.at;
    Part left = product();
    while (is_sign("+") || is_sign("-")) {
      const Op op = is_sign("+") ? Op::kAdd : Op::kSubtract;
      left = arithmetic(op, left, begin, &Parser::product);
    }
    return left;
  }
  Part product() {
    std::size_t begin = token_.at;
    Part left = sign_part();
    while (is_sign("*") || is_sign("/") || is_sign("%")) {
      const Op op = is_sign("*") ? Op::kMultiply : is_sign("/") ? Op::kDivide : Op::kModulo;
      left = arithmetic(op, left, begin, &Parser::sign_part);
    }
    return left;
  }
  Part arithmetic(Op op, const Part& left, std::size_t begin, Part (Parser::*operand)()) {
    const std::size_t at = token_.at;
    need(left, Static::kNumber, begin);
    advance();
    const std::size_t second = token_.at;
    const Part right = (this->*operand)();
    need(right, Static::kNumber, second);
    return binary(op, left, right, Static::kNumber, at);
  }
  Part sign_part() {
    const Level level(*this);
    const std::size_t at = token_.at;
    if (!take_sign("-")) return primary();
    const std::size_t begin = token_.at;
    const Part of = sign_part();
    need(of, Static::kNumber, begin);
    return unary(Op::kNegate, of, Static::kNumber, at);
  }

  Part primary() {
    const std::size_t at = token_.at;
    Node node;
    if (token_.kind == Kind::kNumber) {
      node.op = Op::kNumber;
      node.number = token_.number;
      advance();
      return {add(std::move(node), at), Static::kNumber};
    }
    if (token_.kind == Kind::kString) {
      node.op = Op::kString;
      node.text = token_.value;
      advance();
      return {add(std::move(node), at), Static::kString};
    }
    if (take_sign("(")) {
      const Part inside = either();
      want_sign(")", "or an operator");
      return inside;
    }
    if (token_.kind != Kind::kName) expected("a value");
    const std::string_view name = token_.text;
    for (const std::string_view word : {"and", "or", "not", "in", "matches"}) {
      if (name == word) expected("a value");
    }
    advance();
    if (name == "true" || name == "false" || name == "null") {
      node.op = name == "null" ? Op::kNull : Op::kBool;
      node.index = name == "true";
      return {add(std::move(node), at), name == "null" ? Static::kNull : Static::kBool};
    }
    return is_sign("(") ? call(name, at) : path(name, at);
  }

  Part path(std::string_view first, std::size_t at) {
    std::string whole(first);
    while (take_sign(".")) {
      if (token_.kind != Kind::kName) expected("the name of a field after '.'");
      append(whole, ".", token_.text);
      advance();
    }
    return field(whole, at);
  }

  Part field(const std::string& whole, std::size_t at) {
    Node node;
    node.op = Op::kField;
    node.index = names_.field(whole);
    node.text = whole;
    return {add(std::move(node), at), Static::kAny};
  }

  // Functions
  // --------------------------------------------------------------------------------------

  struct Function {
    std::string_view name;
    Op op;
    Static type;
  };
  static constexpr Function kOfAttribute[] = {
      {"score", Op::kScore, Static::kNumber},     {"max", Op::kMax, Static::kNumber},
      {"min", Op::kMin, Static::kNumber},         {"sum", Op::kSum, Static::kNumber},
      {"count", Op::kCount, Static::kNumber},     {"has", Op::kHas, Static::kBool},
      {"covered", Op::kCovered, Static::kNumber},
  };

  Part call(std::string_view name, std::size_t at) {
    advance();
    if (name == "field") return named_field(at);
    if (name == "length" || name == "bytes" || name == "abs") {
      const std::size_t begin = token_.at;
      const Part of = sum();
      need(of, name == "abs" ? Static::kNumber : Static::kString, begin);
      want_sign(")", cat("to end ", name, "("));
      const Op op = name == "abs" ? Op::kAbs : name == "bytes" ? Op::kBytes : Op::kLength;
      return unary(op, of, Static::kNumber, at);
    }
    if ((name == "min" || name == "max") && token_.kind != Kind::kString)
      return extreme(name == "min" ? Op::kLeast : Op::kGreatest, name, at);
    for (const Function& function : kOfAttribute) {
      if (function.name == name) return of_attribute(function, at);
    }
    std::vector<std::string> known = {"field", "length", "bytes", "abs"};
    for (const Function& function : kOfAttribute)
      known.emplace_back(function.name);
    const std::string near = nearest_name(name, known);
    fail(at, cat("there is no function ", quote(name)),
         near.empty() ? cat("there are ", join(known, ", ")) : cat("did you mean ", near, "?"));
  }

  Part named_field(std::size_t at) {
    if (token_.kind != Kind::kString) expected("the path of a field in quotes");
    const std::string whole = token_.value;
    for (const std::string_view part : split(whole, '.')) {
      if (part.empty())
        fail(token_.at, "a field path has an empty part, expected NAME or NAME.NAME");
    }
    advance();
    want_sign(")", "to end field(");
    return field(whole, at);
  }

  Part extreme(Op op, std::string_view name, std::size_t at) {
    std::size_t begin = token_.at;
    Part out = sum();
    need(out, Static::kNumber, begin);
    if (!is_sign(",")) expected(cat("',' and another number, or ", name, "(\"ATTRIBUTE\")"));
    while (take_sign(",")) {
      begin = token_.at;
      const Part next = sum();
      need(next, Static::kNumber, begin);
      out = binary(op, out, next, Static::kNumber, at);
    }
    want_sign(")", cat("to end ", name, "("));
    return out;
  }

  Part of_attribute(const Function& function, std::size_t at) {
    if (token_.kind != Kind::kString) expected("the name of an attribute in quotes");
    const std::string name = attribute_name(token_.value);
    if (name.empty())
      fail(token_.at, cat(quote(token_.value, 60),
                          " names no attribute, expected EXPERIMENT__TAGGER__TYPE or TAGGER.TYPE"));
    Node node;
    node.op = function.op;
    node.text = name;
    node.index = names_.attribute(name);
    advance();
    if (function.op == Op::kCovered) {
      node.number = -std::numeric_limits<f64>::infinity();
      if (take_sign(",")) {
        const bool negative = take_sign("-");
        if (token_.kind != Kind::kNumber) expected("the least score, a number");
        node.number = negative ? -token_.number : token_.number;
        advance();
      }
    }
    want_sign(")", cat("to end ", function.name, "("));
    return {add(std::move(node), at), function.type};
  }

  std::string_view source_;
  Names& names_;
  const std::string& where_;
  ErrorKind kind_;
  std::size_t at_ = 0;
  Token token_;
  i64 depth_ = 0;
  Program out_;
};

}  // namespace

Program parse_expression(std::string_view source, Expression::Yields yields, Names& names,
                         const std::string& where, ErrorKind kind) {
  return Parser(source, names, where, kind).parse(yields);
}

}  // namespace lm::mix

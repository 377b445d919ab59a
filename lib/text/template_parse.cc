// Tokens to a tree, with Jinja's precedence.

#include <algorithm>

#include "core/str.h"
#include "text/template_tree.h"

namespace lm::text {

namespace {

constexpr int kDeepest = 100;  // nested expressions and statements

class Parser {
 public:
  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  TemplateTree run() {
    TemplateTree out;
    out.body = body({});
    if (peek().kind != TokenKind::kEnd) fail(cat(quote(block_word()), " ends nothing here"));
    return out;
  }

 private:
  /// Counts nesting, so that no template overflows the stack.
  struct Nest {
    explicit Nest(Parser& parser) : p(parser) {
      if (++p.depth_ > kDeepest) p.fail(cat("nested more than ", kDeepest, " deep"));
    }
    ~Nest() { --p.depth_; }
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;
    Parser& p;
  };

  // Tokens ------------------------------------------------------------------------------------
  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  Token take() {
    Token out = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return out;
  }
  bool is(std::string_view op) const {
    return peek().kind == TokenKind::kOperator && peek().text == op;
  }
  bool is_word(std::string_view word, std::size_t ahead = 0) const {
    return peek(ahead).kind == TokenKind::kName && peek(ahead).text == word;
  }
  bool accept(std::string_view op) {
    if (!is(op)) return false;
    take();
    return true;
  }
  bool accept_word(std::string_view word) {
    if (!is_word(word)) return false;
    take();
    return true;
  }
  [[noreturn]] void fail(std::string what) const { template_fault(peek().place, std::move(what)); }
  std::string seen() const {
    switch (peek().kind) {
      case TokenKind::kPrintEnd:
        return "}}";
      case TokenKind::kBlockEnd:
        return "%}";
      case TokenKind::kEnd:
        return "the end of the template";
      case TokenKind::kString:
        return cat("the string ", quote(peek().text));
      default:
        return quote(peek().text);
    }
  }
  void expect(std::string_view op) {
    if (!accept(op)) fail(cat("expected \"", op, "\", not ", seen()));
  }
  void expect_word(std::string_view word) {
    if (!accept_word(word)) fail(cat("expected \"", word, "\", not ", seen()));
  }
  std::string name() {
    if (peek().kind != TokenKind::kName) fail(cat("expected a name, not ", seen()));
    return take().text;
  }
  void end_block() {
    if (peek().kind != TokenKind::kBlockEnd) fail(cat("expected %}, not ", seen()));
    take();
  }
  /// The word behind a {% that is the next token.
  std::string block_word() const {
    return peek().kind == TokenKind::kBlockBegin ? peek(1).text : std::string();
  }

  static ExprPtr make(ExprKind kind, const TemplatePlace& place, std::string text = {}) {
    ExprPtr out = std::make_unique<Expr>();
    out->kind = kind;
    out->place = place;
    out->text = std::move(text);
    return out;
  }
  template <typename... Args>
  static ExprPtr node(ExprKind kind, const TemplatePlace& place, std::string text, Args... args) {
    ExprPtr out = make(kind, place, std::move(text));
    (out->args.push_back(std::move(args)), ...);
    return out;
  }

  // Statements --------------------------------------------------------------------------------
  /// Until a block that begins with one of these words; its {% is the next token then.
  StmtList body(std::initializer_list<std::string_view> ends) {
    const Nest nest(*this);
    StmtList out;
    for (;;) {
      const Token& token = peek();
      if (token.kind == TokenKind::kEnd) {
        if (ends.size() > 0) fail(cat("the template ends before \"", *(ends.end() - 1), "\""));
        return out;
      }
      if (token.kind == TokenKind::kData) {
        out.push_back(statement(StmtKind::kText));
        out.back()->text = take().text;
      } else if (token.kind == TokenKind::kPrintBegin) {
        out.push_back(statement(StmtKind::kPrint));
        take();
        out.back()->expr = tuple_or_expression();
        if (peek().kind != TokenKind::kPrintEnd) fail(cat("expected }}, not ", seen()));
        take();
      } else {
        const std::string word = block_word();
        if (std::find(ends.begin(), ends.end(), word) != ends.end()) return out;
        if (ends.size() == 0 && word.starts_with("end")) return out;
        take();
        out.push_back(block());
      }
    }
  }

  std::unique_ptr<Stmt> statement(StmtKind kind) const {
    std::unique_ptr<Stmt> out = std::make_unique<Stmt>();
    out->kind = kind;
    out->place = peek().place;
    return out;
  }

  std::unique_ptr<Stmt> block() {
    if (peek().kind != TokenKind::kName) fail(cat("expected a statement, not ", seen()));
    if (accept_word("if")) return if_block();
    if (accept_word("for")) return for_block();
    if (accept_word("set")) return set_block();
    if (accept_word("macro")) return macro_block();
    if (accept_word("generation")) {
      std::unique_ptr<Stmt> out = statement(StmtKind::kGroup);
      end_block();
      out->body = body({"endgeneration"});
      close("endgeneration");
      return out;
    }
    if (is_word("break") || is_word("continue")) {
      std::unique_ptr<Stmt> out =
          statement(is_word("break") ? StmtKind::kBreak : StmtKind::kContinue);
      if (loops_ == 0) fail(cat(quote(peek().text), " stands in no loop"));
      take();
      end_block();
      return out;
    }
    if (peek().text == "elif" || peek().text == "else" || peek().text.starts_with("end"))
      fail(cat(quote(peek().text), " ends nothing here"));
    fail(cat("the statement ", quote(peek().text), " is not understood"));
  }

  /// {% word %}
  void close(std::string_view word) {
    take();
    expect_word(word);
    end_block();
  }

  std::unique_ptr<Stmt> if_block() {
    std::unique_ptr<Stmt> out = statement(StmtKind::kIf);
    ExprPtr condition = tuple_or_expression();
    end_block();
    for (;;) {
      out->branches.emplace_back(std::move(condition), body({"elif", "else", "endif"}));
      take();
      if (accept_word("elif")) {
        condition = tuple_or_expression();
        end_block();
        continue;
      }
      if (accept_word("else")) {
        end_block();
        out->branches.emplace_back(nullptr, body({"endif"}));
        take();
      }
      expect_word("endif");
      end_block();
      return out;
    }
  }

  std::unique_ptr<Stmt> for_block() {
    std::unique_ptr<Stmt> out = statement(StmtKind::kFor);
    targets(*out, false);
    expect_word("in");
    out->expr = tuple_or_expression(false);
    if (accept_word("if")) out->filter = expression();
    if (is_word("recursive")) fail("recursive loops are not understood");
    end_block();
    ++loops_;
    out->body = body({"else", "endfor"});
    --loops_;
    take();
    if (accept_word("else")) {
      end_block();
      out->otherwise = body({"endfor"});
      take();
    }
    expect_word("endfor");
    end_block();
    return out;
  }

  void targets(Stmt& out, bool spaces) {
    const bool parenthesis = accept("(");
    for (;;) {
      std::string target = name();
      if (spaces && accept(".")) append(target, ".", name());
      out.targets.push_back(std::move(target));
      if (!accept(",")) break;
      out.unpacks = true;
      if (peek().kind != TokenKind::kName) break;
    }
    if (parenthesis) expect(")");
  }

  std::unique_ptr<Stmt> set_block() {
    std::unique_ptr<Stmt> out = statement(StmtKind::kSet);
    targets(*out, true);
    if (accept("=")) {
      out->expr = tuple_or_expression();
      end_block();
      return out;
    }
    out->kind = StmtKind::kSetBlock;
    if (out->unpacks) fail("a block is set to one name");
    if (is("|")) fail("a filter of a set block is not understood");
    end_block();
    out->body = body({"endset"});
    close("endset");
    return out;
  }

  std::unique_ptr<Stmt> macro_block() {
    std::unique_ptr<Stmt> out = statement(StmtKind::kMacro);
    out->text = name();
    expect("(");
    while (!accept(")")) {
      if (!out->params.empty()) expect(",");
      std::string param = name();
      ExprPtr fallback = accept("=") ? expression() : nullptr;
      out->params.emplace_back(std::move(param), std::move(fallback));
    }
    end_block();
    const int loops = std::exchange(loops_, 0);
    out->body = body({"endmacro"});
    loops_ = loops;
    close("endmacro");
    return out;
  }

  // Expressions -------------------------------------------------------------------------------
  bool ends_tuple() const {
    return peek().kind == TokenKind::kPrintEnd || peek().kind == TokenKind::kBlockEnd || is(")") ||
           is_word("in") || is_word("if");
  }

  /// a, b without parentheses is a tuple. conditions: "x if y" is one.
  ExprPtr tuple_or_expression(bool conditions = true) {
    const TemplatePlace place = peek().place;
    ExprPtr first = conditions ? expression() : either();
    if (!is(",")) return first;
    ExprPtr out = node(ExprKind::kTuple, place, "", std::move(first));
    while (accept(",") && !ends_tuple())
      out->args.push_back(conditions ? expression() : either());
    return out;
  }

  ExprPtr expression() {
    const Nest nest(*this);
    ExprPtr out = either();
    while (is_word("if")) {
      const TemplatePlace place = take().place;
      ExprPtr condition = either();
      ExprPtr otherwise = accept_word("else") ? expression() : nullptr;
      out = node(ExprKind::kCondition, place, "", std::move(out), std::move(condition),
                 std::move(otherwise));
    }
    return out;
  }

  ExprPtr either() {
    return chain({"or"}, [this] { return both(); });
  }
  ExprPtr both() {
    return chain({"and"}, [this] { return negation(); });
  }
  ExprPtr negation() {
    const Nest nest(*this);
    if (!is_word("not")) return comparison();
    const TemplatePlace place = take().place;
    return node(ExprKind::kUnary, place, "not", negation());
  }

  ExprPtr comparison() {
    const TemplatePlace place = peek().place;
    ExprPtr first = sum();
    std::vector<std::string> ops;
    std::vector<ExprPtr> rest;
    for (;;) {
      static constexpr std::string_view kOps[] = {"==", "!=", "<", "<=", ">", ">="};
      const bool known = peek().kind == TokenKind::kOperator &&
                         std::find(std::begin(kOps), std::end(kOps), peek().text) != std::end(kOps);
      if (known) {
        ops.push_back(take().text);
      } else if (accept_word("in")) {
        ops.emplace_back("in");
      } else if (is_word("not") && is_word("in", 1)) {
        take();
        take();
        ops.emplace_back("not in");
      } else {
        break;
      }
      rest.push_back(sum());
    }
    if (ops.empty()) return first;
    ExprPtr out = node(ExprKind::kCompare, place, "", std::move(first));
    for (ExprPtr& each : rest)
      out->args.push_back(std::move(each));
    out->ops = std::move(ops);
    return out;
  }

  /// What next() reads, once or several times with one of ops between, grouped to the left.
  template <typename Next>
  ExprPtr chain(std::initializer_list<std::string_view> ops, Next next) {
    ExprPtr out = next();
    for (;;) {
      const TokenKind kind = peek().kind;
      const bool known = (kind == TokenKind::kOperator || kind == TokenKind::kName) &&
                         std::find(ops.begin(), ops.end(), peek().text) != ops.end();
      if (!known) return out;
      const Token op = take();
      out = node(ExprKind::kBinary, op.place, op.text, std::move(out), next());
    }
  }
  ExprPtr sum() {
    return chain({"+", "-"}, [this] { return concatenation(); });
  }
  ExprPtr concatenation() {
    return chain({"~"}, [this] { return product(); });
  }
  ExprPtr product() {
    return chain({"*", "/", "//", "%"}, [this] { return power(); });
  }
  ExprPtr power() {
    return chain({"**"}, [this] { return unary(true); });
  }

  ExprPtr unary(bool filters) {
    const Nest nest(*this);
    const TemplatePlace place = peek().place;
    ExprPtr out;
    if (is("-") || is("+")) {
      const std::string op = take().text;
      out = node(ExprKind::kUnary, place, op, unary(false));
    } else {
      out = primary();
    }
    out = postfix(std::move(out));
    return filters ? filtered(std::move(out)) : std::move(out);
  }

  ExprPtr primary() {
    const Token token = take();
    switch (token.kind) {
      case TokenKind::kName: {
        const std::string& word = token.text;
        if (word == "true" || word == "True") return literal(token, true);
        if (word == "false" || word == "False") return literal(token, false);
        if (word == "none" || word == "None") return literal(token, Value());
        return make(ExprKind::kName, token.place, word);
      }
      case TokenKind::kString: {
        std::string text = token.text;
        while (peek().kind == TokenKind::kString)
          text += take().text;
        return literal(token, std::move(text));
      }
      case TokenKind::kWhole: {
        const std::optional<i64> number = parse_int(token.text);
        if (!number) template_fault(token.place, cat("the number ", token.text, " is too large"));
        return literal(token, *number);
      }
      case TokenKind::kReal: {
        const std::optional<f64> number = parse_float(token.text);
        if (!number)
          template_fault(token.place, cat("the number ", token.text, " is out of range"));
        return literal(token, *number);
      }
      case TokenKind::kOperator:
        if (token.text == "(") return parenthesis(token.place);
        if (token.text == "[") return list(token.place);
        if (token.text == "{") return dict(token.place);
        break;
      default:
        break;
    }
    --at_;
    fail(cat("expected a value, not ", seen()));
  }

  static ExprPtr literal(const Token& token, Value value) {
    ExprPtr out = make(ExprKind::kLiteral, token.place);
    out->value = std::move(value);
    return out;
  }

  ExprPtr parenthesis(const TemplatePlace& place) {
    if (accept(")")) return make(ExprKind::kTuple, place);
    ExprPtr out = tuple_or_expression();
    expect(")");
    return out;
  }
  ExprPtr list(const TemplatePlace& place) {
    ExprPtr out = make(ExprKind::kList, place);
    while (!accept("]")) {
      if (!out->args.empty()) {
        expect(",");
        if (accept("]")) break;
      }
      out->args.push_back(expression());
    }
    return out;
  }
  ExprPtr dict(const TemplatePlace& place) {
    ExprPtr out = make(ExprKind::kDict, place);
    while (!accept("}")) {
      if (!out->args.empty()) {
        expect(",");
        if (accept("}")) break;
      }
      out->args.push_back(expression());
      expect(":");
      out->args.push_back(expression());
    }
    return out;
  }

  ExprPtr postfix(ExprPtr out) {
    for (;;) {
      const TemplatePlace place = peek().place;
      if (accept(".")) {
        if (peek().kind == TokenKind::kWhole) {
          const Token index = take();
          out = node(ExprKind::kItem, place, "", std::move(out),
                     literal(index, parse_int(index.text).value_or(0)));
        } else {
          out = node(ExprKind::kAttribute, place, name(), std::move(out));
        }
      } else if (accept("[")) {
        out = subscript(std::move(out), place);
      } else if (accept("(")) {
        ExprPtr call = node(ExprKind::kCall, place, "", std::move(out));
        arguments(*call);
        out = std::move(call);
      } else {
        return out;
      }
    }
  }

  ExprPtr subscript(ExprPtr object, const TemplatePlace& place) {
    ExprPtr begin = is(":") ? nullptr : expression();
    if (accept("]")) return node(ExprKind::kItem, place, "", std::move(object), std::move(begin));
    expect(":");
    ExprPtr end = is(":") || is("]") ? nullptr : expression();
    ExprPtr step;
    if (accept(":") && !is("]")) step = expression();
    expect("]");
    return node(ExprKind::kSlice, place, "", std::move(object), std::move(begin), std::move(end),
                std::move(step));
  }

  void arguments(Expr& call) {
    bool any = false;
    while (!accept(")")) {
      if (any) {
        expect(",");
        if (accept(")")) return;
      }
      any = true;
      const bool named = peek().kind == TokenKind::kName && peek(1).kind == TokenKind::kOperator &&
                         peek(1).text == "=";
      if (is("*") || is("**")) fail("arguments with * are not understood");
      if (named) {
        std::string key = name();
        take();
        call.named.emplace_back(std::move(key), expression());
      } else if (!call.named.empty()) {
        fail("an argument by position behind one by name");
      } else {
        call.args.push_back(expression());
      }
    }
  }

  /// | filter, is test, calls of what these give.
  ExprPtr filtered(ExprPtr out) {
    for (;;) {
      const TemplatePlace place = peek().place;
      if (accept("|")) {
        const TemplatePlace at = peek().place;
        std::string filter = name();
        if (!is_template_filter(filter))
          template_fault(at, cat("the filter ", quote(filter), " is not understood"));
        out = node(ExprKind::kFilter, at, std::move(filter), std::move(out));
        if (accept("(")) arguments(*out);
      } else if (accept_word("is")) {
        out = test(std::move(out));
      } else if (accept("(")) {
        ExprPtr call = node(ExprKind::kCall, place, "", std::move(out));
        arguments(*call);
        out = std::move(call);
      } else {
        return out;
      }
    }
  }

  ExprPtr test(ExprPtr object) {
    const bool negated = accept_word("not");
    const TemplatePlace place = peek().place;
    std::string which = name();
    if (!is_template_test(which))
      template_fault(place, cat("the test ", quote(which), " is not understood"));
    ExprPtr out = node(ExprKind::kTest, place, std::move(which), std::move(object));
    const TokenKind next = peek().kind;
    const bool argument =
        next == TokenKind::kString || next == TokenKind::kWhole || next == TokenKind::kReal ||
        is("[") || is("{") ||
        (next == TokenKind::kName && !is_word("else") && !is_word("or") && !is_word("and") &&
         !is_word("if") && !is_word("is") && !is_word("in") && !is_word("not"));
    if (accept("(")) {
      arguments(*out);
    } else if (argument) {
      out->args.push_back(postfix(primary()));
    }
    return negated ? node(ExprKind::kUnary, place, "not", std::move(out)) : std::move(out);
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
  int loops_ = 0;
};

}  // namespace

TemplateTree parse_template(std::vector<Token> tokens) {
  return Parser(std::move(tokens)).run();
}

}  // namespace lm::text

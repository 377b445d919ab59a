// Rendering: the tree is walked with a stack of scopes.

#include "text/template.h"

#include <cmath>

#include "core/error.h"
#include "core/str.h"
#include "text/template_tree.h"

namespace lm::text {

namespace {

constexpr std::size_t kMostOutput = std::size_t{64} << 20;
constexpr i64 kLongestRange = 100'000;  // as Jinja's sandbox
constexpr int kDeepestCalls = 100;      // macros

enum class Flow : u8 { kOn, kBreak, kContinue };

using Scope = std::vector<std::pair<std::string, Value>>;

class Renderer {
 public:
  Renderer(const Value& vars, const TemplateOptions& options)
      : vars_(vars), options_(options), scopes_(1) {}

  void run(const StmtList& body, std::string& out) { statements(body, out); }

 private:
  // Names -------------------------------------------------------------------------------------
  const Value* bound(const std::string& name) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
      for (auto each = scope->rbegin(); each != scope->rend(); ++each)
        if (each->first == name) return &each->second;
    return vars_.find(name);
  }

  Value look_up(const std::string& name) const {
    if (const Value* const found = bound(name)) return *found;
    if (!is_global(name)) return Undefined{cat("the name ", quote(name))};
    // There to be asked for; call() knows it by name.
    return Function([name](CallArgs&) -> Value {
      template_fault({}, cat("the function ", quote(name), " is called by another name"));
    });
  }

  void bind(const std::string& name, Value value) {
    for (auto& [known, old] : scopes_.back()) {
      if (known == name) {
        old = std::move(value);
        return;
      }
    }
    scopes_.back().emplace_back(name, std::move(value));
  }

  void assign(const std::string& target, Value value, const TemplatePlace& place) {
    check_template_size(value, place);
    const std::size_t dot = target.find('.');
    if (dot == std::string::npos) return bind(target, std::move(value));
    Value space = look_up(target.substr(0, dot));
    if (!space.is_map())
      template_fault(place, cat(quote(target), " is set, which is no namespace"));
    const std::string key = target.substr(dot + 1);
    space.set(key, std::move(value));
    if (std::optional<std::string> problem = template_size_problem(space)) {
      space.set(key, Value());  // a namespace in itself would own itself for ever
      template_fault(place, std::move(*problem));
    }
  }

  void assign_all(const Stmt& stmt, const Value& value) {
    if (!stmt.unpacks) return assign(stmt.targets[0], value, stmt.place);
    const ValueList items = template_items(value, stmt.place);
    if (items.size() != stmt.targets.size())
      template_fault(stmt.place, cat(items.size(), " values for ", stmt.targets.size(), " names"));
    for (std::size_t i = 0; i < items.size(); ++i)
      assign(stmt.targets[i], items[i], stmt.place);
  }

  // Statements --------------------------------------------------------------------------------
  Flow statements(const StmtList& body, std::string& out) {
    for (const std::unique_ptr<Stmt>& each : body) {
      const Flow flow = statement(*each, out);
      if (flow != Flow::kOn) return flow;
      if (out.size() > kMostOutput) template_fault(each->place, "the output is more than 64 MiB");
    }
    return Flow::kOn;
  }

  Flow statement(const Stmt& stmt, std::string& out) {
    switch (stmt.kind) {
      case StmtKind::kText:
        out += stmt.text;
        return Flow::kOn;
      case StmtKind::kPrint:
        print(stmt, out);
        return Flow::kOn;
      case StmtKind::kIf:
        for (const auto& [condition, body] : stmt.branches)
          if (!condition || truth(*condition)) return statements(body, out);
        return Flow::kOn;
      case StmtKind::kFor:
        loop(stmt, out);
        return Flow::kOn;
      case StmtKind::kSet:
        assign_all(stmt, value(*stmt.expr));
        return Flow::kOn;
      case StmtKind::kSetBlock: {
        std::string text;
        scopes_.emplace_back();
        statements(stmt.body, text);
        scopes_.pop_back();
        assign_all(stmt, Value(std::move(text)));
        return Flow::kOn;
      }
      case StmtKind::kMacro:
        bind(stmt.text, macro(stmt));
        return Flow::kOn;
      case StmtKind::kGroup:
        return statements(stmt.body, out);
      case StmtKind::kBreak:
        return Flow::kBreak;
      case StmtKind::kContinue:
        return Flow::kContinue;
    }
    return Flow::kOn;
  }

  void print(const Stmt& stmt, std::string& out) {
    const Value printed = value(*stmt.expr);
    if (lenient(printed)) return;
    defined(printed, stmt.expr->place);
    if (printed.is_function())
      template_fault(stmt.expr->place, "a function is printed, not called");
    out += printed.to_text();
  }

  void loop(const Stmt& stmt, std::string& out) {
    const Value iterated = value(*stmt.expr);
    ValueList items = lenient(iterated) ? ValueList() : template_items(iterated, stmt.expr->place);
    if (stmt.filter) {
      ValueList kept;
      for (Value& item : items) {
        scopes_.emplace_back();
        assign_all(stmt, item);
        if (truth(*stmt.filter)) kept.push_back(std::move(item));
        scopes_.pop_back();
      }
      items = std::move(kept);
    }
    if (items.empty()) {
      statements(stmt.otherwise, out);
      return;
    }
    const i64 n = isize(items);
    for (i64 i = 0; i < n; ++i) {
      scopes_.emplace_back();
      bind("loop", loop_value(items, i));
      assign_all(stmt, items[usize(i)]);
      const Flow flow = statements(stmt.body, out);
      scopes_.pop_back();
      if (flow == Flow::kBreak) break;
    }
  }

  static Value loop_value(const ValueList& items, i64 i) {
    const i64 n = isize(items);
    const auto at = [&](i64 index, const char* name) {
      return index >= 0 && index < n ? items[usize(index)] : Value(Undefined{name});
    };
    const Function cycle = [i](CallArgs& args) {
      if (args.list.empty()) return Value(Undefined{"loop.cycle() of nothing"});
      return args.list[usize(i % isize(args.list))];
    };
    return ValueMap{{"index", i + 1},
                    {"index0", i},
                    {"revindex", n - i},
                    {"revindex0", n - i - 1},
                    {"first", i == 0},
                    {"last", i + 1 == n},
                    {"length", n},
                    {"previtem", at(i - 1, "loop.previtem")},
                    {"nextitem", at(i + 1, "loop.nextitem")},
                    {"cycle", cycle}};
  }

  /// A macro sees the names of the template's top level as they are when it is called.
  Value macro(const Stmt& stmt) {
    return Function([this, &stmt](CallArgs& args) {
      if (++calls_ > kDeepestCalls)
        template_fault(stmt.place,
                       cat("macros call each other more than ", kDeepestCalls, " deep"));
      std::vector<Scope> saved(std::make_move_iterator(scopes_.begin() + 1),
                               std::make_move_iterator(scopes_.end()));
      scopes_.resize(1);
      scopes_.emplace_back();
      if (args.list.size() > stmt.params.size())
        template_fault(stmt.place, cat("the macro ", quote(stmt.text), " takes ",
                                       stmt.params.size(), " arguments, not ", args.list.size()));
      for (const auto& [name, given] : args.named) {
        bool known = false;
        for (const auto& param : stmt.params)
          known = known || param.first == name;
        if (!known)
          template_fault(stmt.place,
                         cat("the macro ", quote(stmt.text), " has no argument ", quote(name)));
      }
      for (std::size_t i = 0; i < stmt.params.size(); ++i) {
        const auto& [name, fallback] = stmt.params[i];
        Value given = Undefined{cat("the argument ", quote(name))};
        if (i < args.list.size()) {
          given = args.list[i];
        } else {
          bool named = false;
          for (const auto& [key, each] : args.named) {
            if (key != name) continue;
            given = each;
            named = true;
          }
          if (!named && fallback) given = value(*fallback);
        }
        bind(name, std::move(given));
      }
      std::string text;
      statements(stmt.body, text);
      scopes_.resize(1);
      scopes_.insert(scopes_.end(), std::make_move_iterator(saved.begin()),
                     std::make_move_iterator(saved.end()));
      --calls_;
      return Value(std::move(text));
    });
  }

  // Expressions -------------------------------------------------------------------------------
  /// Undefined, but printed as nothing: an if without else whose condition is false always is.
  bool lenient(const Value& v) const {
    return v.is_undefined() && (!options_.strict || v.undefined().name.empty());
  }
  void need(const Value& v, const TemplatePlace& place) const {
    if (!lenient(v)) defined(v, place);
  }

  bool truth(const Expr& expr) {
    const Value v = value(expr);
    need(v, expr.place);
    return v.truth();
  }

  Value value(const Expr& e) {
    switch (e.kind) {
      case ExprKind::kLiteral:
        return e.value;
      case ExprKind::kName:
        return look_up(e.text);
      case ExprKind::kList:
        return items(e);
      case ExprKind::kTuple:
        return Value::tuple(items(e));
      case ExprKind::kDict:
        return dict(e);
      case ExprKind::kAttribute:
        return template_item(value(*e.args[0]), Value(e.text), e.place);
      case ExprKind::kItem:
        return template_item(value(*e.args[0]), value(*e.args[1]), e.place);
      case ExprKind::kSlice:
        return slice(e);
      case ExprKind::kCall:
        return call(e);
      case ExprKind::kFilter: {
        Value input = value(*e.args[0]);
        CallArgs args = arguments(e);
        return apply_filter(e.text, std::move(input), args, {options_}, e.place);
      }
      case ExprKind::kTest: {
        const Value input = value(*e.args[0]);
        CallArgs args = arguments(e);
        return apply_test(e.text, input, args, {options_}, e.place);
      }
      case ExprKind::kUnary:
        return unary(e);
      case ExprKind::kBinary:
        return binary(e);
      case ExprKind::kCompare:
        return comparison(e);
      case ExprKind::kCondition:
        if (truth(*e.args[1])) return value(*e.args[0]);
        if (e.args[2]) return value(*e.args[2]);
        return Undefined{};
    }
    return {};
  }

  ValueList items(const Expr& e) {
    ValueList out;
    for (const ExprPtr& each : e.args)
      out.push_back(value(*each));
    return out;
  }

  Value dict(const Expr& e) {
    Value out(ValueMap{});
    for (std::size_t i = 0; i + 1 < e.args.size(); i += 2)
      out.set(value(*e.args[i]), value(*e.args[i + 1]));
    return out;
  }

  CallArgs arguments(const Expr& e) {
    CallArgs out;
    for (std::size_t i = 1; i < e.args.size(); ++i)
      out.list.push_back(value(*e.args[i]));
    for (const auto& [name, each] : e.named)
      out.named.emplace_back(name, value(*each));
    return out;
  }

  Value call(const Expr& e) {
    const Expr& callee = *e.args[0];
    if (callee.kind == ExprKind::kAttribute) {
      Value object = value(*callee.args[0]);
      const bool own = object.is_map() && object.find(Value(callee.text)) != nullptr &&
                       object.find(Value(callee.text))->is_function();
      if (!own) {
        CallArgs args = arguments(e);
        defined(object, callee.args[0]->place);
        if (std::optional<Value> out = call_method(object, callee.text, args, callee.place))
          return std::move(*out);
        template_fault(callee.place, cat("the method ", quote(callee.text), " of a value of type ",
                                         object.type_name(), " is not understood"));
      }
    }
    CallArgs args = arguments(e);
    if (callee.kind == ExprKind::kName && bound(callee.text) == nullptr)
      return global(callee, args);
    const Value function = value(callee);
    if (function.is_function()) return function.function()(args);
    template_fault(e.place, cat("a value of type ", function.type_name(), " is called"));
  }

  static bool is_global(const std::string& name) {
    return name == "range" || name == "namespace" || name == "dict" || name == "raise_exception";
  }

  Value global(const Expr& callee, CallArgs& args) {
    const TemplatePlace& place = callee.place;
    if (callee.text == "range") return range(args, place);
    if (callee.text == "namespace" || callee.text == "dict") {
      Value out(ValueMap{});
      for (const Value& each : args.list) {
        if (!each.is_map()) template_fault(place, cat(callee.text, "() takes a dict or names"));
        for (const auto& [key, item] : each.map())
          out.set(key, item);
      }
      for (const auto& [name, item] : args.named)
        out.set(name, item);
      return out;
    }
    if (callee.text == "raise_exception") {
      const ArgReader reader("raise_exception", args, {"message"}, place);
      template_fault(place, cat("the template says: ", reader.text(0)));
    }
    template_fault(place, cat("the function ", quote(callee.text), " is not understood"));
  }

  static Value range(CallArgs& args, const TemplatePlace& place) {
    std::vector<i64> numbers;
    for (const Value& each : args.list) {
      const std::optional<i64> whole = each.as_whole();
      if (!whole) template_fault(place, cat("range() of a value of type ", each.type_name()));
      numbers.push_back(*whole);
    }
    if (numbers.empty() || numbers.size() > 3 || !args.named.empty())
      template_fault(place, "range() takes one to three whole numbers");
    const i64 begin = numbers.size() == 1 ? 0 : numbers[0];
    const i64 end = numbers.size() == 1 ? numbers[0] : numbers[1];
    const i64 step = numbers.size() == 3 ? numbers[2] : 1;
    if (step == 0) template_fault(place, "range() with a step of 0");
    ValueList out;
    for (i64 i = begin; step > 0 ? i < end : i > end; i += step) {
      if (isize(out) == kLongestRange)
        template_fault(place, cat("range() of more than ", kLongestRange, " numbers"));
      out.emplace_back(i);
    }
    return out;
  }

  Value slice(const Expr& e) {
    const Value object = value(*e.args[0]);
    const auto bound = [&](std::size_t i) -> std::optional<i64> {
      if (!e.args[i]) return std::nullopt;
      const Value v = value(*e.args[i]);
      if (v.is_none()) return std::nullopt;
      const std::optional<i64> whole = v.as_whole();
      if (!whole) template_fault(e.place, cat("a slice with a value of type ", v.type_name()));
      return whole;
    };
    const i64 step = bound(3).value_or(1);
    if (step == 0) template_fault(e.place, "a slice with a step of 0");
    if (!object.is_list() && !object.is_string())
      template_fault(e.place, cat("a slice of a value of type ", object.type_name()));
    const ValueList all = template_items(object, e.place);
    const i64 n = isize(all);
    const auto clamp = [&](std::optional<i64> at, i64 fallback) {
      if (!at) return fallback;
      const i64 low = step > 0 ? 0 : -1;
      const i64 high = step > 0 ? n : n - 1;
      return std::min(std::max(*at < 0 ? *at + n : *at, low), high);
    };
    const i64 begin = clamp(bound(1), step > 0 ? 0 : n - 1);
    const i64 end = clamp(bound(2), step > 0 ? n : -1);
    ValueList part;
    for (i64 i = begin; step > 0 ? i < end : i > end; i += step)
      part.push_back(all[usize(i)]);
    if (object.is_list()) return object.is_tuple() ? Value::tuple(std::move(part)) : Value(part);
    std::string text;
    for (const Value& each : part)
      text += each.str();
    return text;
  }

  Value unary(const Expr& e) {
    if (e.text == "not") return !truth(*e.args[0]);
    const Value v = value(*e.args[0]);
    if (!v.is_number())
      template_fault(e.place, cat("\"", e.text, "\" before a value of type ", v.type_name()));
    if (const std::optional<i64> whole = v.as_whole()) return e.text == "-" ? -*whole : *whole;
    return e.text == "-" ? -v.real() : v.real();
  }

  Value binary(const Expr& e) {
    if (e.text == "or" || e.text == "and") {
      Value left = value(*e.args[0]);
      need(left, e.args[0]->place);
      return left.truth() == (e.text == "or") ? left : value(*e.args[1]);
    }
    const Value a = value(*e.args[0]);
    const Value b = value(*e.args[1]);
    if (e.text == "~") {
      need(a, e.args[0]->place);
      need(b, e.args[1]->place);
      const auto text = [](const Value& v) { return v.is_undefined() ? "" : v.to_text(); };
      return text(a) + text(b);
    }
    defined(a, e.args[0]->place);
    defined(b, e.args[1]->place);
    if (a.is_number() && b.is_number()) return arithmetic(e, a, b);
    if (e.text == "+" && a.is_string() && b.is_string()) return a.str() + b.str();
    if (e.text == "+" && a.is_list() && b.is_list() && a.is_tuple() == b.is_tuple()) {
      ValueList both = a.list();
      both.insert(both.end(), b.list().begin(), b.list().end());
      return a.is_tuple() ? Value::tuple(std::move(both)) : Value(std::move(both));
    }
    if (e.text == "*" && (a.as_whole() || b.as_whole())) {
      const Value& many = a.as_whole() ? b : a;
      const i64 times = std::max<i64>(0, a.as_whole() ? *a.as_whole() : *b.as_whole());
      return repeat(many, times, e.place);
    }
    template_fault(e.place, cat("\"", e.text, "\" of values of types ", a.type_name(), " and ",
                                b.type_name()));
  }

  static Value repeat(const Value& many, i64 times, const TemplatePlace& place) {
    const i64 size = many.is_string() ? isize(many.str())
                     : many.is_list() ? isize(many.list())
                                      : -1;
    if (size < 0) template_fault(place, cat("a value of type ", many.type_name(), " repeated"));
    // An item of a list takes 64 bytes.
    check_template_bytes(
        static_cast<f64>(times) * static_cast<f64>(size) * (many.is_list() ? 64 : 1), place);
    std::string text;
    ValueList list;
    for (i64 i = 0; i < times && size > 0; ++i) {
      if (many.is_string()) text += many.str();
      if (many.is_list()) list.insert(list.end(), many.list().begin(), many.list().end());
    }
    if (many.is_string()) return text;
    return many.is_tuple() ? Value::tuple(std::move(list)) : Value(std::move(list));
  }

  static Value arithmetic(const Expr& e, const Value& a, const Value& b) {
    const std::string& op = e.text;
    const std::optional<i64> x = a.as_whole();
    const std::optional<i64> y = b.as_whole();
    const bool zero = b.number() == 0;
    if (zero && (op == "/" || op == "//" || op == "%")) template_fault(e.place, "division by zero");
    if (x && y && op != "/" && !(op == "**" && *y < 0)) {
      i64 out = 0;
      if (whole_arithmetic(op, *x, *y, out)) return out;
      template_fault(e.place, "a whole number beyond 64 bits");
    }
    const f64 p = a.number();
    const f64 q = b.number();
    if (op == "+") return p + q;
    if (op == "-") return p - q;
    if (op == "*") return p * q;
    if (op == "/") return p / q;
    if (op == "//") return std::floor(p / q);
    if (op == "**") return std::pow(p, q);
    const f64 rest = std::fmod(p, q);
    return rest != 0 && (rest < 0) != (q < 0) ? rest + q : rest;
  }

  static bool whole_arithmetic(const std::string& op, i64 x, i64 y, i64& out) {
    if (op == "+") return !__builtin_add_overflow(x, y, &out);
    if (op == "-") return !__builtin_sub_overflow(x, y, &out);
    if (op == "*") return !__builtin_mul_overflow(x, y, &out);
    if (op == "**") {
      out = 1;
      for (i64 i = 0; i < y; ++i) {
        if (__builtin_mul_overflow(out, x, &out)) return false;
        if (x == 0 || x == 1) break;
        if (x == -1) {
          out = y % 2 == 0 ? 1 : -1;
          break;
        }
      }
      return true;
    }
    if (y == -1) {  // the one quotient that does not fit
      out = op == "%" ? 0 : x;
      return op == "%" || !__builtin_sub_overflow(i64{0}, x, &out);
    }
    const i64 quotient = x / y - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0);
    out = op == "//" ? quotient : x - quotient * y;
    return true;
  }

  Value comparison(const Expr& e) {
    Value left = value(*e.args[0]);
    for (std::size_t i = 0; i < e.ops.size(); ++i) {
      Value right = value(*e.args[i + 1]);
      if (!holds(e, e.ops[i], left, right)) return false;
      left = std::move(right);
    }
    return true;
  }

  bool holds(const Expr& e, const std::string& op, const Value& a, const Value& b) const {
    need(a, e.place);
    need(b, e.place);
    if (op == "==") return a == b;
    if (op == "!=") return !(a == b);
    if (op == "in" || op == "not in") return contains(e, b, a) == (op == "in");
    const std::optional<int> order = compare(a, b);
    if (!order && a.is_number() && b.is_number()) return false;  // NaN
    if (!order)
      template_fault(e.place, cat("values of types ", a.type_name(), " and ", b.type_name(),
                                  " have no order"));
    return op == "<" ? *order < 0 : op == "<=" ? *order <= 0 : op == ">" ? *order > 0 : *order >= 0;
  }

  bool contains(const Expr& e, const Value& all, const Value& one) const {
    if (lenient(all)) return false;
    if (all.is_string()) {
      if (!one.is_string())
        template_fault(e.place, cat("a value of type ", one.type_name(), " sought in a string"));
      return all.str().find(one.str()) != std::string::npos;
    }
    if (all.is_map()) return all.find(one) != nullptr;
    for (const Value& each : template_items(all, e.place))
      if (each == one) return true;
    return false;
  }

  const Value& vars_;
  const TemplateOptions& options_;
  std::vector<Scope> scopes_;
  int calls_ = 0;
};

}  // namespace

Template::Template(std::string_view source, std::string name, const TemplateOptions& options)
    : name_(std::move(name)), options_(options) {
  try {
    tree_ = std::make_unique<const TemplateTree>(parse_template(lex_template(source, options_)));
  } catch (const TemplateFault& fault) {
    throw Error(ErrorKind::kData, cat(name_, ": line ", fault.place.line, ", column ",
                                      fault.place.column, ": ", fault.what));
  }
}

Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;
Template::~Template() = default;

std::string Template::render(const Value& vars) const {
  std::string out;
  try {
    Renderer(vars, options_).run(tree_->body, out);
  } catch (const TemplateFault& fault) {
    throw Error(ErrorKind::kData, cat(name_, ": line ", fault.place.line, ", column ",
                                      fault.place.column, ": ", fault.what));
  }
  return out;
}

}  // namespace lm::text

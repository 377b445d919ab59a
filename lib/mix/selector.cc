#include "mix/selector.h"

#include <algorithm>

#include <simdjson.h>

#include "core/str.h"

namespace lm::mix {

namespace dom = simdjson::dom;

i64 Selectors::add(std::string_view text, Syntax syntax, const std::string& where, ErrorKind kind) {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (all_[i].text == text && all_[i].syntax == syntax) return static_cast<i64>(i);
  }
  One one{std::string(text), syntax, std::nullopt, -1};
  if (syntax == Syntax::kJsonPath) {
    one.path.emplace(text, where, kind);
  } else {
    check_jq(text, where, kind);
    one.jq = isize(jq_);
    jq_.emplace_back(text);
  }
  all_.push_back(std::move(one));
  return isize(all_) - 1;
}

std::vector<std::string> Selectors::attributes(i64 i) const {
  const One& one = all_[usize(i)];
  return one.path ? one.path->attributes() : jq_attributes(one.text);
}

std::optional<std::string> selector_fields(std::string_view text, Syntax syntax,
                                           const std::string& where, ErrorKind kind) {
  return syntax == Syntax::kJq ? jq_fields(text) : JsonPath(text, where, kind).fields();
}

namespace {

/// Of a key that stands twice the last counts.
std::optional<dom::element> field_of(dom::element from, std::string_view name) {
  std::optional<dom::element> out;
  dom::object object;
  if (from.get(object) != simdjson::SUCCESS) return out;
  for (const dom::key_value_pair field : object) {
    if (field.key == name) out = field.value;
  }
  return out;
}

std::optional<f64> number_of(dom::element value) {
  f64 out = 0;
  if (!value.is_number() || value.get(out) != simdjson::SUCCESS) return std::nullopt;
  return out;
}

/// Walks a path through the record.
class Walk {
 public:
  Walk(const JsonPath& path, dom::element root) : path_(path), root_(root) {}

  /// visit(value) for all that the steps from the at-th on lead to; ends when it returns true.
  template <typename Visit>
  bool each(const std::vector<PathStep>& steps, std::size_t at, dom::element from, Visit& visit) {
    if (at == steps.size()) return visit(from);
    const PathStep& step = steps[at];
    dom::array array;
    dom::object object;
    switch (step.kind) {
      case PathStep::Kind::kField: {
        const std::optional<dom::element> below = field_of(from, step.name);
        return below && each(steps, at + 1, *below, visit);
      }
      case PathStep::Kind::kIndex: {
        dom::element below;
        return from.get(array) == simdjson::SUCCESS &&
               array.at(usize(step.number)).get(below) == simdjson::SUCCESS &&
               each(steps, at + 1, below, visit);
      }
      case PathStep::Kind::kDeep: {
        const std::optional<dom::element> below = field_of(from, step.name);
        if (below && each(steps, at + 1, *below, visit)) return true;
        return children(from, [&](dom::element child) { return each(steps, at, child, visit); });
      }
      case PathStep::Kind::kAll:
        return children(from,
                        [&](dom::element child) { return each(steps, at + 1, child, visit); });
      case PathStep::Kind::kFilter:
        if (from.get(array) != simdjson::SUCCESS)
          return holds(step.number, from) && each(steps, at + 1, from, visit);
        for (const dom::element child : array) {
          if (holds(step.number, child) && each(steps, at + 1, child, visit)) return true;
        }
        return false;
    }
    return false;
  }

 private:
  template <typename Body>
  static bool children(dom::element from, Body body) {
    dom::array array;
    dom::object object;
    if (from.get(array) == simdjson::SUCCESS) {
      for (const dom::element child : array) {
        if (body(child)) return true;
      }
    } else if (from.get(object) == simdjson::SUCCESS) {
      for (const dom::key_value_pair field : object) {
        if (body(field.value)) return true;
      }
    }
    return false;
  }

  bool holds(i64 i, dom::element current) {
    const PathTest& test = path_.test(i);
    switch (test.op) {
      case PathTest::Op::kAnd:
        return holds(test.a, current) && holds(test.b, current);
      case PathTest::Op::kOr:
        return holds(test.a, current) || holds(test.b, current);
      case PathTest::Op::kNot:
        return !holds(test.a, current);
      case PathTest::Op::kExists:
        return find(path_.operand(test.a), current).has_value();
      case PathTest::Op::kEqual:
        return equal(path_.operand(test.a), path_.operand(test.b), current);
      case PathTest::Op::kUnequal:
        return !equal(path_.operand(test.a), path_.operand(test.b), current);
      case PathTest::Op::kMatches: {
        const std::optional<dom::element> value = find(path_.operand(test.a), current);
        std::string_view text;
        return value && value->get(text) == simdjson::SUCCESS &&
               path_.pattern(test.b).find(text) == 1;
      }
      default:
        break;
    }
    const std::optional<f64> a = number(path_.operand(test.a), current);
    const std::optional<f64> b = number(path_.operand(test.b), current);
    if (!a || !b) return false;
    switch (test.op) {
      case PathTest::Op::kLess:
        return *a < *b;
      case PathTest::Op::kAtMost:
        return *a <= *b;
      case PathTest::Op::kMore:
        return *a > *b;
      default:
        return *a >= *b;
    }
  }

  std::optional<dom::element> find(const PathOperand& operand, dom::element current) {
    std::optional<dom::element> out;
    const auto take = [&out](dom::element value) {
      out = value;
      return true;
    };
    if (operand.kind == PathOperand::Kind::kPath)
      each(operand.steps, 0, operand.from_root ? root_ : current, take);
    return out;
  }

  std::optional<f64> number(const PathOperand& operand, dom::element current) {
    if (operand.kind == PathOperand::Kind::kNumber) return operand.number;
    const std::optional<dom::element> value = find(operand, current);
    return value ? number_of(*value) : std::nullopt;
  }

  bool equal(const PathOperand& a, const PathOperand& b, dom::element current) {
    const bool path_a = a.kind == PathOperand::Kind::kPath;
    const bool path_b = b.kind == PathOperand::Kind::kPath;
    if (!path_a && !path_b) return a.kind == b.kind && a.number == b.number && a.text == b.text;
    if (!path_a) return equal(b, a, current);
    const std::optional<dom::element> x = find(a, current);
    if (path_b) {
      const std::optional<dom::element> y = find(b, current);
      return x.has_value() == y.has_value() && (!x || same(*x, *y));
    }
    if (!x) return false;
    std::string_view text;
    bool truth = false;
    switch (b.kind) {
      case PathOperand::Kind::kNumber:
        return number_of(*x) == b.number;
      case PathOperand::Kind::kString:
        return x->get(text) == simdjson::SUCCESS && text == b.text;
      case PathOperand::Kind::kBool:
        return x->get(truth) == simdjson::SUCCESS && truth == (b.number != 0);
      default:
        return x->is_null();
    }
  }

  static bool same(dom::element a, dom::element b) {
    if (a.is_number() && b.is_number()) return number_of(a) == number_of(b);
    if (a.type() != b.type()) return false;
    dom::array x;
    dom::array y;
    if (a.get(x) == simdjson::SUCCESS && b.get(y) == simdjson::SUCCESS) {
      dom::array::iterator at = y.begin();
      for (const dom::element child : x) {
        if (!(at != y.end()) || !same(child, *at)) return false;
        ++at;
      }
      return !(at != y.end());
    }
    dom::object o;
    dom::object p;
    if (a.get(o) == simdjson::SUCCESS && b.get(p) == simdjson::SUCCESS) {
      if (o.size() != p.size()) return false;
      for (const dom::key_value_pair field : o) {
        const std::optional<dom::element> other = field_of(b, field.key);
        if (!other || !same(field.value, *other)) return false;
      }
      return true;
    }
    return simdjson::minify(a) == simdjson::minify(b);
  }

  const JsonPath& path_;
  dom::element root_;
};

}  // namespace

struct Selection::State {
  std::string_view line;
  bool read = false;  // for JSONPath
  bool ran = false;   // for jq
  std::optional<Fault> unreadable;
  std::optional<Fault> failed;
  dom::parser parser;
  dom::element root;
  std::unique_ptr<JqMachine> jq;
};

Selection::Selection(const Selectors& selectors)
    : selectors_(&selectors), state_(std::make_unique<State>()) {}
Selection::~Selection() = default;
Selection::Selection(Selection&&) noexcept = default;
Selection& Selection::operator=(Selection&&) noexcept = default;

void Selection::open(std::string_view line) {
  state_->line = line;
  state_->read = false;
  state_->ran = false;
}

std::optional<Fault> Selection::read_tree() {
  if (state_->read) return state_->unreadable;
  state_->read = true;
  state_->unreadable.reset();
  const simdjson::error_code error =
      state_->parser.parse(state_->line.data(), state_->line.size(), false).get(state_->root);
  if (error == simdjson::STRING_ERROR || error == simdjson::UTF8_ERROR) {
    state_->unreadable =
        Fault{"utf8", "JSONPath: a string with a lone surrogate or a bad escape", -1};
  } else if (error == simdjson::NUMBER_ERROR || error == simdjson::NUMBER_OUT_OF_RANGE) {
    state_->unreadable = Fault{"range", "JSONPath: a number that 64 bits do not hold", -1};
  } else if (error == simdjson::MEMALLOC) {
    throw std::bad_alloc();
  } else if (error != simdjson::SUCCESS) {
    state_->unreadable = Fault{"json", cat("JSONPath: ", simdjson::error_message(error)), -1};
  }
  return state_->unreadable;
}

std::optional<Fault> Selection::read_jq() {
  if (state_->ran) return state_->failed;
  if (!state_->jq) state_->jq = std::make_unique<JqMachine>(selectors_->jq());
  state_->ran = true;
  state_->failed = state_->jq->run(state_->line);
  return state_->failed;
}

Result<bool> Selection::picks(i64 selector, bool any) {
  const Selectors::One& one = selectors_->all_[usize(selector)];
  if (one.path) {
    if (std::optional<Fault> fault = read_tree()) return *fault;
    const auto found = [](dom::element) { return true; };
    return Walk(*one.path, state_->root).each(one.path->steps(), 0, state_->root, found);
  }
  if (std::optional<Fault> fault = read_jq()) return *fault;
  const JqFound found = state_->jq->found(one.jq);
  return any ? found.any_true : found.count > 0 && found.all_true;
}

Result<std::vector<std::string>> Selection::values(i64 selector) {
  const Selectors::One& one = selectors_->all_[usize(selector)];
  std::vector<std::string> out;
  if (!one.path) {
    if (std::optional<Fault> fault = read_jq()) return *fault;
    return state_->jq->values(one.jq);
  }
  if (std::optional<Fault> fault = read_tree()) return *fault;
  const auto take = [&out](dom::element value) {
    out.emplace_back(simdjson::minify(value));
    return false;
  };
  Walk(*one.path, state_->root).each(one.path->steps(), 0, state_->root, take);
  return out;
}

}  // namespace lm::mix

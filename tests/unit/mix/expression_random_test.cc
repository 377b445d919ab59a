// Random expressions over random records, beside an evaluator that is slow and obvious: a walk over
// its own tree and the record as nlohmann has it.

#include <cmath>
#include <optional>
#include <set>

#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/random.h"
#include "core/str.h"
#include "mix/expression.h"
#include "unit/mix/record.h"

using namespace lm;
using namespace lm::mix;
using nlohmann::json;

namespace {

struct Tree {
  std::string op;
  std::vector<Tree> of;
  json value = nullptr;  // of literals, paths, attribute names
  std::vector<json> list = {};
};

struct Draws {
  explicit Draws(u64 seed) : random(seed, RandomPurpose::kOther) {}
  u64 below(u64 bound) { return random.below(next++, bound); }
  const char* one_of(std::initializer_list<const char*> words) {
    return *(words.begin() + below(words.size()));
  }
  RandomStream random;
  u64 next = 0;
};

Tree number(Draws& draws, u64 depth);
Tree string(Draws& draws) {
  if (draws.below(2) == 0) return {"literal", {}, draws.one_of({"", "a", "b\"c", "\xc3\xa9"})};
  return {"field", {}, draws.one_of({"s", "m.t", "text"})};
}
Tree truth(Draws& draws, u64 depth) {
  if (depth == 0) {
    if (draws.below(3) == 0) return {"literal", {}, draws.below(2) == 0};
    if (draws.below(3) == 0) return {"field", {}, draws.one_of({"flag", "m.flag"})};
    return {"has", {}, draws.one_of({"x", "y", "w"})};
  }
  switch (draws.below(9)) {
    case 0:
      return {"not", {truth(draws, depth - 1)}};
    case 1:
    case 2:
      return {"and", {truth(draws, depth - 1), truth(draws, depth - 1)}};
    case 3:
      return {"or", {truth(draws, depth - 1), truth(draws, depth - 1)}};
    case 4:
      return {draws.one_of({"==", "!=", "<", "<=", ">", ">="}), {string(draws), string(draws)}};
    case 5:
      return {draws.one_of({"is null", "not null"}), {number(draws, depth - 1)}};
    case 6:
      return {draws.one_of({"in", "not in"}), {number(draws, depth - 1)}, nullptr, {1, -2, 0.5}};
    case 7:
      return {draws.one_of({"in", "not in"}), {string(draws)}, nullptr, {"a", ""}};
    default:
      return {draws.one_of({"==", "!=", "<", "<=", ">", ">="}),
              {number(draws, depth - 1), number(draws, depth - 1)}};
  }
}
Tree number(Draws& draws, u64 depth) {
  if (depth == 0 || draws.below(3) == 0) {
    switch (draws.below(5)) {
      case 0:
        return {"literal", {}, static_cast<f64>(draws.below(4)) / 2};
      case 1:
        return {"field", {}, draws.one_of({"a", "m.b"})};
      case 2:
        return {draws.one_of({"length", "bytes"}), {string(draws)}};
      default:
        return {draws.one_of({"score", "max", "min", "sum", "count", "covered"}),
                {},
                draws.one_of({"x", "y", "w"})};
    }
  }
  switch (draws.below(4)) {
    case 0:
      return {draws.one_of({"-x", "abs"}), {number(draws, depth - 1)}};
    case 1:
      return {draws.one_of({"least", "greatest"}),
              {number(draws, depth - 1), number(draws, depth - 1)}};
    default:
      return {draws.one_of({"+", "-", "*", "/", "%"}),
              {number(draws, depth - 1), number(draws, depth - 1)}};
  }
}

std::string literal(const json& value) {
  if (!value.is_string()) return value.dump();
  std::string out = "\"";
  for (const char c : value.get<std::string>())
    out += c == '"' ? "\\\"" : std::string(1, c);
  return out + "\"";
}

/// Every part in parentheses: precedence has its own test.
std::string source(const Tree& tree) {
  const auto part = [&](std::size_t i) { return source(tree.of[i]); };
  if (tree.op == "literal") return literal(tree.value);
  if (tree.op == "field") return tree.value.get<std::string>();
  if (tree.op == "not") return "(not " + part(0) + ")";
  if (tree.op == "-x") return "(- " + part(0) + ")";
  if (tree.op == "is null") return "(" + part(0) + " == null)";
  if (tree.op == "not null") return "(null != " + part(0) + ")";
  if (tree.op == "in" || tree.op == "not in") {
    std::string out = "(" + part(0) + " " + tree.op + " [";
    for (std::size_t i = 0; i < tree.list.size(); ++i)
      out += (i > 0 ? ", " : "") + literal(tree.list[i]);
    return out + "])";
  }
  if (tree.op == "length" || tree.op == "bytes" || tree.op == "abs")
    return tree.op + "(" + part(0) + ")";
  if (tree.op == "least") return "min(" + part(0) + ", " + part(1) + ")";
  if (tree.op == "greatest") return "max(" + part(0) + ", " + part(1) + ")";
  if (tree.of.empty()) return tree.op + "(" + literal(tree.value) + ")";
  return "(" + part(0) + " " + tree.op + " " + part(1) + ")";
}

struct TypeFault {};

/// The tree's value as JSON, null for none. Throws TypeFault.
class Slow {
 public:
  explicit Slow(json record) : record_(std::move(record)) {}
  bool met_none = false;

  bool holds(const Tree& tree) {
    const json value = eval(tree);
    if (value.is_null()) met_none = true;
    if (value.is_null()) return false;
    if (!value.is_boolean()) throw TypeFault{};
    return value.get<bool>();
  }

 private:
  json eval(const Tree& tree) {
    const std::string& op = tree.op;
    if (op == "literal") return tree.value;
    if (op == "field") return field(tree.value);
    if (op == "not") return !holds(tree.of[0]);
    if (op == "and") return holds(tree.of[0]) && holds(tree.of[1]);
    if (op == "or") return holds(tree.of[0]) || holds(tree.of[1]);
    if (op == "is null") return eval(tree.of[0]).is_null();
    if (op == "not null") return !eval(tree.of[0]).is_null();
    if (op == "length" || op == "bytes") return size(eval(tree.of[0]), op == "length");
    if (op == "not in") return !in(tree);
    if (op == "in") return in(tree);
    if (tree.of.empty()) return spans(op, tree.value);
    static const std::set<std::string> kCompare = {"==", "!=", "<", "<=", ">", ">="};
    const json a = eval(tree.of[0]);
    if (kCompare.count(op) == 0 && !a.is_number() && !a.is_null()) throw TypeFault{};
    if (tree.of.size() == 1) {
      if (a.is_null()) return nullptr;
      return op == "abs" ? std::fabs(a.get<f64>()) : -a.get<f64>();
    }
    const json b = eval(tree.of[1]);
    if (kCompare.count(op) == 0) return compute(op, a, b);
    if (a.is_object() || b.is_object()) throw TypeFault{};
    if (a.is_null() || b.is_null()) {
      met_none = true;
      return false;
    }
    if (a.is_number() && b.is_number()) return compare(op, a.get<f64>(), b.get<f64>());
    if (a.is_string() && b.is_string())
      return compare(op, a.get<std::string>(), b.get<std::string>());
    if (a.is_boolean() && b.is_boolean() && (op == "==" || op == "!="))
      return (a == b) == (op == "==");
    throw TypeFault{};
  }

  json field(const std::string& path) const {
    const json* at = &record_;
    std::string rest = path;
    while (true) {
      const std::size_t dot = rest.find('.');
      const std::string key = rest.substr(0, dot);
      if (!at->is_object() || !at->contains(key)) return nullptr;
      at = &(*at)[key];
      if (dot == std::string::npos) return *at;
      rest = rest.substr(dot + 1);
    }
  }

  static json size(const json& text, bool characters) {
    if (text.is_null()) return nullptr;
    if (!text.is_string()) throw TypeFault{};
    i64 n = 0;
    for (const char c : text.get<std::string>())
      n += !characters || (c & 0xC0) != 0x80;
    return static_cast<f64>(n);
  }

  bool in(const Tree& tree) {
    const json a = eval(tree.of[0]);
    if (a.is_null()) met_none = true;
    if (a.is_null()) return false;
    if (tree.list[0].is_string() ? !a.is_string() : !a.is_number()) throw TypeFault{};
    for (const json& one : tree.list) {
      if (a == one) return true;
    }
    return false;
  }

  static json compute(const std::string& op, const json& a, const json& b) {
    if (!b.is_number() && !b.is_null()) throw TypeFault{};
    if (a.is_null() || b.is_null()) return nullptr;
    const f64 x = a.get<f64>();
    const f64 y = b.get<f64>();
    const f64 out = op == "+"       ? x + y
                    : op == "-"     ? x - y
                    : op == "*"     ? x * y
                    : op == "/"     ? x / y
                    : op == "%"     ? std::fmod(x, y)
                    : op == "least" ? std::min(x, y)
                                    : std::max(x, y);
    if (!std::isfinite(out)) return nullptr;
    return out;
  }

  template <typename T>
  static bool compare(const std::string& op, const T& a, const T& b) {
    if (op == "==") return a == b;
    if (op == "!=") return a != b;
    if (op == "<") return a < b;
    if (op == "<=") return a <= b;
    return op == ">" ? a > b : a >= b;
  }

  json spans(const std::string& op, const std::string& name) const {
    const json list = field("attributes." + name);
    if (op == "has") return !list.is_null() && !(list.is_array() && list.empty());
    const json found = list.is_null() ? json::array() : list;
    if (op == "count") return static_cast<f64>(found.size());
    if (op == "covered") {
      const i64 length = static_cast<i64>(size(record_["text"], true).get<f64>());
      i64 covered = 0;
      for (i64 at = 0; at < length; ++at) {
        bool inside = false;
        for (const json& span : found)
          inside = inside || (span[0] <= at && at < span[1]);
        covered += inside;
      }
      return length == 0 ? 0.0 : static_cast<f64>(covered) / static_cast<f64>(length);
    }
    f64 sum = 0;
    std::optional<f64> out;
    for (const json& span : found) {
      const f64 score = span[2];
      sum += score;
      if (!out || (op == "max" && score > *out) || (op == "min" && score < *out)) out = score;
    }
    if (op == "sum") return sum;
    return out ? json(*out) : json(nullptr);
  }

  json record_;
};

json value(Draws& draws) {
  switch (draws.below(8)) {
    case 0:
      return nullptr;
    case 1:
      return draws.one_of({"a", "", "zz"});
    case 2:
      return draws.below(2) == 0;
    case 3:
      return json::object();
    default:
      return static_cast<f64>(draws.below(5)) / 2 - 1;
  }
}

json record(Draws& draws) {
  json out = {{"text", draws.one_of({"", "a", "\xc3\xa9t\xc3\xa9", "a long text of words"})}};
  for (const char* const key : {"a", "s", "flag"}) {
    if (draws.below(4) > 0) out[key] = value(draws);
  }
  if (draws.below(2) == 0) out["flag"] = draws.below(2) == 0;
  if (draws.below(4) > 0) out["a"] = static_cast<f64>(draws.below(4));
  if (draws.below(4) > 0) {
    out["m"] = {{"b", value(draws)}, {"t", draws.one_of({"a", "c"})}};
    if (draws.below(2) == 0) out["m"]["flag"] = draws.below(2) == 0;
  }
  for (const char* const key : {"x", "y"}) {
    if (draws.below(4) == 0) continue;
    json spans = json::array();
    i64 at = 0;
    for (u64 n = draws.below(4); n > 0; --n) {
      at += static_cast<i64>(draws.below(4));
      spans.push_back(
          {at, at + static_cast<i64>(draws.below(6)), static_cast<f64>(draws.below(8)) / 4 - 1});
    }
    out["attributes"][key] = std::move(spans);
  }
  return out;
}

}  // namespace

TEST_CASE("expressions have the values of a walk over the record", "[mix]") {
  i64 faults = 0;
  i64 nones = 0;
  i64 held = 0;
  for (u64 seed = 0; seed < 20000; ++seed) {
    Draws draws(seed);
    const Tree tree = truth(draws, 1 + draws.below(4));
    const json of = record(draws);
    const std::string text = source(tree);
    INFO("seed " << seed << ": " << text << " of " << of.dump());
    Names names;
    std::optional<Expression> rule;
    try {
      rule.emplace(text, Expression::Yields::kTruth, names, "rule");
    } catch (const Error& e) {
      FAIL(e.message());
    }
    test::Record seen(names, of.dump());
    for (int again = 0; again < 2; ++again) {
      const Result<Expression::Outcome> got = rule->test(seen.values);
      Slow slow(of);
      try {
        const bool expected = slow.holds(tree);
        REQUIRE(got);
        CHECK(got->holds == expected);
        CHECK(got->met_none == slow.met_none);
        held += expected;
        nones += slow.met_none;
      } catch (const TypeFault&) {
        REQUIRE(!got);
        CHECK(got.fault().code == "type");
        ++faults;
      }
    }
  }
  // Every kind of outcome was met often enough to mean something.
  CHECK(faults > 1000);
  CHECK(nones > 1000);
  CHECK(held > 1000);
}

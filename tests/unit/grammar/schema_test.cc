#include <algorithm>

#include "catch.h"
#include "core/str.h"
#include "grammar/grammar.h"
#include "grammar/json_number.h"
#include "grammar/machine.h"
#include "unit/grammar/slow_grammar.h"

namespace {

using namespace lm;
using namespace lm::grammar;
using io::Json;

Result<GrammarPtr> schema(std::string_view text, const SchemaOptions& options = {}) {
  return compile_json_schema(Json::parse(text.begin(), text.end()), options);
}

class Acceptor {
 public:
  explicit Acceptor(const Result<GrammarPtr>& grammar) {
    if (!grammar) FAIL(grammar.fault().detail);
    machine_ = std::make_unique<Machine>(*grammar, i64{256} << 20);
  }
  explicit Acceptor(std::string_view text, const SchemaOptions& options = {})
      : Acceptor(schema(text, options)) {}
  bool operator()(std::string_view text) {
    State s = machine_->start();
    for (const char c : text)
      s = machine_->step(s, static_cast<u8>(c));
    return machine_->accepting(s);
  }

 private:
  std::unique_ptr<Machine> machine_;
};

std::string refusal(std::string_view text) {
  const Result<GrammarPtr> made = schema(text);
  return made ? "accepted" : made.fault().detail;
}

}  // namespace

TEST_CASE("any JSON value, in each way of spacing", "[grammar]") {
  const auto any = [](JsonSpace space) {
    SchemaOptions options;
    options.space = space;
    options.flexible = 2;
    return compile_json(options);
  };
  Acceptor canonical(any(JsonSpace::kCanonical));
  Acceptor compact(any(JsonSpace::kCompact));
  Acceptor flexible(any(JsonSpace::kFlexible));
  Acceptor free(any(JsonSpace::kFree));
  const char* const kSpaced = "{\"a\": [1, -2.5e+10, \"\\ud83d\\uDE00x\"], \"b\": {}}";
  CHECK(canonical(kSpaced));
  CHECK(!compact(kSpaced));
  CHECK(flexible(kSpaced));
  CHECK(free(kSpaced));
  CHECK(compact("{\"a\":[1,{\"b\":[]}],\"c\":null}"));
  CHECK(!canonical("[1,2]"));
  CHECK(!canonical("[1,  2]"));
  CHECK(flexible("[ \n1 ,\t\t2]"));
  CHECK(!flexible("[   1]"));
  CHECK(!flexible(" [1]"));
  CHECK(free(" [\n\n\n1   ]\n"));
  for (const char* const bad :
       {"", "[1, ]", "{\"a\" 1}", "01", "-", "1.", "\"\\x\"", "\"\n\"", "\"\\ud83d\"",
        "\"\\ude00\"", "nul", "[1", "{1: 2}", "\"\xFF\"", "1e999", "+1", "tru"}) {
    INFO(bad);
    CHECK(!canonical(bad));
  }
  CHECK(canonical("\"\\u0000\\u007f\\/\\\"\\\\\\b\\f\\n\\r\\t \xC3\xA9\""));
  CHECK(canonical("-0.5E-07"));
  CHECK(canonical("1234567890123456.1234567890123456"));
  CHECK(!canonical("12345678901234567"));
  std::string deep(3000, '[');
  deep += std::string(3000, ']');
  CHECK(canonical(deep));
}

TEST_CASE("members stand in the order of the schema, optional ones may be left out", "[grammar]") {
  Acceptor accepts(R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"boolean"},
    "c":{"type":"null"}},"required":["b"],"additionalProperties":false})");
  for (const char* const good :
       {"{\"b\": true}", "{\"a\": 1, \"b\": false}", "{\"b\": true, \"c\": null}",
        "{\"a\": 1, \"b\": true, \"c\": null}"})
    CHECK(accepts(good));
  for (const char* const bad :
       {"{}", "{\"b\": true, \"a\": 1}", "{\"a\": 1}", "{\"b\": true, \"d\": 1}",
        "{\"b\": true, \"b\": true}", "{\"b\": true,}", "{, \"b\": true}"})
    CHECK(!accepts(bad));
  Acceptor more(R"({"type":"object","properties":{"a":{"type":"integer"}},"minProperties":2,
    "maxProperties":3,"additionalProperties":{"type":"string"}})");
  CHECK(more("{\"a\": 1, \"b\": \"x\"}"));
  CHECK(more("{\"b\": \"x\", \"c\": \"y\", \"\": \"z\"}"));
  CHECK(!more("{\"a\": 1}"));
  CHECK(!more("{\"b\": \"x\", \"a\": \"y\"}"));  // the listed name is not among the further ones
  CHECK(!more("{\"a\": 1, \"b\": \"x\", \"c\": \"y\", \"d\": \"z\"}"));
  Acceptor patterns(
      R"({"type":"object","patternProperties":{"^i":{"type":"integer"},"t$":{"minimum":5}},
    "additionalProperties":{"type":"null"}})");
  CHECK(patterns("{\"i\": 1, \"it\": 7, \"t\": \"any\", \"x\": null}"));
  CHECK(!patterns("{\"it\": 3}"));
  CHECK(!patterns("{\"it\": \"x\"}"));
  CHECK(!patterns("{\"x\": 1}"));
}

TEST_CASE("references, recursion and anchors", "[grammar]") {
  Acceptor tree(R"({"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{
    "v":{"$ref":"#leaf"},"next":{"$ref":"#/$defs/node"}},"required":["v"],"additionalProperties":false},
    "x":{"$anchor":"leaf","enum":[1,"two"]}}})");
  CHECK(tree("{\"v\": 1}"));
  CHECK(tree("{\"v\": \"two\", \"next\": {\"v\": 1, \"next\": {\"v\": 1}}}"));
  CHECK(!tree("{\"v\": 2}"));
  CHECK(!tree("{\"next\": {\"v\": 1}}"));
  CHECK(refusal(R"({"properties":{"a":{"$ref":"other.json"}}})") ==
        "schema #/properties/a/$ref: a reference to another document: \"other.json\"");
  CHECK(refusal(R"({"$ref":"#/$defs/none"})") == "schema #/$ref: there is no \"#/$defs/none\"");
  CHECK(refusal(R"({"anyOf":[{"type":"null"},{"$ref":"#"}]})").find("refers to itself") !=
        std::string::npos);
  CHECK(refusal(R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})") ==
        "schema # matches no finite text");
  CHECK(refusal(R"({"propertyNames":{"$ref":"#/propertyNames"},"properties":{"a":{}}})")
            .find("refers to itself") != std::string::npos);
  Acceptor odd(R"({"$ref":"#/$defs/a~1b%25","$defs":{"a/b%":{"type":"null"}}})");
  CHECK(odd("null"));
}

TEST_CASE("strings: lengths count characters, patterns search, formats are exact", "[grammar]") {
  Acceptor two(R"({"type":"string","minLength":2,"maxLength":3})");
  CHECK(two("\"ab\""));
  CHECK(two("\"\xF0\x9F\x98\x80\\u00e9\""));
  CHECK(two("\"\\ud83d\\ude00\\n\\\"\""));
  CHECK(!two("\"\\ud83d\\ude00\""));
  CHECK(!two("\"abcd\""));
  Acceptor pattern(R"({"type":"string","pattern":"^a.+z$","maxLength":4})");
  CHECK(pattern("\"a\\\"z\""));
  CHECK(pattern("\"abbz\""));
  CHECK(!pattern("\"abbbz\""));
  CHECK(!pattern("\"a\\nz\""));
  Acceptor inner(R"({"type":"string","pattern":"\\d"})");
  CHECK(inner("\"ab1\""));
  CHECK(!inner("\"ab\""));
  const auto format = [](const char* name, const char* text) {
    return Acceptor(cat("{\"type\":\"string\",\"format\":\"", name, "\"}"))(cat("\"", text, "\""));
  };
  CHECK(format("date", "2024-02-29"));
  CHECK(!format("date", "2023-02-29"));
  CHECK(format("date", "2000-02-29"));
  CHECK(!format("date", "1900-02-29"));
  CHECK(!format("date", "2024-04-31"));
  CHECK(!format("date", "2024-13-01"));
  CHECK(format("time", "23:59:59.123Z"));
  CHECK(!format("time", "24:00:00Z"));
  CHECK(!format("time", "12:00:00"));
  CHECK(format("date-time", "2024-12-31T00:00:00+05:30"));
  CHECK(!format("date-time", "2024-12-31 00:00:00Z"));
  CHECK(format("uuid", "123e4567-e89b-12d3-a456-426614174000"));
  CHECK(!format("uuid", "123e4567e89b12d3a456426614174000"));
  CHECK(format("ipv4", "192.168.0.255"));
  CHECK(!format("ipv4", "192.168.0.256"));
  CHECK(!format("ipv4", "01.2.3.4"));
  for (const char* const good :
       {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "fe80::a:1",
        "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "a::b:1.2.3.4", "1::8"})
    CHECK(format("ipv6", good));
  for (const char* const bad :
       {":", ":::", "1:2:3:4:5:6:7", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "1:2:3:4::5:6:7:8", "g::"})
    CHECK(!format("ipv6", bad));
  CHECK(format("email", "first.last+x@mail.example.org"));
  CHECK(!format("email", "a..b@x.org"));
  CHECK(!format("email", "a@b@c"));
  CHECK(format("hostname", "a-b.example"));
  CHECK(!format("hostname", "-a.example"));
  CHECK(format("duration", "P1Y2M3DT4H5M6S"));
  CHECK(!format("duration", "P"));
  CHECK(refusal(R"({"items":{"format":"iri"}})") ==
        "schema #/items/format: unknown format \"iri\"");
}

TEST_CASE("numbers: intervals and multiples against arithmetic", "[grammar]") {
  // Bounds and numerals in hundredths, so that everything compares as whole numbers.
  const auto numeral = [](i64 hundredths) {
    const i64 m = hundredths < 0 ? -hundredths : hundredths;
    std::string text = cat(hundredths < 0 ? "-" : "", m / 100);
    if (m % 100 != 0) {
      append(text, ".", m % 100 / 10);
      if (m % 10 != 0) append(text, m % 10);
    }
    return text;
  };
  for (u64 seed = 1; seed <= 300; ++seed) {
    test::Dice dice(seed);
    const auto value = [&] {
      const i64 range = dice.one_in(2) ? 300 : 20000;
      const i64 v = static_cast<i64>(dice.below(static_cast<int>(2 * range))) - range;
      return dice.one_in(2) ? v / 100 * 100 : v;
    };
    Json s = Json::object();
    const i64 low = value();
    const i64 high = value();
    const bool has_low = !dice.one_in(4);
    const bool has_high = !dice.one_in(4);
    const bool low_open = dice.one_in(3);
    const bool high_open = dice.one_in(3);
    const bool whole = dice.one_in(3);
    if (has_low) s[low_open ? "exclusiveMinimum" : "minimum"] = Json::parse(numeral(low));
    if (has_high) s[high_open ? "exclusiveMaximum" : "maximum"] = Json::parse(numeral(high));
    s["type"] = whole ? "integer" : "number";
    i64 divisor = 1;
    if (dice.one_in(2)) {
      divisor = dice.below(2) == 0 ? (dice.below(9) + 1) * 100 : dice.below(70) + 1;
      s["multipleOf"] = Json::parse(numeral(divisor));
    }
    Acceptor accepts(compile_json_schema(Json{{"items", s}}));
    INFO("seed " << seed << " " << s);
    for (int i = 0; i < 200; ++i) {
      const i64 near = dice.below(3) == 0 ? low : dice.below(2) == 0 ? high : 0;
      const i64 v = near + dice.below(401) - 200;
      const bool want = (!has_low || (low_open ? v > low : v >= low)) &&
                        (!has_high || (high_open ? v < high : v <= high)) &&
                        (!whole || v % 100 == 0) && v % divisor == 0;
      if (accepts("[" + numeral(v) + "]") != want) FAIL(numeral(v) << " should be " << want);
    }
  }
  Acceptor big(R"({"type":"integer","minimum":100000000000000000000})");
  CHECK(big("100000000000000000000"));
  CHECK(!big("99999999999999999999"));
  Acceptor zero(R"({"type":"number","minimum":0,"maximum":1})");
  CHECK(zero("0"));
  CHECK(zero("0.0"));
  CHECK(zero("1.000"));
  CHECK(!zero("-0"));
  CHECK(!zero("1.001"));
  CHECK(!zero("1e0"));
  CHECK(refusal(R"({"multipleOf":0})") == "schema #/multipleOf: expected a number above 0");
  CHECK(refusal(R"({"multipleOf":123457})").find("schema #/multipleOf: multiples") == 0);
}

TEST_CASE("alternatives: oneOf where they are disjoint or have complements", "[grammar]") {
  Acceptor kinds(R"({"oneOf":[
    {"type":"object","properties":{"k":{"const":"a"},"n":{"type":"integer"}},"required":["k"],"additionalProperties":false},
    {"type":"object","properties":{"k":{"const":"b"},"s":{"type":"string"}},"required":["k"],"additionalProperties":false}]})");
  CHECK(kinds("{\"k\": \"a\", \"n\": 1}"));
  CHECK(kinds("{\"k\": \"b\", \"s\": \"\"}"));
  CHECK(!kinds("{\"k\": \"a\", \"s\": \"\"}"));
  Acceptor overlap(
      R"({"type":"integer","oneOf":[{"minimum":0,"maximum":10},{"minimum":5,"maximum":20}]})");
  CHECK(overlap("4"));
  CHECK(!overlap("5"));
  CHECK(!overlap("10"));
  CHECK(overlap("11"));
  Acceptor either(R"({"type":"object","properties":{"a":{},"b":{}},"additionalProperties":false,
    "oneOf":[{"required":["a"]},{"required":["b"]}]})");
  CHECK(either("{\"a\": 1}"));
  CHECK(either("{\"b\": 1}"));
  CHECK(!either("{\"a\": 1, \"b\": 1}"));
  CHECK(!either("{}"));
  CHECK(refusal(R"({"properties":{"x":{"oneOf":[{"patternProperties":{"a":{"type":"null"}}},
    {"patternProperties":{"b":{"type":"null"}}}]}}})")
            .find("schema #/properties/x/oneOf: alternatives 0 and 1 may overlap") == 0);
}

TEST_CASE("contains counts items", "[grammar]") {
  Acceptor counted(R"({"type":"array","items":{"type":"integer"},"contains":{"minimum":10},
    "minContains":1,"maxContains":2,"maxItems":4})");
  CHECK(counted("[10]"));
  CHECK(counted("[1, 10, 2, 11]"));
  CHECK(!counted("[]"));
  CHECK(!counted("[1]"));
  CHECK(!counted("[10, 11, 12]"));
  CHECK(!counted("[10, 1, 1, 1, 1]"));
}

TEST_CASE("what cannot be honoured is refused by pointer, or left out with a warning",
          "[grammar]") {
  CHECK(refusal(R"({"properties":{"a/b":{"uniqueItems":true}}})") ==
        "schema #/properties/a~1b/uniqueItems: this keyword is not supported");
  CHECK(refusal(R"({"$defs":{"x":{"frobnicate":1}},"items":{"$ref":"#/$defs/x"}})") ==
        "schema #/$defs/x/frobnicate: this keyword is not supported");
  CHECK(refusal(R"({"$dynamicRef":"#x"})") ==
        "schema #/$dynamicRef: this keyword is not supported");
  CHECK(refusal(R"x({"items":{"pattern":"a(?=b)"}})x") ==
        "schema #/items/pattern: pattern \"a(?=b)\", column 2: look-ahead");
  CHECK(refusal(R"({"minLength":-1})") == "schema #/minLength: expected a whole number from 0");
  CHECK(refusal(R"({"type":"strin"})") == "schema #/type: expected a type or a list of types");
  CHECK(refusal(R"({"required":["a",1]})") == "schema #/required: expected a list of strings");
  CHECK(refusal(R"({"properties":{"a":3}})") ==
        "schema #/properties: expected an object of schemas");
  CHECK(refusal(R"([1])") == "schema #: expected a schema: an object or a boolean");
  CHECK(refusal("false") == "schema # matches no finite text");
  CHECK(refusal(R"({"not":{"patternProperties":{"a":false}}})")
            .find("schema #/not/patternProperties") == 0);
  CHECK(refusal(R"({"$schema":"http://example.org/own"})") ==
        "schema #/$schema: unknown dialect \"http://example.org/own\"");
  SchemaOptions lenient;
  lenient.lenient = true;
  const Result<GrammarPtr> made = schema(
      R"({"type":"array","uniqueItems":true,"items":{"type":"string","format":"iri","x":1}})",
      lenient);
  Acceptor accepts(made);
  CHECK(accepts("[\"a\", \"a\"]"));
  CHECK(!accepts("[1]"));
  CHECK((*made)->warnings() ==
        std::vector<std::string>{"schema #/uniqueItems: left out: this keyword is not supported",
                                 "schema #/items/x: left out: this keyword is not supported",
                                 "schema #/items/format: left out: unknown format \"iri\""});
}

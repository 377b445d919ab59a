// Every second file of the test suite of JSON Schema: instances are written canonically, in every
// order of members.

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "catch.h"
#include "grammar/grammar.h"
#include "grammar/machine.h"

namespace {

using namespace lm;
using namespace lm::grammar;
using io::Json;

/// The canonical texts of a value: one for each order of members.
std::vector<std::string> texts_of(const Json& value) {
  if (value.is_number_float()) {
    const f64 number = value.get<f64>();
    if (number == static_cast<f64>(static_cast<i64>(number)))
      return {std::to_string(static_cast<i64>(number))};
  }
  if (!value.is_structured()) return {value.dump()};
  std::vector<std::vector<std::string>> parts;
  for (const auto& [name, part] : value.items()) {
    parts.push_back(texts_of(part));
    if (!value.is_object()) continue;
    for (std::string& text : parts.back())
      text = Json(name).dump() + ": " + text;
  }
  std::vector<std::size_t> order(parts.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  std::set<std::string> out;
  do {
    std::vector<std::string> made{""};
    for (const std::size_t i : order) {
      std::vector<std::string> next;
      for (const std::string& head : made) {
        for (const std::string& part : parts[i])
          next.push_back(head + (head.empty() ? "" : ", ") + part);
      }
      made = std::move(next);
    }
    for (const std::string& inner : made)
      out.insert(value.is_object() ? "{" + inner + "}" : "[" + inner + "]");
  } while (value.is_object() && order.size() <= 5 &&
           std::next_permutation(order.begin(), order.end()));
  return {out.begin(), out.end()};
}

// Schemas that are refused, with a part of the reason. A refusal that is not here is a regression;
// one that no longer happens has to go from here.
const std::map<std::string, std::string> kRefused = {
    {"allOf: allOf with boolean schemas, all false", "matches no finite text"},
    {"allOf: allOf with boolean schemas, some false", "matches no finite text"},
    {"anyOf: anyOf with boolean schemas, all false", "matches no finite text"},
    {"defs: validate definition against metaschema", "a reference to another document"},
    {"enum: empty enum", "matches no finite text"},
    {"not: collect annotations inside a 'not', even if collection is disabled",
     "the complement of this keyword"},
    {"not: forbid everything with boolean schema true", "matches no finite text"},
    {"not: forbid everything with empty schema", "matches no finite text"},
    {"refRemote: $ref to $ref finds detached $anchor", "a reference to another document"},
    {"refRemote: Location-independent identifier in remote ref", "a reference to another document"},
    {"refRemote: anchor within remote ref", "a reference to another document"},
    {"refRemote: base URI change", "inside a schema with an $id of its own"},
    {"refRemote: base URI change - change folder", "a reference to another document"},
    {"refRemote: base URI change - change folder in subschema", "a reference to another document"},
    {"refRemote: fragment within remote ref", "a reference to another document"},
    {"refRemote: ref within remote ref", "a reference to another document"},
    {"refRemote: remote HTTP ref with different $id", "a reference to another document"},
    {"refRemote: remote HTTP ref with different URN $id", "a reference to another document"},
    {"refRemote: remote HTTP ref with nested absolute ref", "a reference to another document"},
    {"refRemote: remote ref", "a reference to another document"},
    {"refRemote: remote ref with ref to defs", "a reference to another document"},
    {"refRemote: retrieved nested refs resolve relative to their URI not $id",
     "a reference to another document"},
    {"refRemote: root ref in remote ref", "a reference to another document"},
    {"unevaluatedProperties: dependentSchemas with unevaluatedProperties",
     "beside dependentSchemas"},
    {"unevaluatedProperties: dynamic evalation inside nested refs", "may overlap"},
    {"unevaluatedProperties: unevaluatedProperties + ref inside allOf / oneOf", "beside oneOf"},
    {"unevaluatedProperties: unevaluatedProperties can see annotations from if without then and "
     "else",
     "beside if"},
    {"unevaluatedProperties: unevaluatedProperties with $dynamicRef",
     "a reference to another document"},
    {"unevaluatedProperties: unevaluatedProperties with anyOf", "beside anyOf"},
    {"unevaluatedProperties: unevaluatedProperties with dependentSchemas",
     "beside dependentSchemas"},
    {"unevaluatedProperties: unevaluatedProperties with if/then/else", "beside if"},
    {"unevaluatedProperties: unevaluatedProperties with if/then/else, else not defined",
     "beside if"},
    {"unevaluatedProperties: unevaluatedProperties with if/then/else, then not defined",
     "beside if"},
    {"unevaluatedProperties: unevaluatedProperties with not", "beside not"},
    {"unevaluatedProperties: unevaluatedProperties with oneOf", "beside oneOf"},
    {"vocabulary: ignore unrecognized optional vocabulary", "unknown dialect"},
    {"vocabulary: schema that uses custom metaschema with with no validation vocabulary",
     "unknown dialect"},
};

bool accepts(Machine& machine, const std::string& text) {
  State s = machine.start();
  for (const char c : text)
    s = machine.step(s, static_cast<u8>(c));
  return machine.accepting(s);
}

}  // namespace

TEST_CASE("the test suite of JSON Schema: what is allowed is valid, what is valid is allowed",
          "[grammar]") {
  const std::filesystem::path folder = test::data_dir() / "json-schema";
  if (!std::filesystem::exists(folder)) LM_SKIP("no test suite of JSON Schema");
  std::set<std::string> seen;
  i64 groups = 0;
  i64 instances = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(entry.path());
    const Json file = Json::parse(in);
    for (const Json& group : file) {
      const std::string name =
          entry.path().stem().string() + ": " + group["description"].get<std::string>();
      ++groups;
      const Result<GrammarPtr> grammar = compile_json_schema(group["schema"]);
      const auto known = kRefused.find(name);
      if (!grammar) {
        seen.insert(name);
        if (known == kRefused.end() ||
            grammar.fault().detail.find(known->second) == std::string::npos)
          FAIL_CHECK("refused: " << name << ": " << grammar.fault().detail);
        continue;
      }
      if (known != kRefused.end()) FAIL_CHECK("no longer refused: " << name);
      Machine machine(*grammar, i64{64} << 20);
      for (const Json& one : group["tests"]) {
        ++instances;
        const std::vector<std::string> texts = texts_of(one["data"]);
        const bool any = std::any_of(texts.begin(), texts.end(),
                                     [&](const std::string& t) { return accepts(machine, t); });
        if (any != one["valid"].get<bool>())
          FAIL_CHECK(name << ": " << one["description"] << ": " << one["data"] << " is "
                          << (any ? "allowed" : "not allowed"));
      }
    }
  }
  for (const auto& [name, what] : kRefused)
    CHECK(seen.count(name) == 1);
  CHECK(groups > 150);
  CHECK(instances > 300);
}

// Graph files: what is understood, and what is refused with its place.

#include "flow/graph.h"

#include <algorithm>

#include "catch.h"
#include "core/random.h"
#include "core/str.h"
#include "flow/problems.h"

using namespace lm;
using namespace lm::flow;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kGood = R"(params: {m: 4}
nodes:
- {id: parts, op: split, in: [input.text], params: {by: chars, size: "{{ m * 2 }}"}}
- {id: counts, op: map, in: [parts], do: {op: llm, template: "{{ item }}", parse: last_integer}}
- {id: answer, op: sum, in: [counts]}
answer: answer
)";

std::string refused(const std::string& text) {
  try {
    parse_graph(text, "g.yaml");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kConfig);
    return e.message();
  }
  return "understood";
}

/// kGood with one part replaced.
std::string with(const std::string& from, const std::string& to) {
  std::string text = kGood;
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string nodes(const std::string& text) {
  return "nodes:\n" + text + "\nanswer: x\n";
}

}  // namespace

TEST_CASE("a graph says what runs in which order", "[flow]") {
  const Graph graph = parse_graph(kGood, "g.yaml", {{"m", text::Value(i64{25})}});
  REQUIRE(graph.main().nodes.size() == 3);
  CHECK(graph.fields == std::vector<std::string>{"text"});
  CHECK(graph.main().nodes[0].cut.size == 50);
  CHECK(graph.main().nodes[0].cut.stride == 0);
  CHECK(graph.find("answer") == 2);
  CHECK(graph.key != parse_graph(kGood, "g.yaml").key);
  // JSON is YAML, and the file's order does not matter.
  const Graph json = parse_graph(
      R"({"nodes":[{"id":"b","op":"sum","in":["a"]},
          {"id":"a","op":"regex","in":["input.x.y"],"params":{"pattern":"[0-9]","all":true}}],
          "answer":"b"})",
      "g.json");
  CHECK(json.main().nodes[0].id == "a");
  CHECK(json.fields == std::vector<std::string>{"x.y"});
  for (const std::string& name : builtin_names())
    CHECK(!parse_graph(*builtin_graph(name), name).about.empty());
}

TEST_CASE("what cannot be meant is refused with file and line", "[flow]") {
  CHECK_THAT(refused(with("params: {m: 4}", "param: {m: 4}")),
             ContainsSubstring("g.yaml:1: unknown key \"param\" of a graph"));
  CHECK_THAT(refused(with("op: sum", "op: add")),
             ContainsSubstring("g.yaml:5: unknown operation \"add\""));
  CHECK_THAT(refused(with("[counts]", "[count]")),
             ContainsSubstring("g.yaml:5: there is no \"count\" to take an input from"));
  CHECK_THAT(refused(with("in: [counts]", "in: [input]")),
             ContainsSubstring("name one of its fields"));
  CHECK_THAT(refused(with("in: [counts]", "in: []")), ContainsSubstring("an input at least"));
  CHECK_THAT(refused(with("in: [parts]", "in: [parts, answer]")),
             ContainsSubstring("in a circle: counts needs answer needs counts"));
  CHECK_THAT(refused(with("in: [counts]", "in: [parts]")),
             ContainsSubstring("does not need node \"counts\""));
  CHECK_THAT(refused(with("answer: answer", "answer: total")),
             ContainsSubstring("there is no node"));
  CHECK_THAT(refused(with("id: counts", "id: parts")),
             ContainsSubstring("node \"parts\" stands twice"));
  CHECK_THAT(refused(with("id: counts", "id: 7up")), ContainsSubstring("cannot be named"));
  CHECK_THAT(
      refused(with("m * 2", "m / 3")),
      ContainsSubstring("size: \"{{ m / 3 }}\" makes \"1.3333333333333333\", expected a whole"));
  CHECK_THAT(refused(with("by: chars", "by: bytes")), ContainsSubstring("is no unit"));
  CHECK_THAT(refused(with("size: ", "stride: 100, size: ")),
             ContainsSubstring("a stride of 100 leaves out"));
  CHECK_THAT(refused(with("parse: last_integer", "parse: last_number")),
             ContainsSubstring("is no parser"));
  CHECK_THAT(refused(with("template: \"{{ item }}\"", "template: \"{{ item\"")),
             ContainsSubstring("g.yaml:4"));
  CHECK_THAT(refused(with("template: \"{{ item }}\", ", "")),
             ContainsSubstring("a template or messages"));
  CHECK_THAT(refused(with("do: {op: llm, ", "do: {op: llm, in: [parts], ")),
             ContainsSubstring("has no in"));
  CHECK_THAT(refused(with("template:", "params: {temperatur: 1}, template:")),
             ContainsSubstring("temperatur"));
  CHECK_THAT(refused(with("template:", "params: {n: 2}, template:")),
             ContainsSubstring("called samples"));
  CHECK_THAT(refused(with("template:", "form: {regexp: a}, template:")),
             ContainsSubstring("of a form"));
  CHECK_THAT(refused("nodes: [\n"), ContainsSubstring("is not YAML"));
  CHECK_THAT(refused("[]"), ContainsSubstring("a graph is a list"));
}

TEST_CASE("sizes of none or less are one piece, other numbers have their range", "[flow]") {
  CHECK(parse_graph(kGood, "g.yaml", {{"m", text::Value(i64{-3})}}).main().nodes[0].cut.size == -6);
  CHECK(parse_graph(with("\"{{ m * 2 }}\"", "-1"), "g.yaml").main().nodes[0].cut.size == -1);
  for (const std::string& name : builtin_names()) {
    const Graph graph = parse_graph(*builtin_graph(name), name);
    if (graph.params.empty()) continue;
    for (const i64 m : {-1000, -1, 0, 1})
      CHECK_NOTHROW(parse_graph(*builtin_graph(name), name, {{"m", text::Value(m)}}));
  }
  CHECK_THAT(refused(with("size: ", "stride: -1, size: ")),
             ContainsSubstring("stride is -1, expected a whole number from 1 to"));
  const auto call = [](const std::string& params) {
    return nodes("- {id: x, op: llm, in: [input.a], template: a, params: {" + params + "}}");
  };
  CHECK_THAT(refused(call("max_tokens: -1")), ContainsSubstring("max_tokens is -1, expected"));
  CHECK_THAT(refused(call("tries: 0")), ContainsSubstring("tries is 0, expected"));
  CHECK_THAT(refused(call("samples: x")), ContainsSubstring("samples: \"x\" makes \"x\""));
}

TEST_CASE("seeds have 64 bits", "[flow]") {
  const auto seed_of = [](const std::string& seed) {
    return parse_graph(nodes("- {id: x, op: llm, in: [input.a], template: a, params: {seed: " +
                             seed + "}}"),
                       "g.yaml")
        .main()
        .nodes[0]
        .llm->params.seed;
  };
  CHECK(seed_of("7") == 7);
  CHECK(seed_of("9223372036854775807") == u64{9223372036854775807U});
  CHECK(seed_of("'18446744073709551615'") == u64{18446744073709551615U});
  for (const char* const seed :
       {"-1", "1.5", "'18446744073709551616'", "x", "18446744073709551616"}) {
    CHECK_THAT(refused(nodes(cat(
                   "- {id: x, op: llm, in: [input.a], template: a, params: {seed: ", seed, "}}"))),
               ContainsSubstring("expected a whole number from 0 to 18446744073709551615"));
  }
}

TEST_CASE("types that cannot fit are refused", "[flow]") {
  const auto first = [](const std::string& node) {
    return nodes(
        "- {id: t, op: format, in: [input.a], template: '{{ a }}'}\n"
        "- {id: n, op: sum, in: [input.b]}\n" +
        node);
  };
  CHECK_THAT(refused(first("- {id: x, op: sum, in: [t]}")),
             ContainsSubstring("sum cannot take a text"));
  CHECK_THAT(refused(first("- {id: x, op: split, in: [n], params: {by: chars, size: 2}}")),
             ContainsSubstring("split cannot take a number"));
  CHECK_THAT(refused(first("- {id: x, op: concat, in: {p: t, q: n}}")),
             ContainsSubstring("understood"));
  CHECK_THAT(refused(first("- {id: x, op: merge, in: {p: t, q: n}}")),
             ContainsSubstring("understood"));
  CHECK_THAT(refused(nodes("- {id: x, op: sum, in: {a: input.a, m: input.b}}\n")
                         .insert(0, "params: {m: 1}\n")),
             ContainsSubstring("is a parameter and an input"));
  CHECK_THAT(refused(nodes("- {id: x, op: sum, in: [input.a.z, input.b.z]}")),
             ContainsSubstring("two inputs are called \"z\""));
  CHECK_THAT(refused(nodes("- {id: x, op: sum, in: [input.item]}")),
             ContainsSubstring("cannot be called"));
}

TEST_CASE("graphs inside graphs have bounds and as many inputs as are given", "[flow]") {
  const auto of = [](const std::string& params, const std::string& in) {
    return "graphs:\n  g: {inputs: [a], nodes: [{id: b, op: sum, in: [a]}], answer: b}\n" +
           nodes("- {id: x, op: expand, in: " + in + ", params: {" + params + "}}");
  };
  CHECK_THAT(refused(of("graph: g, depth: 3", "[input.a]")), ContainsSubstring("understood"));
  CHECK_THAT(refused(of("graph: g", "[input.a]")), ContainsSubstring("no depth"));
  CHECK_THAT(refused(of("graph: h, depth: 3", "[input.a]")),
             ContainsSubstring("graphs has no \"h\""));
  CHECK_THAT(refused(of("graph: g, depth: 3", "[input.a, input.b]")),
             ContainsSubstring("1 inputs, and 2"));
  CHECK_THAT(refused(of("graph: g, depth: 100000", "[input.a]")),
             ContainsSubstring("is more than 1000"));
}

TEST_CASE("a parameter that a graph lacks is a mistake of the command line", "[flow]") {
  try {
    parse_graph(kGood, "g.yaml", {{"n", text::Value(i64{25})}});
    FAIL("understood");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kUsage);
    CHECK_THAT(e.message(), ContainsSubstring("has no parameter \"n\""));
  }
}

TEST_CASE("a damaged graph is understood or refused, never more", "[flow]") {
  const RandomStream draws(23, RandomPurpose::kOther);
  u64 at = 0;
  i64 understood = 0;
  i64 refused_graphs = 0;
  std::vector<std::string> whole = {kGood};
  for (const std::string& name : builtin_names())
    whole.emplace_back(*builtin_graph(name));
  const std::string bytes = "{}[]:,-#&*!|>'\"% \n0a";
  for (i64 round = 0; round < 3000; ++round) {
    std::string text = whole[draws.below(at++, whole.size())];
    for (u64 k = draws.below(at++, 4) + 1; k > 0; --k) {
      const std::size_t place = draws.below(at++, text.size());
      const std::size_t size = std::min<std::size_t>(draws.below(at++, 12), text.size() - place);
      switch (draws.below(at++, 4)) {
        case 0:
          text.erase(place, size);
          break;
        case 1:
          text.insert(place, 1, bytes[draws.below(at++, bytes.size())]);
          break;
        case 2:
          text[place] = bytes[draws.below(at++, bytes.size())];
          break;
        default:
          text.insert(place, text.substr(draws.below(at++, text.size()), size));
      }
      if (text.empty()) text = " ";
    }
    try {
      parse_graph(text, "g.yaml");
      ++understood;
    } catch (const Error& e) {
      INFO(text);
      CHECK(e.kind() == ErrorKind::kConfig);
      CHECK_THAT(e.message(), ContainsSubstring("g.yaml"));
      ++refused_graphs;
    }
  }
  CHECK(understood > 300);
  CHECK(refused_graphs > 1000);
}

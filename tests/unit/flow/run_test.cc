// Graphs at work: operations, recursion, loops, trees, and that nothing depends on the order in
// which answers come.

#include <algorithm>

#include "catch.h"
#include "flow/error_model.h"
#include "flow/scheduler.h"
#include "oracle.h"

using namespace lm;
using namespace lm::flow;
using Catch::Matchers::ContainsSubstring;
using test::Oracle;
using text::Value;
using text::ValueList;

namespace {

/// Answers by a function of the request.
class Says final : public answer::Answerer {
 public:
  explicit Says(std::function<std::string(const answer::Request&)> say) : say_(std::move(say)) {}
  void add(answer::Request request) override {
    ids.push_back(request.id);
    answer::Response out;
    out.prompt_tokens = isize(request.prompt);
    for (i64 i = 0; i < request.params.n; ++i) {
      const std::string text = say_(request);
      if (text == "!") out.fault = Fault{"engine", "down", -1};
      out.replies.push_back({text, "stop", isize(text), 0});
    }
    waiting_.push_back(std::move(out));
    most = std::max(most, isize(waiting_));
  }
  i64 pending() const override { return isize(waiting_); }
  bool step() override { return !waiting_.empty() && !deaf; }
  std::optional<answer::Response> take() override {
    if (waiting_.empty() || deaf) return std::nullopt;
    answer::Response out = std::move(waiting_.front());
    waiting_.pop_front();
    return out;
  }
  i64 count_tokens(const std::string& text) const override { return isize(text); }
  u64 key() const override { return 1; }
  std::vector<std::string> ids;
  i64 most = 0;
  bool deaf = false;

 private:
  std::function<std::string(const answer::Request&)> say_;
  std::deque<answer::Response> waiting_;
};

CountTokens bytes() {
  return [](const std::string& text) { return isize(text); };
}

Outcome run(const Graph& graph, answer::Answerer& answerer, std::vector<Value> fields,
            bool trace = false, i64 most_calls = 100000) {
  Scheduler scheduler(answerer, {64, nullptr});
  scheduler.add(std::make_unique<RecordFlow>(
      graph, "r", std::move(fields),
      FlowOptions{.most_calls = most_calls, .trace = trace, .count_tokens = bytes()}));
  std::optional<Outcome> out;
  while (!(out = scheduler.take()))
    REQUIRE(scheduler.step());
  return std::move(*out);
}

Value answer_of(const std::string& graph, answer::Answerer& answerer, std::vector<Value> fields) {
  const Graph read = parse_graph(graph, "g.yaml");
  const Outcome out = run(read, answerer, std::move(fields));
  if (out.fault) FAIL(out.fault->code << ": " << out.fault->detail);
  return out.answer;
}

std::string upper(const answer::Request& request) {
  std::string out = request.prompt;
  for (char& c : out)
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

/// Handed out all at once, answered in this order.
Outcome run_in_order(const Graph& graph, const Instance& instance, const Oracle& oracle,
                     const std::function<std::size_t(std::size_t)>& pick) {
  std::vector<Value> fields;
  for (const std::string& path : graph.fields)
    for (const auto& [key, value] : instance.fields)
      if (key.str() == path) fields.push_back(value);
  RecordFlow flow(graph, instance.id, fields, {.seed = 3, .trace = true, .count_tokens = bytes()});
  std::vector<std::pair<i64, answer::Response>> open;
  while (!flow.done()) {
    answer::Request request;
    while (const std::optional<i64> call = flow.next(request))
      open.emplace_back(*call, oracle.reply_to(request));
    REQUIRE(!open.empty());
    const std::size_t i = pick(open.size());
    flow.answer(open[i].first, open[i].second, 1.0);
    open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return flow.take();
}

std::string figures(const Outcome& out) {
  std::string text = cat(text::to_json(out.answer), " ", out.trace);
  for (const CallRecord& call : out.calls)
    append(text, " ", call.name, " ", call.tokens.prefill, " ", call.tokens.decode);
  const CostFigures cost = cost_of(out, 3, std::nullopt);
  return cat(text, " ", cost.latency, " ", cost.latency_ideal, " ", cost.latency_p, " ",
             cost.latency_block, " ", cost.peak_tokens);
}

}  // namespace

TEST_CASE("the built-in graphs solve their problems where calls make no errors", "[flow]") {
  for (const std::string& name : problem_names()) {
    const Problem problem = *problem_of(name);
    const Graph graph = parse_graph(*builtin_graph(name), name,
                                    {{"m", Value(i64{problem < Problem::kNeedle ? 17 : 300})}});
    for (i64 number = 0; number < 5; ++number) {
      const Instance instance =
          make_instance(problem, {.length = problem < Problem::kNeedle ? 100 : 1500}, 1, number);
      Oracle oracle(problem);
      std::vector<Value> fields;
      for (const auto& [key, value] : instance.fields)
        fields.push_back(value);
      const Outcome out = run(graph, oracle, fields);
      REQUIRE(!out.fault);
      CHECK(out.answer == instance.answer);
      const i64 stride = problem < Problem::kNeedle ? 17 : 150;
      const i64 pieces = piece_count(problem < Problem::kNeedle ? 100 : 1500,
                                     problem < Problem::kNeedle ? 17 : 300, stride);
      CHECK(isize(out.calls) == pieces + (problem == Problem::kMultiNeedle ? 1 : 0));
    }
  }
}

TEST_CASE("operations do what they are called", "[flow]") {
  Says says(upper);
  const auto of = [&](const std::string& nodes, std::vector<Value> fields) {
    return text::to_json(answer_of("nodes:\n" + nodes + "\nanswer: x\n", says, std::move(fields)));
  };
  CHECK(of("- {id: x, op: llm, in: [input.a], template: '{{ a }}'}", {Value("bc")}) == "\"BC\"");
  CHECK(of("- {id: x, op: llm, in: [input.a], template: '{{ a }}', params: {samples: 2}}",
           {Value("b")}) == "[\"B\", \"B\"]");
  CHECK(of("- {id: w, op: split, in: [input.a], params: {by: chars, size: 1}}\n"
           "- {id: x, op: filter, in: {w: w, no: input.b}, params: {where: 'item != no'}}",
           {Value("abc"), Value("b")}) == "[\"a\", \"c\"]");
  CHECK(of("- {id: x, op: regex, in: [input.a], params: {pattern: '[0-9]+', all: true}}",
           {Value("1 and 22")}) == "[\"1\", \"22\"]");
  CHECK(of("- {id: x, op: regex, in: [input.a], params: {pattern: '(a)(b)', otherwise: null}}",
           {Value("xab")}) == "[\"a\", \"b\"]");
  CHECK(of("- {id: x, op: regex, in: [input.a], params: {pattern: 'q', otherwise: 7}}",
           {Value("xab")}) == "7");
  CHECK(of("- {id: x, op: json, in: [input.a], params: {get: k.1}}", {Value("{\"k\": [4, 5]}")}) ==
        "5");
  CHECK(of("- {id: x, op: json, in: [input.a], params: {get: z, otherwise: 0}}",
           {Value("{\"k\": 1}")}) == "0");
  CHECK(of("- {id: x, op: format, in: {p: input.a, q: input.b}, template: '{{ p }}-{{ q }}'}",
           {Value("1"), Value("2")}) == "\"1-2\"");
  CHECK(of("- {id: n, op: format, if: 'a == \"z\"', in: [input.a], template: no}\n"
           "- {id: x, op: choose, in: {n: n, a: input.a}}",
           {Value("w")}) == "\"w\"");
  CHECK(of("- {id: x, op: sum, in: {p: input.a, q: input.b}}", {Value(i64{2}), Value(i64{3})}) ==
        "5");
  CHECK(of("- {id: t, op: tree, in: [input.a], params: {arity: 3}, do: {op: concat, params: "
           "{separator: ''}}}\n- {id: x, op: format, in: [t], template: '<{{ t }}>'}",
           {Value(ValueList{Value("a"), Value("b"), Value("c"), Value("d")})}) == "\"<abcd>\"");
  CHECK(
      of("- {id: m, op: map, in: [input.a], do: {op: map, do: {op: llm, template: '{{ item }}'}}}\n"
         "- {id: x, op: json, in: [m.1.0]}",
         {Value(ValueList{Value(ValueList{Value("1")}), Value(ValueList{Value("2")})})}) == "2");
  CHECK(of("- {id: m, op: map, in: [input.a], do: {op: sum}}\n- {id: x, op: max, in: [m]}",
           {Value(ValueList{})}) == "null");
}

TEST_CASE("a graph expands itself as deep as it may", "[flow]") {
  const auto graph = [](i64 depth) {
    return cat(R"(graphs:
  solve:
    inputs: [s]
    nodes:
    - {id: small, op: llm, if: "s|length <= 2", in: [s], template: "{{ s }}"}
    - {id: halves, op: split, if: "s|length > 2", in: [s], params: {by: chars, size: 2}}
    - {id: first, op: expand, in: {s: halves.0}, params: {graph: solve, depth: )",
               depth, R"(}}
    - {id: rest, op: format, if: "halves", in: {halves: halves, s: s}, template: "{{ s[2:] }}"}
    - {id: second, op: expand, in: {s: rest}, params: {graph: solve, depth: )",
               depth, R"(}}
    - {id: both, op: concat, in: [first, second], params: {separator: "."}}
    - {id: answer, op: choose, in: [small, both]}
    answer: answer
nodes:
- {id: x, op: expand, in: [input.text], params: {graph: solve, depth: 20}}
answer: x
)");
  };
  Says says(upper);
  CHECK(text::to_json(answer_of(graph(20), says, {Value("abcdefg")})) == "\"AB.CD.EF.G\"");
  CHECK(std::find(says.ids.begin(), says.ids.end(), "r/x/second/second/second/small") !=
        says.ids.end());
  const Graph bounded = parse_graph(graph(2), "g.yaml");
  const Outcome out = run(bounded, says, {Value("abcdefg")});
  REQUIRE(out.fault);
  CHECK(out.fault->code == "depth");
}

TEST_CASE("a loop goes on until its condition or its bound", "[flow]") {
  const std::string graph = R"(graphs:
  more: {inputs: [s], nodes: [{id: t, op: llm, in: [s], template: "{{ s }}+", parse: raw}], answer: t}
nodes:
- {id: x, op: loop, in: [input.text], params: {graph: more, rounds: 5, until: "state|length >= 4"}}
answer: x
)";
  Says says([](const answer::Request& request) { return request.prompt; });
  CHECK(answer_of(graph, says, {Value("a")}).str() == "a+++");
  CHECK(says.ids == std::vector<std::string>{"r/x[0]/t", "r/x[1]/t", "r/x[2]/t"});
  CHECK(answer_of(graph, says, {Value("abcdef")}).str() == "abcdef");
  std::string bounded = graph;
  bounded.replace(bounded.find("state|length >= 4"), 17, "false");
  CHECK(answer_of(bounded, says, {Value("a")}).str() == "a+++++");
}

TEST_CASE("a tree of calls has the shape of the formula", "[flow]") {
  const Graph graph = parse_graph(R"(nodes:
- {id: x, op: tree, in: [input.a], params: {arity: 3}, do: {op: llm, template: "{{ items|join }}"}}
answer: x
)",
                                  "g.yaml");
  for (i64 k = 1; k <= 20; ++k) {
    Says says([](const answer::Request& request) { return request.prompt; });
    ValueList items;
    std::string all;
    for (i64 i = 0; i < k; ++i) {
      items.emplace_back(std::string(1, static_cast<char>('a' + i)));
      all += static_cast<char>('a' + i);
    }
    Outcome out = run(graph, says, {Value(items)});
    REQUIRE(!out.fault);
    CHECK(out.answer.str() == all);
    CHECK(isize(out.calls) == tree_shape(k, 3).merges);
    set_seconds(out, {1, 0, 0, 0, 0}, true);
    CHECK(cost_of(out, 4, std::nullopt).latency_ideal == static_cast<f64>(tree_shape(k, 3).depth));
  }
}

TEST_CASE("nothing depends on the order in which answers come", "[flow]") {
  for (const Problem problem : {Problem::kCount, Problem::kMultiNeedle}) {
    const std::string name = problem_names()[static_cast<std::size_t>(problem)];
    const Graph graph = parse_graph(*builtin_graph(name), name, {{"m", Value(i64{150})}});
    const Instance instance = make_instance(problem, {.length = 1200}, 5, 2);
    const Oracle oracle(problem, {.count_variance = 0.2, .miss = 0.001, .invent = 0.1});
    const std::string first =
        figures(run_in_order(graph, instance, oracle, [](std::size_t) { return 0u; }));
    const std::string last =
        figures(run_in_order(graph, instance, oracle, [](std::size_t n) { return n - 1; }));
    CHECK(first == last);
    const RandomStream draws(9, RandomPurpose::kOther);
    u64 at = 0;
    CHECK(first == figures(run_in_order(graph, instance, oracle, [&](std::size_t n) {
            return static_cast<std::size_t>(draws.below(at++, n));
          })));
  }
}

TEST_CASE("records share the answerer and do not change each other", "[flow]") {
  const Graph graph = parse_graph(*builtin_graph("count"), "count", {{"m", Value(i64{10})}});
  std::vector<std::string> alone;
  for (const i64 calls : {1, 3, 64}) {
    Oracle oracle(Problem::kCount, {.count_variance = 0.3});
    Scheduler scheduler(oracle, {calls, nullptr});
    for (i64 i = 0; i < 6; ++i) {
      const Instance one = make_instance(Problem::kCount, {.length = 55}, 1, i);
      scheduler.add(std::make_unique<RecordFlow>(graph, one.id,
                                                 std::vector<Value>{one.fields[0].second},
                                                 FlowOptions{.seed = 4, .count_tokens = bytes()}));
    }
    std::vector<std::string> got;
    while (scheduler.pending() > 0) {
      if (const std::optional<Outcome> out = scheduler.take()) {
        got.push_back(text::to_json(out->answer));
      } else {
        REQUIRE(scheduler.step());
      }
    }
    CHECK(!scheduler.step());
    if (alone.empty()) alone = got;
    CHECK(got == alone);
    CHECK(scheduler.total().calls == 36);
    CHECK(oracle.asked().size() == 36);
    // A window of calls is filled from several records.
    if (calls == 64) CHECK(oracle.asked()[6] == "count-55-1/counts[0]");
  }
}

TEST_CASE("a lost part is reported", "[flow]") {
  const Graph graph = parse_graph(*builtin_graph("count"), "count", {{"m", Value(i64{10})}});
  const Instance one = make_instance(Problem::kCount, {.length = 30}, 1, 0);
  RecordFlow flow(graph, one.id, {one.fields[0].second}, {.count_tokens = bytes()});
  const Oracle oracle(Problem::kCount);
  answer::Request request;
  std::vector<answer::Response> responses;
  while (flow.next(request))
    responses.push_back(oracle.reply_to(request));
  REQUIRE(responses.size() == 3);
  flow.answer(2, responses[2]);
  flow.answer(0, responses[0]);
  CHECK(!flow.done());
  flow.lose(1);
  REQUIRE(flow.done());
  const Outcome out = flow.take();
  REQUIRE(out.fault);
  CHECK(out.fault->code == "lost");
  CHECK_THAT(out.fault->detail, ContainsSubstring("counts[1]"));
  // The same by an answerer that goes silent.
  Says says(upper);
  says.deaf = true;
  CHECK(run(graph, says, {one.fields[0].second}).fault->code == "lost");
}

TEST_CASE("replies without a value are asked for again, then bad", "[flow]") {
  const auto graph = [](const std::string& more) {
    return "nodes:\n- {id: x, op: llm, in: [input.a], template: '{{ a }}', params: {tries: 3}, "
           "parse: {kind: last_integer" +
           more + "}}\nanswer: x\n";
  };
  i64 asked = 0;
  Says says([&](const answer::Request&) { return ++asked < 3 ? "no" : "42"; });
  const Graph strict = parse_graph(graph(""), "g.yaml");
  const Outcome out = run(strict, says, {Value("q")});
  REQUIRE(!out.fault);
  CHECK(out.answer.whole() == 42);
  CHECK(says.ids == std::vector<std::string>{"r/x", "r/x~2", "r/x~3"});
  CHECK(out.calls.size() == 3);
  Says never([](const answer::Request&) { return "no"; });
  CHECK(run(strict, never, {Value("q")}).fault->code == "parse");
  const Graph lenient = parse_graph(graph(", otherwise: null"), "g.yaml");
  CHECK(run(lenient, never, {Value("q")}).answer.is_none());
  Says down([](const answer::Request&) { return "!"; });
  CHECK(run(lenient, down, {Value("q")}).fault->code == "engine");
}

TEST_CASE("what a record cannot do makes it bad, not the run", "[flow]") {
  const auto fault = [](const std::string& nodes, Value field, i64 most = 100) {
    Says says(upper);
    const Graph graph = parse_graph("nodes:\n" + nodes + "\nanswer: x\n", "g.yaml");
    const Outcome out = run(graph, says, {std::move(field)}, false, most);
    return out.fault ? out.fault->code : std::string("none");
  };
  const std::string map =
      "- {id: x, op: map, in: [input.a], do: {op: llm, template: '{{ item.z }}'}}";
  CHECK(fault(map, Value(ValueList{Value(text::ValueMap{{Value("z"), Value("b")}})})) == "none");
  CHECK(fault(map, Value(ValueList{Value("b")})) == "template");
  CHECK(fault(map, Value("text")) == "type");
  CHECK(fault("- {id: x, op: sum, in: [input.a]}", Value("text")) == "type");
  CHECK(fault("- {id: x, op: json, in: [input.a]}", Value("{")) == "json");
  CHECK(fault("- {id: x, op: json, in: [input.a], params: {get: b}}", Value("{}")) == "missing");
  CHECK(fault("- {id: x, op: map, in: [input.a], do: {op: llm, template: '{{ item }}'}}",
              Value(ValueList(101, Value("b")))) == "calls");
  CHECK(fault("- {id: x, op: map, in: [input.a], do: {op: llm, template: '{{ item }}'}}",
              Value(ValueList(100, Value("b")))) == "none");
}

TEST_CASE("latencies obey their bounds", "[flow]") {
  const Graph graph = parse_graph(*builtin_graph("sort"), "sort", {{"m", Value(i64{7})}});
  const Instance one = make_instance(Problem::kSort, {.length = 60}, 1, 0);
  Oracle oracle(Problem::kSort);
  Outcome out = run(graph, oracle, {one.fields[0].second});
  REQUIRE(!out.fault);
  CHECK(std::isnan(cost_of(out, 4, std::nullopt).latency));
  const CostModel time{0.1, 0.01, 0, 0.02, 0};
  set_seconds(out, time, false);
  f64 sum = 0;
  f64 longest = 0;
  for (const CallRecord& call : out.calls) {
    sum += *call.seconds;
    longest = std::max(longest, *call.seconds);
  }
  const CostFigures alone = cost_of(out, 1, CostModel::prices(2, 3));
  const CostFigures four = cost_of(out, 4, std::nullopt);
  CHECK(alone.latency == Approx(sum));
  CHECK(alone.latency_p == Approx(sum));
  CHECK(alone.latency_block == Approx(sum));
  CHECK(alone.latency_ideal == Approx(longest));
  CHECK(four.latency_p >= std::max(longest, sum / 4) - 1e-9);
  CHECK(four.latency_p <= sum / 4 + 0.75 * longest + 1e-9);
  CHECK(four.latency_p <= four.latency_block + 1e-9);
  CHECK(alone.price == Approx(2.0 * static_cast<f64>(alone.tokens.prefill) +
                              3.0 * static_cast<f64>(alone.tokens.decode)));
  CHECK(four.peak_tokens > alone.peak_tokens);
}

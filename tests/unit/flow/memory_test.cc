// What values, work and requests take is charged, given back, and refused where it does not fit.

#include "catch.h"
#include "core/str.h"
#include "flow/ledger.h"
#include "flow/scheduler.h"
#include "text/utf8.h"

using namespace lm;
using namespace lm::flow;
using Catch::Matchers::ContainsSubstring;
using text::Value;
using text::ValueList;

namespace {

CountTokens bytes() {
  return [](const std::string& text) { return isize(text); };
}

/// Repeats the prompt; notes the most that is charged while it is asked.
class Echo final : public answer::Answerer {
 public:
  explicit Echo(MemoryBudget& budget) : budget_(budget) {}
  void add(answer::Request request) override {
    most_charged = std::max(most_charged, budget_.used());
    waiting_.push_back(std::move(request));
    most = std::max(most, isize(waiting_));
  }
  i64 pending() const override { return isize(waiting_); }
  bool step() override { return !waiting_.empty(); }
  std::optional<answer::Response> take() override {
    if (waiting_.empty()) return std::nullopt;
    answer::Response out;
    for (i64 i = 0; i < waiting_.front().params.n; ++i)
      out.replies.push_back({waiting_.front().prompt, "stop", 1, 0});
    waiting_.pop_front();
    return out;
  }
  i64 count_tokens(const std::string& text) const override { return isize(text); }
  u64 key() const override { return 1; }
  i64 most_charged = 0;
  i64 most = 0;

 private:
  MemoryBudget& budget_;
  std::deque<answer::Request> waiting_;
};

struct Ran {
  Outcome outcome;
  i64 most_charged = 0;
  i64 most_asked = 0;
};

Ran run(const std::string& graph, MemoryBudget& budget, std::vector<Value> fields,
        bool trace = false) {
  const Graph read = parse_graph(graph, "g.yaml");
  Echo echo(budget);
  Scheduler scheduler(echo, {64, nullptr});
  scheduler.add(std::make_unique<RecordFlow>(
      read, "r", std::move(fields),
      FlowOptions{.trace = trace, .count_tokens = bytes(), .memory = &budget}));
  std::optional<Outcome> out;
  while (!(out = scheduler.take())) {
    const bool worked = scheduler.step();  // may throw
    REQUIRE(worked);
  }
  return {std::move(*out), echo.most_charged, echo.most};
}

std::string refused(const std::string& graph, i64 budget_bytes, std::vector<Value> fields) {
  MemoryBudget budget(budget_bytes);
  try {
    run(graph, budget, std::move(fields));
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kOs);
    CHECK_THAT(e.hint(), ContainsSubstring("--memory"));
    CHECK(budget.used() == 0);
    return e.message() + " | " + e.hint();
  }
  return "not refused";
}

std::string nodes(const std::string& text) {
  return "nodes:\n" + text + "\nanswer: x\n";
}

constexpr i64 kMiB = 1 << 20;

const std::string kDoubling = R"(graphs:
  twice: {inputs: [s], nodes: [{id: both, op: concat, in: {a: s, b: s}, params: {separator: ""}}], answer: both}
nodes:
- {id: x, op: loop, in: [input.text], params: {graph: twice, rounds: 60}}
answer: x
)";

}  // namespace

TEST_CASE("what several values share is charged once, as long as one is held", "[flow]") {
  MemoryBudget budget(kMiB);
  Ledger ledger(&budget, "record \"r\"");
  const Value text(std::string(1000, 'a'));
  CHECK(ledger.hold(text, "n") == 0);
  const i64 one = budget.used();
  CHECK(one >= 1000);
  CHECK(one < 1500);
  const Value list(ValueList{text, text, Value("short")});
  CHECK(ledger.hold(list, "n") == 1);
  CHECK(budget.used() < one + 1000);
  CHECK(ledger.hold(Value(ValueList{list}), "n") == 2);
  ledger.drop(text);
  CHECK(budget.used() > one);
  ledger.drop(list);
  CHECK(budget.used() > one);  // the list around it holds it
  CHECK(ledger.hold(Value(i64{3}), "n") == 0);
  CHECK(ledger.held() == budget.used());
  try {
    ledger.hold(Value(std::string(2 * kMiB, 'a')), "n[3]");
    FAIL("held");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kOs);
    CHECK_THAT(e.message(), ContainsSubstring("record \"r\": node n[3]: not enough memory"));
    CHECK_THAT(e.message(), ContainsSubstring("2.0 MiB asked"));
    CHECK_THAT(e.hint(), ContainsSubstring("node n[3]: --memory 3M would do"));
  }
}

TEST_CASE("a record gives back what it took", "[flow]") {
  MemoryBudget budget(64 * kMiB);
  const std::string graph = R"(graphs:
  more: {inputs: [s, q], nodes: [{id: t, op: llm, in: [s, q], template: "{{ s }}{{ q }}", parse: raw}], answer: t}
nodes:
- {id: parts, op: split, in: [input.text], params: {by: chars, size: 100}}
- {id: said, op: map, in: {parts: parts, q: input.q}, do: {op: llm, template: "{{ item }}{{ q }}"}}
- {id: one, op: tree, in: [said], params: {arity: 3}, do: {op: concat}}
- {id: x, op: loop, in: {s: one, q: input.q}, params: {graph: more, rounds: 3}}
answer: x
)";
  for (const bool trace : {false, true}) {
    {
      const Ran ran =
          run(graph, budget, {Value(std::string(1000, 'a')), Value(std::string(200, 'q'))}, trace);
      REQUIRE(!ran.outcome.fault);
      CHECK(isize(ran.outcome.answer.str()) == 10 * 300 + 9 + 3 * 200);
      CHECK(ran.most_charged > 1000 + 10 * 300);
      CHECK(budget.used() > 3000);  // the outcome has its values
      CHECK(budget.used() < 200000);
    }
    CHECK(budget.used() == 0);
  }
  // A record that fails halfway, too.
  {
    const Ran bad = run(nodes("- {id: l, op: split, in: [input.a], params: {by: chars, size: 1}}\n"
                              "- {id: m, op: map, in: [l], do: {op: llm, template: '{{ item }}'}}\n"
                              "- {id: x, op: sum, in: [m]}"),
                        budget, {Value(std::string(500, 'a'))});
    REQUIRE(bad.outcome.fault);
    CHECK(bad.outcome.fault->code == "type");
  }
  CHECK(budget.used() == 0);
}

TEST_CASE("a text that doubles is refused before it is there", "[flow]") {
  const std::string message = refused(kDoubling, 32 * kMiB, {Value(std::string(1024, 'a'))});
  CHECK_THAT(message, ContainsSubstring("record \"r\": node x["));
  CHECK_THAT(message, ContainsSubstring("/both: not enough memory for what is joined"));
  CHECK_THAT(message, ContainsSubstring("asked"));
}

TEST_CASE("lists of pieces, matches and items are refused before they are there", "[flow]") {
  const Value text(std::string(2 * kMiB, '1'));
  const i64 small = 24 * kMiB;
  for (const char* const by : {"chars", "lines", "tokens", "sentences"}) {
    INFO(by);
    std::string own(usize(2 * kMiB), '1');
    for (std::size_t i = 1; i < own.size(); i += 2)
      own[i] = std::string_view(by) == "lines" ? '\n' : ' ';
    const std::string message =
        refused(nodes(cat("- {id: x, op: split, in: [input.a], params: {by: ", by, ", size: 1}}")),
                small, {Value(own)});
    CHECK_THAT(message, ContainsSubstring("node x: not enough memory for"));
  }
  // A window of a million every character: a text of a million million.
  CHECK_THAT(refused(nodes("- {id: x, op: split, in: [input.a], params: {by: chars, size: 1000000, "
                           "stride: 1}}"),
                     1024 * kMiB, {text}),
             ContainsSubstring("1021.9 GiB asked"));
  CHECK_THAT(
      refused(nodes("- {id: x, op: regex, in: [input.a], params: {pattern: '.', all: true}}"),
              small, {text}),
      ContainsSubstring("node x: not enough memory for matches"));
  std::string numbers = "[1";
  for (int i = 0; i < 1000000; ++i)
    numbers += ",1";
  CHECK_THAT(refused(nodes("- {id: x, op: json, in: [input.a]}"), small, {Value(numbers + "]")}),
             ContainsSubstring("the value of a JSON text"));
  // What a map makes of a list: a piece of work for every item.
  CHECK_THAT(
      refused(nodes("- {id: x, op: map, in: [input.a], do: {op: llm, template: '{{ item }}'}}"),
              64 * kMiB, {Value(ValueList(300000, Value(i64{1})))}),
      ContainsSubstring("its work"));
  // A list of short texts fits where its work does.
  MemoryBudget budget(64 * kMiB);
  CHECK(!run(nodes("- {id: x, op: map, in: [input.a], do: {op: format, template: '{{ item }}'}}"),
             budget, {Value(ValueList(3000, Value(i64{1})))})
             .outcome.fault);
}

TEST_CASE("calls wait for memory where others are asked", "[flow]") {
  // Twenty prompts of a MiB, of which meta holds the item once more.
  const std::string graph = nodes(
      "- {id: x, op: map, in: [input.a], do: {op: llm, template: '{{ item }}', parse: "
      "last_digits}}");
  ValueList items;
  for (i64 i = 0; i < 20; ++i)
    items.emplace_back(std::string(usize(kMiB), 'a') + cat(i));
  MemoryBudget wide(400 * kMiB);
  const Ran all = run(graph, wide, {Value(items)});
  CHECK(all.most_asked == 20);
  MemoryBudget narrow(45 * kMiB);
  const Ran some = run(graph, narrow, {Value(items)});
  REQUIRE(!some.outcome.fault);
  CHECK(some.most_asked < 12);
  CHECK(some.most_asked > 1);
  CHECK(text::to_json(some.outcome.answer) == text::to_json(all.outcome.answer));
  CHECK(some.most_charged <= narrow.limit());
  // Where not even one fits, the run ends.
  CHECK_THAT(refused(graph, 21 * kMiB, {Value(items)}),
             ContainsSubstring("node x[0]: not enough memory for a request"));
}

TEST_CASE("values have a deepest level", "[flow]") {
  MemoryBudget budget(64 * kMiB);
  const std::string graph = R"(graphs:
  around: {inputs: [s], nodes: [{id: t, op: split, in: [s], params: {by: items, size: 0}}], answer: t}
nodes:
- {id: x, op: loop, in: [input.a], params: {graph: around, rounds: ROUNDS}}
answer: x
)";
  const auto of = [&](const std::string& rounds) {
    std::string text = graph;
    return run(text.replace(text.find("ROUNDS"), 6, rounds), budget, {Value(ValueList{Value("a")})})
        .outcome;
  };
  CHECK(!of("1000").fault);
  const Outcome deep = of("100000");
  REQUIRE(deep.fault);
  CHECK(deep.fault->code == "depth");
}

TEST_CASE("a tree takes groups as large as there are", "[flow]") {
  MemoryBudget budget(64 * kMiB);
  const Ran ran =
      run(nodes("- {id: x, op: tree, in: [input.a], params: {arity: 9223372036854775807}, "
                "do: {op: concat, params: {separator: '/'}}}"),
          budget, {Value(ValueList{Value("b"), Value("c"), Value("d")})});
  REQUIRE(!ran.outcome.fault);
  CHECK(ran.outcome.answer.str() == "b/c/d");
}

TEST_CASE("a trace has every input of a node", "[flow]") {
  MemoryBudget budget(64 * kMiB);
  const Ran ran = run(nodes("- {id: m, op: map, in: {l: input.a, q: input.q}, do: {op: format, "
                            "template: '{{ item }}{{ q }}'}}\n"
                            "- {id: x, op: tree, in: [m], params: {arity: 2}, do: {op: concat, "
                            "params: {separator: ''}}}"),
                      budget, {Value(ValueList{Value("b"), Value("c")}), Value("-")}, true);
  CHECK_THAT(ran.outcome.trace,
             ContainsSubstring(
                 R"({"node":"m","op":"map","in":{"l":["b","c"],"q":"-"},"out":["b-","c-"]})"));
  CHECK_THAT(ran.outcome.trace,
             ContainsSubstring(R"({"node":"x","op":"tree","in":{"m":["b-","c-"]},"out":"b-c-"})"));
  CHECK_THAT(ran.outcome.trace,
             ContainsSubstring(R"("in":{"q":"-","item":"b","index":0,"count":2})"));
}

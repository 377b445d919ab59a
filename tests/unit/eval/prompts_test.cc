// Expected prompts are those of lm-evaluation-harness 0.4.13 (fewshot_context,
// construct_requests) for the same task and documents.

#include "eval/prompts.h"

#include <set>

#include "catch.h"
#include "core/error.h"

namespace lm::eval {
namespace {

const std::vector<Doc> kNone;  // outlives what refers to it

using text::Value;
using text::ValueList;
using text::ValueMap;

DocPart part(Value value) {
  return {std::move(value), "t.yaml:1: part"};
}

std::vector<Doc> docs(std::initializer_list<Value> fields) {
  std::vector<Doc> out;
  for (const Value& each : fields)
    out.push_back({each, text::to_json(each)});
  return out;
}

TaskSpec multiple_choice() {
  TaskSpec task;
  task.name = "t";
  task.where = "t.yaml:1";
  task.output_type = OutputType::kMultipleChoice;
  task.text = part("Q: {{q}}\nA:");
  task.target = part("{{label}}");
  task.choice = part(ValueList{"no", "yes"});
  return task;
}

std::vector<std::pair<std::string, std::string>> asked(const TaskSpec& task,
                                                       const std::vector<Doc>& evaluated,
                                                       const std::vector<Doc>& shots, i64 doc,
                                                       bool same = false,
                                                       bool unconditional = false) {
  const Prompts prompts(task, evaluated, shots, same, 1234, unconditional);
  std::vector<std::pair<std::string, std::string>> out;
  for (const LikelihoodRequest& request : prompts.requests(doc).likelihoods)
    out.emplace_back(request.context, request.continuation);
  return out;
}

using Requests = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("choices follow the question behind the delimiter", "[eval]") {
  const std::vector<Doc> d = docs({ValueMap{{"q", "1+1=2"}, {"label", i64{1}}}});
  CHECK(asked(multiple_choice(), d, {}, 0) ==
        Requests{{"Q: 1+1=2\nA:", " no"}, {"Q: 1+1=2\nA:", " yes"}});
  CHECK(asked(multiple_choice(), d, {}, 0, false, true).size() == 4);
  CHECK(asked(multiple_choice(), d, {}, 0, false, true)[3] ==
        std::pair<std::string, std::string>{"", " yes"});
}

TEST_CASE("examples come before the question, in order, with their answers", "[eval]") {
  TaskSpec task = multiple_choice();
  task.num_fewshot = 2;
  task.fewshot.sampler = "first_n";
  task.description = part("Answer {{q}}.\n");
  const std::vector<Doc> d = docs({ValueMap{{"q", "c"}, {"label", i64{1}}}});
  const std::vector<Doc> shots =
      docs({ValueMap{{"q", "a"}, {"label", i64{0}}}, ValueMap{{"q", "b"}, {"label", i64{1}}},
            ValueMap{{"q", "z"}, {"label", i64{1}}}});
  CHECK(asked(task, d, shots, 0)[0] ==
        std::pair<std::string, std::string>{"Answer c.\nQ: a\nA: no\n\nQ: b\nA: yes\n\nQ: c\nA:",
                                            " no"});
  task.gen_prefix = part("The answer is");
  CHECK(asked(task, d, shots, 0)[0] ==
        std::pair<std::string, std::string>{
            "Answer c.\nQ: a\nA: The answer is no\n\nQ: b\nA: The answer is yes\n\nQ: c\nA: The "
            "answer is",
            " no"});
}

TEST_CASE("a document is never its own example", "[eval]") {
  TaskSpec task = multiple_choice();
  task.num_fewshot = 2;
  task.fewshot.sampler = "first_n";
  const std::vector<Doc> d =
      docs({ValueMap{{"q", "a"}, {"label", i64{0}}}, ValueMap{{"q", "b"}, {"label", i64{1}}},
            ValueMap{{"q", "c"}, {"label", i64{1}}}});
  const Prompts prompts(task, d, d, true, 1234, false);
  CHECK(prompts.examples(0) == std::vector<i64>{1, 2});
  CHECK(prompts.examples(1) == std::vector<i64>{0, 2});
  task.num_fewshot = 3;
  CHECK_THROWS_WITH(Prompts(task, d, d, true, 1234, false),
                    "t.yaml:1: num_fewshot is 3, and 2 examples are there");
}

TEST_CASE("drawn examples are distinct, spread evenly, and a function of seed, task and document",
          "[eval]") {
  TaskSpec task = multiple_choice();
  task.num_fewshot = 3;
  std::vector<Doc> d;
  for (i64 i = 0; i < 600; ++i)
    d.push_back({ValueMap{{"q", i}, {"label", i64{0}}}, ""});
  const std::vector<Doc> shots(d.begin(), d.begin() + 6);
  const Prompts prompts(task, d, shots, true, 1234, false);
  std::vector<i64> used(6);
  for (i64 i = 0; i < 600; ++i) {
    const std::vector<i64> drawn = prompts.examples(i);
    CHECK(std::set<i64>(drawn.begin(), drawn.end()).size() == 3);
    for (const i64 each : drawn) {
      CHECK(each != i);
      ++used[usize(each)];
    }
  }
  for (const i64 each : used) {  // 300 expected, deviation 12
    CHECK(each > 240);
    CHECK(each < 360);
  }
  const std::vector<Doc> few(d.begin(), d.begin() + 10);
  CHECK(Prompts(task, few, shots, true, 1234, false).examples(7) == prompts.examples(7));
  const auto all = [](const Prompts& from) {
    std::vector<std::vector<i64>> out;
    for (i64 i = 0; i < 20; ++i)
      out.push_back(from.examples(i));
    return out;
  };
  CHECK(all(Prompts(task, d, shots, true, 99, false)) != all(prompts));
  TaskSpec renamed = task;
  renamed.name = "other";
  CHECK(all(Prompts(renamed, d, shots, true, 1234, false)) != all(prompts));
}

TEST_CASE("a question that is an index chooses among contexts", "[eval]") {
  TaskSpec task = multiple_choice();
  task.text = part("{{label}}");
  task.target = part("ran away.");
  task.choice = part("{{[a, b]}}");
  const std::vector<Doc> d = docs({ValueMap{{"a", "The dog"}, {"b", "It's"}, {"label", i64{1}}}});
  const Prompts prompts(task, d, kNone, false, 1, false);
  const DocRequests out = prompts.requests(0);
  CHECK(out.target == Value(i64{1}));
  CHECK(out.likelihoods[0].context == "The dog");
  CHECK(out.likelihoods[1].context == "It's");
  CHECK(out.likelihoods[1].continuation == " ran away.");
}

TEST_CASE("parts are fields, templates or values, lists and digits are read", "[eval]") {
  TaskSpec task = multiple_choice();
  const std::vector<Doc> d = docs({ValueMap{{"q", "x"},
                                            {"label", "yes"},
                                            {"opts", ValueList{"a", i64{2}}},
                                            {"golds", ValueList{i64{0}, i64{1}}}}});
  task.choice = part("opts");
  CHECK(Prompts(task, d, kNone, false, 1, false).requests(0).choices ==
        std::vector<std::string>{"a", "2"});
  task.choice = part(ValueMap{{"A", "one"}, {"B", "two"}});
  CHECK(Prompts(task, d, kNone, false, 1, false).requests(0).choices ==
        std::vector<std::string>{"one", "two"});
  CHECK(Prompts(task, d, kNone, false, 1, false).requests(0).target == Value("yes"));
  task.target = part("{{golds}}");
  CHECK(Prompts(task, d, kNone, false, 1, false).requests(0).target ==
        Value(ValueList{i64{0}, i64{1}}));
  task.target = part(i64{1});
  CHECK(Prompts(task, d, kNone, false, 1, false).requests(0).target == Value(i64{1}));
}

TEST_CASE("what a document cannot give is named with the document", "[eval]") {
  TaskSpec task = multiple_choice();
  const std::vector<Doc> d =
      docs({ValueMap{{"q", "x"}, {"label", i64{0}}}, ValueMap{{"label", i64{0}}}});
  const Prompts prompts(task, d, kNone, false, 1, false);
  CHECK_THROWS_WITH(prompts.requests(1),
                    "t.yaml:1: part: line 1, column 6: the name \"q\" has no "
                    "value (document 1)");
  task.choice = part("{{q}}");
  CHECK_THROWS_WITH(Prompts(task, d, kNone, false, 1, false).requests(0),
                    "t.yaml:1: part: gives \"x\", expected a list (document 0)");
}

TEST_CASE("generation and rolling tasks", "[eval]") {
  TaskSpec task;
  task.name = "g";
  task.text = part("q");
  task.target = part("a");
  task.gen_prefix = part("So");
  const std::vector<Doc> d = docs({ValueMap{{"q", "Why?"}, {"a", i64{42}}}});
  const DocRequests out = Prompts(task, d, kNone, false, 1, false).requests(0);
  CHECK(out.prompt == "Why? So");
  CHECK(out.target == Value(i64{42}));
  task.output_type = OutputType::kRolling;
  task.target = part("{{q}}!");
  const DocRequests rolling = Prompts(task, d, kNone, false, 1, false).requests(0);
  REQUIRE(rolling.likelihoods.size() == 1);
  CHECK(rolling.likelihoods[0].rolling);
  CHECK(rolling.likelihoods[0].continuation == "Why?!");
}

TEST_CASE("a document and a question are written in the task's order", "[eval]") {
  TaskSpec task;
  task.name = "t";
  task.where = "t.yaml:1";
  task.target = part("a");
  task.reading.context = part("c");
  task.reading.question = part("{{q}}");
  task.reading.kind = part("attribute");
  task.reading.intro = part("i");
  task.reading.order = "QCCQ";
  const std::vector<Doc> d =
      docs({ValueMap{{"c", "One."}, {"q", "key"}, {"a", "x"}, {"i", Value()}},
            ValueMap{{"c", "Two"}, {"q", "key"}, {"a", "x"}, {"i", "Look"}}});
  const Prompts prompts(task, d, d, true, 1, false);
  CHECK(prompts.requests(0).prompt == "Information about Key. One.\nOne. Key:");
  CHECK(prompts.requests(1).prompt == "Look Two.\nTwo. Key:");
  task.num_fewshot = 1;
  task.reading.order = "CQ";
  task.reading.separator = "|";
  CHECK(Prompts(task, d, d, true, 1, false).requests(1).prompt == "One. Key: x\n\nTwo. Key:");
}

TEST_CASE("a name is a field as soon as one document has it", "[eval]") {
  TaskSpec task;
  task.name = "t";
  task.where = "t.yaml:1";
  task.target = part("a");
  task.text = part("q");
  const std::vector<Doc> d = docs({ValueMap{{"a", "x"}}, ValueMap{{"a", "x"}, {"q", "asked"}}});
  const Prompts prompts(task, d, kNone, false, 1, false);
  CHECK_THROWS_WITH(prompts.requests(0),
                    "t.yaml:1: part: the document has no field \"q\" (document 0)");
  CHECK(prompts.requests(1).prompt == "asked");
  task.text = part("r");  // nobody's: it stands there itself
  CHECK(Prompts(task, d, kNone, false, 1, false).requests(0).prompt == "r");
}

}  // namespace
}  // namespace lm::eval

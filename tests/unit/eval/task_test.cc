#include "eval/task.h"

#include <fstream>

#include "catch.h"
#include "core/error.h"
#include "eval/dataset.h"

namespace lm::eval {
namespace {

using test::TempDir;
using text::Value;
using text::ValueList;
using text::ValueMap;

void write(const TempDir& dir, const std::string& name, const std::string& text) {
  std::ofstream(dir.file(name)) << text;
}

/// The message of the refusal, with the folder's name cut off.
std::string refusal(const TempDir& dir, const std::string& text) {
  write(dir, "t.yaml", text);
  try {
    read_tasks({dir.file("t.yaml")});
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kConfig);
    std::string out = e.message();
    for (std::size_t at; (at = out.find(dir.file(""))) != std::string::npos;)
      out.erase(at, dir.file("").size());
    return out;
  }
  return "";
}

const std::string kTask =
    "task: t\ndataset: d.jsonl\noutput_type: multiple_choice\ndoc_to_text: '{{q}}'\n"
    "doc_to_target: a\ndoc_to_choice: ['x', 'y']\n";

TEST_CASE("a task file is read with its defaults", "[eval]") {
  const TempDir dir;
  write(dir, "t.yaml", kTask);
  const TaskSet set = read_tasks({dir.file("t.yaml")});
  REQUIRE(set.tasks.size() == 1);
  const TaskSpec& task = set.tasks[0];
  CHECK(task.name == "t");
  CHECK(task.output_type == OutputType::kMultipleChoice);
  CHECK(task.target_delimiter == " ");
  CHECK(task.fewshot_delimiter == "\n\n");
  CHECK(task.num_fewshot == 0);
  REQUIRE(task.filters.size() == 1);
  CHECK(task.filters[0].name == "none");
  REQUIRE(task.metrics.size() == 2);
  CHECK(task.metrics[1].name == "acc_norm");
  CHECK(task.splits[0].files == std::vector<std::string>{dir.file("d.jsonl")});
  CHECK(set.groups.empty());
}

TEST_CASE("every field of a task file is read", "[eval]") {
  const TempDir dir;
  write(dir, "base.yaml", "task: base\nfewshot_delimiter: '#'\nnum_fewshot: 3\nrepeats: 2\n");
  write(dir, "t.yaml",
        "include: base.yaml\ntask: t\ntag: [g, h]\ndataset_path: json\n"
        "dataset_kwargs: {data_files: {train: a.jsonl, test: [b.jsonl, c.jsonl]}}\n"
        "training_split: train\ntest_split: test\ndoc_to_text: q\ndoc_to_target: '{{a}}'\n"
        "description: \"D\\n\"\ngeneration_kwargs:\n  until: ['x', \"\\n\"]\n  max_gen_toks: 8\n"
        "  do_sample: true\n  temperature: 0.5\nfilter_list:\n  - name: f\n    filter:\n"
        "      - function: regex\n        regex_pattern: 'a(b)'\n      - function: majority_vote\n"
        "      - function: take_first\nmetric_list:\n  - metric: exact_match\n"
        "    aggregation: mean\n    higher_is_better: false\n    ignore_case: true\n"
        "metadata: {version: 1.5}\n");
  const TaskSet set = read_tasks({dir.file("t.yaml")});
  const TaskSpec& task = set.tasks.at(0);
  CHECK(task.name == "t");
  CHECK(task.fewshot_delimiter == "#");
  CHECK(task.num_fewshot == 3);
  CHECK(task.repeats == 2);
  CHECK(task.splits.size() == 2);
  CHECK(task.splits[1].files.size() == 2);
  CHECK(task.evaluated_split() == "test");
  CHECK(task.generation.until == std::vector<std::string>{"x", "\n"});
  CHECK(task.generation.max_tokens == 8);
  CHECK(task.generation.sample);
  CHECK(task.generation.temperature == 0.5);
  CHECK(task.filters[0].steps.size() == 3);
  CHECK(task.metrics[0].higher_is_better == false);
  CHECK(*task.metrics[0].args.find("ignore_case") == Value(true));
  CHECK(task.version == Value(1.5));
  REQUIRE(set.groups.size() == 2);
  CHECK(set.groups[0].name == "g");
  CHECK(set.groups[0].members == std::vector<std::string>{"t"});
}

TEST_CASE("a group file finds its members beside it", "[eval]") {
  const TempDir dir;
  write(dir, "t.yaml", kTask);
  write(dir, "u.yaml", "include: t.yaml\ntask: u\n");
  write(dir, "g.yaml",
        "group: g\ntask: [t, u]\naggregate_metric_list:\n  - metric: acc\n    weight_by_size: "
        "false\n");
  const TaskSet set = read_tasks({dir.file("u.yaml"), dir.file("g.yaml")});
  REQUIRE(set.tasks.size() == 2);
  CHECK(set.tasks[0].name == "u");
  CHECK(set.tasks[1].name == "t");
  CHECK(set.groups[0].metrics[0].weight_by_size == false);
  write(dir, "h.yaml", "group: h\ntask: [t, missing]\n");
  CHECK_THROWS_WITH(read_tasks({dir.file("h.yaml")}),
                    Catch::Matchers::ContainsSubstring("h.yaml:1: the member \"missing\""));
  CHECK_THROWS_WITH(read_tasks({dir.file("t.yaml"), dir.file("t.yaml")}),
                    Catch::Matchers::ContainsSubstring("\"t\" is there already"));
}

TEST_CASE("what a task file does not mean is named with its line", "[eval]") {
  const TempDir dir;
  CHECK(refusal(dir, kTask + "doc_to_txt: x\n") ==
        "t.yaml:7: unknown key \"doc_to_txt\" of a task");
  CHECK(refusal(dir, kTask + "num_fewshot: many\n") == "t.yaml:7: \"many\" is no whole number");
  CHECK(refusal(dir, kTask + "num_fewshot: -1\n") == "t.yaml:7: -1 is less than 0");
  CHECK(refusal(dir, kTask + "task: twice\n") == "t.yaml:7: key \"task\" stands twice");
  CHECK(refusal(dir, kTask + "process_docs: !function u.f\n") ==
        "t.yaml:7: the Python function \"u.f\" cannot run here");
  CHECK(refusal(dir, kTask + "description: '{{ x|no }}'\n") ==
        "t.yaml:7: description: line 1, column 6: the filter \"no\" is not understood");
  CHECK(refusal(dir, kTask + "test_split: other\ndataset: {a: d.jsonl}\n").find("stands twice") !=
        std::string::npos);
  CHECK(refusal(dir, kTask + "generation_kwargs: {until: x}\n") ==
        "t.yaml:7: generation_kwargs is for output_type generate_until");
  CHECK(refusal(dir, kTask + "metric_list: [{metric: bleu}]\n") ==
        "t.yaml:7: multiple_choice has no metric \"bleu\"");
  CHECK(refusal(dir, kTask + "fewshot_config: {sampler: random}\n") ==
        "t.yaml:7: the sampler \"random\" is not understood, expected default or first_n");
  CHECK(refusal(dir, kTask + "fewshot_split: dev\n") ==
        "t.yaml:7: the data set has no split \"dev\"");
  CHECK(refusal(dir, "task: t\ndataset: d\ndoc_to_text: x\n") ==
        "t.yaml:1: has no \"doc_to_target\", which generate_until needs");
  CHECK(refusal(dir, "task: t\ndoc_to_text: x\ndoc_to_target: y\n") ==
        "t.yaml:1: has neither \"dataset\" nor \"dataset_path\"");
  CHECK(refusal(dir, "task: t\ndataset_path: super_glue\n") ==
        "t.yaml:2: the data set \"super_glue\" is not on this machine");
  CHECK(refusal(dir, "task: t\ndataset: {a: x, b: y}\ndoc_to_text: x\ndoc_to_target: y\n") ==
        "t.yaml:1: has neither \"test_split\" nor \"validation_split\"");
  CHECK(refusal(dir, "dataset: x\n") == "t.yaml:1: has no \"task\", the name of the task");
  CHECK(refusal(dir, "task: a/b\ndataset: x\n").find("cannot be part of a file's name") !=
        std::string::npos);
  CHECK(refusal(dir, "- x\n") == "t.yaml:1: holds no keys of a task");
  CHECK(refusal(dir, "task: [\n").find("t.yaml:2: is not YAML: ") == 0);
  CHECK(refusal(dir, "include: t.yaml\n").find("include each other more than 20 deep") !=
        std::string::npos);
  CHECK_THROWS_AS(read_tasks({dir.file("none.yaml")}), Error);
}

// Documents ---------------------------------------------------------------------------------------
std::vector<Value> docs(const std::string& file) {
  const LocalContext ctx;
  std::vector<Value> out;
  const DocSet set = read_docs({file}, 0, ctx);
  for (const Doc& doc : set.docs())
    out.push_back(doc.fields);
  return out;
}

TEST_CASE("documents are read from lines, arrays and tables", "[eval]") {
  const TempDir dir;
  write(dir, "a.jsonl", "\xEF\xBB\xBF{\"q\":\"x\",\"n\":1}\r\n\n{\"q\":\"y\",\"n\":2}");
  write(dir, "a.json", " [ {\"q\":\"x\",\"n\":1},\n {\"q\":\"y\",\"n\":2} ]");
  write(dir, "a.csv", "q,n\r\nx,1\r\ny,2\r\n");
  write(dir, "a.tsv", "q\tn\nx\t1\ny\t2\n");
  const std::vector<Value> expected = {ValueMap{{"q", "x"}, {"n", i64{1}}},
                                       ValueMap{{"q", "y"}, {"n", i64{2}}}};
  for (const char* name : {"a.jsonl", "a.json", "a.csv", "a.tsv"}) {
    INFO(name);
    CHECK(docs(dir.file(name)) == expected);
  }
  write(dir, "q.csv", "q,n\n\"a \"\"b\"\", c\nd\",x\n,1.5\n");
  CHECK(docs(dir.file("q.csv")) == std::vector<Value>{ValueMap{{"q", "a \"b\", c\nd"}, {"n", "x"}},
                                                      ValueMap{{"q", ""}, {"n", "1.5"}}});
  write(dir, "empty.csv", "q,n\n");
  CHECK(docs(dir.file("empty.csv")).empty());
  write(dir, "empty.jsonl", "");
  CHECK(docs(dir.file("empty.jsonl")).empty());
}

TEST_CASE("bad documents are named with their line", "[eval]") {
  const TempDir dir;
  const auto refusal_of = [&](const std::string& name, const std::string& text) {
    write(dir, name, text);
    try {
      docs(dir.file(name));
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::kData);
      return e.message().substr(dir.file("").size());
    }
    return std::string();
  };
  CHECK_THAT(refusal_of("b.jsonl", "{\"a\":1}\n\n{\"a\":\n"),
             Catch::Matchers::ContainsSubstring("b.jsonl:3: the line is not JSON"));
  CHECK(refusal_of("c.jsonl", "{}\n[1]\n") ==
        "c.jsonl:2: a document of type list, expected an object");
  CHECK(refusal_of("d.jsonl", "{\"a\":\"\xff\"}\n") == "d.jsonl:1: the line is not UTF-8");
  CHECK(refusal_of("e.csv", "a,b\n1,2\n\"x\ny\",3,4\n") == "e.csv:3: a row of 3 cells, expected 2");
  CHECK(refusal_of("f.csv", "a,b\n1,\"2\n") == "f.csv:2: a quoted cell has no end");
  CHECK_THAT(refusal_of("g.jsonl.zst", "\x28\xb5\x2f\xfd junk"),
             Catch::Matchers::ContainsSubstring("g.jsonl.zst: "));
}

TEST_CASE("documents are charged and released", "[eval]") {
  const TempDir dir;
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += "{\"a\":\"" + std::string(100, 'x') + "\"}\n";
  write(dir, "a.jsonl", text);
  const LocalContext ctx(1, i64{4} << 20);
  {
    const DocSet set = read_docs({dir.file("a.jsonl")}, 0, ctx);
    CHECK(ctx->memory->used() > 1000 * 100);
  }
  CHECK(ctx->memory->used() == 0);
  const LocalContext small(1, 10000);
  CHECK_THROWS_AS(read_docs({dir.file("a.jsonl")}, 0, small), Error);
  const DocSet three = read_docs({dir.file("a.jsonl")}, 3, ctx);
  CHECK(three.docs().size() == 3);
}

}  // namespace
}  // namespace lm::eval

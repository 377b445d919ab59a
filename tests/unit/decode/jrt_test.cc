#include "decode/jrt.h"

#include "catch.h"
#include "core/error.h"

namespace lm::decode {
namespace {

struct Task {
  JrtInput input;
  const char* once;
  const char* twice;
};

// The prompts are what the published evaluation code of the six tasks makes of these documents.
const Task kTasks[] = {
    {{"\nThe device K201 is a pump. Applicant is Acme Ltd.\napplicant name:",
      "applicant name",
      "fda",
      {},
      {}},
     "The device K201 is a pump. Applicant is Acme Ltd. Applicant name:",
     "Information about Applicant name. The device K201 is a pump. Applicant is Acme Ltd.\n"
     "The device K201 is a pump. Applicant is Acme Ltd. Applicant name:"},
    {{"Acme | 12 employees\nFounded 1999.\n Summary of information above... \nfounded:",
      "founded",
      "swde",
      {},
      {}},
     "Acme | 12 employees\nFounded 1999. Founded:",
     "Information about Founded. Acme | 12 employees\nFounded 1999.\nAcme | 12 employees\nFounded "
     "1999. Founded:"},
    {{" The tower is 93 m tall. It was built in 1912. How tall is the tower?",
      "how tall is the tower?",
      "nq",
      "How tall is the tower?:",
      {}},
     "The tower is 93 m tall. It was built in 1912. how tall is the tower?",
     "How tall is the tower? The tower is 93 m tall. It was built in 1912.\n"
     "The tower is 93 m tall. It was built in 1912. how tall is the tower?"},
    {{"[DOC] [TLE] Rivers [PAR] The Po is a river in Italy.",
      "The answer is",
      "triviaqa",
      "Which river is in Italy?:",
      {}},
     "Rivers  The Po is a river in Italy. The answer is",
     "Which river is in Italy?: Rivers  The Po is a river in Italy.\n"
     "Rivers  The Po is a river in Italy. The answer is"},
    {{"They scored 7, then 3.", "How many points in all?", "drop", {}, {}},
     "They scored 7, then 3. How many points in all?",
     "How many points in all? They scored 7, then 3.\n"
     "They scored 7, then 3. How many points in all?"},
    {{"Ada wrote the first program. Question: who?",
      "Who wrote it?",
      "squad",
      {},
      " Ada wrote the first program. It was written by \n"},
     "Ada wrote the first program. It was written by",
     "Who wrote it? Ada wrote the first program. \nAda wrote the first program. It was written by"},
};

std::string made(const std::string& order, const JrtInput& input) {
  return *JrtPrompt(order, "\n").render(input);
}

TEST_CASE("prompts of the six tasks are those of the published code", "[decode]") {
  for (const Task& task : kTasks) {
    INFO(task.input.kind);
    CHECK(made(jrt_order("off", 2), task.input) == task.once);
    CHECK(made(jrt_order("both", 2), task.input) == task.twice);
    CHECK(made(jrt_order("repeat", 1), task.input) == task.once);
  }
}

TEST_CASE("documents and questions stand in the order asked for", "[decode]") {
  const JrtInput plain{" D. ", "q?", "", {}, {}};
  CHECK(jrt_order("off", 3) == "CQ");
  CHECK(jrt_order("repeat", 3) == "CCCQ");
  CHECK(jrt_order("question", 3) == "QCQ");
  CHECK(jrt_order("both", 3) == "QCCCQ");
  CHECK(made("CQ", plain) == " D.  q?");
  CHECK(made("CCQ", plain) == " D. \n D.  q?");
  CHECK(made("QCQ", plain) == "q?  D.  q?");
  CHECK(made("QCCQ", plain) == "q?  D. \n D.  q?");
  CHECK(made("CQCQ", plain) == " D.  q?\n D.  q?");
  CHECK(made("C", plain) == " D. ");
  CHECK(*JrtPrompt("CCQ", " | ").render({"d", "q", "answer", {}, {}}) == "d. | d. q");
  const JrtInput cloze{"Text here.", "what?", "cloze", {}, "Text here. It is"};
  CHECK(made("CCQ", cloze) == "Text here.\nText here. It is");
  CHECK(made("QCQ", cloze) == "what? Text here. It is");
  CHECK(made("CQCQ", cloze) == "Text here. It is\nText here. It is");
}

TEST_CASE("a document is cut before its point, and never its question", "[decode]") {
  const JrtInput input{"one two. three four.", "q", "answer", {}, {}};
  CHECK(*JrtPrompt::document(input) == "one two. three four");
  const JrtPrompt twice("CCQ", "\n");
  CHECK(*twice.render(input, 8) == "one two.\none two. q");
  CHECK(*twice.render(input, 9) == "one two.\none two. q");
  CHECK(*twice.render(input, 0) == ".\n. q");
  CHECK(*twice.render(input, 100) == *twice.render(input));
}

TEST_CASE("a question at a document's end goes however often and however written", "[decode]") {
  const auto document = [](const char* context, const char* question, const char* kind) {
    return *JrtPrompt::document({context, question, kind, {}, {}});
  };
  CHECK(document("text \xc3\x84pfel?\xc3\xa4PFEL?", "\xc3\xa4pfel?", "answer") == "text");
  CHECK(document("a Key:key:", "key", "attribute") == "a");
  CHECK(document("key:", "key", "attribute").empty());
  CHECK(document("...dots...", "q", "answer") == "dots");
  CHECK(document("dots. q", "q", "plain") == "dots. q");
}

TEST_CASE("a template of one's own sees the parts", "[decode]") {
  const JrtPrompt own(
      "{{ kind }}|{{ intro }}|{% for i in range(times) %}{{ context }}{{ separator }}"
      "{% endfor %}{{ question }}|{{ cloze is none }}",
      "own.jinja", "; ", 3);
  CHECK(*own.render({"d", "age", "attribute", {}, {}}) ==
        "attribute|Information about Age.|d.; d.; d.; Age:|True");
  const Result<std::string> wrong =
      JrtPrompt("{{ contxt }}", "own.jinja", "\n", 2).render({"d", "q", "", {}, {}});
  REQUIRE(!wrong);
  CHECK(wrong.fault().code == "template");
  CHECK(wrong.fault().detail == "own.jinja: line 1, column 4: the name \"contxt\" has no value");
}

TEST_CASE("kinds and orders that are not known are named", "[decode]") {
  const JrtPrompt prompt("CQ", "\n");
  CHECK(prompt.render({"d", "q", "essay", {}, {}}).fault().detail ==
        "kind \"essay\" is not known; expected plain, attribute, fda, swde, answer, nq, triviaqa, "
        "drop, cloze, squad");
  CHECK(prompt.render({"d", "q", "squad", {}, {}}).fault().detail ==
        "a record of kind squad needs the text in \"cloze\"");
  CHECK(prompt.render({"d", " ", "fda", {}, {}}).fault().detail ==
        "the attribute asked for is empty");
  CHECK_THROWS_AS(JrtPrompt("CQX", "\n"), Error);
  CHECK_THROWS_AS(JrtPrompt("", "\n"), Error);
  CHECK_THROWS_AS(JrtPrompt(std::string(65, 'C'), "\n"), Error);
}

}  // namespace
}  // namespace lm::decode

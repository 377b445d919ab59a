#include "answer/script.h"

#include <fstream>
#include <map>

#include "answers.h"
#include "core/hash.h"

namespace lm::answer {
namespace {

using test::answer_to;
using test::ask;
using test::texts;

std::string message_of(const std::string& table) {
  try {
    parse_script(table, "rules.jsonl");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kData);
    return e.message();
  }
  return "no error";
}

}  // namespace

TEST_CASE("the first rule that matches answers", "[script]") {
  ScriptAnswerer script(cat(R"({"when":{"id":"one"},"reply":"by id"}
{"when":{"id_prefix":"em-"},"reply":"by prefix"}

{"when":{"prompt":"exactly"},"reply":"by prompt"}
{"when":{"prompt_re":"^say [a-z]+$"},"reply":"by pattern","finish":"length","tokens":7,"logprob":-1.5}
{"when":{"prompt_sha256":")",
                            sha256_hex("digest me"), R"("},"reply":"by digest"}
{"when":{"meta.role":"pivot","meta.at.1":3},"reply":"by meta"}
{"when":{"meta":[1,2]},"reply":"by all of meta"}
{"when":{"role":"tool"},"reply":"by role"}
{"when":{},"reply":"otherwise"}
)"),
                        "rules.jsonl");
  const auto with_meta = [](std::string meta) {
    Request out = ask("x", "p");
    out.meta = std::move(meta);
    return out;
  };
  CHECK(texts(answer_to(script, ask("one", "say a"))) == "by id");
  CHECK(texts(answer_to(script, ask("em-1", "exactly"))) == "by prefix");
  CHECK(texts(answer_to(script, ask("a", "exactly"))) == "by prompt");
  const Response pattern = answer_to(script, ask("a", "say it", 2));
  CHECK(texts(pattern) == "by pattern|by pattern");
  CHECK(pattern.replies[1].finish_reason == "length");
  CHECK(pattern.replies[1].tokens == 7);
  CHECK(pattern.replies[1].logprob == -1.5);
  CHECK(pattern.prompt_tokens == 6);
  CHECK(texts(answer_to(script, ask("a", "digest me"))) == "by digest");
  CHECK(texts(answer_to(script, with_meta(R"({"role":"pivot","at":[0,3]})"))) == "by meta");
  CHECK(texts(answer_to(script, with_meta(R"({"role":"pivot","at":[0,4]})"))) == "otherwise");
  CHECK(texts(answer_to(script, with_meta("[1,2]"))) == "by all of meta");
  CHECK(texts(answer_to(script, with_meta("no json"))) == "otherwise");
  Request chat = ask("a", "");
  chat.messages = {{"user", "hello"}, {"tool", "4"}};
  CHECK(texts(answer_to(script, chat)) == "by role");
  chat.messages.pop_back();
  CHECK(texts(answer_to(script, chat)) == "otherwise");
  CHECK(script.uses() == std::vector<i64>{1, 1, 1, 1, 1, 1, 1, 1, 3});
  CHECK(script.coverage_json() == R"({"rules":9,"used":9,"unmatched":0,"unused":[]})");
}

TEST_CASE("replies go by sample, attempt or hash", "[script]") {
  ScriptAnswerer script(R"({"when":{"id":"s"},"replies":["a","b","c"]}
{"when":{"id":"t"},"replies":["a","b"],"by":"attempt"}
{"when":{"id_prefix":"h"},"replies":["a","b","c"],"by":"hash"})",
                        "rules.jsonl");
  CHECK(texts(answer_to(script, ask("s", "", 5))) == "a|b|c|a|b");
  CHECK(texts(answer_to(script, ask("t", "", 2))) == "a|a");
  CHECK(texts(answer_to(script, ask("t", ""))) == "b");
  CHECK(texts(answer_to(script, ask("t", ""))) == "a");
  std::map<std::string, i64> seen;
  for (i64 i = 0; i < 3000; ++i) {
    const Request request = ask(cat("h", i), "", 2);
    const Response first = answer_to(script, request);
    CHECK(texts(first) == texts(answer_to(script, request)));
    ++seen[first.replies[0].text];
    ++seen[first.replies[1].text];
  }
  for (const auto& [text, count] : seen)
    CHECK(std::abs(static_cast<f64>(count) - 2000) < 150);
  CHECK(seen.size() == 3);
  Request seeded = ask("h1", "", 40);
  const std::string before = texts(answer_to(script, seeded));
  seeded.seed = 1;
  const std::string after = texts(answer_to(script, seeded));
  CHECK(after != before);
  seeded.seed = 0;
  seeded.params.seed = 1;
  CHECK(texts(answer_to(script, seeded)) == after);
}

TEST_CASE("rules are used up, fail, and are told when unused", "[script]") {
  ScriptAnswerer script(R"({"when":{},"error":{"code":"engine","message":"down"},"times":2}
{"when":{"id":"never"},"reply":"x"}
{"when":{"id":"a"},"reply":"up"})",
                        "rules.jsonl");
  const Response down = answer_to(script, ask("a", "p"));
  REQUIRE(down.fault);
  CHECK(down.fault->code == "engine");
  CHECK(down.fault->detail == "down");
  CHECK(texts(answer_to(script, ask("a", "p"))) == "fault engine");
  CHECK(texts(answer_to(script, ask("a", "p"))) == "up");
  CHECK(texts(answer_to(script, ask("b", "lost prompt"))) == "fault no_rule");
  CHECK(texts(answer_to(script, ask("b", "another"))) == "fault no_rule");
  CHECK(script.unmatched() == 2);
  CHECK(script.first_unmatched() == "lost prompt");
  CHECK(
      script.coverage_json() ==
      R"({"rules":3,"used":2,"unmatched":2,"unused":[{"line":2,"rule":{"when":{"id":"never"},"reply":"x"}}]})");
}

TEST_CASE("scores are for those who ask for scores", "[script]") {
  ScriptAnswerer script(R"({"when":{},"reply":"text"}
{"when":{"prompt":"p"},"scores":{"yes":-0.25,"no":-2}})",
                        "rules.jsonl");
  Request request = ask("a", "p");
  request.score = {"no", "yes", "no"};
  const Response scored = answer_to(script, request);
  CHECK(scored.scores == std::vector<f64>{-2, -0.25, -2});
  CHECK(scored.replies.empty());
  request.score = {"perhaps"};
  CHECK(texts(answer_to(script, request)) == "fault no_rule");
  CHECK(texts(answer_to(script, ask("a", "p"))) == "text");
}

TEST_CASE("scripted replies are of the form asked for unless a rule is raw", "[script]") {
  ScriptAnswerer script(R"({"when":{"id":"raw"},"replies":["17","x"],"raw":true}
{"when":{},"replies":["17","x"]})",
                        "rules.jsonl");
  const auto with = [](const std::string& id, i64 n, Form::Kind kind, std::string text) {
    Request out = ask(id, "", n);
    out.form = {kind, std::move(text)};
    return out;
  };
  CHECK(texts(answer_to(script, with("a", 1, Form::Kind::kRegex, "[0-9]+"))) == "17");
  CHECK(texts(answer_to(script, with("a", 2, Form::Kind::kRegex, "[0-9]+"))) == "fault form");
  CHECK(texts(answer_to(script, with("raw", 2, Form::Kind::kRegex, "[0-9]+"))) == "17|x");
  CHECK(texts(answer_to(script, with("a", 1, Form::Kind::kSchema, R"({"type":"integer"})"))) ==
        "17");
  CHECK(texts(answer_to(script, with("a", 1, Form::Kind::kSchema, R"({"type":"string"})"))) ==
        "fault form");
  CHECK(texts(answer_to(script, with("a", 2, Form::Kind::kChoices, R"(["x","17"])"))) == "17|x");
  CHECK(texts(answer_to(script, with("a", 2, Form::Kind::kChoices, R"(["x","1"])"))) ==
        "fault form");
  CHECK(texts(answer_to(script, with("a", 1, Form::Kind::kGbnf, "root ::= \"1\" [0-9]"))) == "17");
  CHECK(texts(answer_to(script, with("a", 1, Form::Kind::kLark, "start: /1./"))) == "17");
  CHECK(texts(answer_to(script, with("a", 1, Form::Kind::kRegex, "("))) == "fault grammar");
}

TEST_CASE("functions read the part of the prompt or meta that a rule names", "[script]") {
  ScriptAnswerer script(
      R"({"when":{"id":"count"},"fn":"count_digits","input":{"after":"Text:\n","before":"\nEnd"}}
{"when":{"id":"meta"},"fn":"count_digits","input":{"meta":"part.text"}}
{"when":{"id":"find"},"fn":"find_needle","needle":{"meta":"object"},"input":{"after":"Text:\n"},"absent":"null"}
{"when":{"id":"sort"},"fn":"sort_numbers","separator":" ","prefix":"[","suffix":"]"}
{"when":{"id":"path"},"fn":"jsonpath","path":"a.0","input":{"meta":""}}
{"when":{"id":"noisy"},"fn":"count_digits","noise":{"kind":"wrong","rate":1,"wrong":"?"}})",
      "rules.jsonl");
  const std::string prompt = "Count the digits of 3 lines. Text:\na1b2\nc3\nEnd 99";
  CHECK(texts(answer_to(script, ask("count", prompt))) == "3");
  CHECK(texts(answer_to(script, ask("count", "no marks"))) == "fault script");
  Request meta = ask("meta", "no 1 2 3");
  meta.meta = R"({"part":{"text":"4 5"}})";
  CHECK(texts(answer_to(script, meta)) == "2");
  meta.meta = "null";
  CHECK(texts(answer_to(script, meta)) == "fault script");
  Request find = ask("find", "What of the red lamp 1? Text:\nThe red lamp: 123456.");
  find.meta = R"({"object":"red lamp"})";
  CHECK(texts(answer_to(script, find)) == "123456");
  find.meta = R"({"object":"blue box"})";
  CHECK(texts(answer_to(script, find)) == "null");
  CHECK(texts(answer_to(script, ask("sort", "3 1 2"))) == "[1 2 3]");
  Request path = ask("path", "");
  path.meta = R"({"a":["first"]})";
  CHECK(texts(answer_to(script, path)) == "first");
  CHECK(texts(answer_to(script, ask("noisy", "1", 2))) == "?|?");
}

TEST_CASE("scripted replies end where a model's would", "[script]") {
  ScriptAnswerer script(R"({"when":{"id":"long"},"reply":"0123456789","logprob":-2}
{"when":{"id":"counted"},"reply":"0123456789","tokens":5}
{"when":{"id":"loop"},"reply":"abcdcdcdcd"}
{"when":{"id":"raw"},"reply":"0123456789","raw":true}
{"when":{"id":"wide"},"reply":"\u00e9\u00e9\u00e9"}
{"when":{},"fn":"echo","finish":"other"})",
                        "rules.jsonl");
  const auto said = [&](const std::string& id, i64 max_tokens, std::vector<std::string> stop,
                        bool include = false) {
    Request request = ask(id, "say \n one two");
    request.params.max_tokens = max_tokens;
    request.params.stop = std::move(stop);
    request.params.include_stop = include;
    if (id == "loop") {
      request.params.loop_size = 2;
      request.params.loop_count = 3;
    }
    const Response out = answer_to(script, request);
    if (out.fault) return "fault " + out.fault->code;
    const Reply& reply = out.replies[0];
    return cat(reply.text, "|", reply.finish_reason, "|", reply.tokens);
  };
  CHECK(said("long", 10, {}) == "0123456789|stop|10");
  CHECK(said("long", 9, {}) == "012345678|length|9");
  CHECK(said("long", 0, {}) == "|length|0");
  // The stop string is cut and its tokens were written; the first that is whole ends the text.
  CHECK(said("long", 99, {"56", "345"}) == "012|stop_string|6");
  CHECK(said("long", 99, {"56"}, true) == "0123456|stop_string|7");
  // Behind max_tokens there is none.
  CHECK(said("long", 6, {"56"}) == "012345|length|6");
  CHECK(said("long", 7, {"56"}) == "01234|stop_string|7");
  // Five tokens of two characters each.
  CHECK(said("counted", 5, {}) == "0123456789|stop|5");
  CHECK(said("counted", 2, {}) == "0123|length|2");
  CHECK(said("counted", 9, {"4"}) == "0123|stop_string|3");
  CHECK(said("loop", 99, {}) == "abcdcdcd|repetition|8");
  CHECK(said("wide", 2, {}) == "\u00e9\u00e9|length|2");
  CHECK(said("x", 99, {"\n"}) == "say |stop_string|5");
  CHECK(said("x", 99, {}) == "say \n one two|other|13");
  // What is cut is of the form, or nothing fits; raw replies are as they are.
  const auto formed = [&](const std::string& id, i64 max_tokens, const std::string& pattern) {
    Request request = ask(id, "p");
    request.params.max_tokens = max_tokens;
    request.form = {Form::Kind::kRegex, pattern};
    return texts(answer_to(script, request));
  };
  CHECK(formed("long", 4, "[0-9]+") == "0123");
  CHECK(formed("long", 4, "[0-9]{10}") == "fault budget");
  CHECK(formed("long", 10, "[0-9]{10}") == "0123456789");
  CHECK(formed("raw", 4, "[0-9]{10}") == "0123");
}

TEST_CASE("what a script takes is charged", "[script]") {
  MemoryBudget budget(1 << 20);
  const std::string rule = cat(R"({"when":{},"reply":")", std::string(20000, 'a'), "\"}\n");
  {
    ScriptAnswerer script(rule, "rules.jsonl", &budget);
    const i64 rules = budget.used();
    CHECK(rules > 40000);
    CHECK(rules < 60000);
    Request request = ask("a", "p");
    request.params.max_tokens = 100000;
    script.add(request);
    CHECK(budget.used() > rules + 20000);
    REQUIRE(script.step());
    REQUIRE(script.take());
    CHECK(budget.used() == rules);
    // Replies without end, and a prompt that does not fit.
    request.params.n = 1000000;
    CHECK_THROWS_AS(script.add(request), Error);
    CHECK_THROWS_AS(script.add(ask("a", std::string(1 << 20, 'p'))), Error);
  }
  CHECK(budget.used() == 0);
  std::string table;
  for (int i = 0; i < 50; ++i)
    table += rule;
  try {
    ScriptAnswerer(table, "rules.jsonl", &budget);
    FAIL("read");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kOs);
    CHECK_THAT(e.message(), Catch::Matchers::ContainsSubstring("rules.jsonl"));
  }
  CHECK(budget.used() == 0);
  const test::TempDir dir;
  std::ofstream(dir.file("s")) << table;
  MemoryBudget small(1 << 19);
  CHECK_THROWS_AS(ScriptAnswerer(dir.file("s"), &small), Error);
  CHECK(small.used() == 0);
  MemoryBudget large(64 << 20);
  const ScriptAnswerer whole(dir.file("s"), &large);
  CHECK(whole.rules().size() == 50);
  CHECK(large.used() < 5 << 20);
}

TEST_CASE("a delayed response holds back those behind it and changes none", "[script]") {
  ScriptAnswerer script(R"({"when":{"id":"slow"},"reply":"late","delay_ms":40}
{"when":{},"reply":"soon"})",
                        "rules.jsonl");
  const std::vector<Response> got =
      test::answers(script, {ask("a", ""), ask("slow", ""), ask("b", "")});
  CHECK(texts(got[0]) == "soon");
  CHECK(texts(got[1]) == "late");
  CHECK(texts(got[2]) == "soon");
}

TEST_CASE("a script is understood or refused with file and line", "[script]") {
  CHECK(message_of(R"({"when":{},"reply":"a"})") == "no error");
  for (const char* const wrong : {"{",
                                  "[]",
                                  R"({"reply":"a"})",
                                  R"({"when":{}})",
                                  R"({"when":[],"reply":"a"})",
                                  R"({"when":{},"reply":"a","replies":["b"]})",
                                  R"({"when":{},"reply":"a","repl":1})",
                                  R"({"when":{},"reply":1})",
                                  R"({"when":{},"replies":[]})",
                                  R"({"when":{},"replies":["a",1]})",
                                  R"({"when":{},"reply":"a","by":"sample"})",
                                  R"({"when":{},"replies":["a"],"by":"turn"})",
                                  R"({"when":{"prompt_rx":"a"},"reply":"a"})",
                                  R"({"when":{"prompt_re":"("},"reply":"a"})",
                                  R"({"when":{"id":1},"reply":"a"})",
                                  R"({"when":{"id":"a","id":"b"},"reply":"a"})",
                                  R"({"when":{},"when":{},"reply":"a"})",
                                  R"({"when":{},"scores":{"a":"b"}})",
                                  R"({"when":{},"scores":{"a":1},"finish":"stop"})",
                                  R"({"when":{},"error":{"message":"a"}})",
                                  R"({"when":{},"error":{"code":"a","more":1}})",
                                  R"({"when":{},"error":{"code":"a"},"raw":true})",
                                  R"({"when":{},"reply":"a","times":0})",
                                  R"({"when":{},"reply":"a","times":1.5})",
                                  R"({"when":{},"reply":"a","tokens":-1})",
                                  R"({"when":{},"reply":"a","logprob":1})",
                                  R"({"when":{},"reply":"a","raw":1})",
                                  R"({"when":{},"reply":"a","delay_ms":-1})",
                                  R"({"when":{},"reply":"a","noise":{"kind":"drop"}})",
                                  R"({"when":{},"fn":"guess"})",
                                  R"({"when":{},"fn":"echo","noise":{"kind":"swap"}})",
                                  R"({"when":{},"fn":"echo","noise":{}})",
                                  R"({"when":{},"fn":"echo","noise":{"kind":"drop","digits":3}})",
                                  R"({"when":{},"fn":"echo","noise":{"kind":"drop","rate":-1}})",
                                  R"({"when":{},"fn":"echo","noise":{"kind":"drop","speed":1}})",
                                  R"({"when":{},"fn":"echo","needle":"a"})",
                                  R"({"when":{},"fn":"find_needle"})",
                                  R"({"when":{},"fn":"jsonpath"})",
                                  R"({"when":{},"fn":"jsonpath","path":"a..b"})",
                                  R"({"when":{},"fn":"jsonpath","path":".a"})",
                                  R"({"when":{},"fn":"echo","input":{"meta":"a."}})",
                                  R"({"when":{},"fn":"find_needle","needle":{"meta":"."}})",
                                  R"({"when":{},"fn":"find_needle","needle":{}})",
                                  R"({"when":{"meta.a..b":1},"reply":"a"})",
                                  R"({"when":{"prompt_sha256":"9f"},"reply":"a"})",
                                  R"({"when":{"prompt_sha256":7},"reply":"a"})",
                                  R"({"when":{},"fn":"echo","input":{}})",
                                  R"({"when":{},"fn":"echo","input":{"meta":"a","after":"b"}})"}) {
    CAPTURE(wrong);
    const std::string message =
        message_of(std::string("{\"when\":{},\"reply\":\"a\"}\n\n") + wrong);
    CHECK(message.starts_with("rules.jsonl:3"));
  }
  CHECK_THAT(
      message_of(cat(R"({"when":{"prompt_sha256":")", std::string(63, 'a'), R"(g"},"reply":"a"})")),
      Catch::Matchers::ContainsSubstring("64 hexadecimal digits"));
  // Digits of either case; a path of nothing is all.
  std::string digest = sha256_hex("p");
  for (char& c : digest)
    c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  ScriptAnswerer upper(cat(R"({"when":{"prompt_sha256":")", digest,
                           R"("},"fn":"jsonpath","path":"","input":{"meta":""}})"),
                       "rules.jsonl");
  CHECK(texts(answer_to(upper, ask("a", "p"))) == "null");
}

}  // namespace lm::answer

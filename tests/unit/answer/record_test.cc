#include "answer/record.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include <unistd.h>

#include "answer/script.h"
#include "answers.h"

namespace lm::answer {
namespace {

using test::answer_to;
using test::answers;
using test::ask;
using test::texts;

std::string scratch(const std::string& name) {
  const std::string path =
      (std::filesystem::temp_directory_path() / cat("lm-record-", getpid(), "-", name)).string();
  std::filesystem::remove(path);
  return path;
}

std::string read(const std::string& path) {
  return io::read_file(path);
}

/// Answers by turns, so that order matters.
ScriptAnswerer turns() {
  return ScriptAnswerer(R"({"when":{"prompt":"p"},"replies":["a","b\n\u00e9","c"],"by":"attempt"}
{"when":{"prompt":"q"},"fn":"echo","noise":{"kind":"drop","rate":0.5},"logprob":-0.1}
{"when":{"prompt":"s"},"scores":{"x":-0.1,"y":-1e-7}})",
                        "turns.jsonl");
}

std::vector<Request> some_requests() {
  std::vector<Request> out;
  for (i64 i = 0; i < 7; ++i) {
    out.push_back(ask(cat("p", i), "p", 1 + i % 2));
    out.push_back(ask(cat("q", i), "q", 3));
    out.push_back(ask(cat("none", i), "unknown"));
    out.push_back(ask(cat("s", i), "s"));
    out.back().score = {"y", "x"};
    out.back().meta = cat(i);
  }
  return out;
}

}  // namespace

TEST_CASE("what was recorded is replayed to the byte, whatever is in work at once", "[record]") {
  const std::string path = scratch("all.jsonl");
  const std::vector<Request> requests = some_requests();
  std::vector<std::string> want;
  {
    ScriptAnswerer inner = turns();
    io::AtomicFile recording_file(path);
    RecordingAnswerer recording(inner, recording_file, false);
    for (const Response& one : answers(recording, requests, 5))
      want.push_back(response_json(one));
    CHECK(recording.count_tokens("four") == 4);
    CHECK(!std::filesystem::exists(path));
    recording.close();
  }
  for (const i64 queue : {1, 3, 1000}) {
    ReplayAnswerer replay(path);
    const std::vector<Response> got = answers(replay, requests, queue);
    for (std::size_t i = 0; i < want.size(); ++i)
      CHECK(response_json(got[i]) == want[i]);
  }
  // A recording of a replay says the same of requests and responses.
  const std::string again = scratch("again.jsonl");
  ReplayAnswerer replay(path);
  io::AtomicFile second_file(again);
  RecordingAnswerer second(replay, second_file, false);
  for (std::size_t i = 0; i < want.size(); ++i)
    CHECK(response_json(answers(second, {requests[i]})[0]) == want[i]);
  std::filesystem::remove(path);
}

TEST_CASE("the same request is replayed in recorded order, then from the beginning", "[record]") {
  const std::string path = scratch("cycle.jsonl");
  {
    ScriptAnswerer inner = turns();
    io::AtomicFile recording_file(path);
    RecordingAnswerer recording(inner, recording_file, false);
    answers(recording, {ask("1", "p"), ask("2", "p"), ask("3", "p")});
    recording.close();
  }
  ReplayAnswerer replay(path);
  std::string got;
  for (i64 i = 0; i < 7; ++i)
    got += texts(answer_to(replay, ask(cat("x", i), "p"))) + ";";
  CHECK(got == "a;b\n\xC3\xA9;c;a;b\n\xC3\xA9;c;a;");
  std::filesystem::remove(path);
}

TEST_CASE("a replay misses what was asked in another way", "[record]") {
  const std::string path = scratch("miss.jsonl");
  {
    ScriptAnswerer inner = turns();
    io::AtomicFile recording_file(path);
    RecordingAnswerer recording(inner, recording_file, false);
    answers(recording, {ask("1", "p")});
    CHECK(recording.count_tokens("four") == 4);
    recording.close();
  }
  ReplayAnswerer replay(path);
  Request other = ask("1", "p");
  other.meta = "{\"a\":1}";
  CHECK(texts(answer_to(replay, other)) == "a");
  const auto misses = [&](const auto& change) {
    Request request = ask("1", "p");
    change(request);
    return texts(answer_to(replay, request)) == "fault no_rule";
  };
  CHECK(misses([](Request& r) { r.prompt = "P"; }));
  CHECK(misses([](Request& r) { r.seed = 1; }));
  CHECK(misses([](Request& r) { r.params.seed = 0; }));
  CHECK(misses([](Request& r) { r.params.temperature = 0.5; }));
  CHECK(misses([](Request& r) { r.params.n = 2; }));
  CHECK(misses([](Request& r) { r.params.stop = {"x"}; }));
  CHECK(misses([](Request& r) { r.form = {Form::Kind::kRegex, "a"}; }));
  CHECK(misses([](Request& r) { r.score = {"a"}; }));
  CHECK(misses([](Request& r) { r.messages = {{"user", "p"}}; }));
  CHECK(replay.count_tokens("four") == 4);
  CHECK(replay.key() != 0);
  std::filesystem::remove(path);
}

TEST_CASE("a torn last line does not count, and a run that goes on keeps whole ones", "[record]") {
  const std::string path = scratch("torn.jsonl");
  const auto record = [&](const std::string& id, bool keep) {
    ScriptAnswerer inner = turns();
    io::AtomicFile recording_file(path);
    RecordingAnswerer recording(inner, recording_file, keep);
    answers(recording, {ask(id, "q", 2)});
    recording.close();
  };
  record("1", false);
  const std::string first = read(path);
  std::ofstream(path, std::ios::app) << first.substr(0, first.size() / 2);
  {
    ReplayAnswerer replay(path);
    const std::string a = texts(answer_to(replay, ask("x", "q", 2)));
    CHECK(texts(answer_to(replay, ask("y", "q", 2))) == a);
  }
  record("2", true);
  const std::string both = read(path);
  CHECK(both.starts_with(first));
  CHECK(std::count(both.begin(), both.end(), '\n') == 2);
  record("3", false);
  CHECK(std::count_if(both.begin(), both.end(), [](char c) { return c == '\n'; }) == 2);
  const std::string last = read(path);
  CHECK(std::count(last.begin(), last.end(), '\n') == 1);
  std::filesystem::remove(path);
}

TEST_CASE("numbers come back as they were", "[record]") {
  Response response;
  response.replies = {{"\"\\\t", "stop", 3, -0.1},
                      {"", "length", 0, std::numeric_limits<f64>::quiet_NaN()}};
  response.scores = {-1.0 / 3, -1e-300, 0};
  response.prompt_tokens = 12;
  const std::string json = response_json(response);
  const Response back = parse_response(io::parse_object(json, "x"), "x");
  CHECK(response_json(back) == json);
  CHECK(back.scores == response.scores);
  CHECK(back.replies[0].logprob == -0.1);
  CHECK(std::isnan(back.replies[1].logprob));
}

TEST_CASE("a recording is understood or refused with file and line", "[record]") {
  const std::string good =
      R"({"key":"0","model":"1","request":{},"response":{"replies":[],"scores":[],"prompt_tokens":0}})";
  for (const std::string& wrong :
       {std::string("{"), std::string("{}"), std::string(R"({"key":"0"})"),
        std::string(R"({"key":"0","model":"2","request":{},"response":{}})"),
        std::string(R"({"key":"0","model":"1","request":{},"response":[]})"),
        std::string(R"({"key":"0","model":"1","request":{},"response":{},"more":1})"),
        std::string(R"({"count":"0","model":"1"})")}) {
    const std::string path = scratch("bad.jsonl");
    std::ofstream(path) << good << "\n" << wrong << "\n";
    CAPTURE(wrong);
    try {
      ReplayAnswerer replay(path);
      FAIL_CHECK("no error");
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::kData);
      CHECK(e.message().starts_with(path + ":2"));
    }
    std::filesystem::remove(path);
  }
  const std::string path = scratch("other.jsonl");
  std::ofstream(path) << "one line without an end";
  CHECK_THROWS_AS(ReplayAnswerer(path), Error);
  std::ofstream(path) << "";
  ReplayAnswerer empty(path);
  CHECK(texts(answer_to(empty, ask("a", "p"))) == "fault no_rule");
  std::filesystem::remove(path);
  CHECK_THROWS_AS(ReplayAnswerer(path), Error);
}

TEST_CASE("the index of a recording is charged", "[record]") {
  const std::string path = scratch("budget.jsonl");
  {
    ScriptAnswerer inner = turns();
    io::AtomicFile recording_file(path);
    RecordingAnswerer recording(inner, recording_file, false);
    std::vector<Request> requests;
    for (i64 i = 0; i < 200; ++i)
      requests.push_back(ask("a", cat("unknown ", i)));
    answers(recording, requests);
    recording.close();
  }
  MemoryBudget enough(i64{1} << 20);
  {
    const ReplayAnswerer replay(path, &enough);
    CHECK(enough.used() > 0);
  }
  CHECK(enough.used() == 0);
  MemoryBudget little(10000);
  CHECK_THROWS_AS(ReplayAnswerer(path, &little), Error);
  std::filesystem::remove(path);
}

}  // namespace lm::answer

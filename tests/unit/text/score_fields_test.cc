#include "text/score_fields.h"

#include <cmath>

#include "catch.h"
#include "core/error.h"

using namespace lm;
using namespace lm::text;

namespace {

/// line with padding, parsed for the given paths.
struct Parsed {
  Parsed(const std::string& line, std::vector<std::string> paths)
      : padded(line + std::string(io::kJsonPadding, '\0')), json(std::move(paths)) {
    REQUIRE_FALSE(json.parse(std::string_view(padded).substr(0, line.size())));
  }
  std::string padded;
  io::JsonReader json;
};

}  // namespace

TEST_CASE("a score becomes document spans under its name", "[text]") {
  const ScoreFields fields("text", "wiki", "ppl");
  Parsed record(R"({"text":"ab","attributes":{"x":[]}})", fields.paths());
  Score score;
  score.value = 2.5;
  score.nll_nats = 3;
  score.tokens = 4;
  score.oov = 1;
  score.bytes = 2;
  io::RecordEdit edit(record.json);
  fields.set(edit, score, 2);
  std::string out;
  edit.write(out);
  CHECK(out.starts_with(
      R"({"text":"ab","attributes":{"x":[],"lm_ppl__wiki__ppl":[[0,2,2.5]],"lm_ppl__wiki__nll":[[0,2,3]],)"
      R"("lm_ppl__wiki__tokens":[[0,2,4]],"lm_ppl__wiki__oov":[[0,2,1]],"lm_ppl__wiki__bpb":[[0,2,2.16)"));
  Parsed bare(R"({"text":""})", fields.paths());
  io::RecordEdit none(bare.json);
  fields.set(none, Score{}, 0);
  out.clear();
  none.write(out);
  CHECK(out == R"({"text":"","attributes":{"lm_ppl__wiki__ppl":[],"lm_ppl__wiki__nll":[],)"
               R"("lm_ppl__wiki__tokens":[],"lm_ppl__wiki__oov":[],"lm_ppl__wiki__bpb":[]}})"
               "\n");
  CHECK(fields.index("nll") == 3);
  Parsed wrong(R"({"text":"","attributes":[]})", fields.paths());
  CHECK(fields.check(wrong.json)->code == "type");
  for (const char* name : {"", "a.b", "a-b", "\xC3\xA9"})
    CHECK_THROWS_AS(ScoreFields("text", name, "ppl"), Error);
}

TEST_CASE("stored scores are read back, absent ones are NaN, others faults", "[text]") {
  const auto read = [](const std::string& value) {
    Parsed record("{\"a\":" + value + "}", {"a"});
    return read_document_span(record.json, 0);
  };
  CHECK(*read("[[0,5,1.5]]") == 1.5);
  CHECK(*read(" [ [ 0 , 5 ,\t-2e3 ] ] ") == -2000);
  CHECK(*read("7") == 7);
  CHECK(std::isnan(*read("[]")));
  CHECK(std::isnan(*read("[ ]")));
  CHECK(std::isnan(*read("null")));
  CHECK(std::isnan(*read("[[0,5,null]]")));
  for (const char* bad : {"\"x\"", "true", "{}", "[1]", "[[1,2]]", "[[0,1,2,3]]",
                          "[[0,1,2],[1,2,3]]", "[[0,1,\"2\"]]"}) {
    CHECK(read(bad).fault().code == "type");
  }
  Parsed missing("{}", {"a"});
  CHECK(std::isnan(*read_document_span(missing.json, 0)));
}

TEST_CASE("a model's file name names its score", "[text]") {
  CHECK(score_name("models/wiki.en.lmng") == "wiki_en");
  CHECK(score_name("gpt2/") == "gpt2");
  CHECK(score_name("a-b") == "a_b");
  CHECK(score_name(".hidden") == "_hidden");
}

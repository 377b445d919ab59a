#include "decode/stop.h"

#include "catch.h"
#include "core/random.h"
#include "decode/params.h"

using namespace lm;
using namespace lm::decode;

namespace {

/// A text that grows by pieces.
class Growing {
 public:
  Growing(std::vector<std::string> strings, bool include) : stop_(std::move(strings), include) {}
  bool push(std::string_view piece) {
    text_ += piece;
    const std::optional<TextEnd> end = stop_.end(text_);
    if (!end) return false;
    CHECK(std::string(end->reason) == "stop_string");
    text_.resize(usize(*end->bytes));
    return true;
  }
  const std::string& text() const { return text_; }
  i64 safe() const { return stop_.safe(text_); }

 private:
  StopStrings stop_;
  std::string text_;
};

}  // namespace

TEST_CASE("stop strings are found across pieces and cut the text", "[decode]") {
  Growing a({"end"}, false);
  CHECK_FALSE(a.push("the e"));
  CHECK(a.safe() == 4);  // "e" may become "end"
  CHECK_FALSE(a.push("n"));
  CHECK(a.safe() == 4);
  CHECK(a.push("d of it"));
  CHECK(a.text() == "the ");
  Growing b({"end"}, true);
  CHECK(b.push("the end of it"));
  CHECK(b.text() == "the end");
}

TEST_CASE("of several stop strings the first to begin counts, then the shortest", "[decode]") {
  Growing a({"cd", "bcde", "bc"}, false);
  CHECK(a.push("abcdef"));
  CHECK(a.text() == "a");
  Growing b({"bcde", "bc"}, true);
  CHECK(b.push("abcdef"));
  CHECK(b.text() == "abc");
}

TEST_CASE("byte by byte, what is safe is never taken back", "[decode]") {
  const RandomStream random(9, RandomPurpose::kOther);
  for (u64 trial = 0; trial < 300; ++trial) {
    Growing matcher({"aab", "ba"}, false);
    std::string all;
    std::string shown;
    bool stopped = false;
    for (u64 i = 0; i < 12 && !stopped; ++i) {
      all.push_back("abc"[random.below(trial * 50 + i, 3)]);
      stopped = matcher.push(all.substr(all.size() - 1));
      REQUIRE(matcher.text().substr(0, shown.size()) == shown);
      shown = matcher.text().substr(0, usize(stopped ? isize(matcher.text()) : matcher.safe()));
    }
    const std::size_t expected = std::min(all.find("aab"), all.find("ba"));
    REQUIRE(stopped == (expected != std::string::npos));
    REQUIRE(matcher.text() == all.substr(0, expected));
  }
}

TEST_CASE("loops are repeated n-grams at the end", "[decode]") {
  const std::vector<i32> tokens = {9, 1, 2, 1, 2, 1, 2};
  CHECK(ends_in_loop(tokens, 2, 3));
  CHECK_FALSE(ends_in_loop(tokens, 2, 4));
  CHECK_FALSE(ends_in_loop(tokens, 1, 3));
  CHECK(ends_in_loop(std::vector<i32>{5, 5, 5}, 8, 3));
  CHECK_FALSE(ends_in_loop(std::vector<i32>{5, 5}, 8, 3));
}

TEST_CASE("parameters of a record override and are written back", "[decode]") {
  SampleParams params;
  CHECK_FALSE(apply_params(R"({"temperature":0.5,"top_k":40,"stop":["a","b"],"stop_ids":[1,2],
    "logit_bias":{"7":-1.5,"3":null},"seed":18446744073709551615,"typical_ties":"cut",
    "penalty_scope":"all","sampler_order":"top_k;temperature","include_stop":true})",
                           params));
  CHECK(params.temperature == 0.5);
  CHECK(params.top_k == 40);
  CHECK(params.stop == std::vector<std::string>{"a", "b"});
  CHECK(params.logit_bias[0] == std::pair<i32, f64>(3, -std::numeric_limits<f64>::infinity()));
  CHECK(*params.seed == 18446744073709551615u);
  CHECK(params.typical_cut);
  CHECK(params.penalty_all);
  // What is written can be read again and means the same.
  SampleParams again;
  CHECK_FALSE(apply_params(params_json(params), again));
  CHECK(params_json(again) == params_json(params));
  CHECK_FALSE(apply_params("{\"greedy\":true}", params));
  CHECK(params.temperature == 0);
}

TEST_CASE("bad parameters are faults that name themselves and change nothing", "[decode]") {
  const auto detail = [](const char* json) {
    SampleParams params;
    const std::string before = params_json(params);
    const std::optional<Fault> fault = apply_params(json, params);
    CHECK(params_json(params) == before);
    REQUIRE(fault);
    CHECK(fault->code == "params");
    return fault->detail;
  };
  using Catch::Matchers::ContainsSubstring;
  CHECK_THAT(detail("{\"top_k\":3,\"temprature\":1}"),
             ContainsSubstring("did you mean \"temperature\""));
  CHECK_THAT(detail("{\"temperature\":-1}"), ContainsSubstring("temperature"));
  CHECK_THAT(detail("{\"top_k\":1.5}"), ContainsSubstring("whole number"));
  CHECK_THAT(detail("{\"top_p\":\"x\"}"), ContainsSubstring("a number"));
  CHECK_THAT(detail("{\"stop\":[\"\"]}"), ContainsSubstring("non-empty"));
  CHECK_THAT(detail("{\"stop\":3}"), ContainsSubstring("non-empty"));
  CHECK_THAT(detail("{\"logit_bias\":{\"x\":1}}"), ContainsSubstring("token ids"));
  CHECK_THAT(detail("{\"sampler_order\":\"top_q\"}"), ContainsSubstring("top_k"));
  CHECK_THAT(detail("{\"logit_bias\":{\"7\":1e10}}"), ContainsSubstring("1000000000"));
  CHECK_THAT(detail("{\"seed\":-1}"), ContainsSubstring("from 0"));
  CHECK_THAT(detail("{\"top_k\":3,\"top_k\":4}"), ContainsSubstring("twice"));
  CHECK_THAT(detail("[1]"), ContainsSubstring("not an object"));
  CHECK(parse_bias("5:-inf").value().first == 5);
  CHECK_FALSE(parse_bias("5"));
  CHECK_FALSE(parse_bias("x:1"));
  CHECK_FALSE(parse_bias("5:inf"));
  CHECK_FALSE(parse_bias("5:1e10"));
}

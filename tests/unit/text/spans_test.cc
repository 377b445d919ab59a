// Span lists as JSON, both ways.

#include "text/spans.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "catch.h"
#include "core/random.h"

namespace {

using namespace lm;
using namespace lm::text;

std::string written(f64 score) {
  std::string out;
  append_score(out, score);
  return out;
}

std::optional<Fault> read(std::string_view raw, std::vector<ScoredSpan>& out) {
  return read_spans(raw, out);
}

}  // namespace

TEST_CASE("scores have the five decimals of Python's round", "[text]") {
  CHECK(written(1) == "1");
  CHECK(written(0) == "0");
  CHECK(written(-0.0) == "0");
  CHECK(written(-0.000004) == "0");
  CHECK(written(0.5) == "0.5");
  CHECK(written(1.0 / 3) == "0.33333");
  CHECK(written(2.0 / 3) == "0.66667");
  // By the binary value, not by the digits that stand for it.
  CHECK(written(0.002675) == "0.00267");  // 0.002674999999999999860...
  CHECK(written(1.000005) == "1.00001");  // 1.000005000000000032...
  CHECK(written(0.000015) == "0.00002");  // 0.00001500000000000000038...
  CHECK(written(0.03125) == "0.03125");
  CHECK(written(0.000244140625) == "0.00024");
  CHECK(written(1e15) == "1e+15");
  CHECK(written(123456789.125) == "123456789.125");
  CHECK(written(std::nan("")) == "null");
  CHECK(written(std::numeric_limits<f64>::infinity()) == "null");
}

TEST_CASE("scores are those of the library's exact rounding, on random numbers", "[text]") {
  const auto expected = [](f64 x) {
    char text[400];
    std::string out(text, std::to_chars(text, text + 400, x, std::chars_format::fixed, 5).ptr);
    while (out.back() == '0')
      out.pop_back();
    if (out.back() == '.') out.pop_back();
    return out == "-0" ? std::string("0") : out;
  };
  for (u64 i = 0; i < 200000; ++i) {
    const RandomStream draws(i, RandomPurpose::kOther);
    const f64 part = draws.uniform(0);
    const f64 scale = std::ldexp(1.0, static_cast<int>(draws.below(1, 80)) - 30);
    // Any number, one near a half of the last decimal, a ratio, a multiple of a power of two.
    const f64 numbers[] = {part * scale, (std::floor(part * 1e6) + 0.5) / 1e5,
                           std::floor(part * 1000) / static_cast<f64>(1 + draws.below(2, 1000)),
                           std::floor(part * 4096) / 64 / 2048};
    for (const f64 x : numbers) {
      if (x >= 1e15) continue;
      if (written(x) != expected(x) || written(-x) != expected(-x)) {
        INFO(i);
        CHECK(written(x) == expected(x));
        CHECK(written(-x) == expected(-x));
      }
    }
  }
  for (const f64 x : {5e-6, 4.9999999e-6, 5e-324, 2.2250738585072014e-308, 0.999995, 0.9999949,
                      999999999999999.9, 0.5, 4503599627370495.5 / 16})
    CHECK(written(x) == expected(x));
}

TEST_CASE("a list of spans is read back as it was written", "[text]") {
  const std::vector<ScoredSpan> spans = {{0, 0, 1}, {2, 5, -0.25}, {2, 9, 1e20}};
  std::string out;
  append_spans(out, spans);
  CHECK(out == "[[0,0,1],[2,5,-0.25],[2,9,1e+20]]");
  std::vector<ScoredSpan> back;
  CHECK_FALSE(read(out, back));
  CHECK(back == spans);
  CHECK_FALSE(read(" [ [0 , 3, 1.5e0 ]\t]", back));
  CHECK(back == std::vector<ScoredSpan>{{0, 3, 1.5}});
  for (const char* const empty : {"[]", " [ ] ", "null"}) {
    CHECK_FALSE(read(empty, back));
    CHECK(back.empty());
  }
}

TEST_CASE("a long list of spans is written as its spans are one by one", "[text]") {
  for (u64 seed = 0; seed < 200; ++seed) {
    const RandomStream draws(seed, RandomPurpose::kOther);
    std::vector<ScoredSpan> spans;
    i64 end = 0;
    for (u64 i = 0; i < seed; ++i) {
      // Most begin where the one before ends, some behind it, some lie before it.
      const i64 begin = end + static_cast<i64>(draws.below(4 * i, 3) == 0 ? 0 : seed % 2);
      end = begin + static_cast<i64>(draws.bits(4 * i + 1) >> (draws.below(4 * i + 2, 50) + 14));
      spans.push_back({draws.below(4 * i + 3, 9) == 0 ? 0 : begin, end,
                       i % 5 == 0    ? 1
                       : i % 29 == 7 ? 1e20
                                     : static_cast<f64>(i) / 7});
      if (end > i64{1} << 40) end = 0;
    }
    std::string expected = "[";
    for (const ScoredSpan& span : spans) {
      std::string one;
      append_spans(one, std::span(&span, 1));
      expected += (expected.size() > 1 ? "," : "") + one.substr(1, one.size() - 2);
    }
    std::string out;
    append_spans(out, spans);
    INFO(seed);
    REQUIRE(out == expected + "]");
  }
}

TEST_CASE("what is no list of spans is named", "[text]") {
  std::vector<ScoredSpan> out;
  for (const char* const bad :
       {"", "3", "{}", "true", "\"[[0,1,1]]\"", "[0,1,1]", "[[0,1]]", "[[0,1,1,1]]", "[[0,1,null]]",
        "[[0,1,nan]]", "[[0,1,inf]]", "[[0.5,1,1]]", "[[0,1,1]", "[[0,1,1]]]", "[[0,1,1],]",
        "[[0,1,1]] x", "[[0,99999999999999999999,1]]"}) {
    const std::optional<Fault> fault = read(bad, out);
    INFO(bad);
    REQUIRE(fault);
    CHECK(fault->code == "type");
  }
  for (const char* const bad : {"[[-1,1,1]]", "[[2,1,1]]"}) {
    const std::optional<Fault> fault = read(bad, out);
    REQUIRE(fault);
    CHECK(fault->code == "range");
  }
  CHECK(read("[[0,1,1],[2,1,1]]", out)->detail == "span 1: is [2, 1], expected 0 <= begin <= end");
}

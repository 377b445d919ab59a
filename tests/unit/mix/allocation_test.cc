// Rules are asked about every record of a corpus: after the first record, evaluating allocates
// nothing.

#include "catch.h"
#include "counted_new.h"
#include "mix/expression.h"
#include "unit/mix/record.h"

TEST_CASE("evaluating allocates nothing once buffers have grown", "[mix]") {
  using namespace lm;
  using namespace lm::mix;
  Names names;
  const Expression rule(
      R"(score("a.b") >= 0.5 and covered("x", 0.1) < 0.9 and not (m.s in ["q", "r"]) and )"
      R"(text matches "w.rd" and length(text) > 3 and min(m.n, 2) + max("x") > 0 and m.t == null)",
      Expression::Yields::kTruth, names, "rule");
  test::Record record(names,
                      R"({"text":"a w\u00f6rd of text","m":{"s":"some","n":3},"attributes":{)"
                      R"("a__a__b":[[0,1,0.75]],"x":[[4,6,1],[0,2,0.5]]}})");
  for (int round = 0; round < 3; ++round) {
    const i64 before = test::allocations;
    record.values.open(record.reader);
    const Result<Expression::Outcome> outcome = rule.test(record.values);
    const i64 after = test::allocations;
    REQUIRE(outcome);
    CHECK(outcome->holds);
    if (round > 0) CHECK(after == before);
  }
  if (test::kCounted) CHECK(test::allocations > 0);  // they are counted
}

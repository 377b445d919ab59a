#include "eval/languages.h"

#include <cmath>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"

namespace lm::eval {
namespace {

TEST_CASE("Gini equals half the relative mean difference", "[eval]") {
  const RandomStream random(1, RandomPurpose::kOther);
  u64 draw = 0;
  for (int round = 0; round < 50; ++round) {
    std::vector<f64> values;
    const u64 n = 1 + random.below(draw++, 9);
    for (u64 i = 0; i < n; ++i)
      values.push_back(static_cast<f64>(random.below(draw++, 4)) + 0.5);
    f64 differences = 0;
    f64 sum = 0;
    for (const f64 a : values) {
      sum += a;
      for (const f64 b : values)
        differences += std::fabs(a - b);
    }
    const f64 size = static_cast<f64>(n);
    CHECK(gini(values) == Approx(differences / (2 * size * sum)).margin(1e-14));
  }
  CHECK(gini(std::vector<f64>{3, 3, 3}) == Approx(0).margin(1e-15));
  CHECK(std::isnan(gini({})));
}

TEST_CASE("values, gaps and means by language are quotients of sums", "[eval]") {
  RatioTable table;
  table.add("eng", "1", {10, 5});
  table.add("deu", "1", {12, 4});
  table.add("eng", "2", {20, 5});
  table.add("deu", "2", {6, 2});
  table.add("fra", "9", {8, 1});
  RatioOptions options;
  options.scale = 2;
  options.pivot = "eng";
  options.weights = {{"eng", 3}, {"deu", 1}};
  const RatioSummary s = table.summary(options);
  REQUIRE(s.rows.size() == 3);
  CHECK(s.rows[0].language == "deu");
  CHECK(s.rows[0].n == 2);
  CHECK(s.rows[0].value.value == Approx(2 * 18.0 / 6));
  CHECK(s.rows[1].value.value == Approx(2 * 30.0 / 10));
  CHECK(s.rows[0].gap.value == Approx(0).margin(1e-12));
  CHECK(s.rows[1].gap.low == 0);
  CHECK(s.rows[1].gap.high == 0);
  CHECK(s.mean.value == Approx((6 + 6 + 16) / 3.0));
  CHECK(s.weighted.value == Approx(6));
  CHECK(s.worst.value == Approx(16));
  CHECK(s.worst_language == "fra");
  options.higher_is_better = true;
  CHECK(table.summary(options).worst.value == Approx(6));
  options.pivot = "ita";
  CHECK_THROWS_WITH(table.summary(options), "no record has the pivot's language \"ita\"");
}

TEST_CASE("languages with the same items have paired differences", "[eval]") {
  RatioTable table;
  const RandomStream random(4, RandomPurpose::kOther);
  for (u64 i = 0; i < 40; ++i) {
    const f64 x = static_cast<f64>(1 + random.below(i, 100));
    table.add("a", std::to_string(i), {x, 1});
    table.add("b", std::to_string(i), {x + 1, 1});
  }
  RatioOptions options;
  options.pivot = "a";
  const RatioSummary s = table.summary(options);
  CHECK(s.rows[1].gap.value == Approx(-1));
  CHECK(s.rows[1].gap.low == Approx(-1));
  CHECK(s.rows[1].gap.high == Approx(-1));
  CHECK(s.rows[1].value.high - s.rows[1].value.low > 5);
}

TEST_CASE("words, characters and scripts without blanks are counted", "[eval]") {
  const TextUnits english = count_units(" two words ");
  CHECK(english.words == 2);
  CHECK(english.characters == 8);
  CHECK(english.unspaced == 0);
  const TextUnits chinese = count_units("\xe4\xbd\xa0\xe5\xa5\xbd\xe3\x80\x82 A");
  CHECK(chinese.characters == 4);
  CHECK(chinese.letters == 3);
  CHECK(chinese.unspaced == 2);
  CHECK(count_units("\xe0\xb8\xaa\xe0\xb8\xa7").unspaced == 2);  // Thai
  CHECK(count_units("").words == 0);
}

TEST_CASE("agreement is over the questions that both languages answer", "[eval]") {
  AnswerTable table;
  for (const char* id : {"1", "2", "3"}) {
    table.add("a", id, "x");
    table.add("b", id, id[0] == '3' ? "y" : "x");
  }
  table.add("c", "1", "x");
  const std::vector<AnswerTable::Pair> pairs = table.pairs();
  REQUIRE(pairs.size() == 3);
  CHECK(pairs[0].agreement == Approx(2.0 / 3));
  CHECK(pairs[1].n == 1);
  CHECK(pairs[1].agreement == 1);
  CHECK(AnswerTable().pairs().empty());
}

TEST_CASE("rank consistency weighs the tops of both rankings", "[eval]") {
  CHECK(rank_consistency(std::vector<f64>{3, 2, 1}, std::vector<f64>{9, 8, 7}) == Approx(1));
  // Rankings 0,1 and 1,0: tops share 0 of 1, then 2 of 2; weights e^1 : e^0.
  CHECK(rank_consistency(std::vector<f64>{2, 1}, std::vector<f64>{1, 2}) ==
        Approx(1 / (1 + std::exp(1.0))));
  CHECK(rank_consistency(std::vector<f64>{1}, std::vector<f64>{5}) == 1);
}

}  // namespace
}  // namespace lm::eval

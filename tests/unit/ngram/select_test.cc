#include "ngram/select.h"

#include <cmath>
#include <limits>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"

using namespace lm;
using namespace lm::ngram;

namespace {

const f64 kNan = std::numeric_limits<f64>::quiet_NaN();
const f64 kInf = std::numeric_limits<f64>::infinity();

std::string kept(const SelectRules& rules, const std::vector<f64>& scores,
                 const std::vector<u32>& groups = {}) {
  LocalContext ctx(1);
  Selection selection(ctx, rules);
  for (std::size_t i = 0; i < scores.size(); ++i)
    selection.add(scores[i], groups.empty() ? 0 : groups[i]);
  selection.finish();
  std::string out;
  i64 count = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool keep = selection.next().keep;
    out.push_back(keep ? 'k' : '.');
    count += keep ? 1 : 0;
  }
  CHECK(count == selection.kept());
  return out;
}

}  // namespace

TEST_CASE("kept fractions are exact under ties and rank the unscored last", "[ngram]") {
  const std::vector<f64> scores{3, 1, kNan, 1, 2, 1, kInf, 5, 2, 1};
  // Ascending: places 1 3 5 9 (score 1), 4 8 (2), 0 (3), 7 (5), then 2 and 6 unscored.
  CHECK(kept({.keep_lowest = 0.3}, scores) == ".k.k.k....");
  CHECK(kept({.keep_lowest = 0.5}, scores) == ".k.kkk...k");
  CHECK(kept({.keep_lowest = 0.9}, scores) == "kkkkkk.kkk");
  CHECK(kept({.keep_lowest = 1.0}, scores) == "kkkkkkkkkk");
  CHECK(kept({.keep_lowest = 0.0}, scores) == "..........");
  // Descending: 7, 0, 4, 8, 1, 3, 5, 9: ties still by place.
  CHECK(kept({.keep_highest = 0.3}, scores) == "k...k..k..");
  CHECK(kept({.keep_highest = 0.6}, scores) == "kk.kk..kk.");
  CHECK(kept({.min = 2, .max = 3}, scores) == "k...k...k.");
  CHECK(kept({.max = 2, .keep_highest = 0.6}, scores) == ".k.kk...k.");
  CHECK(kept({}, scores) == "kkkkkkkkkk");
}

TEST_CASE("a fraction that is whole but for rounding keeps the whole number", "[ngram]") {
  std::vector<f64> scores(100);
  for (std::size_t i = 0; i < 100; ++i)
    scores[i] = static_cast<f64>(i);
  const std::string marks = kept({.keep_lowest = 0.29}, scores);  // 0.29 * 100 < 29 in doubles
  CHECK(std::count(marks.begin(), marks.end(), 'k') == 29);
}

TEST_CASE("groups are ranked apart", "[ngram]") {
  CHECK(kept({.keep_lowest = 0.5}, {4, 3, 2, 1}, {7, 7, 0, 0}) == ".k.k");
}

TEST_CASE("percentiles are scores that occur", "[ngram]") {
  // 11 scores 0..10: percentile q has index floor(q / 10).
  std::vector<f64> scores{10, 0, 5, 1, 9, 2, 8, 3, 7, 4, 6};
  CHECK(kept({.percentile_low = 10, .percentile_high = 90}, scores) == "..kkkkkkkkk");
  CHECK(percentile_index(50, 11) == 5);
  CHECK(percentile_index(99, 11) == 9);
  CHECK(percentile_index(100, 1) == 0);
  CHECK(kept({.percentile_low = 0}, {kNan, 1}) == ".k");
  CHECK(kept({.percentile_low = 0}, {kNan}) == ".");
}

TEST_CASE("buckets cut at percentiles and tables of cut-offs round trip", "[ngram]") {
  LocalContext ctx(1);
  SelectRules rules;
  rules.buckets = parse_buckets("head:30,middle:60,tail:100");
  Selection selection(ctx, rules);
  std::string want;
  // 101 scores in a shuffled order (37 is prime to 101): cut 30 is the score 30, cut 60 is 60.
  for (i64 i = 0; i < 101; ++i) {
    const i64 score = i * 37 % 101;
    selection.add(static_cast<f64>(score), 0);
    want.push_back(score < 30 ? '0' : score < 60 ? '1' : '2');
  }
  selection.add(kNan, 0);
  selection.finish();
  std::string got;
  for (i64 i = 0; i < 101; ++i) {
    const Selection::Verdict verdict = selection.next();
    CHECK(verdict.keep);
    got.push_back(static_cast<char>('0' + verdict.bucket));
  }
  CHECK(got == want);
  CHECK(selection.next().bucket == -1);
  CHECK(selection.groups().at(0).unscored == 1);
  const std::string csv = cutoffs_csv(selection.groups(), {"en", "empty"});
  const auto table = parse_cutoffs(csv, "cut.csv");
  CHECK(table.at("en") == selection.groups().at(0).percentiles);
  CHECK(std::isnan(table.at("empty")[50]));
  CHECK(bucket_of(29.5, {30, 60}) == 0);
  CHECK(bucket_of(30, {30, 60}) == 1);
  CHECK(bucket_of(60, {30, 60}) == 2);
}

TEST_CASE("selection does not depend on the budget", "[ngram]") {
  const RandomStream draw(1, RandomPurpose::kOther);
  std::vector<Selection::Verdict> first;
  for (const i64 memory : {i64{1} << 30, i64{1} << 12}) {
    LocalContext ctx(1, memory);
    Selection selection(ctx, {.keep_lowest = 0.4, .percentile_high = 70});
    for (u64 i = 0; i < 60000; ++i)
      selection.add(static_cast<f64>(draw.below(i, 500)), static_cast<u32>(i % 3));
    selection.finish();
    for (u64 i = 0; i < 60000; ++i) {
      const Selection::Verdict verdict = selection.next();
      if (memory > i64{1} << 20) first.push_back(verdict);
      REQUIRE(verdict.keep == first[i].keep);
    }
    CHECK(selection.kept() == 24000);
  }
}

TEST_CASE("impossible rules and damaged tables are refused", "[ngram]") {
  CHECK_THROWS_AS(check_rules({.keep_lowest = 1.5}), Error);
  CHECK_THROWS_AS(check_rules({.keep_highest = kNan}), Error);
  CHECK_THROWS_AS(check_rules({.percentile_low = 60, .percentile_high = 40}), Error);
  CHECK_THROWS_AS(check_rules({.min = 2, .max = 1}), Error);
  for (const char* text : {"", "a", "a:30", "a:60,b:30,c:100", "a:x,b:100", ":100", "a:0,b:100"}) {
    CHECK_THROWS_AS(parse_buckets(text), Error);
  }
  for (const char* text : {"", "p\n", "p,en\n101,5\n", "p,en\n1\n", "p,en\n1,x\n", "p,en,en\n"}) {
    CHECK_THROWS_AS(parse_cutoffs(text, "cut.csv"), Error);
  }
}

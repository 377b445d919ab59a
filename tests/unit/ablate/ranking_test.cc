#include "ablate/ranking.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "catch.h"
#include "tests_of_ablate.h"

using namespace lm;
using ablate::ScoreKind;
using Names = std::vector<std::string>;

namespace {

void add(ablate::Scores& scores, ScoreKind kind, const Names& set, f64 nll,
         const std::string& eval = "e", i64 tokens = 100) {
  const i64 trained = kind == ScoreKind::kMerged ? 0 : 1000 * isize(set);
  scores.add({kind, set, eval, nll, tokens, trained, kind == ScoreKind::kMerged ? 8 : 0});
}

// Three units; the mean foretells the order of what is trained, the baseline does not.
ablate::Scores three_units() {
  ablate::Scores scores;
  add(scores, ScoreKind::kSingle, {"a"}, 3.0);
  add(scores, ScoreKind::kSingle, {"b"}, 3.2);
  add(scores, ScoreKind::kSingle, {"c"}, 3.4);
  add(scores, ScoreKind::kMerged, {"a", "b"}, 2.9);
  add(scores, ScoreKind::kMerged, {"a", "c"}, 2.7);
  add(scores, ScoreKind::kMerged, {"b", "c"}, 2.8);
  add(scores, ScoreKind::kTrained, {"a", "b"}, 2.5);
  add(scores, ScoreKind::kTrained, {"a", "c"}, 2.1);
  add(scores, ScoreKind::kTrained, {"b", "c"}, 2.2);
  return scores;
}

}  // namespace

TEST_CASE("sets are ranked by merged loss, with the members' own mean beside it", "[ablate]") {
  const ablate::Ranking ranking = three_units().rank(false);
  const std::vector<ablate::RankedSet>& sets = ranking.overall.sets;
  REQUIRE(sets.size() == 3);
  CHECK(sets[0].set == Names{"a", "c"});
  CHECK(sets[0].merged_rank == 1);
  CHECK(sets[0].baseline_rank == 2);  // (3.0 + 3.4) / 2, behind a + b
  CHECK(sets[0].trained_rank == 1.0);
  CHECK(sets[2].set == Names{"a", "b"});
  CHECK(sets[2].baseline_rank == 1);
  CHECK(ranking.sizes == std::vector<i64>{2});
  CHECK(ranking.overall.truths == 3);
  const ablate::Agreement& merged = ranking.overall.merged;
  CHECK(merged.spearman == Approx(1));
  CHECK(merged.regret_nats == 0);
  CHECK(merged.best_found);
  // By hand: merged - 2.8 = (.1, -.1, 0), trained - 2.2667 = (.2333, -.1667, -.0667):
  // .04 / sqrt(.02 x .086667) = .960769
  CHECK(merged.pearson == Approx(0.960769).epsilon(1e-6));
  // By hand: baseline - 3.2 = (-.1, 0, .1): (-.0233 - .00667) / sqrt(.02 x .086667) = -.720577
  CHECK(ranking.overall.baseline.pearson == Approx(-0.720577).epsilon(1e-6));
  CHECK(ranking.overall.baseline.spearman == Approx(-0.5));
  CHECK(ranking.overall.baseline.regret_nats == Approx(0.4));
  CHECK(!ranking.overall.baseline.best_found);
  CHECK(ranking.cost.modular_tokens == 3000);
  CHECK(ranking.cost.direct_tokens == 6000);
  CHECK(ranking.cost.merge_bytes == 24);
  CHECK(ranking.cost.eval_tokens == 600);
}

TEST_CASE("the mean over held-out sets is of losses, and each has its own order", "[ablate]") {
  ablate::Scores scores = three_units();
  for (const Names& one : {Names{"a"}, {"b"}, {"c"}})
    add(scores, ScoreKind::kSingle, one, 1, "f", 50);
  add(scores, ScoreKind::kMerged, {"a", "b"}, 0.5, "f", 50);
  add(scores, ScoreKind::kMerged, {"a", "c"}, 0.9, "f", 50);
  add(scores, ScoreKind::kMerged, {"b", "c"}, 0.9, "f", 50);
  for (const Names& one : {Names{"a", "b"}, {"a", "c"}, {"b", "c"}})
    add(scores, ScoreKind::kTrained, one, one[0] == "b" ? 2.1 : 2.0, "f", 50);
  const ablate::Ranking ranking = scores.rank(false);
  REQUIRE(ranking.by_eval.size() == 2);
  CHECK(ranking.by_eval[1].eval == "f");
  CHECK(ranking.by_eval[1].sets[0].set == Names{"a", "b"});
  CHECK(ranking.by_eval[1].sets[1].merged_rank == 2.5);
  CHECK(ranking.by_eval[1].sets[1].baseline_rank == 2);   // all equal
  CHECK(ranking.overall.sets[0].set == Names{"a", "b"});  // 1.7, before 1.8 and 1.85
  CHECK(ranking.overall.tokens == 150);
  CHECK(std::isnan(ranking.mean_baseline.pearson));  // undefined on f
  CHECK(ranking.mean_merged.regret_nats == 0);
}

TEST_CASE("sets of different size are refused unless that is asked for", "[ablate]") {
  ablate::Scores scores = three_units();
  add(scores, ScoreKind::kMerged, {"a", "b", "c"}, 2.6);
  CHECK(test::refusal_of([&] {
          scores.rank(false);
        }).starts_with("sets of 2 and 3 units: losses of means of different size do not compare"));
  const ablate::Ranking ranking = scores.rank(true);
  CHECK(ranking.sizes == std::vector<i64>{2, 3});
  // The line over the size goes through 2.8 at 2 and 2.6 at 3: .1 is left of the pair that lies
  // above it.
  CHECK(ranking.overall.sets[0].set == Names{"a", "c"});
  CHECK(ranking.overall.sets[3].set == Names{"a", "b"});
}

TEST_CASE("a line over the size leaves what the size does not explain", "[ablate]") {
  const std::vector<f64> left = ablate::without_size({5, 7, 9, 12}, {1, 2, 3, 4});
  // slope 2.3, means 8.25 at 2.5
  CHECK(left[0] == Approx(0.2));
  CHECK(left[3] == Approx(0.3));
  CHECK(ablate::without_size({1, 2}, {2, 2}) == std::vector<f64>{1, 2});
}

TEST_CASE("scores that do not belong together are refused", "[ablate]") {
  ablate::Scores scores = three_units();
  CHECK(test::refusal_of([&] {
          add(scores, ScoreKind::kMerged, {"a", "b"}, 1);
        }) == "merged \"a+b\" on \"e\": stands there twice ()");
  CHECK(test::refusal_of([&] {
          add(scores, ScoreKind::kMerged, {"a", "d"}, 1, "e", 99);
        }) ==
        "merged \"a+d\" on \"e\": 99 tokens, but 100 of another model: other texts or another "
        "tokenizer ()");
  add(scores, ScoreKind::kMerged, {"a", "d"}, 2.5);
  CHECK(test::refusal_of([&] { scores.rank(false); }) == "no single score of \"d\" on \"e\" ()");
  add(scores, ScoreKind::kSingle, {"d"}, 2.5);
  add(scores, ScoreKind::kSingle, {"a"}, 2.5, "g");
  CHECK(test::refusal_of([&] { scores.rank(false); }) == "no merged score of \"a+b\" on \"g\" ()");
  const ablate::Scores none;
  CHECK(test::refusal_of([&] { none.rank(false); }).starts_with("no score of a merged model"));
}

TEST_CASE("a report has ranks and agreements, never a merged loss", "[ablate]") {
  const ablate::Ranking ranking = three_units().rank(false);
  const nlohmann::json json = nlohmann::json::parse(ablate::ranking_json(ranking, true));
  CHECK(json["overall"]["sets"][0]["rank"] == 1);
  CHECK(json["overall"]["truth"]["merged"]["best_found"] == true);
  CHECK(json["cost"]["direct_tokens"] == 6000);
  const std::string text = ablate::ranking_text(ranking, false, 2);
  CHECK(text.find("... 1 more") != std::string::npos);
  CHECK(text.find("baseline") != std::string::npos);
  for (const std::string& one : {ablate::ranking_json(ranking, true), text}) {
    CHECK(one.find("2.7") == std::string::npos);
    CHECK(one.find("2.9") == std::string::npos);
  }
}

#include "decode/draft_budget.h"

#include <bit>
#include <cmath>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"

using namespace lm;
using namespace lm::decode;

TEST_CASE("the cost of a pass is a line between measured counts of rows", "[decode]") {
  const std::vector<f64> known = {1, 1.5, 2, 1.9};  // 1, 2, 4, 8 rows; never falling
  RowCost cost(known);
  CHECK(cost.seconds(1) == Approx(1));
  CHECK(cost.seconds(2) == Approx(1.5));
  CHECK(cost.seconds(3) == Approx(1.75));
  CHECK(cost.seconds(8) == Approx(2));
  CHECK(cost.seconds(12) == Approx(3));  // beyond, a row costs its share
  CHECK(cost.seconds(16) == Approx(4));
  CHECK(cost.seconds(2048) == Approx(2 * cost.seconds(1024)));
  for (i64 rows = 1; rows < 3000; ++rows)
    REQUIRE(cost.seconds(rows) <= cost.seconds(rows + 1));
  for (int i = 0; i < 200; ++i)
    cost.learn(3, 3.5);
  CHECK(cost.seconds(3) == Approx(3.5).epsilon(0.02));
  for (i64 rows = 1; rows < 3000; ++rows)
    REQUIRE(cost.seconds(rows) <= cost.seconds(rows + 1));
  for (int i = 0; i < 200; ++i)
    cost.learn(1, 0.25);
  CHECK(cost.seconds(1) == Approx(0.25).epsilon(0.02));
  cost.learn(1, 1e9);  // a machine that slept
  CHECK(cost.seconds(1) < 0.3);
  CHECK_THROWS_AS(RowCost({}), Error);
}

TEST_CASE("the guesses that are left make the most tokens a second of all choices", "[decode]") {
  const RandomStream random(5, RandomPurpose::kOther);
  u64 draw = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<f64> seconds = {1};
    for (int i = 0; i < 4; ++i)
      seconds.push_back(seconds.back() * (1 + random.uniform(draw++)));
    const RowCost cost(seconds);
    std::vector<DraftTree> trees(1 + random.below(draw++, 3));
    std::vector<f64> factors;
    for (DraftTree& tree : trees) {
      factors.push_back(0.3 + random.uniform(draw++));
      for (u64 i = 0, n = random.below(draw++, 5); i < n; ++i) {
        DraftNode node;
        node.token = static_cast<i32>(i);
        node.parent = static_cast<i32>(random.below(draw++, i + 1)) - 1;
        const f32 above = node.parent < 0 ? 1 : tree[usize(node.parent)].chance;
        node.chance = above * static_cast<f32>(random.uniform(draw++));
        tree.push_back(node);
      }
    }
    const i64 sequences = isize(trees);
    const i64 rows = sequences + static_cast<i64>(random.below(draw++, 3));
    const i64 most = static_cast<i64>(random.below(draw++, 9));
    // Every set of nodes, by brute force.
    std::vector<f64> chances;
    for (std::size_t t = 0; t < trees.size(); ++t)
      for (const DraftNode& node : trees[t])
        chances.push_back(std::min(1.0, factors[t] * static_cast<f64>(node.chance)));
    f64 best = 0;
    for (u64 set = 0; set < u64{1} << chances.size(); ++set) {
      const i64 count = std::popcount(set);
      if (count > most) continue;
      f64 tokens = static_cast<f64>(sequences);
      for (std::size_t i = 0; i < chances.size(); ++i)
        if ((set >> i & 1) != 0) tokens += chances[i];
      best = std::max(best, tokens / cost.seconds(rows + count));
    }
    std::vector<DraftTree> kept = trees;
    std::vector<DraftBid> bids;
    for (std::size_t t = 0; t < trees.size(); ++t)
      bids.push_back({&kept[t], factors[t]});
    const i64 left = choose_guesses(bids, sequences, rows, most, cost);
    f64 tokens = static_cast<f64>(sequences);
    i64 nodes = 0;
    for (std::size_t t = 0; t < kept.size(); ++t) {
      nodes += isize(kept[t]);
      for (i64 i = 0; i < isize(kept[t]); ++i) {
        const DraftNode& node = kept[t][usize(i)];
        tokens += std::min(1.0, factors[t] * static_cast<f64>(node.chance));
        // It is a tree still, and the node hangs where it hung: tokens name nodes here.
        REQUIRE(node.parent < i);
        const DraftNode& old = trees[t][usize(node.token)];
        REQUIRE((old.parent < 0) == (node.parent < 0));
        if (node.parent >= 0) REQUIRE(kept[t][usize(node.parent)].token == old.parent);
      }
    }
    REQUIRE(nodes == left);
    REQUIRE(left <= most);
    REQUIRE(tokens / cost.seconds(rows + left) == Approx(best).epsilon(1e-12));
  }
}

TEST_CASE("guesses pause while they are not worth their rows", "[decode]") {
  DraftPace pace;
  CHECK(pace.ready());
  CHECK(pace.factor() == 1);
  for (int i = 0; i < 50; ++i)
    pace.learn(4, 0);
  CHECK(pace.factor() == Approx(0.05));
  CHECK(pace.ready());
  for (const i64 pause : {0, 1, 3, 7, 15, 31, 63, 63}) {
    pace.skip();
    for (i64 i = 0; i < pause; ++i)
      REQUIRE(!pace.ready());
    REQUIRE(pace.ready());
  }
  for (int i = 0; i < 100; ++i)
    pace.skip();
  CHECK(pace.factor() > 0.9);  // forgotten
  while (!pace.ready()) {
  }
  for (int i = 0; i < 50; ++i)
    pace.learn(2, 3);
  CHECK(pace.factor() == Approx(1.5).epsilon(0.03));
  pace.skip();
  CHECK(pace.ready());  // the pauses begin anew
}

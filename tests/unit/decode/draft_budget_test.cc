#include "decode/draft_budget.h"

#include <bit>
#include <cmath>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"

using namespace lm;
using namespace lm::decode;

namespace {

/// As an engine pads: exact up to 4 rows, then by four.
i64 padded(i64 rows) {
  return rows <= 4 ? rows : (rows + 3) / 4 * 4;
}

/// Costs as given by rows, seen often.
RowCost shown(const std::vector<std::pair<i64, f64>>& passes) {
  RowCost out(padded);
  for (const auto& [rows, seconds] : passes)
    for (int i = 0; i < 2; ++i)
      out.learn(rows, seconds);
  return out;
}

}  // namespace

TEST_CASE("the cost of a pass is what passes of its size took, and a line between them",
          "[decode]") {
  RowCost cost(padded);
  CHECK(!cost.known());
  CHECK(cost.seconds(11) == Approx(2.1));  // of 12 rows, in units of a row's
  cost.learn(1, 50);                       // makes the graph
  CHECK(!cost.known());
  cost.learn(1, 2);
  CHECK(cost.known());
  CHECK(cost.known(1));
  CHECK(!cost.known(2));
  CHECK(cost.seconds(1) == Approx(2));
  CHECK(cost.seconds(2) == Approx(2.2));  // a tenth more with each row
  CHECK(cost.seconds(6) == Approx(2 * 1.7));
  for (const f64 seconds : {9.0, 5.0})
    cost.learn(7, seconds);  // is a pass of 8
  CHECK(cost.seconds(5) == Approx(5));
  CHECK(cost.seconds(8) == Approx(5));
  CHECK(cost.seconds(3) == Approx(2 + 3.0 * 2 / 7));
  CHECK(cost.seconds(16) == Approx(5 * 2.5 / 1.7));
  CHECK(cost.seconds(2000) == Approx(5 * 200.9 / 1.7));
  for (int i = 0; i < 200; ++i)
    cost.learn(8, 3.5);
  CHECK(cost.seconds(8) == Approx(3.5).epsilon(0.02));
  cost.learn(8, 1e9);  // a machine that slept
  CHECK(cost.seconds(8) < 3.7);
  RowCost held_up(padded);
  for (const f64 seconds : {1.0, 100.0})
    held_up.learn(2, seconds);  // the one that counts, of all
  CHECK(held_up.seconds(2) == Approx(100));
  for (int i = 0; i < 2; ++i)
    held_up.learn(4, 3);
  CHECK(held_up.seconds(2) == Approx(3));  // a larger pass was faster
  for (int i = 0; i < 20; ++i)
    held_up.learn(2, 1.5);
  CHECK(held_up.seconds(2) == Approx(1.5).epsilon(0.01));
  RowCost above(padded);
  for (int i = 0; i < 2; ++i)
    above.learn(12, 4.2);
  CHECK(above.seconds(1) == Approx(2));
  CHECK_THROWS_AS(above.seconds(0), Error);
}

TEST_CASE("the guesses that are left make the most tokens a second of all choices", "[decode]") {
  const RandomStream random(5, RandomPurpose::kOther);
  u64 draw = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::pair<i64, f64>> passes = {{1, 1}};
    for (const i64 rows : {2, 3, 4, 8, 12, 16})
      passes.emplace_back(rows, passes.back().second * (1 + random.uniform(draw++) / 2));
    const RowCost cost = shown(passes);
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

TEST_CASE("guesses pause while they lose time", "[decode]") {
  DraftPace pace;
  CHECK(pace.ready());
  CHECK(pace.factor() == 1);
  for (int i = 0; i < 50; ++i)
    pace.learn(4, 0);
  CHECK(pace.factor() == Approx(0.05));
  CHECK(pace.ready());
  const auto waits = [](DraftPace& of) {
    i64 out = 0;
    while (!of.ready())
      ++out;
    return out;
  };
  for (const i64 pause : {0, 1, 3, 7, 15, 31, 63, 127, 127}) {
    pace.settle(-1);
    CHECK(waits(pace) == pause);
  }
  CHECK(pace.factor() > 0.2);  // forgotten, so that guesses are tried
  // A sequence that begins knows of it, and tries sooner.
  DraftPace next = pace.successor();
  CHECK(next.factor() >= pace.factor());
  CHECK(waits(next) == 7);
  pace.settle(100);
  CHECK(waits(pace) == 0);
  pace.settle(-1);  // a loss after a gain is none yet
  CHECK(waits(pace) == 0);
  for (int i = 0; i < 200; ++i)
    pace.settle(-1);
  CHECK(waits(pace) == 127);
  for (int i = 0; i < 50; ++i)
    pace.learn(2, 3);
  CHECK(pace.factor() == Approx(1.5).epsilon(0.05));
}

TEST_CASE("guesses lose a hundredth of a run's time at most", "[decode]") {
  DraftAccount account;
  CHECK(account.allows(0));
  account.settle(-1);
  CHECK(!account.allows(99));
  CHECK(account.allows(101));
  account.settle(3);
  CHECK(account.allows(0));
}

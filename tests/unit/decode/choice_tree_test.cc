#include "decode/choice_tree.h"

#include <cmath>
#include <set>

#include "catch.h"
#include "core/draws.h"

using namespace lm;
using namespace lm::decode;

namespace {

const std::vector<std::vector<i32>> kFour = {{5, 6, 7}, {5, 6}, {5, 8}, {9}};

std::vector<f32> logits_of(Draws& draws, i64 vocab) {
  std::vector<f32> out;
  for (i64 i = 0; i < vocab; ++i)
    out.push_back(static_cast<f32>(4 * draws.uniform()));
  return out;
}

}  // namespace

TEST_CASE("Alternatives share their beginnings, and have the product of their tokens'",
          "[decode]") {
  ChoiceTree tree(kFour);
  REQUIRE(tree.alternatives() == 4);
  CHECK(tree.path(0) == std::vector<i32>{0, 1, 2});
  CHECK(tree.path(1) == std::vector<i32>{0, 1});
  CHECK(tree.path(2) == std::vector<i32>{0, 3});
  CHECK(tree.path(3) == std::vector<i32>{4});
  // p(5) = 1/2, p(9) = 1/4; behind 5: p(6) = 1/4, p(8) = 1/2; behind 5 6: p(7) = 1/8.
  const auto row = [](std::vector<std::pair<i32, f64>> of) {
    std::vector<f32> out(10, -INFINITY);
    f64 rest = 1;
    for (const auto& [token, p] : of) {
      out[static_cast<std::size_t>(token)] = static_cast<f32>(std::log(p)) + 3;
      rest -= p;
    }
    out[0] = static_cast<f32>(std::log(rest)) + 3;
    return out;
  };
  CHECK(tree.score(-1, row({{5, 0.5}, {9, 0.25}})));
  CHECK(tree.score(0, row({{6, 0.25}, {8, 0.5}})));
  CHECK(tree.score(1, row({{7, 0.125}})));
  CHECK(std::exp(tree.weight(0)) == Approx(1.0 / 64));
  CHECK(std::exp(tree.weight(1)) == Approx(1.0 / 8));
  CHECK(std::exp(tree.weight(2)) == Approx(1.0 / 4));
  CHECK(std::exp(tree.weight(3)) == Approx(1.0 / 4));
  std::vector<f32> bad(10, 0);
  bad[3] = NAN;
  CHECK_FALSE(tree.score(0, bad));
}

TEST_CASE("Every inner node is read, within the rows of a pass, with all that is before it",
          "[decode]") {
  for (i64 number = 0; number < 200; ++number) {
    Draws draws(3, "tree", number);
    std::set<std::vector<i32>> all;
    for (i64 i = 1 + draws.below(20); i > 0; --i) {
      std::vector<i32> tokens;
      for (i64 k = 1 + draws.below(number % 5 == 0 ? 100 : 9); k > 0; --k)
        tokens.push_back(static_cast<i32>(draws.below(3)));
      all.insert(tokens);
    }
    const std::vector<std::vector<i32>> alternatives(all.begin(), all.end());
    ChoiceTree tree(alternatives);
    std::set<i32> inner, read;
    for (i64 i = 0; i < tree.alternatives(); ++i) {
      const std::vector<i32> path = tree.path(i);
      REQUIRE(path.size() == alternatives[usize(i)].size());
      for (std::size_t k = 0; k < path.size(); ++k) {
        CHECK(tree.node(path[k]).token == alternatives[usize(i)][k]);
        CHECK(tree.node(path[k]).depth == static_cast<i32>(k) + 1);
        if (k + 1 < path.size()) inner.insert(path[k]);
      }
    }
    const bool chain = number % 3 == 0;
    const i64 most = 1 + draws.below(64);
    for (;;) {
      const std::vector<i32> rows = tree.next_read(most, chain);
      if (rows.empty()) break;
      CHECK((isize(rows) <= most || is_chain(tree, rows)));
      if (chain) CHECK(is_chain(tree, rows));
      for (i64 j = 0; j < isize(rows); ++j) {
        read.insert(rows[usize(j)]);
        if (is_chain(tree, rows)) continue;
        u64 want = 0;
        for (i32 up = tree.node(rows[usize(j)]).parent; up >= 0; up = tree.node(up).parent) {
          const auto at = std::find(rows.begin(), rows.end(), up);
          REQUIRE(at != rows.end());
          want |= u64{1} << (at - rows.begin());
        }
        CHECK(ancestors_of(tree, rows, j) == want);
      }
    }
    CHECK(tree.all_read());
    CHECK(read == inner);
  }
}

TEST_CASE("Probabilities of all texts of one length sum to one", "[decode]") {
  // All texts of three of four tokens: what is left out is nothing.
  std::vector<std::vector<i32>> all;
  for (i32 i = 0; i < 64; ++i)
    all.push_back({i / 16, i / 4 % 4, i % 4});
  ChoiceTree tree(all);
  Draws draws(4, "sum", 0);
  CHECK(tree.score(-1, logits_of(draws, 4)));
  for (const i32 node : tree.next_read(64, false))
    CHECK(tree.score(node, logits_of(draws, 4)));
  f64 sum = 0;
  for (i64 i = 0; i < tree.alternatives(); ++i)
    sum += std::exp(tree.weight(i));
  CHECK(sum == Approx(1).epsilon(1e-9));
}

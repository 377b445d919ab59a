#include "ablate/split.h"

#include <numeric>

#include "catch.h"
#include "core/random.h"
#include "core/str.h"

using namespace lm;

TEST_CASE("units have equal token counts but for a document at their ends", "[ablate]") {
  const RandomStream random(1, RandomPurpose::kOther);
  for (u64 round = 0; round < 30; ++round) {
    std::vector<i64> lengths;
    for (u64 i = 0; i < 200; ++i)
      lengths.push_back(static_cast<i64>(random.below(1000 * round + i, 50)));
    const i64 total = std::accumulate(lengths.begin(), lengths.end(), i64{0});
    const i64 unit_tokens = 100 + static_cast<i64>(round) * 70;
    const std::vector<i32> units = ablate::cut_into_units(lengths, unit_tokens);
    REQUIRE(units.size() == lengths.size());
    const i32 count = units.back() + 1;
    CHECK(count == std::max<i64>(1, (2 * total + unit_tokens) / (2 * unit_tokens)));
    std::vector<i64> tokens(static_cast<std::size_t>(count), 0);
    for (std::size_t i = 0; i < units.size(); ++i) {
      CHECK((i == 0 || units[i] == units[i - 1] || units[i] == units[i - 1] + 1));
      tokens[static_cast<std::size_t>(units[i])] += lengths[i];
    }
    for (const i64 one : tokens)
      CHECK(std::abs(one - total / count) <= 50);
  }
}

TEST_CASE("without a target a key is one unit", "[ablate]") {
  CHECK(ablate::cut_into_units(std::vector<i64>{5, 5, 5}, 0) == std::vector<i32>{0, 0, 0});
  CHECK(ablate::cut_into_units(std::vector<i64>{1, 1}, 1000) == std::vector<i32>{0, 0});
  CHECK(ablate::cut_into_units(std::vector<i64>{0, 0}, 10) == std::vector<i32>{0, 0});
  CHECK(ablate::cut_into_units(std::vector<i64>{}, 10).empty());
  // By hand: 9 tokens of 4 a unit are 2 units of 4.5; the middles are 1, 3.5, 7.
  CHECK(ablate::cut_into_units(std::vector<i64>{2, 3, 4}, 4) == std::vector<i32>{0, 0, 1});
}

TEST_CASE("copies of a text are held out together, in the shares asked for", "[ablate]") {
  i64 counts[3] = {};
  for (i64 i = 0; i < 20000; ++i) {
    const std::string text = cat("document ", i);
    const ablate::Part part = ablate::part_of(text, 0.1, 0.05, 7);
    CHECK(part == ablate::part_of(text, 0.1, 0.05, 7));
    ++counts[static_cast<int>(part)];
  }
  // 4.5 standard deviations
  CHECK(std::abs(counts[static_cast<int>(ablate::Part::kValid)] - 2000) < 190);
  CHECK(std::abs(counts[static_cast<int>(ablate::Part::kTest)] - 1000) < 140);
  CHECK(ablate::part_of("x", 0, 0, 1) == ablate::Part::kUnit);
  CHECK(ablate::part_of("x", 1, 0, 1) == ablate::Part::kValid);
  CHECK(ablate::part_of("x", 0, 1, 1) == ablate::Part::kTest);
}

TEST_CASE("overlap is the share of a document's windows that stand elsewhere", "[ablate]") {
  MemoryBudget memory(1 << 20);
  ablate::OverlapFilter filter(3, memory);
  filter.add(std::vector<i32>{1, 2, 3, 4, 5});
  filter.add(std::vector<i32>{1, 2});  // shorter than a window
  filter.seal();
  CHECK(filter.share(std::vector<i32>{1, 2, 3, 4, 5}) == 1);
  CHECK(filter.share(std::vector<i32>{9, 1, 2, 3, 4}) == 2.0 / 3);  // 123 and 234 of three
  CHECK(filter.share(std::vector<i32>{1, 2}) == 0);
  CHECK(filter.share(std::vector<i32>{5, 4, 3, 2, 1}) == 0);
  CHECK(memory.used() == 3 * 8);
}

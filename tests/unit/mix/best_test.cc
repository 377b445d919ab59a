#include "mix/best.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include <malloc.h>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"
#include "mix/window.h"

namespace lm::mix {
namespace {

struct Item {
  Rank rank;
  i64 bytes;
};

/// The items that stay, by (group, key, tie), which name them.
std::multiset<std::tuple<std::string, u64, u64>> best_of(const std::vector<Item>& items, i64 count,
                                                         const Context& ctx) {
  Best best(count, ctx);
  std::vector<std::size_t> candidates;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (best.add(items[i].rank, items[i].bytes)) candidates.push_back(i);
  }
  std::multiset<std::tuple<std::string, u64, u64>> out;
  i64 bytes = 0;
  i64 last = -1;
  for (const i64 chosen : best.chosen()) {
    CHECK(chosen > last);
    last = chosen;
    const Item& item = items[candidates[usize(chosen)]];
    out.emplace(item.rank.group, item.rank.key, item.rank.tie);
    bytes += item.bytes;
  }
  CHECK(best.chosen_bytes() == bytes);
  return out;
}

TEST_CASE("greater numbers have smaller keys", "[mix]") {
  const std::vector<f64> numbers = {
      std::numeric_limits<f64>::infinity(), 1e300, 2, 1, 1e-300, 0, -1e-300, -1, -1e300};
  for (std::size_t i = 1; i < numbers.size(); ++i)
    CHECK(descending(numbers[i - 1]) < descending(numbers[i]));
  CHECK(descending(0.0) == descending(-0.0));
}

TEST_CASE("the best of each group are those that a sort finds, in any order", "[mix]") {
  MemoryBudget memory(1 << 20);
  Context ctx;
  ctx.memory = &memory;
  for (u64 seed = 0; seed < 50; ++seed) {
    const RandomStream draws(seed, RandomPurpose::kOther);
    std::vector<Item> items;
    const i64 count = 1 + static_cast<i64>(draws.bits(0) % 5);
    for (u64 i = 0; i < 100; ++i)
      items.push_back({{draws.bits(3 * i + 1) % 20, draws.bits(3 * i + 2),
                        std::string(1, static_cast<char>('a' + draws.bits(3 * i + 3) % 4))},
                       static_cast<i64>(i)});
    std::vector<Item> sorted = items;
    std::sort(sorted.begin(), sorted.end(), [](const Item& a, const Item& b) {
      return std::tie(a.rank.key, a.rank.tie) < std::tie(b.rank.key, b.rank.tie);
    });
    std::multiset<std::tuple<std::string, u64, u64>> want;
    std::map<std::string, i64> taken;
    for (const Item& item : sorted) {
      if (taken[item.rank.group]++ < count)
        want.emplace(item.rank.group, item.rank.key, item.rank.tie);
    }
    INFO("seed " << seed);
    CHECK(best_of(items, count, ctx) == want);
    std::reverse(items.begin(), items.end());
    CHECK(best_of(items, count, ctx) == want);
  }
  CHECK(memory.used() == 0);
}

TEST_CASE("groups that do not fit into memory are refused", "[mix]") {
  MemoryBudget memory(1000);
  Context ctx;
  ctx.memory = &memory;
  Best best(1, ctx);
  const auto fill = [&] {
    for (u64 i = 0; i < 100; ++i)
      best.add({i, 0, std::to_string(i)}, 1);
  };
  CHECK_THROWS_AS(fill(), Error);
}

/// Bytes of the heap in use.
i64 in_use() {
  const struct mallinfo2 heap = ::mallinfo2();
  return static_cast<i64>(heap.uordblks + heap.hblkhd);
}

TEST_CASE("a refused reservoir says what holds all of it", "[mix]") {
  LocalContext ctx(1, i64{1} << 16);
  Best best(100000, ctx);
  std::string hint;
  try {
    for (u64 i = 0; i < 100000; ++i)
      best.add({i, 0}, 1);
  } catch (const Error& e) {
    hint = e.hint();
  }
  CHECK(hint.ends_with("; --memory 6M holds all 100000"));
  LocalContext enough(1, i64{6} << 20);
  Best all(100000, enough);
  for (u64 i = 0; i < 100000; ++i)
    CHECK(all.add({i, 0}, 1));
}

TEST_CASE("the best and a window hold no more than they have charged", "[mix]") {
  MemoryBudget memory(i64{1} << 30);
  Context ctx;
  ctx.memory = &memory;
  const auto within = [&memory](i64 before) {
    INFO(in_use() - before << " of " << memory.used());
    CHECK(in_use() - before <= memory.used() + (64 << 10));
  };
  SECTION("one group") {
    const i64 before = in_use();
    Best best(70'000, ctx);  // just above a power of two
    for (u64 i = 0; i < 100'000; ++i)
      best.add({i * 7919 % 100'000, i, ""}, 1);
    const std::vector<i64> chosen = best.chosen();
    within(before);
  }
  SECTION("many groups") {
    const i64 before = in_use();
    Best best(3, ctx);
    for (u64 i = 0; i < 140'000; ++i)
      best.add({i, i, "a group's rather long name " + std::to_string(i % 70'000)}, 1);
    const std::vector<i64> chosen = best.chosen();
    within(before);
  }
  SECTION("lines of a window") {
    for (const i64 bytes : {20, 500}) {
      const i64 before = in_use();
      Window window(ctx, 33'000, 7);
      std::string out;
      for (i64 i = 0; i < 120'000; ++i) {
        window.add(std::string(usize(bytes + i * 7919 % (2 * bytes)), 'x'), out);
        out.clear();
      }
      within(before);
    }
  }
}

TEST_CASE("a window gives every line once, none earlier than it may", "[mix]") {
  MemoryBudget memory(1 << 20);
  Context ctx;
  ctx.memory = &memory;
  for (const i64 size : {1, 2, 10, 200}) {
    std::string out;
    {
      Window window(ctx, size, 7);
      for (int i = 0; i < 100; ++i)
        window.add(std::string(usize(i % 40), 'x') + std::to_string(i), out);
      CHECK(std::count(out.begin(), out.end(), '\n') == std::max<i64>(0, 100 - size));
      window.finish(out);
    }
    CHECK(memory.used() == 0);
    std::vector<int> numbers;
    std::string_view rest = out;
    while (!rest.empty()) {
      const std::size_t lf = rest.find('\n');
      std::string line(rest.substr(0, lf));
      line.erase(0, line.find_first_not_of('x'));
      numbers.push_back(std::stoi(line));
      rest.remove_prefix(lf + 1);
    }
    for (std::size_t at = 0; at < numbers.size(); ++at)
      CHECK(static_cast<i64>(at) + size >= numbers[at]);
    const bool as_it_was = std::is_sorted(numbers.begin(), numbers.end());
    CHECK(as_it_was == (size == 1));
    std::sort(numbers.begin(), numbers.end());
    for (int i = 0; i < 100; ++i)
      CHECK(numbers[usize(i)] == i);
  }
}

}  // namespace
}  // namespace lm::mix

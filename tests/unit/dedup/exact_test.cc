#include "dedup/exact.h"

#include <algorithm>
#include <map>
#include <vector>

#include "catch.h"
#include "core/context.h"
#include "core/parallel.h"
#include "core/random.h"

using namespace lm;
using namespace lm::dedup;

namespace {

std::vector<Hash128> draw(i64 n, u64 values, u64 seed) {
  const RandomStream random(seed, RandomPurpose::kOther);
  std::vector<Hash128> keys;
  for (i64 i = 0; i < n; ++i) {
    const u64 value = random.below(static_cast<u64>(i), values);
    keys.push_back(value == 0 ? Hash128{} : Hash128{mix64(value), mix64(value + values)});
  }
  return keys;
}

std::vector<u8> keep_first(const std::vector<Hash128>& keys) {
  std::map<Hash128, bool> known;
  std::vector<u8> seen;
  for (const Hash128& key : keys)
    seen.push_back(!known.emplace(key, true).second);
  return seen;
}

}  // namespace

TEST_CASE("an exact set answers like a map, for any thread count and batch", "[dedup]") {
  const std::vector<Hash128> keys = draw(50000, 20000, 1);
  const std::vector<u8> expected = keep_first(keys);
  for (const int threads : {1, 2, 7}) {
    set_threads(threads);
    for (const i64 batch : {1000, 50000}) {
      LocalContext ctx;
      ExactSet set(*ctx->memory, i64{1} << 30);
      std::vector<u8> seen(keys.size());
      for (i64 at = 0; at < isize(keys); at += batch) {
        REQUIRE(set.test_and_insert(std::span(keys).subspan(usize(at), usize(batch)),
                                    std::span(seen).subspan(usize(at), usize(batch))));
      }
      CHECK(seen == expected);
      CHECK(set.size() == std::count(expected.begin(), expected.end(), 0));
      i64 elements = 0;
      set.for_each([&](const Hash128&) { ++elements; });
      CHECK(elements == set.size());
      CHECK(ctx->memory->used() > 0);
      set.clear();
      CHECK(ctx->memory->used() == 0);
    }
  }
  set_threads(1);
}

TEST_CASE("a refused batch leaves the set as it was", "[dedup]") {
  LocalContext ctx;
  ExactSet set(*ctx->memory, 256 << 10);
  std::vector<Hash128> keys = draw(2000, 1000000, 2);
  std::vector<u8> seen(keys.size(), 9);
  REQUIRE(set.test_and_insert(keys, seen));
  const i64 before = set.size();
  const std::vector<Hash128> many = draw(100000, 1000000, 3);
  std::vector<u8> untouched(many.size(), 9);
  CHECK_FALSE(set.test_and_insert(many, untouched));
  CHECK(std::count(untouched.begin(), untouched.end(), 9) == isize(untouched));
  CHECK(set.size() == before);
  CHECK(set.test_and_insert(keys, seen));
  CHECK(std::count(seen.begin(), seen.end(), 1) == isize(seen));
}

TEST_CASE("deduplication with any budget keeps the same first copies", "[dedup]") {
  const std::vector<Hash128> keys = draw(60000, 25000, 4);
  const std::vector<u8> expected = keep_first(keys);
  const i64 batch = 1000;
  for (const i64 budget : {i64{64} << 20, i64{512} << 10, i64{64} << 10}) {
    LocalContext ctx(1, budget + (2 << 20));
    ExactDedup dedup(*ctx, budget);
    std::vector<u8> seen(keys.size());
    for (i64 at = 0; at < isize(keys); at += batch) {
      const std::span<const Hash128> part = std::span(keys).subspan(usize(at), usize(batch));
      if (dedup.try_add(part, std::span(seen).subspan(usize(at), usize(batch)))) continue;
      if (!dedup.deferred()) dedup.start_deferred();
      for (i64 i = 0; i < batch; ++i)
        dedup.add_deferred(part[usize(i)], 0, at + i);
    }
    CHECK(dedup.deferred() == (budget < (i64{1} << 20)));
    dedup.finish();
    i64 last = -1;
    while (const std::optional<i64> ordinal = dedup.next_duplicate()) {
      REQUIRE(*ordinal > last);
      last = *ordinal;
      seen[usize(*ordinal)] = 1;
    }
    CHECK(seen == expected);
  }
}

TEST_CASE("the copy with the lowest priority is kept, then the first", "[dedup]") {
  LocalContext ctx;
  ExactDedup dedup(*ctx, 1 << 20);
  dedup.start_deferred();
  const Hash128 a{1, 2};
  const Hash128 b{3, 4};
  dedup.add_deferred(a, 5, 0);
  dedup.add_deferred(b, 1, 1);
  dedup.add_deferred(a, 2, 2);  // the best a
  dedup.add_deferred(b, 1, 3);  // equal priority: ordinal 1 stays
  dedup.add_deferred(a, 2, 4);
  dedup.finish();
  std::vector<i64> duplicates;
  while (const std::optional<i64> ordinal = dedup.next_duplicate())
    duplicates.push_back(*ordinal);
  CHECK(duplicates == std::vector<i64>{0, 3, 4});
}

TEST_CASE("an external sort equals an in-memory sort for every budget", "[dedup]") {
  const RandomStream random(5, RandomPurpose::kOther);
  std::vector<u64> values;
  for (u64 i = 0; i < 100000; ++i)
    values.push_back(random.below(i, 70000));
  std::vector<u64> expected = values;
  std::sort(expected.begin(), expected.end());
  for (const i64 bytes : {i64{4} << 20, i64{100} << 10, i64{4096}, i64{1}}) {
    LocalContext ctx;
    ExternalSorter<u64> sorter(*ctx, bytes, "values");
    for (const u64 value : values)
      sorter.add(value);
    CHECK((sorter.spilled_bytes() > 0) == (bytes < (i64{1} << 20)));
    sorter.finish();
    std::vector<u64> sorted;
    u64 value = 0;
    while (sorter.next(value))
      sorted.push_back(value);
    CHECK(sorted == expected);
    CHECK(sorter.size() == 100000);
  }
}

TEST_CASE("an external sort of nothing is empty", "[dedup]") {
  LocalContext ctx;
  ExternalSorter<u64> sorter(*ctx, 1 << 20, "values");
  sorter.finish();
  u64 value = 0;
  CHECK_FALSE(sorter.next(value));
}

TEST_CASE("a sorter spills when others have used the budget up", "[dedup]") {
  LocalContext ctx(1, 64 << 10);
  ExternalSorter<u64> sorter(*ctx, 1 << 20, "values");
  for (u64 i = 0; i < 50000; ++i)
    sorter.add(mix64(i));
  CHECK(sorter.spilled_bytes() > 0);
  CHECK(ctx->memory->used() <= (64 << 10));
  sorter.finish();
  u64 last = 0;
  u64 value = 0;
  i64 n = 0;
  while (sorter.next(value)) {
    REQUIRE(value >= last);
    last = value;
    ++n;
  }
  CHECK(n == 50000);
}

#include "census/tally.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "catch.h"
#include "core/hash.h"
#include "core/str.h"
#include "core/utf8.h"
#include "io/json_node.h"

using namespace lm;
using census::Example;
using census::Examples;
using census::Repeats;
using census::Tally;

namespace {

// A value for each of n records: "v0" for half of them, "v1" for a quarter, ...; the rest unique.
std::string value_of(i64 record) {
  const u64 bits = mix64(static_cast<u64>(record) + 1);
  const i64 level = static_cast<i64>(std::countr_zero(bits | 1U << 6));
  return level < 6 ? cat("v", level) : cat("record ", record);
}

void add(Tally& tally, i64 begin, i64 end) {
  for (i64 i = begin; i < end; ++i)
    tally.add(value_of(i), xxh3_64(cat("key ", i)));
}

template <typename T>
std::vector<std::string> saved(const T& counts) {
  std::vector<std::string> out;
  counts.save([&out](std::string data) { out.push_back(std::move(data)); });
  return out;
}

template <typename T>
void load(T& counts, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) {
    const io::JsonDocument document(part);
    census::PartReader in(document.root("part"));
    counts.load(in);
  }
}

}  // namespace

TEST_CASE("counts of values are exact while they fit", "[census]") {
  Tally tally(100000);
  add(tally, 0, 10000);
  std::map<std::string, i64> want;
  for (i64 i = 0; i < 10000; ++i)
    ++want[value_of(i)];
  CHECK(tally.exact());
  CHECK(tally.distinct() == static_cast<f64>(want.size()));
  const std::vector<Tally::Entry> top = tally.top(3);
  REQUIRE(top.size() == 3);
  CHECK(top[0].value == "v0");
  CHECK(top[0].count == want["v0"]);
  CHECK(top[2].count == want["v2"]);
  for (const Tally::Entry& entry : tally.top(0))
    CHECK(want[entry.value] == entry.count);
}

TEST_CASE("counts of more values than fit are estimates within their bound", "[census]") {
  Tally tally(1000);
  constexpr i64 n = 400000;
  add(tally, 0, n);
  CHECK(!tally.exact());
  std::map<std::string, i64> want;
  for (i64 i = 0; i < n; ++i)
    ++want[value_of(i)];
  const f64 scale = std::ldexp(1.0, static_cast<int>(tally.level()));
  const std::vector<Tally::Entry> top = tally.top(4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(top[i].value == cat("v", i));
    const f64 count = static_cast<f64>(want[top[i].value]);
    CHECK(std::fabs(static_cast<f64>(top[i].count) - count) < 4 * std::sqrt(scale * count));
  }
  CHECK(tally.distinct() == Approx(static_cast<f64>(want.size())).epsilon(4 * 0.0081));
}

TEST_CASE("counts of values do not depend on order or parts", "[census]") {
  for (const i64 limit : {i64{300}, i64{100000}}) {
    Tally whole(limit);
    add(whole, 0, 30000);
    Tally reverse(limit);
    for (i64 i = 29999; i >= 0; --i)
      reverse.add(value_of(i), xxh3_64(cat("key ", i)));
    CHECK(saved(reverse) == saved(whole));
    Tally parts(limit);
    for (const auto& [begin, end] : {std::pair(20000, 30000), {0, 50}, {50, 20000}}) {
      Tally part(limit);
      add(part, begin, end);
      Tally copy(limit);
      load(copy, saved(part));
      CHECK(saved(copy) == saved(part));
      parts.add(std::move(copy));
    }
    CHECK(saved(parts) == saved(whole));
    CHECK(parts.bytes() == whole.bytes());
  }
}

TEST_CASE("counts of values that spill are those that do not", "[census]") {
  for (const i64 limit : {i64{300}, i64{100000}}) {
    Tally whole(limit);
    add(whole, 0, 30000);
    census::Runs runs(".");
    Tally parts(limit, &runs);
    for (i64 begin = 0; begin < 30000; begin += 300) {  // more runs than are merged at once
      Tally part(limit, &runs);
      add(part, begin, begin + 150);
      part.spill();
      CHECK(part.bytes() == 0);
      add(part, begin + 150, begin + 300);
      parts.add(std::move(part));
      if (begin % 7 == 0) parts.spill();
    }
    parts.settle();
    CHECK(parts.bytes() == 0);
    CHECK(parts.level() == whole.level());
    CHECK(parts.distinct() == whole.distinct());
    CHECK(saved(parts) == saved(whole));
    for (const i64 most : {0, 1, 5, 500}) {
      const std::vector<Tally::Entry> got = parts.top(most);
      const std::vector<Tally::Entry> want = whole.top(most);
      REQUIRE(got.size() == want.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        CHECK(got[i].value == want[i].value);
        CHECK(got[i].count == want[i].count);
      }
    }
  }
}

TEST_CASE("long values are kept by their beginning and hash", "[census]") {
  const std::string a(300, 'a');
  CHECK(census::short_value("short") == "short");
  CHECK(isize(census::short_value(a)) <= 200);
  CHECK(census::short_value(a) != census::short_value(a + "a"));
  std::string letters;
  for (i64 i = 0; i < 150; ++i)
    letters += "\xC3\xA9";
  CHECK(is_valid_utf8(census::short_value(letters)));
}

TEST_CASE("repeated keys are counted, and sampled beyond the limit", "[census]") {
  Repeats exact(100000);
  Repeats sampled(500);
  Repeats halves[2] = {Repeats(500), Repeats(500)};
  for (i64 i = 0; i < 40000; ++i) {
    const u64 hash = xxh3_64(cat("id ", i % 30000));  // 10000 come twice
    exact.add(hash);
    sampled.add(hash);
    halves[i % 2].add(hash);
  }
  CHECK(exact.exact());
  CHECK(exact.distinct() == 30000);
  CHECK(exact.repeated() == 10000);
  CHECK(!sampled.exact());
  CHECK(static_cast<f64>(sampled.distinct()) == Approx(30000).epsilon(0.25));
  CHECK(static_cast<f64>(sampled.repeated()) == Approx(10000).epsilon(0.4));
  Repeats read(500);
  load(read, saved(halves[1]));
  read.add(halves[0]);
  CHECK(saved(read) == saved(sampled));
}

TEST_CASE("examples are those of the least keys", "[census]") {
  Examples all(3);
  Examples parts[2] = {Examples(3), Examples(3)};
  for (i64 i = 0; i < 100; ++i) {
    const Example one{mix64(static_cast<u64>(i + 1)), "s", cat(i), "text", i, ""};
    if (all.wants(one.key)) all.add(one);
    parts[i % 2].add(one);
  }
  REQUIRE(all.kept().size() == 3);
  std::vector<u64> keys;
  for (i64 i = 0; i < 100; ++i)
    keys.push_back(mix64(static_cast<u64>(i + 1)));
  std::sort(keys.begin(), keys.end());
  CHECK(all.kept().begin()->key == keys[0]);
  CHECK(all.kept().rbegin()->key == keys[2]);
  parts[0].add(parts[1]);
  CHECK(parts[0].kept() == all.kept());
  CHECK(!Examples(0).wants(0));
}

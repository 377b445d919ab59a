#include "mix/shuffle.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "catch.h"
#include "core/parallel.h"
#include "core/str.h"

using namespace lm;
using namespace lm::mix;

namespace {

std::vector<std::string> numbered(i64 n) {
  std::vector<std::string> lines;
  for (i64 i = 0; i < n; ++i)
    lines.push_back(cat(i, " ", std::string(usize(i % 97), 'x')));
  return lines;
}

std::vector<std::string> shuffled(const std::vector<std::string>& lines, u64 seed,
                                  i64 max_bytes = i64{1} << 30, i64* spilled = nullptr,
                                  i64 budget = i64{2} << 30) {
  const LocalContext ctx(1, budget);
  std::vector<std::string> out;
  {
    Shuffle shuffle(ctx, max_bytes, seed);
    for (const std::string& line : lines)
      shuffle.add(line);
    shuffle.finish();
    std::string line;
    while (shuffle.next(line)) {
      REQUIRE(line.back() == '\n');
      line.pop_back();
      out.push_back(line);
      line.clear();
    }
    if (spilled != nullptr) *spilled = shuffle.spilled_bytes();
    CHECK(shuffle.size() == isize(lines));
  }
  CHECK(ctx->memory->used() == 0);
  return out;
}

}  // namespace

TEST_CASE("a shuffle is a permutation that depends on the seed", "[mix]") {
  const std::vector<std::string> lines = numbered(5000);
  const std::vector<std::string> first = shuffled(lines, 1);
  CHECK(first != lines);
  CHECK(first == shuffled(lines, 1));
  CHECK(first != shuffled(lines, 2));
  std::vector<std::string> a = first;
  std::vector<std::string> b = lines;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  CHECK(a == b);
  CHECK(shuffled({}, 1).empty());
  CHECK(shuffled({""}, 1) == std::vector<std::string>{""});
}

TEST_CASE("the order does not depend on memory, spilling or threads", "[mix]") {
  const std::vector<std::string> lines = numbered(80000);
  const std::vector<std::string> expected = shuffled(lines, 3);
  i64 spilled = 0;
  i64 stored = 0;  // one pass: 24 bytes before each line
  for (const std::string& line : lines)
    stored += isize(line) + 24;
  for (const int threads : {1, 2, 7}) {
    set_threads(threads);
    // Blocks of 1,024 lines, each a run: more than 64, so runs are merged, too.
    CHECK(shuffled(lines, 3, 1, &spilled) == expected);
    CHECK(spilled > stored);
    CHECK(shuffled(lines, 3, i64{1} << 20, &spilled) == expected);
    CHECK(spilled == stored);
    // Where the budget refuses what the allowance would take.
    CHECK(shuffled(lines, 3, i64{1} << 30, &spilled, i64{1} << 20) == expected);
    CHECK(spilled > 0);
  }
  set_threads(1);
}

TEST_CASE("lines longer than a block, and one that does not fit at all", "[mix]") {
  std::vector<std::string> lines = numbered(100);
  lines[50] = std::string(300000, 'y');
  CHECK(shuffled(lines, 1, 1) == shuffled(lines, 1));
  const LocalContext ctx(1, i64{1} << 20);
  Shuffle shuffle(ctx, 1, 0);
  shuffle.add("a");
  try {
    shuffle.add(std::string(std::size_t{2} << 20, 'z'));
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kOs);
  }
}

TEST_CASE("every order of four lines is equally likely", "[mix]") {
  // 24 orders, 24,000 seeds: 1,000 of each; 23 degrees of freedom, the 0.999 quantile is 49.7.
  std::map<std::string, i64> counts;
  for (u64 seed = 0; seed < 24000; ++seed) {
    std::string order;
    for (const std::string& line : shuffled({"a", "b", "c", "d"}, seed))
      order += line;
    ++counts[order];
  }
  CHECK(counts.size() == 24);
  f64 chi = 0;
  for (const auto& [order, n] : counts)
    chi += static_cast<f64>((n - 1000) * (n - 1000)) / 1000;
  CHECK(chi < 49.7);
}

TEST_CASE("what stands side by side before stands anywhere after", "[mix]") {
  // Two sources of 10,000 lines one behind the other: in each tenth of the output there are about
  // 1,000 of the first; a hypergeometric deviation of 5 sigma is 112.
  std::vector<std::string> lines(20000);
  std::fill_n(lines.begin(), 10000, "first");
  std::fill_n(lines.begin() + 10000, 10000, "second");
  const std::vector<std::string> out = shuffled(lines, 5, i64{1} << 18);
  for (i64 tenth = 0; tenth < 10; ++tenth) {
    const i64 n = std::count(out.begin() + tenth * 2000, out.begin() + (tenth + 1) * 2000, "first");
    CHECK(std::abs(n - 1000) < 112);
  }
}

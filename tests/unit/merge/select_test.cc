#include "merge/select.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "catch.h"
#include "core/hash.h"
#include "core/random.h"
#include "merge/kernel.h"
#include "merge/mask.h"

using namespace lm;

namespace {

template <class A>
std::vector<A> sample(i64 count, u64 seed, i64 different) {
  const RandomStream random(seed, RandomPurpose::kOther);
  std::vector<A> out;
  for (i64 i = 0; i < count; ++i) {
    const f64 value =
        different > 0
            ? static_cast<f64>(random.below(static_cast<u64>(i), static_cast<u64>(different)))
            : random.normal(static_cast<u64>(i));
    out.push_back(static_cast<A>(i % 3 == 0 ? -value : value));
  }
  return out;
}

template <class A, class Body>
void each_chunk(const std::vector<A>& values, const Body& body) {
  for (i64 first = 0; first < isize(values); first += merge::kChunkElements) {
    const i64 count = std::min(merge::kChunkElements, isize(values) - first);
    body(first / merge::kChunkElements, first, count);
  }
}

// The window as a sort says it: by magnitude descending, then by index.
template <class A>
std::vector<A> by_sorting(const std::vector<A>& values, i64 first, i64 last) {
  std::vector<i64> order(values.size());
  std::iota(order.begin(), order.end(), i64{0});
  std::stable_sort(order.begin(), order.end(), [&](i64 a, i64 b) {
    return std::fabs(values[usize(a)]) > std::fabs(values[usize(b)]);
  });
  std::vector<A> out(values.size(), A{0});
  for (i64 rank = first; rank < last; ++rank)
    out[usize(order[usize(rank)])] = values[usize(order[usize(rank)])];
  return out;
}

template <class A>
std::vector<A> by_window(const std::vector<A>& values, i64 first, i64 last) {
  merge::RankWindow<A> window(isize(values), first, last);
  while (const std::optional<i64> needs = window.next_pass()) {
    std::vector<u32> counters(usize(*needs), 0);
    each_chunk(values, [&](i64 chunk, i64 begin, i64 count) {
      window.observe(std::span(values).subspan(usize(begin), usize(count)), chunk, counters);
    });
    const std::vector<i64> wide(counters.begin(), counters.end());
    window.end_pass(wide);
  }
  std::vector<A> out = values;
  each_chunk(values, [&](i64 chunk, i64 begin, i64 count) {
    window.apply(std::span(out).subspan(usize(begin), usize(count)), chunk);
  });
  return out;
}

template <class A>
void check_windows() {
  for (const i64 different : {i64{0}, i64{2}, i64{7}, i64{1000}}) {
    for (const i64 count : {i64{1}, i64{64}, i64{4096}, i64{10001}}) {
      const std::vector<A> values =
          sample<A>(count, static_cast<u64>(count + different), different);
      for (const auto& [first, last] : {std::pair{i64{0}, count / 2},
                                        {i64{0}, i64{0}},
                                        {i64{0}, count},
                                        {count / 3, count},
                                        {count / 10, count - count / 7},
                                        {count / 2, std::min(count, count / 2 + 1)}}) {
        INFO(different << " different, " << count << " elements, [" << first << ", " << last
                       << ")");
        CHECK(by_window(values, first, last) == by_sorting(values, first, last));
      }
    }
  }
}

}  // namespace

TEST_CASE("a window of ranks keeps what sorting keeps, ties by index", "[merge]") {
  check_windows<f32>();
  check_windows<f64>();
}

TEST_CASE("order statistics are those of the sorted values", "[merge]") {
  const std::vector<f64> values = sample<f64>(5000, 3, 0);
  std::vector<f64> sorted;
  for (const f64 value : values)
    sorted.push_back(std::fabs(value));
  std::sort(sorted.begin(), sorted.end());
  const std::vector<i64> ranks = {0, 1, 1249, 1250, 2500, 4999, 2500};
  merge::RadixSelect<f64> select(ranks);
  while (select.counters() > 0) {
    std::vector<u32> counters(usize(select.counters()), 0);
    select.count(values, counters);
    const std::vector<i64> wide(counters.begin(), counters.end());
    select.end_pass(wide);
  }
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    CHECK(std::bit_cast<f64>(select.key(i)) == sorted[usize(ranks[i])]);
    CHECK(select.below(i) == ranks[i]);
    CHECK(select.equal(i) == 1);
  }
}

TEST_CASE("ranks of magnitudes are those of a stable sort", "[merge]") {
  for (const i64 different : {i64{0}, i64{5}}) {
    const std::vector<f32> values = sample<f32>(3000, 9, different);
    std::vector<u32> order, scratch, ranks(values.size());
    merge::rank_magnitudes(std::span<const f32>(values), order, scratch, ranks.data());
    std::vector<u32> want(values.size());
    std::iota(want.begin(), want.end(), 0u);
    std::stable_sort(want.begin(), want.end(),
                     [&](u32 a, u32 b) { return std::fabs(values[a]) < std::fabs(values[b]); });
    i64 wrong = 0;
    for (std::size_t place = 0; place < want.size(); ++place)
      wrong += ranks[want[place]] != place ? 1 : 0;
    CHECK(wrong == 0);
  }
}

TEST_CASE("mask words are Philox of seed, tensor, model and element", "[merge]") {
  const u64 seed = 0x123456789abcdef0;
  const merge::MaskWords words(seed, "model.norm.weight", 3);
  const u64 name = fnv1a64("model.norm.weight");
  std::vector<u32> out;
  for (const auto& [first, count] :
       {std::pair{i64{0}, i64{1000}}, {i64{5}, i64{3}}, {(i64{1} << 36) + 2, i64{130}}}) {
    words.fill(first, count, out);
    REQUIRE(isize(out) == count);
    i64 wrong = 0;
    for (i64 i = 0; i < count; ++i) {
      const u64 group = static_cast<u64>((first + i) / 4);
      const Philox4 want =
          philox({static_cast<u32>(group), static_cast<u32>(group >> 32) | 3u << 16,
                  static_cast<u32>(name), static_cast<u32>(name >> 32)},
                 {static_cast<u32>(seed), static_cast<u32>(seed >> 32)});
      wrong += out[usize(i)] != want[usize((first + i) % 4)] ? 1 : 0;
    }
    CHECK(wrong == 0);
  }
}

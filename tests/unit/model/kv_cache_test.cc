#include "model/kv_cache.h"

#include "catch.h"
#include "core/error.h"
#include "core/random.h"
#include "model/shape.h"

using namespace lm;
using namespace lm::model;

namespace {

ModelCfg tiny() {
  return make_config(
      parse_shape("family=llama,layers=2,width=8,heads=2,kv_heads=1,vocab=9,context=64"));
}

f32* slot_at(const KvCache& cache, void* const* pools, i64 layer, i32 seq, i64 slot, i64 width) {
  const i32 page = cache.table(seq)[usize(slot / kPageTokens)];
  return static_cast<f32*>(pools[layer]) + (page * kPageTokens + slot % kPageTokens) * width;
}

/// Reserves, writes and commits one slot holding `value` in every layer.
void push(KvCache& cache, i32 seq, f32 value) {
  REQUIRE(cache.reserve(seq, 1));
  for (i64 layer = 0; layer < 2; ++layer) {
    slot_at(cache, cache.keys(), layer, seq, cache.length(seq), 4)[0] = value;
    slot_at(cache, cache.values(), layer, seq, cache.length(seq), 4)[3] = -value;
  }
  const i32 first = 0;
  cache.commit(seq, {&first, 1});
}

std::vector<f32> content(const KvCache& cache, i32 seq) {
  std::vector<f32> out;
  for (i64 slot = 0; slot < cache.length(seq); ++slot) {
    const f32 key = slot_at(cache, cache.keys(), 1, seq, slot, 4)[0];
    CHECK(slot_at(cache, cache.values(), 0, seq, slot, 4)[3] == -key);
    out.push_back(key);
  }
  return out;
}

}  // namespace

TEST_CASE("cache contents follow a plain list through random forks, cuts and releases", "[model]") {
  for (u64 seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const RandomStream random(seed, RandomPurpose::kOther);
    KvCache cache(tiny(), 40);
    std::vector<std::pair<i32, std::vector<f32>>> model;
    u64 draw = 0;
    for (i64 step = 0; step < 400; ++step) {
      const u64 what = random.below(draw++, 10);
      if (model.empty() || what == 0) model.emplace_back(cache.create(), std::vector<f32>{});
      const u64 pick = random.below(draw++, model.size());
      auto& [seq, list] = model[pick];
      if (what < 7) {
        if (cache.pages_needed(seq, 1) > cache.free_pages()) {
          CHECK_FALSE(cache.reserve(seq, 1));
          continue;
        }
        push(cache, seq, static_cast<f32>(step));
        list.push_back(static_cast<f32>(step));
      } else if (what == 7) {
        const std::vector<f32> copy = list;
        model.emplace_back(cache.fork(seq), copy);
      } else if (what == 8) {
        const i64 keep = static_cast<i64>(random.below(draw++, list.size() + 1));
        cache.truncate(seq, keep);
        list.resize(usize(keep));
      } else {
        cache.release(seq);
        model.erase(model.begin() + static_cast<std::ptrdiff_t>(pick));
      }
    }
    for (const auto& [seq, list] : model)
      CHECK(content(cache, seq) == list);
    for (const auto& [seq, list] : model)
      cache.release(seq);
    CHECK(cache.free_pages() == 40);
  }
}

TEST_CASE("forks share pages and only the partial page is copied", "[model]") {
  KvCache cache(tiny(), 10);
  const i32 a = cache.create();
  for (i64 i = 0; i < 3 * kPageTokens + 1; ++i)
    push(cache, a, static_cast<f32>(i));
  CHECK(cache.free_pages() == 6);
  const i32 b = cache.fork(a);
  CHECK(cache.free_pages() == 6);
  CHECK(cache.pages_needed(b, 1) == 1);
  push(cache, b, 100.0f);
  CHECK(cache.free_pages() == 5);
  CHECK(cache.table(a)[2] == cache.table(b)[2]);
  CHECK(cache.table(a)[3] != cache.table(b)[3]);
  CHECK(cache.pages_needed(a, 1) == 0);  // the page is its own again
  cache.release(a);
  CHECK(cache.free_pages() == 6);
  CHECK(content(cache, b).back() == 100.0f);
}

TEST_CASE("committing named slots moves them together and drops the rest", "[model]") {
  KvCache cache(tiny(), 4);
  const i32 seq = cache.create();
  push(cache, seq, 7.0f);
  const i64 count = kPageTokens + 4;
  REQUIRE(cache.reserve(seq, count));
  for (i64 i = 0; i < count; ++i)
    for (i64 layer = 0; layer < 2; ++layer) {
      slot_at(cache, cache.keys(), layer, seq, 1 + i, 4)[0] = static_cast<f32>(i);
      slot_at(cache, cache.values(), layer, seq, 1 + i, 4)[3] = -static_cast<f32>(i);
    }
  const std::vector<i32> keep = {0, 3, static_cast<i32>(kPageTokens + 2)};
  cache.commit(seq, keep);
  CHECK(content(cache, seq) ==
        std::vector<f32>{7.0f, 0.0f, 3.0f, static_cast<f32>(kPageTokens + 2)});
  CHECK(cache.free_pages() == 3);
  CHECK(cache.reserved(seq) == 0);
}

TEST_CASE("a full pool refuses without a change and dead handles are caught", "[model]") {
  KvCache cache(tiny(), 2);
  const i32 seq = cache.create();
  CHECK_FALSE(cache.reserve(seq, 2 * kPageTokens + 1));
  CHECK(cache.free_pages() == 2);
  CHECK(cache.reserve(seq, 2 * kPageTokens));
  CHECK(cache.free_pages() == 0);
  const i32 wrong = 5;
  CHECK_THROWS_AS(cache.length(wrong), Error);
  cache.release(seq);
  CHECK_THROWS_AS(cache.length(seq), Error);
  CHECK(cache.free_pages() == 2);
}

#include "decode/draw.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/error.h"
#include "core/random.h"
#include "core/record_key.h"
#include "cpu/draw.h"

namespace lm::decode {

namespace {

Philox4 words(const DrawPoint& at, i32 token) {
  return philox({static_cast<u32>(token) >> 1, static_cast<u32>(at.position),
                 static_cast<u32>(at.sample), static_cast<u32>(at.stream)},
                at.key);
}

f64 uniform_of(const Philox4& w, i32 token) {
  return (token & 1) != 0 ? uniform53(w[2], w[3]) : uniform53(w[0], w[1]);
}

f64 gumbel(f64 u) {
  return -std::log(-std::log(u));
}

/// An upper bound of gumbel(u): -ln u >= 1 - u >= 2^e with e the exponent of 1 - u, so
/// gumbel(u) <= -e ln 2. A hair is added for rounding.
f64 gumbel_bound(f64 u) {
  const u64 bits = std::bit_cast<u64>(1.0 - u);
  const i64 exponent = static_cast<i64>(bits >> 52) - 1023;
  return static_cast<f64>(-exponent) * 0.6931471805599454 + 1e-9;
}

}  // namespace

DrawKey draw_key(u64 seed, std::string_view record_id) {
  return record_key(seed, record_id);
}

f64 draw_uniform(const DrawPoint& at, i32 token) {
  return uniform_of(words(at, token), token);
}

f64 draw_gumbel(const DrawPoint& at, i32 token) {
  return gumbel(draw_uniform(at, token));
}

i32 largest(std::span<const i32> ids, std::span<const f64> weights) {
  LM_CHECK(!ids.empty() && ids.size() == weights.size(), "a draw needs a token");
  const f64 top = cpu::max_of(isize(weights), weights.data());
  const auto at = std::find(weights.begin(), weights.end(), top);
  return ids[usize(at - weights.begin())];
}

namespace {

/// The best so far.
struct Race {
  const DrawPoint& at;
  i32 id = -1;
  f64 value = 0;

  void enter(i32 other, f64 weight, f64 u) {
    if (weight + gumbel_bound(u) < value) return;
    const f64 its = weight + gumbel(u);
    if (its < value || (its == value && other >= id)) return;
    id = other;
    value = its;
  }
};

/// Tokens one by one.
void race_listed(std::span<const i32> ids, std::span<const f64> weights, Race& race) {
  u32 pair = ~u32{0};
  Philox4 w = {};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (static_cast<u32>(ids[i]) >> 1 != pair) {
      pair = static_cast<u32>(ids[i]) >> 1;
      w = words(race.at, ids[i]);
    }
    race.enter(ids[i], weights[i], uniform_of(w, ids[i]));
  }
}

/// Tokens of a dense range of at most 2 kCounters ids: the noise of all of them at once, and only
/// those in full whose uniform is near enough to one. Of weights up to `top` one can win only if
/// top - ln(1 - u) is not below the best.
constexpr i64 kCounters = 256;

void race_range(std::span<const i32> ids, std::span<const f64> weights, Race& race) {
  const f64 top = cpu::max_of(isize(weights), weights.data());
  const f64 most = std::exp(std::min(0.0, top - race.value + 1e-9)) * 134217728.0;
  const cpu::DrawBlock block = {static_cast<u32>(race.at.position),
                                static_cast<u32>(race.at.sample), static_cast<u32>(race.at.stream),
                                race.at.key[0], race.at.key[1]};
  const u32 first = static_cast<u32>(ids.front()) >> 1;
  const i64 counters = i64{static_cast<u32>(ids.back()) >> 1} - first + 1;
  std::array<u32, 2 * kCounters> near;
  const i64 count = cpu::near_one(block, first, counters, static_cast<u32>(most) + 2, near.data());
  std::size_t i = 0;
  for (i64 n = 0; n < count; ++n) {
    const i32 id = static_cast<i32>(2 * first + near[usize(n)]);
    while (i < ids.size() && ids[i] < id)
      ++i;
    if (i == ids.size()) return;
    if (ids[i] == id) race.enter(id, weights[i], draw_uniform(race.at, id));
  }
}

}  // namespace

i32 draw_token(const DrawPoint& at, std::span<const i32> ids, std::span<const f64> weights) {
  // The heaviest token first: most others then cannot win.
  const i32 top = largest(ids, weights);
  const std::size_t place = usize(std::lower_bound(ids.begin(), ids.end(), top) - ids.begin());
  Race race{at, top, weights[place] + draw_gumbel(at, top)};
  for (std::size_t i = 0; i < ids.size();) {
    const i64 last = i64{ids[i]} / 2 * 2 + 2 * kCounters - 1;
    std::size_t end = std::min(ids.size(), i + usize(2 * kCounters));
    end = usize(std::upper_bound(ids.begin() + static_cast<std::ptrdiff_t>(i),
                                 ids.begin() + static_cast<std::ptrdiff_t>(end), last) -
                ids.begin());
    const auto some = ids.subspan(i, end - i);
    // Where few of a range's tokens are left they are looked at one by one.
    if (isize(some) >= kCounters / 4) {
      race_range(some, weights.subspan(i, end - i), race);
    } else {
      race_listed(some, weights.subspan(i, end - i), race);
    }
    i = end;
  }
  return race.id;
}

}  // namespace lm::decode

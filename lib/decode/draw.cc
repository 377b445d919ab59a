#include "decode/draw.h"

#include <bit>
#include <cmath>

#include "core/error.h"
#include "core/random.h"

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
  const u64 key = mix64(seed ^ fnv1a64(record_id));
  return {static_cast<u32>(key), static_cast<u32>(key >> 32)};
}

f64 draw_uniform(const DrawPoint& at, i32 token) {
  return uniform_of(words(at, token), token);
}

f64 draw_gumbel(const DrawPoint& at, i32 token) {
  return gumbel(draw_uniform(at, token));
}

i32 largest(std::span<const i32> ids, std::span<const f64> weights) {
  LM_CHECK(!ids.empty() && ids.size() == weights.size(), "a draw needs a token");
  std::size_t best = 0;
  for (std::size_t i = 1; i < weights.size(); ++i)
    if (weights[i] > weights[best]) best = i;
  return ids[best];
}

i32 draw_token(const DrawPoint& at, std::span<const i32> ids, std::span<const f64> weights) {
  LM_CHECK(!ids.empty() && ids.size() == weights.size(), "a draw needs a token");
  const i32 top = largest(ids, weights);
  i32 best_id = -1;
  f64 best = 0;
  u32 pair = ~u32{0};
  Philox4 w = {};
  // The heaviest token first: most others then fail the bound.
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] != top) continue;
    best_id = top;
    best = weights[i] + draw_gumbel(at, top);
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const i32 id = ids[i];
    if (id == top) continue;
    if (static_cast<u32>(id) >> 1 != pair) {
      pair = static_cast<u32>(id) >> 1;
      w = words(at, id);
    }
    const f64 u = uniform_of(w, id);
    if (weights[i] + gumbel_bound(u) < best) continue;
    const f64 value = weights[i] + gumbel(u);
    if (value > best || (value == best && id < best_id)) {
      best = value;
      best_id = id;
    }
  }
  return best_id;
}

}  // namespace lm::decode

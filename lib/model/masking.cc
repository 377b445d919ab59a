#include "model/masking.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/str.h"

namespace lm::model {

namespace {

constexpr f64 kTwoTo64 = 18446744073709551616.0;

u64 reversed_bits(u64 x) {
  u64 out = 0;
  for (int bit = 0; bit < 64; ++bit)
    out |= (x >> bit & 1) << (63 - bit);
  return out;
}

}  // namespace

f64 NoiseWeight::at(f64 t) const {
  switch (kind) {
    case Kind::kUniform:
      return 1;
    case Kind::kClip:
      return std::min(1 / t, cap);
    case Kind::kElbo:
      break;
  }
  return 1 / t;
}

NoiseWeight parse_noise_weight(std::string_view text) {
  if (text == "elbo") return {};
  if (text == "uniform") return {NoiseWeight::Kind::kUniform, 0};
  constexpr std::string_view kClip = "clip:";
  if (text.starts_with(kClip)) {
    const std::optional<f64> cap = parse_float(text.substr(kClip.size()));
    if (cap && *cap >= 1 && *cap <= 1e6) return {NoiseWeight::Kind::kClip, *cap};
  }
  throw Error(ErrorKind::kUsage,
              cat(quote(text, 40), ": expected elbo, uniform or clip:C with C of 1 or more"));
}

f64 spread_point(f64 shift, u64 i) {
  const f64 point = shift + static_cast<f64>(reversed_bits(i)) / kTwoTo64;
  const f64 whole = point - std::floor(point);
  return whole < 1 ? whole : 0;  // the quotient may have been rounded up
}

i64 hide_each(const RandomStream& random, u64 first, f64 share, std::span<u8> hidden) {
  i64 count = 0;
  for (u64 j = 0; j < hidden.size(); ++j) {
    hidden[j] = random.uniform(first + j) < share ? 1 : 0;
    count += hidden[j];
  }
  return count;
}

void hide_count(const RandomStream& random, u64 first, i64 count, std::span<u8> hidden) {
  LM_CHECK(count >= 0 && count <= isize(hidden), "no more hidden tokens than there are");
  std::vector<std::pair<u64, i64>> draws;
  draws.reserve(hidden.size());
  for (u64 j = 0; j < hidden.size(); ++j)
    draws.emplace_back(random.bits(first + j), static_cast<i64>(j));
  std::nth_element(draws.begin(), draws.begin() + count, draws.end());
  std::fill(hidden.begin(), hidden.end(), u8{0});
  for (i64 k = 0; k < count; ++k)
    hidden[usize(draws[usize(k)].second)] = 1;
}

i64 count_at(f64 point, i64 n) {
  LM_CHECK(n > 0 && point >= 0 && point < 1, "a point of tokens");
  return std::min(n, 1 + static_cast<i64>(point * static_cast<f64>(n)));
}

HiddenDraw hidden_draw(const RandomStream& random, i64 n, i64 draw, i64 draws) {
  LM_CHECK(draw >= 0 && draw < draws, "one of the draws");
  const f64 point = random.uniform(0) + static_cast<f64>(draw) / static_cast<f64>(draws);
  HiddenDraw out;
  out.hidden.resize(usize(n));
  out.count = count_at(point < 1 ? point : std::max(0.0, point - 1), n);
  hide_count(random, 1 + static_cast<u64>(draw) * static_cast<u64>(n), out.count, out.hidden);
  return out;
}

}  // namespace lm::model

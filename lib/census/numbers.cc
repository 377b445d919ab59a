#include "census/numbers.h"

#include <bit>
#include <cmath>
#include <limits>

namespace lm::census {

namespace {

constexpr u64 kSign = u64{1} << 63;
constexpr u64 kInfinity = u64{0x7FF} << 52;
constexpr int kDropped = 52 - 7;  // bits of the fraction that the grid has not
constexpr f64 kFar = 20;          // largest over median, from where on bins are logarithmic

// Ascending with the value.
u64 key_of(f64 value) {
  const u64 bits = std::bit_cast<u64>(value);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

f64 value_of(u64 key) {
  return std::bit_cast<f64>((key & kSign) != 0 ? key & ~kSign : ~key);
}

// factor * 10^exponent, with quotients for negative exponents: 3 / 10 is 0.3, 3 * 0.1 is not.
struct Step {
  f64 factor;
  int exponent;
  f64 times(f64 n) const {
    return exponent < 0 ? n * factor / std::pow(10.0, -exponent)
                        : n * factor * std::pow(10.0, exponent);
  }
};

// The least of 1, 2, 5 times a power of ten that is at least rough > 0.
Step round_step(f64 rough) {
  const int exponent = static_cast<int>(std::floor(std::log10(rough)));
  for (const f64 factor : {1.0, 2.0, 5.0}) {
    if (Step{factor, exponent}.times(1) >= rough) return {factor, exponent};
  }
  return {1, exponent + 1};
}

// On the grid edges are rounded as values are, so that a value that is an edge counts above it.
void count_into(std::vector<Bin>& bins, std::span<const std::pair<f64, i64>> values, bool exact) {
  std::size_t at = 0;
  for (const auto& [value, count] : values) {
    while (at + 1 < bins.size() && value >= (exact ? bins[at].high : on_grid(bins[at].high)))
      ++at;
    bins[at].count += count;
  }
}

}  // namespace

f64 on_grid(f64 value) {
  const u64 bits = std::bit_cast<u64>(value);
  const u64 size = bits & ~kSign;
  u64 rounded = (size + (u64{1} << (kDropped - 1))) >> kDropped << kDropped;
  if (rounded >= kInfinity) rounded = kInfinity - (u64{1} << kDropped);
  return std::bit_cast<f64>(rounded | (bits & kSign));
}

void Numbers::add(f64 value, i64 times) {
  if (times == 0) return;
  value += 0.0;  // -0 is 0
  if (count() == 0) min_ = max_ = value;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  moments_.add(value, times);
  counts_.add(key_of(exact_ ? value : on_grid(value) + 0.0), times);
}

void Numbers::add(Numbers&& other) {
  if (other.count() == 0) return;
  if (count() == 0) {
    std::swap(*this, other);
    return;
  }
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  moments_.add(other.moments_);
  counts_.add(other.counts_);
}

std::vector<std::pair<f64, i64>> Numbers::values() const {
  std::vector<std::pair<f64, i64>> out;
  for (const auto& [key, count] : counts_.sorted())
    out.emplace_back(value_of(key), count);
  return out;
}

f64 Numbers::quantile(std::span<const std::pair<f64, i64>> values, f64 q) const {
  if (values.empty()) return std::numeric_limits<f64>::quiet_NaN();
  const f64 rank = std::max(1.0, std::ceil(q * static_cast<f64>(count())));
  i64 below = 0;
  for (const auto& [value, n] : values) {
    below += n;
    if (static_cast<f64>(below) >= rank) return std::min(std::max(value, min_), max_);
  }
  return max_;
}

Histogram Numbers::histogram(std::span<const std::pair<f64, i64>> values, i64 most) const {
  Histogram out;
  if (values.empty()) return out;
  const f64 low = values.front().first;
  const f64 high = values.back().first;
  out.logarithmic = low >= 0 && high > kFar * quantile(values, 0.5) && high > 0;
  if (out.logarithmic && low == 0) {
    out.zeros = values.front().second;
    values = values.subspan(1);
  }
  if (out.logarithmic) {
    // Bins of a power of two, or of one of its roots of a power of two.
    const int first = std::ilogb(values.front().first);
    const int octaves = std::ilogb(high) + 1 - first;
    i64 parts = 1;  // of an octave
    while (parts < 8 && 2 * parts * octaves <= most)
      parts *= 2;
    const int width = static_cast<int>((octaves + most - 1) / most);  // octaves of a bin
    for (int e = 0; e < octaves; e += width) {
      for (i64 part = 0; part < parts; ++part) {
        const auto edge = [&](i64 p) {
          const f64 root = std::exp2(static_cast<f64>(p % parts) / static_cast<f64>(parts));
          return std::ldexp(root, first + e + (p == parts ? width : 0));
        };
        out.bins.push_back({edge(part), edge(part + 1), 0});
      }
    }
  } else if (high == low) {  // on the grid, perhaps beside all of the values
    out.bins.push_back({min_, max_, 0});
  } else {
    const f64 rough = high / static_cast<f64>(most) - low / static_cast<f64>(most);
    // Not finer than the grid, whose values are 1/128 of a power of two apart.
    const f64 finest =
        exact_ ? 0 : std::ldexp(1, std::ilogb(std::max(std::fabs(low), std::fabs(high))) - 7);
    const Step step = round_step(std::max({rough, finest, std::numeric_limits<f64>::min()}));
    const f64 first = std::floor(low / step.times(1));
    for (i64 i = 0; i == 0 || (step.times(first + static_cast<f64>(i)) < high && i <= most); ++i)
      out.bins.push_back({step.times(first + static_cast<f64>(i)),
                          step.times(first + static_cast<f64>(i + 1)), 0});
  }
  count_into(out.bins, values, exact_);
  return out;
}

void Numbers::save(PartWriter& out) const {
  Moments moments = moments_;
  moments.each([&out](auto& part) {
    if constexpr (std::is_same_v<std::decay_t<decltype(part)>, i64>) {
      out.number(part);
    } else {
      // Most words of a sum are zero: those between the first and the last that are not.
      const auto set = [](u64 word) { return word != 0; };
      const auto first = std::find_if(part.begin(), part.end(), set);
      auto last = part.end();
      while (last != first && last[-1] == 0)
        --last;
      out.number(first - part.begin());
      out.number(last - first);
      for (auto at = first; at != last; ++at)
        out.bits(*at);
    }
  });
  out.real(min_);
  out.real(max_);
  out.number(counts_.size());
  for (const auto& [key, count] : counts_.sorted()) {
    out.bits(key);
    out.number(count);
  }
}

void Numbers::load(PartReader& in) {
  moments_.each([&in](auto& part) {
    if constexpr (std::is_same_v<std::decay_t<decltype(part)>, i64>) {
      part = in.count();
    } else {
      const i64 first = in.number(0, isize(part));
      const i64 words = in.number(0, isize(part) - first);
      for (i64 i = 0; i < words; ++i)
        part[usize(first + i)] = in.bits();
    }
  });
  min_ = in.real();
  max_ = in.real();
  i64 sum = 0;
  for (i64 left = in.count(); left > 0; --left) {
    const u64 key = in.bits();
    const i64 times = in.number(1, i64{1} << 62);
    if (!std::isfinite(value_of(key))) in.fail("is no value");
    counts_.add(key, times);
    sum += times;
  }
  if (sum != count() || min_ > max_) in.fail("its counts do not add up");
}

}  // namespace lm::census

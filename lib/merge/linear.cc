#include "merge/linear.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "core/str.h"
#include "merge/makers.h"
#include "merge/vectorised.h"

namespace lm::merge {

namespace {

/// Batcher's merge exchange for any number of values (Knuth, volume 3, algorithm 5.2.2M).
template <class Visit>
void merge_exchange(i64 count, const Visit& visit) {
  for (i64 p = 1; p < count; p *= 2) {
    for (i64 k = p; k >= 1; k /= 2) {
      for (i64 j = k % p; j + k < count; j += 2 * k) {
        for (i64 i = j; i < std::min(j + k, count - k); ++i)
          if (i / (2 * p) == (i + k) / (2 * p)) visit(usize(i), usize(i + k));
      }
    }
  }
}

// Two bf16 elements in a word, each of them the upper half of an f32.
LM_INLINE inline f32 low_element(u32 word) {
  return std::bit_cast<f32>(word << 16);
}
LM_INLINE inline f32 high_element(u32 word) {
  return std::bit_cast<f32>(word & 0xffff0000u);
}
LM_INLINE inline u32 magnitude(f32 value) {
  return std::bit_cast<u32>(value) & 0x7fffffffu;
}
// Of a number that bf16 can hold: its upper half is the nearest, ties to even.
LM_INLINE inline u32 rounded(f32 value) {
  const u32 bits = std::bit_cast<u32>(value);
  return bits + 0x7fffu + ((bits >> 16) & 1u);
}
LM_INLINE inline u32 load_word(const u8* from, i64 i, std::size_t bytes = sizeof(u32)) {
  u32 word = 0;
  std::memcpy(&word, from + i * i64{sizeof(u32)}, bytes);
  return word;
}
constexpr u32 kRoundsToInfinity = 0x7f7f8000u;  // from this magnitude on

/// to[i] = sum(x0[i], x1[i]) for stored bf16. False if a sum is not finite or is rounded to
/// infinity. Words stay in their lanes: a linear merge of two models takes 0.75 ns an element,
/// where vectors that widen and narrow, with passes that look for what is not finite, take 1.7.
template <class Sum>
bool sum_bf16(const u8* x0, const u8* x1, i64 count, u8* to, const Sum& sum) {
  u32 largest = 0;
  vectorised([&]() LM_INLINE {
    constexpr i64 kWords = 64;
    u32 lanes[kWords];
    const auto one = [&](u32 a, u32 b, u32& out) LM_INLINE {
      const f32 low = sum(low_element(a), low_element(b));
      const f32 high = sum(high_element(a), high_element(b));
      out = rounded(low) >> 16 | (rounded(high) & 0xffff0000u);
      return std::max(magnitude(low), magnitude(high));
    };
    const i64 words = count / 2;
    const i64 whole = words - words % kWords;
    u32 most = 0;
    for (i64 i = 0; i < whole; i += kWords) {
      for (i64 j = 0; j < kWords; ++j)
        most = std::max(most, one(load_word(x0, i + j), load_word(x1, i + j), lanes[j]));
      std::memcpy(to + i * i64{sizeof(u32)}, lanes, sizeof lanes);
    }
    for (i64 i = whole; 2 * i < count; ++i) {
      const std::size_t bytes = usize(std::min<i64>(4, 2 * (count - 2 * i)));
      most = std::max(most, one(load_word(x0, i, bytes), load_word(x1, i, bytes), lanes[0]));
      std::memcpy(to + i * i64{sizeof(u32)}, lanes, bytes);
    }
    largest = most;
  });
  return largest < kRoundsToInfinity;
}

f64 sum_of_weights(const Job& job, const std::vector<f64>& weights) {
  const f64 sum = sorted_sum(weights);
  if (sum == 0)
    throw Error(ErrorKind::kConfig,
                cat("tensor ", quote(job.name, 200), ": the weights of its models add up to 0"),
                "normalize=false takes them as they are (--set, or normalize: false in a recipe)");
  return sum;
}

}  // namespace

f64 sorted_sum(std::vector<f64> values) {
  std::sort(values.begin(), values.end());
  f64 sum = 0;
  for (const f64 value : values)
    sum += value;
  return sum;
}

template <class A>
LinearKernel<A>::LinearKernel(const std::vector<f64>& weights, f64 divisor) {
  // Scaled by a power of two, which changes no digit, so that no sum of products overflows.
  f64 sum = 0;
  for (const f64 weight : weights)
    sum += std::fabs(weight);
  const f64 scale = sum > 0 ? std::ldexp(1.0, -std::ilogb(sum) - 1) : 1.0;
  for (const f64 weight : weights)
    weights_.push_back(static_cast<A>(weight * scale));
  divisor_ = static_cast<A>(divisor * scale);
  if (weights.size() > 2) {  // the sum of two is the same either way
    merge_exchange(isize(weights), [&](std::size_t low, std::size_t high) {
      network_.push_back({low, high});
    });
  }
}

template <class A>
void LinearKernel<A>::combine(const Chunk<A>& in, A* out) const {
  const i64 count = in.count;
  const A divisor = divisor_;
  const A w0 = weights_[0];
  const A* const x0 = in.x[0];
  if (in.x.size() == 1) {
    return vectorised([&]() LM_INLINE {
      for (i64 i = 0; i < count; ++i)
        out[i] = w0 * x0[i] / divisor;
    });
  }
  if (in.x.size() == 2) {
    const A w1 = weights_[1];
    const A* const x1 = in.x[1];
    return vectorised([&]() LM_INLINE {
      for (i64 i = 0; i < count; ++i)
        out[i] = (w0 * x0[i] + w1 * x1[i]) / divisor;
    });
  }
  std::vector<std::vector<A>>& parts = in.work->parts;
  if (parts.size() < in.x.size()) parts.resize(in.x.size());
  for (std::size_t m = 0; m < in.x.size(); ++m) {
    parts[m].resize(usize(count));
    A* const part = parts[m].data();
    const A* const x = in.x[m];
    const A weight = weights_[m];
    vectorised([&]() LM_INLINE {
      for (i64 i = 0; i < count; ++i)
        part[i] = weight * x[i];
    });
  }
  for (const Exchange& exchange : network_) {
    A* const low = parts[exchange.low].data();
    A* const high = parts[exchange.high].data();
    vectorised([&]() LM_INLINE {
      for (i64 i = 0; i < count; ++i) {
        const A a = low[i];
        const A b = high[i];
        const bool ordered = a < b;  // not min and max: of -0 and +0 both must remain
        low[i] = ordered ? a : b;
        high[i] = ordered ? b : a;
      }
    });
  }
  vectorised([&]() LM_INLINE {
    const A* const first = parts[0].data();
    for (i64 i = 0; i < count; ++i)
      out[i] = first[i];
  });
  for (std::size_t m = 1; m < in.x.size(); ++m) {
    const A* const part = parts[m].data();
    vectorised([&]() LM_INLINE {
      for (i64 i = 0; i < count; ++i)
        out[i] += part[i];
    });
  }
  vectorised([&]() LM_INLINE {
    for (i64 i = 0; i < count; ++i)
      out[i] /= divisor;
  });
}

template <class A>
bool LinearKernel<A>::combine_bf16(std::span<const u8* const> x, i64 count, u8* to) const {
  if constexpr (std::is_same_v<A, f32>) {
    const f32 divisor = divisor_;
    const f32 w0 = weights_[0];
    if (x.size() == 1)
      return sum_bf16(x[0], x[0], count, to,
                      [=](f32 a, f32 /*b*/) LM_INLINE { return w0 * a / divisor; });
    if (x.size() == 2) {
      const f32 w1 = weights_[1];
      return sum_bf16(x[0], x[1], count, to,
                      [=](f32 a, f32 b) LM_INLINE { return (w0 * a + w1 * b) / divisor; });
    }
  }
  return false;
}

template class LinearKernel<f32>;
template class LinearKernel<f64>;

template <class A>
KernelPtr<A> make_linear(const Job& job) {
  std::vector<f64> weights = job.each("weight");
  // As the arithmetic has them, so that equal models give themselves.
  for (f64& weight : weights)
    weight = static_cast<f64>(static_cast<A>(weight));
  const f64 divisor = job.on("normalize") ? sum_of_weights(job, weights) : 1.0;
  return std::make_unique<LinearKernel<A>>(weights, divisor);
}

template <class A>
KernelPtr<A> make_passthrough(const Job& job) {
  return std::make_unique<LinearKernel<A>>(job.each("scale"), 1.0);
}

template <class A>
KernelPtr<A> make_ema(const Job& job) {
  // Without the factor 1 - d, which the bias correction takes out again.
  std::vector<f64> weights(job.models.size());
  f64 weight = 1;
  for (std::size_t i = weights.size(); i-- > 0; weight *= job.value("decay"))
    weights[i] = static_cast<f64>(static_cast<A>(weight));
  return std::make_unique<LinearKernel<A>>(weights, sum_of_weights(job, weights));
}

template <class A>
KernelPtr<A> make_mean(const Job& job) {
  const std::vector<f64> weights(job.models.size(), 1.0);
  return std::make_unique<LinearKernel<A>>(weights, static_cast<f64>(weights.size()));
}

template KernelPtr<f32> make_linear(const Job&);
template KernelPtr<f64> make_linear(const Job&);
template KernelPtr<f32> make_passthrough(const Job&);
template KernelPtr<f64> make_passthrough(const Job&);
template KernelPtr<f32> make_ema(const Job&);
template KernelPtr<f64> make_ema(const Job&);
template KernelPtr<f32> make_mean(const Job&);
template KernelPtr<f64> make_mean(const Job&);

}  // namespace lm::merge

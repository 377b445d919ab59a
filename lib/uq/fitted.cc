#include "uq/fitted.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "stat/mean.h"

namespace lm::uq {

namespace {

constexpr i64 kMostNewton = 100;
constexpr f64 kAgreed = 1e-9;    // a gradient this small, of its first length, ends the search
constexpr f64 kQuantile = 0.95;  // of TrainingRanks::hybrid

f64 dot(std::span<const f64> a, std::span<const f64> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

f64 logistic(f64 z) {
  return z >= 0 ? 1 / (1 + std::exp(-z)) : std::exp(z) / (1 + std::exp(z));
}

/// log(1 + exp(z)).
f64 softplus(f64 z) {
  return z > 0 ? z + std::log1p(std::exp(-z)) : std::log1p(std::exp(z));
}

/// The objective over (w, bias), with the last element the bias, on scaled columns.
class LogisticLoss {
 public:
  LogisticLoss(std::span<const f64> x, i64 width, std::span<const f64> target, f64 ridge)
      : x_(x), width_(width), target_(target), ridge_(ridge) {}

  f64 value(std::span<const f64> w) const {
    f64 sum = ridge_ / 2 * dot(w.first(usize(width_)), w.first(usize(width_)));
    for (i64 i = 0; i < isize(target_); ++i) {
      const f64 z = score(w, i);
      sum += softplus(z) - target_[usize(i)] * z;
    }
    return sum;
  }

  /// Also sets the curvatures that curve() uses.
  std::vector<f64> gradient(std::span<const f64> w) {
    std::vector<f64> out = regular(w);
    curvature_.clear();
    for (i64 i = 0; i < isize(target_); ++i) {
      const f64 p = logistic(score(w, i));
      curvature_.push_back(p * (1 - p));
      add(out, i, p - target_[usize(i)]);
    }
    return out;
  }

  /// Hessian times v at the last gradient's point.
  std::vector<f64> curve(std::span<const f64> v) const {
    std::vector<f64> out = regular(v);
    for (i64 i = 0; i < isize(target_); ++i)
      add(out, i, curvature_[usize(i)] * score(v, i));
    return out;
  }

 private:
  std::span<const f64> row(i64 i) const { return x_.subspan(usize(i * width_), usize(width_)); }
  f64 score(std::span<const f64> w, i64 i) const {
    return dot(w.first(usize(width_)), row(i)) + w[usize(width_)];
  }
  std::vector<f64> regular(std::span<const f64> w) const {
    std::vector<f64> out(w.begin(), w.end());
    for (f64& value : out)
      value *= ridge_;
    out.back() = 0;
    return out;
  }
  void add(std::vector<f64>& out, i64 i, f64 factor) const {
    const std::span<const f64> of = row(i);
    for (std::size_t c = 0; c < of.size(); ++c)
      out[c] += factor * of[c];
    out.back() += factor;
  }

  std::span<const f64> x_;
  i64 width_;
  std::span<const f64> target_;
  f64 ridge_;
  std::vector<f64> curvature_;
};

/// A step s with Hessian s = -gradient, by conjugate gradients.
std::vector<f64> newton_step(const LogisticLoss& loss, const std::vector<f64>& gradient) {
  std::vector<f64> step(gradient.size(), 0.0);
  std::vector<f64> residual;
  for (const f64 g : gradient)
    residual.push_back(-g);
  std::vector<f64> direction = residual;
  f64 norm = dot(residual, residual);
  const f64 small = norm * 1e-12;
  for (std::size_t k = 0; k < 2 * gradient.size() + 10 && norm > small; ++k) {
    const std::vector<f64> bent = loss.curve(direction);
    const f64 along = dot(direction, bent);
    if (!(along > 0)) break;  // flat: every target is met
    const f64 a = norm / along;
    for (std::size_t c = 0; c < step.size(); ++c) {
      step[c] += a * direction[c];
      residual[c] -= a * bent[c];
    }
    const f64 next = dot(residual, residual);
    for (std::size_t c = 0; c < step.size(); ++c)
      direction[c] = residual[c] + next / norm * direction[c];
    norm = next;
  }
  return step;
}

f64 share_up_to(const std::vector<f64>& sorted, f64 x) {
  const auto end = std::upper_bound(sorted.begin(), sorted.end(), x);
  return static_cast<f64>(end - sorted.begin()) / static_cast<f64>(sorted.size());
}

std::vector<f64> sorted(std::vector<f64> values) {
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

f64 Probe::probability(std::span<const f64> x) const {
  return logistic(dot(weight, x) + bias);
}

Probe fit_probe(std::span<const f64> x, i64 width, std::span<const f64> target, f64 ridge) {
  const i64 n = isize(target);
  LM_CHECK(n > 0 && isize(x) == n * width && ridge > 0, "a state per target, and a ridge");
  std::vector<f64> mean(usize(width), 0.0);
  std::vector<f64> scale(usize(width), 0.0);
  for (i64 i = 0; i < n * width; ++i)
    mean[usize(i % width)] += x[usize(i)] / static_cast<f64>(n);
  for (i64 i = 0; i < n * width; ++i) {
    const f64 d = x[usize(i)] - mean[usize(i % width)];
    scale[usize(i % width)] += d * d / static_cast<f64>(n);
  }
  for (std::size_t c = 0; c < scale.size(); ++c) {
    const f64 deviation = std::sqrt(scale[c]);
    // What is left of a constant by the rounding of its mean is no deviation.
    scale[c] = deviation > 1e-12 * std::abs(mean[c]) ? 1 / deviation : 0;
  }
  std::vector<f64> scaled(x.size());
  for (i64 i = 0; i < n * width; ++i)
    scaled[usize(i)] = (x[usize(i)] - mean[usize(i % width)]) * scale[usize(i % width)];

  LogisticLoss loss(scaled, width, target, ridge);
  std::vector<f64> w(usize(width + 1), 0.0);
  f64 value = loss.value(w);
  f64 first = 0;
  for (i64 k = 0; k < kMostNewton; ++k) {
    const std::vector<f64> gradient = loss.gradient(w);
    const f64 length = std::sqrt(dot(gradient, gradient));
    if (k == 0) first = length;
    if (!(length > kAgreed * first)) break;
    const std::vector<f64> step = newton_step(loss, gradient);
    const f64 slope = dot(gradient, step);
    f64 t = 1;
    std::vector<f64> next(w.size());
    f64 there = 0;
    for (int half = 0; half < 60; ++half, t /= 2) {
      for (std::size_t c = 0; c < w.size(); ++c)
        next[c] = w[c] + t * step[c];
      there = loss.value(next);
      if (there <= value + 1e-4 * t * slope) break;
    }
    if (!(there < value)) break;
    w = next;
    value = there;
  }
  Probe out;
  out.bias = w.back();
  for (i64 c = 0; c < width; ++c) {
    out.weight.push_back(w[usize(c)] * scale[usize(c)]);
    out.bias -= out.weight.back() * mean[usize(c)];
  }
  return out;
}

TrainingRanks::TrainingRanks(std::vector<f64> perplexity, std::vector<f64> distance)
    : perplexity_(std::move(perplexity)),
      distance_(std::move(distance)),
      by_perplexity_(sorted(perplexity_)),
      by_distance_(sorted(distance_)) {
  LM_CHECK(!perplexity_.empty() && perplexity_.size() == distance_.size(), "two numbers an answer");
  far_ = stat::quantile(by_distance_, kQuantile);
  vague_ = stat::quantile(by_perplexity_, kQuantile);
  for (std::size_t i = 0; i < distance_.size(); ++i) {
    if (distance_[i] <= far_) near_.push_back(perplexity_[i]);
  }
  std::sort(near_.begin(), near_.end());
}

f64 TrainingRanks::perplexity_rank(f64 x) const {
  return share_up_to(by_perplexity_, x);
}

f64 TrainingRanks::distance_rank(f64 x) const {
  return share_up_to(by_distance_, x);
}

f64 TrainingRanks::hybrid(f64 p, f64 d) const {
  if (d > far_) return (distance_rank(d) + perplexity_rank(p)) / 2;
  return p > vague_ ? perplexity_rank(p) : share_up_to(near_, p);
}

}  // namespace lm::uq

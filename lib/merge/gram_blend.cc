#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/str.h"
#include "merge/gram.h"
#include "merge/linear.h"

namespace lm::merge {

namespace {

Blend linear_blend(f64 t, std::string note) {
  return {{1 - t, t}, std::move(note)};
}

// Cosine of the two directions; a vector without direction stands as it is.
f64 cosine(const Gram& gram) {
  const f64 n0 = gram.norm(0) > kNoNorm ? gram.norm(0) : 1.0;
  const f64 n1 = gram.norm(1) > kNoNorm ? gram.norm(1) : 1.0;
  return std::clamp(gram(0, 1) / (n0 * n1), -1.0, 1.0);
}

// Shares of one; equal ones where all are 0.
std::vector<f64> shares(std::span<const f64> weights) {
  const f64 sum = sorted_sum({weights.begin(), weights.end()});
  std::vector<f64> out(weights.begin(), weights.end());
  for (f64& weight : out)
    weight = sum != 0 ? weight / sum : 1.0 / static_cast<f64>(weights.size());
  return out;
}

}  // namespace

Gram::Gram(i64 size, std::span<const f64> triangle) : Gram(size) {
  std::size_t at = 0;
  for (i64 i = 0; i < size; ++i) {
    for (i64 j = i; j < size; ++j)
      set(i, j, triangle[at++]);
  }
}

void Gram::set(i64 i, i64 j, f64 value) {
  values_[usize(i * size_ + j)] = value;
  values_[usize(j * size_ + i)] = value;
}

f64 Gram::norm(i64 i) const {
  return std::sqrt((*this)(i, i));
}

f64 Gram::product(std::span<const f64> a, std::span<const f64> b) const {
  f64 sum = 0;
  for (i64 i = 0; i < size_; ++i) {
    for (i64 j = 0; j < size_; ++j)
      sum += a[usize(i)] * (*this)(i, j) * b[usize(j)];
  }
  return sum;
}

Blend slerp_blend(const Gram& gram, f64 t, f64 threshold) {
  const f64 c = cosine(gram);
  if (std::fabs(c) > threshold) return linear_blend(t, "linear");
  const f64 theta = std::acos(c);
  const f64 sine = std::sin(theta);
  return {{std::sin((1 - t) * theta) / sine, std::sin(t * theta) / sine}, {}};
}

Blend nuslerp_blend(const Gram& gram, f64 t) {
  const f64 theta = std::acos(cosine(gram));
  const f64 sine = std::sin(theta);
  if (std::fabs(sine) < 1e-8) return linear_blend(t, "linear");
  return {{std::sin((1 - t) * theta) / sine, std::sin(t * theta) / sine}, {}};
}

Blend multislerp_blend(const Gram& gram, std::span<const f64> weights, f64 eps) {
  const i64 k = gram.size();
  std::vector<f64> direction(usize(k), 0.0);  // of the mean, in terms of the inputs
  f64 mean_norm = 0;
  f64 weight_sum = 0;
  for (i64 i = 0; i < k; ++i) {
    const f64 norm = gram.norm(i);
    mean_norm += weights[usize(i)] * norm;
    weight_sum += std::fabs(weights[usize(i)]);
    if (norm > kNoNorm) direction[usize(i)] = weights[usize(i)] / norm;
  }
  if (mean_norm == 0) return {std::move(direction), {}};  // nothing but zeros
  const f64 square = gram.product(direction, direction);
  // Below, what is left of directions that cancel is the rounding of their products.
  const f64 noise = static_cast<f64>(k) * 0x1p-50 * weight_sum * weight_sum;
  if (square <= std::max(eps * eps, noise)) {
    if (k == 2) return {shares(weights), "linear"};
    throw Error(ErrorKind::kData, "the directions of the models cancel: there is no mean of them",
                "leave a model out, or take another method for this tensor");
  }
  for (f64& one : direction)
    one *= mean_norm / std::sqrt(square);
  return {std::move(direction), {}};
}

Blend karcher_blend(const Gram& gram, std::span<const f64> weights, i64 max_iter, f64 tol) {
  const i64 k = gram.size();
  const std::vector<f64> share = shares(weights);
  Gram unit(k);  // cosines
  std::vector<f64> mean(usize(k), 0.0);
  f64 mean_norm = 0;
  for (i64 i = 0; i < k; ++i) {
    mean_norm += share[usize(i)] * gram.norm(i);
    if (gram.norm(i) > tol) mean[usize(i)] = share[usize(i)];
    for (i64 j = 0; j <= i; ++j) {
      const f64 norms = gram.norm(i) * gram.norm(j);
      unit.set(i, j, norms > 0 ? std::clamp(gram(i, j) / norms, -1.0, 1.0) : 0.0);
    }
  }
  const auto scale_to_one = [&](std::vector<f64>& vector) {
    const f64 length = std::sqrt(std::max(0.0, unit.product(vector, vector)));
    if (length < kNoNorm) return false;
    for (f64& one : vector)
      one /= length;
    return true;
  };
  std::vector<f64> step(usize(k));
  std::vector<f64> along(usize(k));
  bool turned = scale_to_one(mean);
  for (i64 round = 0; turned && round < max_iter; ++round) {
    std::fill(step.begin(), step.end(), 0.0);
    f64 back = 0;
    for (i64 i = 0; i < k; ++i) {
      if (gram.norm(i) <= tol) continue;
      std::fill(along.begin(), along.end(), 0.0);
      along[usize(i)] = 1;
      const f64 c = std::clamp(unit.product(along, mean), -1.0, 1.0);
      const f64 theta = std::acos(c);
      if (theta < 1e-12) continue;
      const f64 pull = share[usize(i)] * theta / std::max(std::sin(theta), 1e-12);
      step[usize(i)] += pull;
      back += pull * c;
    }
    for (i64 i = 0; i < k; ++i)
      step[usize(i)] -= back * mean[usize(i)];
    const f64 length = std::sqrt(std::max(0.0, unit.product(step, step)));
    if (length < tol) break;
    for (i64 i = 0; i < k; ++i) {
      mean[usize(i)] =
          std::cos(length) * mean[usize(i)] + std::sin(length) / length * step[usize(i)];
    }
    turned = scale_to_one(mean);
  }
  for (i64 i = 0; i < k; ++i) {
    const f64 norm = gram.norm(i);
    mean[usize(i)] = norm > tol ? mean[usize(i)] * mean_norm / norm : 0.0;
  }
  return {std::move(mean), {}};
}

Blend model_stock_blend(const Gram& gram) {
  const i64 k = gram.size();
  if (k == 1) return {{1.0}, {}};  // others lack the tensor
  f64 sum = 0;
  for (i64 i = 0; i < k; ++i) {
    for (i64 j = i + 1; j < k; ++j) {
      const f64 norms = std::max(gram.norm(i) * gram.norm(j), 1e-6);
      sum += std::clamp(gram(i, j) / norms, -1.0, 1.0);
    }
  }
  const f64 n = static_cast<f64>(k);
  const f64 c = sum / (n * (n - 1) / 2);
  const f64 below = 1 + (n - 1) * c;
  if (below <= 1e-6)
    return {std::vector<f64>(usize(k), 0.0), "task vectors that point apart: the base stays"};
  return {std::vector<f64>(usize(k), c / below), {}};
}

}  // namespace lm::merge

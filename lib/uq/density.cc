#include "uq/density.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/random.h"
#include "stat/calibration.h"
#include "stat/eigen.h"
#include "stat/mean.h"

namespace lm::uq {

namespace {

constexpr f64 kRidge = 1e-6;  // of the mean variance
constexpr i64 kFolds = 5;
constexpr i64 kStarts = 500;
constexpr i64 kBest = 10;
constexpr i64 kMostSteps = 100;

std::span<const f64> row_of(std::span<const f64> x, i64 width, i64 row) {
  return x.subspan(usize(row * width), usize(width));
}

/// Mean and covariance (divided by count - less) of the listed rows.
void moments(std::span<const f64> x, i64 width, std::span<const i32> rows, i64 less,
             std::vector<f64>& mean, std::vector<f64>& covariance) {
  mean.assign(usize(width), 0.0);
  covariance.assign(usize(width * width), 0.0);
  for (const i32 row : rows) {
    for (i64 c = 0; c < width; ++c)
      mean[usize(c)] += x[usize(row * width + c)];
  }
  for (f64& value : mean)
    value /= static_cast<f64>(rows.size());
  std::vector<f64> centred(rows.size() * usize(width));
  for (i64 r = 0; r < isize(rows); ++r) {
    for (i64 c = 0; c < width; ++c)
      centred[usize(r * width + c)] = x[usize(rows[usize(r)] * width + c)] - mean[usize(c)];
  }
  const f64 divisor = static_cast<f64>(isize(rows) - less);
  parallel_for(width, 32, [&](i64 begin, i64 end) {
    for (i64 r = 0; r < isize(rows); ++r) {
      const f64* const d = centred.data() + r * width;
      for (i64 i = begin; i < end; ++i) {
        for (i64 j = 0; j <= i; ++j)
          covariance[usize(i * width + j)] += d[i] * d[j];
      }
    }
    for (i64 i = begin; i < end; ++i) {
      for (i64 j = 0; j <= i; ++j)
        covariance[usize(i * width + j)] /= divisor;
    }
  });
}

f64 squared_distance(std::span<const f64> x, std::span<const f64> y) {
  f64 sum = 0;
  for (std::size_t c = 0; c < x.size(); ++c)
    sum += (x[c] - y[c]) * (x[c] - y[c]);
  return sum;
}

/// Regularised lower incomplete gamma function: its series below a + 1, its continued fraction
/// (Lentz) beyond.
f64 gamma_p(f64 a, f64 x) {
  if (x <= 0) return 0;
  const f64 front = std::exp(a * std::log(x) - x - std::lgamma(a));
  if (x < a + 1) {
    f64 term = 1 / a;
    f64 sum = term;
    for (f64 n = a + 1; term > sum * 1e-16; n += 1) {
      term *= x / n;
      sum += term;
    }
    return sum * front;
  }
  constexpr f64 kTiny = 1e-300;
  f64 b = x + 1 - a;
  f64 c = 1 / kTiny;
  f64 d = 1 / b;
  f64 h = d;
  for (f64 i = 1; i < 10000; i += 1) {
    const f64 an = -i * (i - a);
    b += 2;
    d = an * d + b;
    if (std::abs(d) < kTiny) d = kTiny;
    c = b + an / c;
    if (std::abs(c) < kTiny) c = kTiny;
    d = 1 / d;
    const f64 step = d * c;
    h *= step;
    if (std::abs(step - 1) < 1e-15) break;
  }
  return 1 - front * h;
}

/// One start of FAST-MCD.
struct Subset {
  std::vector<i32> rows;
  f64 log_determinant = INFINITY;
};

class McdSearch {
 public:
  McdSearch(std::span<const f64> x, i64 p, u64 seed)
      : x_(x), p_(p), n_(isize(x) / p), half_((n_ + p + 1) / 2), seed_(seed) {}

  /// Subset number `start` after two steps.
  Subset begin(i64 start) const {
    const RandomStream random(seed_, RandomPurpose::kOther, mix64(fnv1a64("mcd")));
    std::vector<i32> order(usize(n_));
    std::iota(order.begin(), order.end(), 0);
    for (i64 i = 0; i < n_; ++i) {
      const i64 pick = i + static_cast<i64>(random.below(static_cast<u64>(start * n_ + i),
                                                         static_cast<u64>(n_ - i)));
      std::swap(order[usize(i)], order[usize(pick)]);
    }
    Gaussian fit;
    i64 size = p_ + 1;  // more rows are drawn while these lie in a plane
    while (size <= n_ && !of(std::span(order).first(usize(size)), fit))
      ++size;
    Subset out;
    if (size > n_) return out;
    for (int step = 0; step < 2; ++step) {
      if (!concentrate(fit, out)) return out;
    }
    return out;
  }

  /// Steps until the determinant falls no more.
  void converge(Subset& subset) const {
    Gaussian fit;
    for (i64 step = 0; step < kMostSteps; ++step) {
      if (!of(subset.rows, fit)) return;
      Subset next;
      if (!concentrate(fit, next)) return;
      const bool done = next.log_determinant >= subset.log_determinant - 1e-12;
      if (next.log_determinant < subset.log_determinant) subset = std::move(next);
      if (done) return;
    }
  }

  bool of(std::span<const i32> rows, Gaussian& out) const {
    std::vector<f64> covariance;
    moments(x_, p_, rows, 0, out.mean, covariance);
    return out.covariance.factor(covariance, p_);
  }

  std::vector<f64> squares(const Gaussian& fit) const {
    std::vector<f64> out;
    for (i64 i = 0; i < n_; ++i) {
      const f64 d = fit.distance(row_of(x_, p_, i));
      out.push_back(d * d);
    }
    return out;
  }

 private:
  /// The half of the rows nearest to fit, which becomes theirs.
  bool concentrate(Gaussian& fit, Subset& out) const {
    const std::vector<f64> far = squares(fit);
    std::vector<i32> order(usize(n_));
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](i32 a, i32 b) {
      return far[usize(a)] != far[usize(b)] ? far[usize(a)] < far[usize(b)] : a < b;
    });
    order.resize(usize(half_));
    std::sort(order.begin(), order.end());
    if (!of(order, fit)) return false;
    out.rows = std::move(order);
    out.log_determinant = fit.covariance.log_determinant();
    return true;
  }

  std::span<const f64> x_;
  i64 p_, n_, half_;
  u64 seed_;
};

}  // namespace

bool Cholesky::factor(std::span<const f64> matrix, i64 n) {
  LM_CHECK(isize(matrix) == n * n, "a square matrix");
  n_ = n;
  lower_.assign(usize(n * n), 0.0);
  for (i64 i = 0; i < n; ++i) {
    f64* const row = lower_.data() + i * n;
    for (i64 j = 0; j <= i; ++j) {
      const f64* const other = lower_.data() + j * n;
      f64 sum = matrix[usize(i * n + j)];
      for (i64 k = 0; k < j; ++k)
        sum -= row[k] * other[k];
      if (j < i) {
        row[j] = sum / other[j];
      } else {
        // What is left of a variance below its roundings is none.
        if (!(sum > matrix[usize(i * n + i)] * 1e-13)) return false;
        row[i] = std::sqrt(sum);
      }
    }
  }
  return true;
}

f64 Cholesky::log_determinant() const {
  f64 sum = 0;
  for (i64 i = 0; i < n_; ++i)
    sum += 2 * std::log(lower_[usize(i * (n_ + 1))]);
  return sum;
}

f64 Cholesky::quadratic(std::span<const f64> x) const {
  LM_CHECK(isize(x) == n_, "a vector of the matrix's size");
  std::vector<f64> y(x.begin(), x.end());
  f64 sum = 0;
  for (i64 i = 0; i < n_; ++i) {
    const f64* const row = lower_.data() + i * n_;
    f64 value = y[usize(i)];
    for (i64 k = 0; k < i; ++k)
      value -= row[k] * y[usize(k)];
    y[usize(i)] = value / row[i];
    sum += y[usize(i)] * y[usize(i)];
  }
  return sum;
}

Cholesky Cholesky::of(std::vector<f64> lower, i64 n) {
  Cholesky out;
  out.n_ = n;
  out.lower_ = std::move(lower);
  return out;
}

f64 Gaussian::distance(std::span<const f64> x) const {
  std::vector<f64> centred(x.begin(), x.end());
  for (std::size_t c = 0; c < centred.size(); ++c)
    centred[c] -= mean[c];
  return std::sqrt(covariance.quadratic(centred));
}

std::optional<Gaussian> fit_gaussian(std::span<const f64> x, i64 width, std::span<const u8> use) {
  std::vector<i32> rows;
  for (i64 i = 0; i < isize(x) / width; ++i) {
    if (use.empty() || use[usize(i)] != 0) rows.push_back(static_cast<i32>(i));
  }
  if (isize(rows) < 2) return std::nullopt;
  Gaussian out;
  std::vector<f64> covariance;
  moments(x, width, rows, 1, out.mean, covariance);
  f64 trace = 0;
  for (i64 i = 0; i < width; ++i)
    trace += covariance[usize(i * (width + 1))];
  if (!(trace > 0)) return std::nullopt;
  for (i64 i = 0; i < width; ++i)
    covariance[usize(i * (width + 1))] += kRidge * trace / static_cast<f64>(width);
  if (!out.covariance.factor(covariance, width)) return std::nullopt;
  return out;
}

std::vector<f64> cross_distances(std::span<const f64> x, i64 width, u64 seed) {
  const i64 n = isize(x) / width;
  if (n < 2 * kFolds) return {};
  const std::vector<u8> fold = stat::random_folds(n, kFolds, seed);
  std::vector<f64> out(usize(n), 0.0);
  for (i64 f = 0; f < kFolds; ++f) {
    std::vector<u8> use;
    for (const u8 of : fold)
      use.push_back(of != f ? 1 : 0);
    const std::optional<Gaussian> fit = fit_gaussian(x, width, use);
    if (!fit) return {};
    for (i64 i = 0; i < n; ++i) {
      if (use[usize(i)] == 0) out[usize(i)] = fit->distance(row_of(x, width, i));
    }
  }
  return out;
}

void KernelPca::project(std::span<const f64> x, std::span<f64> out) const {
  LM_CHECK(isize(x) == width && isize(out) == components, "a state in, components out");
  std::vector<f64> kernel;
  f64 own = 0;
  for (i64 i = 0; i < count(); ++i) {
    kernel.push_back(std::exp(-gamma * squared_distance(x, row_of(states, width, i))));
    own += kernel.back() / static_cast<f64>(count());
  }
  std::fill(out.begin(), out.end(), 0.0);
  for (i64 i = 0; i < count(); ++i) {
    const f64 centred = kernel[usize(i)] - own - row_means[usize(i)] + mean;
    for (i64 k = 0; k < components; ++k)
      out[usize(k)] += centred * axes[usize(i * components + k)];
  }
}

KernelPca fit_kernel_pca(std::span<const f64> x, i64 width, i64 components) {
  KernelPca out;
  out.width = width;
  out.states.assign(x.begin(), x.end());
  const i64 n = isize(x) / width;
  std::vector<f64> kernel(usize(n * n), 0.0);
  parallel_for(n, 8, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      for (i64 j = 0; j < n; ++j)
        kernel[usize(i * n + j)] = squared_distance(row_of(x, width, i), row_of(x, width, j));
    }
  });
  std::vector<f64> pairs;
  for (i64 i = 0; i < n; ++i) {
    for (i64 j = 0; j < i; ++j)
      pairs.push_back(kernel[usize(i * n + j)]);
  }
  std::sort(pairs.begin(), pairs.end());
  const f64 median = pairs.empty() ? 0 : stat::quantile(pairs, 0.5);
  out.gamma = median > 0 ? 1 / median : 1;
  for (f64& value : kernel)
    value = std::exp(-out.gamma * value);
  for (i64 i = 0; i < n; ++i) {
    f64 sum = 0;
    for (i64 j = 0; j < n; ++j)
      sum += kernel[usize(i * n + j)];
    out.row_means.push_back(sum / static_cast<f64>(n));
    out.mean += out.row_means.back() / static_cast<f64>(n);
  }
  for (i64 i = 0; i < n; ++i) {
    for (i64 j = 0; j < n; ++j)
      kernel[usize(i * n + j)] += out.mean - out.row_means[usize(i)] - out.row_means[usize(j)];
  }
  stat::SymmetricEigen eigen;
  eigen.compute(kernel, n, true);
  const f64 least = std::max(eigen.values().back(), 0.0) * 1e-10;
  while (out.components < std::min(components, n) &&
         eigen.values()[usize(n - 1 - out.components)] > least)
    ++out.components;
  out.axes.assign(usize(n * out.components), 0.0);
  for (i64 k = 0; k < out.components; ++k) {
    const f64 root = std::sqrt(eigen.values()[usize(n - 1 - k)]);
    for (i64 i = 0; i < n; ++i)
      out.axes[usize(i * out.components + k)] = eigen.vector(n - 1 - k)[usize(i)] / root;
  }
  return out;
}

f64 chi_square_quantile(f64 q, f64 degrees) {
  f64 low = 0;
  f64 high = degrees;
  while (gamma_p(degrees / 2, high / 2) < q)
    high *= 2;
  for (int step = 0; step < 200 && high - low > 1e-13 * high; ++step) {
    const f64 middle = (low + high) / 2;
    (gamma_p(degrees / 2, middle / 2) < q ? low : high) = middle;
  }
  return (low + high) / 2;
}

std::optional<Gaussian> robust_gaussian(std::span<const f64> x, i64 p, u64 seed) {
  const McdSearch search(x, p, seed);
  std::vector<Subset> starts(usize(kStarts));
  parallel_for(kStarts, 4, [&](i64 begin, i64 end) {
    for (i64 s = begin; s < end; ++s)
      starts[usize(s)] = search.begin(s);
  });
  std::stable_sort(starts.begin(), starts.end(), [](const Subset& a, const Subset& b) {
    return a.log_determinant < b.log_determinant;
  });
  starts.resize(usize(kBest));
  parallel_for(kBest, 1, [&](i64 begin, i64 end) {
    for (i64 s = begin; s < end; ++s)
      search.converge(starts[usize(s)]);
  });
  const Subset& best = *std::min_element(
      starts.begin(), starts.end(),
      [](const Subset& a, const Subset& b) { return a.log_determinant < b.log_determinant; });
  Gaussian fit;
  if (best.rows.empty() || !search.of(best.rows, fit)) return std::nullopt;
  // Consistent for normal rows: the median distance is the distribution's. Then all rows that such
  // a distribution would hardly leave out.
  const std::vector<f64> squares = search.squares(fit);
  std::vector<f64> sorted = squares;
  std::sort(sorted.begin(), sorted.end());
  const f64 degrees = static_cast<f64>(p);
  const f64 factor = stat::quantile(sorted, 0.5) / chi_square_quantile(0.5, degrees);
  const f64 most = chi_square_quantile(0.975, degrees) * factor;
  std::vector<i32> near;
  for (i64 i = 0; i < isize(squares); ++i) {
    if (squares[usize(i)] < most) near.push_back(static_cast<i32>(i));
  }
  Gaussian out;
  if (!search.of(near, out)) return std::nullopt;
  return out;
}

f64 RobustDensity::distance(std::span<const f64> x) const {
  std::vector<f64> components(usize(pca.components));
  pca.project(x, components);
  return gaussian.distance(components);
}

std::optional<RobustDensity> fit_robust_density(std::span<const f64> x, i64 width, i64 most,
                                                u64 seed) {
  const i64 n = isize(x) / width;
  std::vector<i32> rows(usize(n));
  std::iota(rows.begin(), rows.end(), 0);
  if (n > most) {
    const RandomStream random(seed, RandomPurpose::kOther, mix64(fnv1a64("states")));
    for (i64 i = 0; i < most; ++i)
      std::swap(rows[usize(i)],
                rows[usize(i + static_cast<i64>(
                                   random.below(static_cast<u64>(i), static_cast<u64>(n - i))))]);
    rows.resize(usize(most));
    std::sort(rows.begin(), rows.end());
  }
  if (isize(rows) < 10) return std::nullopt;
  std::vector<f64> chosen;
  for (const i32 row : rows) {
    const std::span<const f64> state = row_of(x, width, row);
    chosen.insert(chosen.end(), state.begin(), state.end());
  }
  RobustDensity out;
  out.pca = fit_kernel_pca(chosen, width, std::min<i64>(100, isize(rows) / 5));
  if (out.pca.components == 0) return std::nullopt;
  std::vector<f64> components(rows.size() * usize(out.pca.components));
  for (i64 i = 0; i < isize(rows); ++i)
    out.pca.project(
        row_of(chosen, width, i),
        std::span(components).subspan(usize(i * out.pca.components), usize(out.pca.components)));
  const std::optional<Gaussian> gaussian = robust_gaussian(components, out.pca.components, seed);
  if (!gaussian) return std::nullopt;
  out.gaussian = *gaussian;
  return out;
}

}  // namespace lm::uq

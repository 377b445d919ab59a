#include "exact/permute_bits.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <numeric>
#include <set>

#include "core/error.h"
#include "core/random.h"
#include "core/str.h"
#include "cpu/backend.h"
#include "graph/exec.h"
#include "graph/params.h"
#include "ops/ops.h"

namespace lm::exact {

namespace {

constexpr f64 kPi = std::numbers::pi;
constexpr i64 kMostInputs = 4096;
constexpr i64 kMostSteps = 100'000;
constexpr f64 kTrained = 1e-6;

/// E relu(u) relu(v) and P(u > 0, v > 0) for standard normals of correlation rho.
f64 relu_product(f64 rho) {
  return (std::sqrt(std::max(0.0, 1 - rho * rho)) + (kPi - std::acos(rho)) * rho) / (2 * kPi);
}
f64 both_positive(f64 rho) {
  return (kPi - std::acos(rho)) / (2 * kPi);
}

/// Covariance of outputs at first, and the tangent kernel, of inputs of length 1.
struct Kernels {
  explicit Kernels(const BitsTask& of) : task(of) {}
  f64 first(f64 rho) const { return relu_product(rho) / static_cast<f64>(task.k); }
  f64 tangent(f64 rho) const {
    const f64 k = static_cast<f64>(task.k);
    if (task.scaling == Scaling::kNtk) return (relu_product(rho) + both_positive(rho) * rho) / k;
    return static_cast<f64>(task.width) * relu_product(rho) / k + 1 +
           (rho + 1) * both_positive(rho);
  }
  const BitsTask& task;
};

/// The tangent kernel of the one-hot vectors is diagonal (d - c) plus c everywhere.
struct Solved {
  explicit Solved(const Kernels& kernels)
      : diagonal(kernels.tangent(1) - kernels.tangent(0)),
        all(kernels.tangent(0)),
        k(kernels.task.k) {}
  /// Solution of kernel a = b where b is `set` at n places and `unset` at the others.
  std::pair<f64, f64> solve(f64 set, f64 unset, i64 n) const {
    const f64 sum = static_cast<f64>(n) * set + static_cast<f64>(k - n) * unset;
    const f64 common = all * sum / (diagonal + static_cast<f64>(k) * all);
    return {(set - common) / diagonal, (unset - common) / diagonal};
  }
  f64 diagonal, all;
  i64 k;
};

f64 below(f64 z) {
  return 0.5 * std::erfc(-z / std::numbers::sqrt2);
}

void check(const BitsTask& task) {
  LM_CHECK(task.k >= 1 && task.ones >= 1 && task.ones <= task.k && task.width >= 1,
           "a task of bits");
}

/// Test inputs as sorted places of their ones.
using Places = std::vector<i64>;

/// C(k, n), at most `most`.
i64 choose(i64 k, i64 n, i64 most) {
  f64 count = 1;
  for (i64 i = 0; i < n; ++i)
    count = count * static_cast<f64>(k - i) / static_cast<f64>(i + 1);
  return count >= static_cast<f64>(most) ? most : std::llround(count);
}

std::vector<Places> test_inputs(const BitsTask& task, const EnsembleOptions& options) {
  const i64 all = choose(task.k, task.ones, options.inputs + 1);
  std::vector<Places> out;
  if (all <= options.inputs) {
    Places at(usize(task.ones), 0);
    std::iota(at.begin(), at.end(), 0);
    while (true) {
      out.push_back(at);
      i64 i = task.ones - 1;
      while (i >= 0 && at[usize(i)] == task.k - task.ones + i)
        --i;
      if (i < 0) return out;
      ++at[usize(i)];
      for (i64 j = i + 1; j < task.ones; ++j)
        at[usize(j)] = at[usize(j - 1)] + 1;
    }
  }
  const RandomStream random(options.seed, RandomPurpose::kOther, 1);
  std::set<Places> seen;
  u64 draw = 0;
  while (isize(out) < options.inputs) {
    std::set<i64> places;
    while (isize(places) < task.ones)
      places.insert(static_cast<i64>(random.below(draw++, static_cast<u64>(task.k))));
    Places one(places.begin(), places.end());
    if (seen.insert(one).second) out.push_back(std::move(one));
  }
  return out;
}

/// target[i] is the output that shows bit i.
std::vector<i64> permutation(i64 k, u64 seed) {
  std::vector<i64> out(usize(k), 0);
  std::iota(out.begin(), out.end(), 0);
  const RandomStream random(seed, RandomPurpose::kOther, 2);
  for (i64 i = k - 1; i > 0; --i)
    std::swap(out[usize(i)],
              out[usize(random.below(static_cast<u64>(i), static_cast<u64>(i + 1)))]);
  return out;
}

/// Sums over networks, and what they say after each.
class Tally {
 public:
  Tally(const BitsTask& task, std::vector<Places> inputs, std::vector<i64> target)
      : task_(task),
        inputs_(std::move(inputs)),
        target_(std::move(target)),
        sums_(usize(isize(inputs_) * task.k), 0.0),
        squares_(sums_.size(), 0.0),
        wanted_(sums_.size(), 0) {
    for (i64 t = 0; t < isize(inputs_); ++t)
      for (const i64 place : inputs_[usize(t)])
        wanted_[usize(t * task.k + target_[usize(place)])] = 1;
  }
  const std::vector<Places>& inputs() const { return inputs_; }
  const std::vector<i64>& target() const { return target_; }

  /// outputs: [inputs, k].
  template <typename T>
  void add(const std::vector<T>& outputs) {
    f64 on = 0;
    f64 off = 0;
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      const f64 x = static_cast<f64>(outputs[i]);
      sums_[i] += x;
      squares_[i] += x * x;
      (wanted_[i] != 0 ? on : off) += x;
    }
    on_.push_back(on / ons());
    off_.push_back(offs() > 0 ? off / offs() : 0.0);
    result.points.push_back(point());
  }

  EnsembleResult finish() {
    const f64 n = static_cast<f64>(on_.size());
    result.on_error = error(on_);
    result.off_error = error(off_);
    f64 variance = 0;
    for (std::size_t i = 0; i < sums_.size(); ++i)
      variance += n > 1 ? (squares_[i] - sums_[i] * sums_[i] / n) / (n - 1) : 0.0;
    result.variance = variance / static_cast<f64>(sums_.size());
    return std::move(result);
  }
  EnsembleResult result;

 private:
  f64 ons() const { return static_cast<f64>(isize(inputs_) * task_.ones); }
  f64 offs() const { return static_cast<f64>(isize(inputs_) * (task_.k - task_.ones)); }

  EnsemblePoint point() const {
    EnsemblePoint out;
    out.networks = isize(on_);
    const f64 n = static_cast<f64>(out.networks);
    const f64 one = 1 / std::sqrt(static_cast<f64>(task_.ones));
    i64 right = 0;
    for (i64 t = 0; t < isize(inputs_); ++t) {
      bool all = true;
      for (i64 j = 0; j < task_.k; ++j) {
        const std::size_t at = usize(t * task_.k + j);
        const f64 mean = sums_[at] / n;
        const bool wanted = wanted_[at] != 0;
        all = all && (mean > 0) == wanted;
        const f64 miss = mean - (wanted ? one : 0.0);
        out.mse += miss * miss;
        (wanted ? out.on : out.off) += mean;
      }
      right += all ? 1 : 0;
    }
    out.accuracy = static_cast<f64>(right) / static_cast<f64>(isize(inputs_));
    out.mse /= static_cast<f64>(sums_.size());
    out.on /= ons();
    if (offs() > 0) out.off /= offs();
    return out;
  }

  static f64 error(const std::vector<f64>& values) {
    const f64 n = static_cast<f64>(values.size());
    if (n < 2) return 0;
    const f64 mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    f64 squares = 0;
    for (const f64 x : values)
      squares += (x - mean) * (x - mean);
    return std::sqrt(squares / (n - 1) / n);
  }

  BitsTask task_;
  std::vector<Places> inputs_;
  std::vector<i64> target_;
  std::vector<f64> sums_, squares_;  // [inputs, k]
  std::vector<u8> wanted_;
  std::vector<f64> on_, off_;  // of each network
};

f64 cosine(const Places& a, const Places& b) {
  i64 both = 0;
  for (const i64 place : a)
    both += std::binary_search(b.begin(), b.end(), place) ? 1 : 0;
  return static_cast<f64>(both) / static_cast<f64>(isize(a));
}

/// Lower triangle of a positive semidefinite matrix [n, n], in place; directions without variance
/// become zero columns.
void cholesky(std::vector<f64>& m, i64 n) {
  for (i64 j = 0; j < n; ++j) {
    f64 pivot = m[usize(j * n + j)];
    for (i64 p = 0; p < j; ++p)
      pivot -= m[usize(j * n + p)] * m[usize(j * n + p)];
    const f64 root = pivot > 1e-13 ? std::sqrt(pivot) : 0.0;
    m[usize(j * n + j)] = root;
    for (i64 i = j + 1; i < n; ++i) {
      f64 sum = m[usize(i * n + j)];
      for (i64 p = 0; p < j; ++p)
        sum -= m[usize(i * n + p)] * m[usize(j * n + p)];
      m[usize(i * n + j)] = root > 0 ? sum / root : 0.0;
    }
  }
}

/// Covariance of an output over networks between test inputs, as its Cholesky factor.
std::vector<f64> factor_of_inputs(const BitsTask& task, const std::vector<Places>& inputs) {
  const Kernels kernels(task);
  const Solved solved(kernels);
  const f64 seen = 1 / std::sqrt(static_cast<f64>(task.ones));
  const auto [set, unset] = solved.solve(kernels.tangent(seen), kernels.tangent(0), task.ones);
  const f64 same = kernels.first(1);
  const f64 other = kernels.first(0);
  const f64 near = kernels.first(seen);
  const f64 n = static_cast<f64>(task.ones);
  const f64 rest = static_cast<f64>(task.k) - n;
  const f64 total = n * set + rest * unset;  // sum of a
  const i64 count = isize(inputs);
  std::vector<f64> out(usize(count * count), 0.0);
  for (i64 s = 0; s < count; ++s) {
    for (i64 t = 0; t <= s; ++t) {
      const f64 rho = cosine(inputs[usize(s)], inputs[usize(t)]);
      const f64 both = rho * n;  // places with ones in both
      const f64 product = both * set * set + 2 * (n - both) * set * unset +
                          (rest - n + both) * unset * unset;  // a . a'
      const f64 kernel = (same - other) * product + other * total * total;
      // a . K(X, x'): near where x' has ones.
      const f64 cross = near * (both * set + (n - both) * unset) +
                        other * (total - both * set - (n - both) * unset);
      out[usize(s * count + t)] = kernels.first(rho) + kernel - 2 * cross;
    }
  }
  cholesky(out, count);
  return out;
}

/// A network and its gradient descent, as a graph over one slab of parameters.
class Network {
 public:
  Network(const BitsTask& task, const std::vector<Places>& inputs, const std::vector<i64>& target)
      : task_(task), seen_({task.k, task.k}), goal_({task.k, task.k}) {
    const i64 k = task.k;
    const i64 h = task.width;
    set_.add("w1", {h, k}, false);
    set_.add("w2", {k, h}, false);
    if (task.scaling == Scaling::kStandard) {
      set_.add("b1", {h}, false);
      set_.add("b2", {k}, false);
    }
    weights_ = ParamSlab(set_);
    grads_ = ParamSlab(set_);
    for (i64 i = 0; i < k; ++i) {
      seen_.view.f32_data()[i * k + i] = 1;
      goal_.view.f32_data()[i * k + target[usize(i)]] = 1;
    }
    tests_ = OwnedTensor({isize(inputs), k});
    const f32 one = static_cast<f32>(1 / std::sqrt(static_cast<f64>(task.ones)));
    for (i64 t = 0; t < isize(inputs); ++t)
      for (const i64 place : inputs[usize(t)])
        tests_.view.f32_data()[t * k + place] = one;
    const Value x = training_.input("x", {k, k});
    const Value goal = training_.input("goal", {k, k});
    loss_ = mse(training_, outputs(training_, x, true), goal);
    training_.keep(loss_);
    training_.backward(loss_);
    const Value unseen = testing_.input("x", {isize(inputs), k});
    result_ = outputs(testing_, unseen, false);
    testing_.keep(result_);
    train_ = std::make_unique<Executor>(training_, cpu_backend());
    test_ = std::make_unique<Executor>(testing_, cpu_backend());
    const auto of = [this](i32 index) { return weights_[index]; };
    train_->bind_params(of);
    train_->bind_grads([this](i32 index) { return grads_[index]; });
    test_->bind_params(of);
    train_->bind(x, seen_.view);
    train_->bind(goal, goal_.view);
    test_->bind(unseen, tests_.view);
  }

  /// Draws weights and descends; gives the last squared error.
  f64 train(u64 seed, i64 number, i64& steps) {
    init(seed, number);
    const f64 rate = step_size();
    for (steps = 0;; ++steps) {
      grads_.zero();
      train_->run({});
      const f64 error = static_cast<f64>(train_->scalar(loss_));
      if (error < kTrained) return error;
      if (!std::isfinite(error) || steps >= kMostSteps)
        throw Error(ErrorKind::kData,
                    cat("network ", number, ": squared error ", error, " after ", steps,
                        " steps, expected below ", kTrained),
                    "a wider network follows its tangent kernel");
      const f32 by = static_cast<f32>(rate);
      for (i64 i = 0; i < weights_.elements(); ++i)
        weights_.data()[i] -= by * grads_.data()[i];
    }
  }
  /// [inputs, k].
  std::vector<f32> test() {
    test_->run({});
    const Tensor out = test_->tensor(result_);
    return {out.f32_data(), out.f32_data() + out.count()};
  }

 private:
  Value outputs(Graph& g, Value x, bool trainable) {
    const auto param = [&](const char* name) {
      const i32 index = set_.find(name);
      return index < 0 ? Value{}
                       : g.parameter(name, set_[index].shape, index, DType::kF32, trainable);
    };
    const bool ntk = task_.scaling == Scaling::kNtk;
    Value u = linear(g, x, param("w1"), param("b1"));
    if (ntk) u = scale(g, u, static_cast<f32>(1 / std::sqrt(static_cast<f64>(task_.k))));
    const Value y = linear(g, unary(g, u, Unary::kRelu), param("w2"), param("b2"));
    return ntk ? scale(g, y, static_cast<f32>(1 / std::sqrt(static_cast<f64>(task_.width)))) : y;
  }

  void init(u64 seed, i64 number) {
    const RandomStream random(seed, RandomPurpose::kInit, static_cast<u64>(number));
    const bool ntk = task_.scaling == Scaling::kNtk;
    u64 draw = 0;
    std::fill_n(weights_.data(), weights_.elements(), 0.0f);
    for (const char* const name : {"w1", "w2"}) {
      const Tensor w = weights_[set_.find(name)];
      const f64 deviation = ntk ? 1.0 : 1 / std::sqrt(static_cast<f64>(w.cols()));
      for (i64 i = 0; i < w.count(); ++i)
        w.f32_data()[i] = static_cast<f32>(deviation * random.normal(draw++));
    }
  }

  /// Of the mean over k^2 outputs, whose gradient is 2/k^2 of each: the largest eigenvalue of the
  /// kernel is met with a step below 2.
  f64 step_size() const {
    const Kernels kernels(task_);
    const f64 k = static_cast<f64>(task_.k);
    const f64 largest = kernels.tangent(1) + (k - 1) * kernels.tangent(0);
    return 0.5 * k * k / largest;
  }

  BitsTask task_;
  ParamSet set_;
  ParamSlab weights_, grads_;
  OwnedTensor seen_, goal_, tests_;
  Graph training_{ops()}, testing_{ops()};
  Value loss_, result_;
  std::unique_ptr<Executor> train_, test_;
};

}  // namespace

BitMoments moments(const BitsTask& task) {
  check(task);
  const Kernels kernels(task);
  const f64 seen = 1 / std::sqrt(static_cast<f64>(task.ones));
  const f64 d = kernels.tangent(1);
  const f64 c = kernels.tangent(0);
  const f64 f = kernels.tangent(seen);
  const f64 k = static_cast<f64>(task.k);
  const f64 n = static_cast<f64>(task.ones);
  const f64 spread = (d - c) * (d - c + k * c);
  BitMoments out;
  out.on = (f * (d - c) + c * (k - n) * (f - c)) / spread;
  out.off = 0.0 - c * (n * (f - c) - (d - c)) / spread;  // no -0 for one bit
  const Solved solved(kernels);
  const auto [set, unset] = solved.solve(f, c, task.ones);
  const f64 total = n * set + (k - n) * unset;
  const f64 squares = n * set * set + (k - n) * unset * unset;
  const f64 other = kernels.first(0);
  const f64 cross = n * set * kernels.first(seen) + (k - n) * unset * other;
  out.variance =
      kernels.first(1) + (kernels.first(1) - other) * squares + other * total * total - 2 * cross;
  return out;
}

f64 right_share(const BitsTask& task, i64 n) {
  const BitMoments m = moments(task);
  const f64 root = std::sqrt(static_cast<f64>(n) / std::max(m.variance, 1e-300));
  return std::pow(below(m.on * root), static_cast<f64>(task.ones)) *
         std::pow(below(-m.off * root), static_cast<f64>(task.k - task.ones));
}

i64 ensemble_size(const BitsTask& task, f64 share, i64 most) {
  i64 low = 0;  // too few
  i64 high = most + 1;
  while (high - low > 1) {
    const i64 middle = low + (high - low) / 2;
    (right_share(task, middle) >= share ? high : low) = middle;
  }
  return high;
}

i64 EnsembleResult::enough(f64 share) const {
  constexpr i64 kMore = 10;
  i64 run = 0;
  for (i64 i = 0; i < isize(points); ++i) {
    run = points[usize(i)].accuracy >= share ? run + 1 : 0;
    if (run > kMore) return points[usize(i - kMore)].networks;
  }
  return 0;
}

EnsembleResult draw_ensemble(const BitsTask& task, const EnsembleOptions& options) {
  check(task);
  if (options.inputs > kMostInputs)
    throw Error(ErrorKind::kUsage,
                cat(options.inputs, " test inputs, at most ", kMostInputs, " are drawn together"));
  Tally tally(task, test_inputs(task, options), permutation(task.k, options.seed));
  const BitMoments m = moments(task);
  const i64 count = isize(tally.inputs());
  const std::vector<f64> factor = factor_of_inputs(task, tally.inputs());
  std::vector<f64> outputs(usize(count * task.k), 0.0);
  std::vector<f64> normals(usize(count), 0.0);
  for (i64 network = 0; network < options.networks; ++network) {
    const RandomStream random(options.seed, RandomPurpose::kSampling,
                              static_cast<u64>(network) + 1);
    u64 draw = 0;
    for (i64 j = 0; j < task.k; ++j) {
      for (f64& x : normals)
        x = random.normal(draw++);
      for (i64 t = 0; t < count; ++t) {
        f64 sum = m.off;
        for (i64 p = 0; p <= t; ++p)
          sum += factor[usize(t * count + p)] * normals[usize(p)];
        outputs[usize(t * task.k + j)] = sum;
      }
    }
    for (i64 t = 0; t < count; ++t)
      for (const i64 place : tally.inputs()[usize(t)])
        outputs[usize(t * task.k + tally.target()[usize(place)])] += m.on - m.off;
    tally.add(outputs);
  }
  return tally.finish();
}

EnsembleResult train_ensemble(const BitsTask& task, const EnsembleOptions& options) {
  check(task);
  Tally tally(task, test_inputs(task, options), permutation(task.k, options.seed));
  Network network(task, tally.inputs(), tally.target());
  for (i64 number = 0; number < options.networks; ++number) {
    i64 steps = 0;
    const f64 error = network.train(options.seed, number, steps);
    tally.result.steps = std::max(tally.result.steps, steps);
    tally.result.training_mse = std::max(tally.result.training_mse, error);
    tally.add(network.test());
  }
  return tally.finish();
}

}  // namespace lm::exact

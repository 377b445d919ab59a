#include "uq/meaning.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"

namespace lm::uq {

std::vector<i32> cluster_first_fit(i64 m, const std::function<bool(i64, i64)>& same) {
  std::vector<i32> labels(usize(m));
  std::vector<i64> first;
  for (i64 i = 0; i < m; ++i) {
    std::size_t c = 0;
    while (c < first.size() && !same(first[c], i))
      ++c;
    if (c == first.size()) first.push_back(i);
    labels[usize(i)] = static_cast<i32>(c);
  }
  return labels;
}

std::vector<i32> cluster_components(i64 m, const std::function<bool(i64, i64)>& same) {
  std::vector<i32> labels(usize(m), -1);
  i32 next = 0;
  std::vector<i64> stack;
  for (i64 start = 0; start < m; ++start) {
    if (labels[usize(start)] >= 0) continue;
    labels[usize(start)] = next;
    stack.push_back(start);
    while (!stack.empty()) {
      const i64 i = stack.back();
      stack.pop_back();
      for (i64 j = 0; j < m; ++j) {
        if (labels[usize(j)] >= 0 || !same(std::min(i, j), std::max(i, j))) continue;
        labels[usize(j)] = next;
        stack.push_back(j);
      }
    }
    ++next;
  }
  return labels;
}

namespace {
std::vector<f64> shares(std::span<const i32> labels) {
  const i32 clusters = labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + 1;
  std::vector<f64> out(usize(clusters), 0.0);
  for (const i32 label : labels)
    out[usize(label)] += 1;
  for (f64& share : out)
    share /= static_cast<f64>(labels.size());
  return out;
}
}  // namespace

f64 cluster_entropy(std::span<const i32> labels) {
  f64 h = 0;
  for (const f64 p : shares(labels))
    h -= p * std::log(p);
  return h;
}

f64 largest_share(std::span<const i32> labels) {
  const std::vector<f64> all = shares(labels);
  return all.empty() ? std::numeric_limits<f64>::quiet_NaN()
                     : *std::max_element(all.begin(), all.end());
}

f64 log_sum_exp(std::span<const f64> x) {
  f64 most = -std::numeric_limits<f64>::infinity();
  for (const f64 v : x)
    most = std::max(most, v);
  if (!std::isfinite(most)) return most;
  f64 sum = 0;
  for (const f64 v : x)
    sum += std::exp(v - most);
  return most + std::log(sum);
}

std::vector<f64> cluster_log_probability(std::span<const i32> labels, std::span<const f64> logp) {
  LM_CHECK(labels.size() == logp.size(), "a log-probability per answer");
  const i32 clusters = labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + 1;
  const f64 all = log_sum_exp(logp);
  std::vector<f64> out;
  std::vector<f64> members;
  for (i32 c = 0; c < clusters; ++c) {
    members.clear();
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] == c) members.push_back(logp[i]);
    }
    out.push_back(log_sum_exp(members) - all);
  }
  return out;
}

f64 semantic_entropy(std::span<const i32> labels, std::span<const f64> logp) {
  f64 h = 0;
  for (const f64 log_p : cluster_log_probability(labels, logp)) {
    if (log_p > -std::numeric_limits<f64>::infinity()) h -= std::exp(log_p) * log_p;
  }
  return h;
}

f64 semantic_entropy_sampled(std::span<const i32> labels, std::span<const f64> logp) {
  const std::vector<f64> of_cluster = cluster_log_probability(labels, logp);
  f64 sum = 0;
  for (const i32 label : labels)
    sum -= of_cluster[usize(label)];
  return sum / static_cast<f64>(labels.size());
}

GraphMeasures graph_measures(std::span<const f64> w, i64 m, stat::SymmetricEigen& eigen) {
  std::vector<f64> degree(usize(m), 0.0);
  for (i64 i = 0; i < m; ++i) {
    for (i64 j = 0; j < m; ++j)
      degree[usize(i)] += w[usize(i * m + j)];
    LM_CHECK(degree[usize(i)] > 0, "every answer is like itself");
  }
  std::vector<f64> laplacian(usize(m * m));
  for (i64 i = 0; i < m; ++i) {
    for (i64 j = 0; j < m; ++j) {
      laplacian[usize(i * m + j)] =
          (i == j ? 1.0 : 0.0) -
          w[usize(i * m + j)] / std::sqrt(degree[usize(i)] * degree[usize(j)]);
    }
  }
  eigen.compute(laplacian, m, true);
  GraphMeasures out;
  f64 squares = 0;
  for (i64 k = 0; k < m; ++k) {
    const f64 value = eigen.values()[usize(k)];
    out.eigv += std::max(0.0, 1 - value);
    if (value >= 0.9) continue;
    const std::span<const f64> v = eigen.vector(k);
    // |v|^2 = 1, so centring takes m mean^2 away.
    const f64 mean = std::accumulate(v.begin(), v.end(), 0.0) / static_cast<f64>(m);
    squares += 1 - static_cast<f64>(m) * mean * mean;
  }
  out.ecc = std::sqrt(std::max(0.0, squares));
  const f64 n = static_cast<f64>(m);
  out.degmat = (n * n - std::accumulate(degree.begin(), degree.end(), 0.0)) / (n * n);
  return out;
}

f64 kernel_entropy(std::span<const f64> g, i64 m, f64 t, stat::SymmetricEigen& eigen) {
  std::vector<f64> matrix(usize(m * m));
  for (i64 i = 0; i < m; ++i) {
    f64 degree = 0;
    for (i64 j = 0; j < m; ++j) {
      if (i == j) continue;
      degree += g[usize(i * m + j)];
      matrix[usize(i * m + j)] = -g[usize(i * m + j)];
    }
    matrix[usize(i * m + i)] = degree;
  }
  eigen.compute(matrix, m, true);
  std::vector<f64> kernel(usize(m * m), 0.0);
  for (i64 k = 0; k < m; ++k) {
    const f64 weight = std::exp(-t * eigen.values()[usize(k)]);
    const std::span<const f64> v = eigen.vector(k);
    for (i64 i = 0; i < m; ++i) {
      for (i64 j = i; j < m; ++j)
        kernel[usize(i * m + j)] += weight * v[usize(i)] * v[usize(j)];
    }
  }
  for (i64 i = 0; i < m; ++i) {
    for (i64 j = i; j < m; ++j) {
      matrix[usize(i * m + j)] =
          kernel[usize(i * m + j)] /
          (std::sqrt(kernel[usize(i * m + i)] * kernel[usize(j * m + j)]) * static_cast<f64>(m));
    }
  }
  eigen.compute(matrix, m, false);
  f64 entropy = 0;
  for (const f64 value : eigen.values()) {
    if (value > 0) entropy -= value * std::log(value);
  }
  return std::max(0.0, entropy);
}

f64 eigen_score(std::span<const std::vector<f64>* const> z, f64 alpha,
                stat::SymmetricEigen& eigen) {
  const i64 m = isize(z);
  std::vector<std::vector<f64>> centred;
  for (const std::vector<f64>* row : z) {
    const f64 mean = std::accumulate(row->begin(), row->end(), 0.0) / static_cast<f64>(row->size());
    std::vector<f64>& out = centred.emplace_back(*row);
    for (f64& v : out)
      v -= mean;
  }
  std::vector<f64> matrix(usize(m * m));
  for (i64 i = 0; i < m; ++i) {
    for (i64 j = i; j < m; ++j) {
      matrix[usize(i * m + j)] =
          std::inner_product(centred[usize(i)].begin(), centred[usize(i)].end(),
                             centred[usize(j)].begin(), i == j ? alpha : 0.0);
      if (!std::isfinite(matrix[usize(i * m + j)])) return std::numeric_limits<f64>::quiet_NaN();
    }
  }
  eigen.compute(matrix, m, false);
  f64 sum = 0;
  for (const f64 value : eigen.values())
    sum += std::log(std::max(value, alpha / 2));  // rounding may go below alpha, nothing else can
  return sum / static_cast<f64>(m);
}

}  // namespace lm::uq

// Estimators of several answers: likelihoods, clusters of one meaning, graphs of similarity. m
// samples s_i with p_i their probabilities.

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "uq/estimators.h"

namespace lm::uq {

namespace {

constexpr f64 kMissing = std::numeric_limits<f64>::quiet_NaN();

f64 negative_mean(std::span<const f64> x) {
  f64 sum = 0;
  for (const f64 v : x)
    sum -= v;
  return x.empty() ? kMissing : sum / static_cast<f64>(x.size());
}

f64 mc_entropy(Evidence& e) {
  return negative_mean(e.sample_logp());
}

f64 mc_norm_entropy(Evidence& e) {
  return negative_mean(e.sample_mean_logp());
}

f64 over_clusters(Evidence& e, std::span<const f64> logp,
                  f64 (*entropy)(std::span<const i32>, std::span<const f64>)) {
  const std::span<const i32> labels = e.clusters();
  return labels.empty() || logp.empty() ? kMissing : entropy(labels, logp);
}

f64 entropy_rao(Evidence& e) {
  return over_clusters(e, e.sample_logp(), semantic_entropy);
}

f64 entropy_sampled(Evidence& e) {
  return over_clusters(e, e.sample_logp(), semantic_entropy_sampled);
}

f64 entropy_norm(Evidence& e) {
  return over_clusters(e, e.sample_mean_logp(), semantic_entropy);
}

// Equal texts count once inside a cluster.
f64 entropy_unique(Evidence& e) {
  const std::span<const i32> labels = e.clusters();
  const std::span<const f64> logp = e.sample_logp();
  if (labels.empty() || logp.empty()) return kMissing;
  std::vector<f64> once(logp.begin(), logp.end());
  const std::span<const i32> first = e.first_equal();
  for (std::size_t i = 0; i < once.size(); ++i) {
    if (first[i] != static_cast<i32>(i)) once[i] = -std::numeric_limits<f64>::infinity();
  }
  return semantic_entropy(labels, once);
}

// mean of -log(p_i + sum over j of sim_ij p_j / 0.001). Source: Duan et al. 2024.
f64 shifted(Evidence& e, std::span<const f64> logp) {
  const std::span<const f64> w = e.similarity();
  if (w.empty() || logp.empty()) return kMissing;
  const std::size_t m = logp.size();
  const f64 log_t = std::log(0.001);
  std::vector<f64> terms;
  f64 sum = 0;
  for (std::size_t i = 0; i < m; ++i) {
    terms.assign(1, logp[i]);
    for (std::size_t j = 0; j < m; ++j) {
      if (j != i && w[i * m + j] > 0) terms.push_back(logp[j] + std::log(w[i * m + j]) - log_t);
    }
    sum -= log_sum_exp(terms);
  }
  return sum / static_cast<f64>(m);
}

f64 sentence_sar(Evidence& e) {
  return shifted(e, e.sample_logp());
}

// The same with log p_i the relevance-weighted mean of the tokens.
f64 sar(Evidence& e) {
  std::vector<f64> logp;
  for (const Answer& sample : e.record().samples) {
    f64 weight = 0;
    f64 sum = 0;
    if (sample.relevance.empty() || sample.relevance.size() != sample.logp.size()) return kMissing;
    for (std::size_t t = 0; t < sample.logp.size(); ++t) {
      weight += sample.relevance[t];
      sum += sample.relevance[t] * sample.logp[t];
    }
    if (!(weight > 0)) return kMissing;
    logp.push_back(sum / weight);
  }
  return shifted(e, logp);
}

// -sum K p / sum p over distinct samples and the greedy answer, p = p^(1/L), K = max(0, 1 -
// P(contradicts) - P(neutral) / 2). Source: Qiu and Miikkulainen 2024.
f64 semantic_density(Evidence& e) {
  const Table& entail = e.record().nli_entail;
  const Table& contra = e.record().nli_contradict;
  const i64 m = e.samples();
  const std::span<const f64> logp = e.sample_mean_logp();
  if (m == 0 || logp.empty() || entail.empty() || contra.empty() || entail.shape[0] != m + 1 ||
      contra.shape[0] != m + 1 || e.greedy() == nullptr || e.greedy()->logp.empty())
    return kMissing;
  f64 greedy = 0;
  for (const f64 l : e.greedy()->logp)
    greedy += l;
  greedy = std::exp(greedy / static_cast<f64>(e.greedy()->logp.size()));
  f64 above = greedy;
  f64 below = greedy;
  const std::span<const i32> first = e.first_equal();
  for (i64 i = 0; i < m; ++i) {
    if (first[usize(i)] != i) continue;
    const f64 en = entail.values[usize(m * (m + 1) + i)];
    const f64 co = contra.values[usize(m * (m + 1) + i)];
    const f64 kernel = std::max(0.0, 1 - co - std::max(0.0, 1 - en - co) / 2);
    const f64 p = std::exp(logp[usize(i)]);
    above += kernel * p;
    below += p;
  }
  return -above / below;
}

// A score of the greedy answer times its mean distance to the samples. Source: Vashurin et al.
// 2025.
f64 cocoa(Evidence& e, const char* base) {
  const std::span<const f64> alike = e.greedy_similarity();
  if (alike.empty()) return kMissing;
  f64 distance = 0;
  for (const f64 s : alike)
    distance += (1 - s) / static_cast<f64>(alike.size());
  return find_estimator(base)->score(e) * distance;
}

f64 cocoa_msp(Evidence& e) {
  return cocoa(e, "msp");
}

f64 cocoa_ppl(Evidence& e) {
  return cocoa(e, "perplexity");
}

f64 cocoa_mte(Evidence& e) {
  return cocoa(e, "mean_token_entropy");
}

f64 eigenscore(Evidence& e) {
  const std::span<const std::vector<f64>* const> z = e.embeddings();
  return z.empty()
             ? kMissing
             : e.finite(eigen_score(z, 1e-3, e.eigen()), "samples", "the embeddings' covariance");
}

f64 num_sets(Evidence& e) {
  const std::span<const i32> sets = e.components();
  return sets.empty() ? kMissing
                      : static_cast<f64>(*std::max_element(sets.begin(), sets.end()) + 1);
}

f64 entropy_of_clusters(Evidence& e) {
  const std::span<const i32> labels = e.clusters();
  return labels.empty() ? kMissing : cluster_entropy(labels);
}

f64 label_prob(Evidence& e) {
  const std::span<const i32> labels = e.clusters();
  return labels.empty() ? kMissing : 1 - largest_share(labels);
}

f64 eigv(Evidence& e) {
  return e.graph() == nullptr ? kMissing : e.graph()->eigv;
}

f64 degmat(Evidence& e) {
  return e.graph() == nullptr ? kMissing : e.graph()->degmat;
}

f64 ecc(Evidence& e) {
  return e.graph() == nullptr ? kMissing : e.graph()->ecc;
}

// -mean over pairs.
f64 negative_pair_mean(std::span<const f64> w, i64 m) {
  if (m < 2 || w.empty()) return kMissing;
  f64 sum = 0;
  for (i64 i = 0; i < m; ++i) {
    for (i64 j = 0; j < i; ++j)
      sum -= w[usize(i * m + j)];
  }
  return sum / (static_cast<f64>(m) * static_cast<f64>(m - 1) / 2);
}

f64 lexsim(Evidence& e) {
  return negative_pair_mean(e.text_similarity(Sim::kRougeL), e.samples());
}

f64 lexsim_bleu(Evidence& e) {
  return negative_pair_mean(e.text_similarity(Sim::kBleu), e.samples());
}

f64 lexsim_rouge(Evidence& e, i64 n) {
  const i64 m = e.samples();
  const ComparedWords& words = e.sample_words();
  std::vector<f64> w(usize(m * m), 0.0);
  for (i64 i = 0; i < m; ++i) {
    for (i64 j = 0; j < i; ++j)
      w[usize(i * m + j)] = words.rouge_n(i, j, n);
  }
  return negative_pair_mean(w, m);
}

f64 lexsim_rouge1(Evidence& e) {
  return lexsim_rouge(e, 1);
}

f64 lexsim_rouge2(Evidence& e) {
  return lexsim_rouge(e, 2);
}

f64 kle(Evidence& e) {
  return e.kernel();
}

f64 kle_scaled(Evidence& e) {
  return e.samples() < 2 ? kMissing : e.kernel() / std::log(static_cast<f64>(e.samples()));
}

// 1 - mean over i != j of e / (e + c), which is the logistic function of the difference of the two
// logits. Source: Zhang et al. 2024.
f64 luq(Evidence& e) {
  const Table& entail = e.record().nli_entail;
  const Table& contra = e.record().nli_contradict;
  const i64 m = e.samples();
  if (m < 2 || entail.empty() || contra.empty()) return kMissing;
  f64 sum = 0;
  for (i64 i = 0; i < m; ++i) {
    for (i64 j = 0; j < m; ++j) {
      if (i == j) continue;
      const f64 en = entail.values[usize(i * entail.shape[0] + j)];
      const f64 co = contra.values[usize(i * contra.shape[0] + j)];
      sum += en + co > 0 ? en / (en + co) : 0.5;
    }
  }
  return 1 - sum / (static_cast<f64>(m) * static_cast<f64>(m - 1));
}

// 1 - share of the majority answer: the last number, else the text. Source: Wang et al. 2023.
f64 self_consistency(Evidence& e) {
  if (e.samples() == 0) return kMissing;
  std::map<std::string, i64> votes;
  i64 most = 0;
  for (const Answer& sample : e.record().samples)
    most = std::max(most, ++votes[TextComparer::key(Sim::kNumeric, sample.text)]);
  return 1 - static_cast<f64>(most) / static_cast<f64>(e.samples());
}

constexpr Estimator kTable[] = {
    {"mc_entropy", "samples.logp", "-mean log p(s)", Cost::kSamples, false, mc_entropy},
    {"mc_norm_entropy", "samples.logp", "-mean log p(s)/L", Cost::kSamples, false, mc_norm_entropy},
    {"semantic_entropy", "samples.text logp", "-sum P(c) log P(c)", Cost::kSamples, false,
     entropy_rao},
    {"semantic_entropy_mc", "samples.text logp", "-mean log P(cluster of s)", Cost::kSamples, false,
     entropy_sampled},
    {"semantic_entropy_norm", "samples.text logp", "of p(s)^(1/L)", Cost::kSamples, false,
     entropy_norm},
    {"semantic_entropy_unique", "samples.text logp", "equal texts once", Cost::kSamples, false,
     entropy_unique},
    {"sentence_sar", "samples.text logp", "mean -log(p + similar p / 0.001)", Cost::kSamples, false,
     sentence_sar},
    {"sar", "samples.text logp relevance", "sentence_sar of token_sar", Cost::kSamples, false, sar},
    {"semantic_density", "samples.logp greedy.logp sim.nli", "-sum K p / sum p", Cost::kBoth, false,
     semantic_density},
    {"cocoa_msp", "greedy.logp samples.text", "msp x mean distance", Cost::kBoth, false, cocoa_msp},
    {"cocoa_ppl", "greedy.logp samples.text", "perplexity x mean distance", Cost::kBoth, false,
     cocoa_ppl},
    {"cocoa_mte", "greedy.entropy samples.text", "mean entropy x mean distance", Cost::kBoth, false,
     cocoa_mte},
    {"eigenscore", "samples.emb", "mean log eigenvalue of Z J Z^T", Cost::kSamples, false,
     eigenscore},
    {"num_sets", "samples.text", "connected components", Cost::kSamples, false, num_sets},
    {"cluster_entropy", "samples.text", "-sum n/m log n/m", Cost::kSamples, false,
     entropy_of_clusters},
    {"label_prob", "samples.text", "1 - share of the largest cluster", Cost::kSamples, true,
     label_prob},
    {"eigv", "samples.text", "sum max(0, 1 - eigenvalue)", Cost::kSamples, false, eigv},
    {"degmat", "samples.text", "trace(m I - D)/m^2", Cost::kSamples, false, degmat},
    {"ecc", "samples.text", "norm of centred eigenvectors", Cost::kSamples, false, ecc},
    {"lexsim", "samples.text", "-mean rougeL of pairs", Cost::kSamples, false, lexsim},
    {"lexsim_rouge1", "samples.text", "-mean rouge1 of pairs", Cost::kSamples, false,
     lexsim_rouge1},
    {"lexsim_rouge2", "samples.text", "-mean rouge2 of pairs", Cost::kSamples, false,
     lexsim_rouge2},
    {"lexsim_bleu", "samples.text", "-mean BLEU of pairs", Cost::kSamples, false, lexsim_bleu},
    {"kle", "samples.text or sim.nli", "entropy of a heat kernel", Cost::kSamples, false, kle},
    {"kle_scaled", "samples.text or sim.nli", "kle / log m", Cost::kSamples, false, kle_scaled},
    {"luq", "sim.nli", "1 - mean entail/(entail + contradict)", Cost::kSamples, false, luq},
    {"self_consistency", "samples.text", "1 - share of the majority answer", Cost::kSamples, true,
     self_consistency},
};

}  // namespace

std::span<const Estimator> sample_estimators() {
  return kTable;
}

}  // namespace lm::uq

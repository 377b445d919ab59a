// Estimators of the greedy answer's tokens. L tokens, l_t = log p(y_t), H_t entropy of the full
// distribution, V vocabulary.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "uq/estimators.h"

namespace lm::uq {

namespace {

constexpr f64 kMissing = std::numeric_limits<f64>::quiet_NaN();

f64 sum(std::span<const f64> x) {
  return std::accumulate(x.begin(), x.end(), 0.0);
}

f64 mean(std::span<const f64> x) {
  return x.empty() ? kMissing : sum(x) / static_cast<f64>(x.size());
}

std::span<const f64> logp_of(Evidence& e) {
  return e.greedy() == nullptr ? std::span<const f64>() : std::span(e.greedy()->logp);
}

f64 msp(Evidence& e) {
  const std::span<const f64> logp = logp_of(e);
  return logp.empty() ? kMissing : -sum(logp);
}

f64 perplexity(Evidence& e) {
  return -mean(logp_of(e));
}

f64 perplexity_exp(Evidence& e) {
  return std::exp(perplexity(e));
}

f64 min_token(Evidence& e) {
  const std::span<const f64> logp = logp_of(e);
  return logp.empty() ? kMissing : -*std::min_element(logp.begin(), logp.end());
}

f64 mean_token_entropy(Evidence& e) {
  return e.greedy() == nullptr ? kMissing : mean(e.greedy()->entropy);
}

f64 max_token_entropy(Evidence& e) {
  if (e.greedy() == nullptr || e.greedy()->entropy.empty()) return kMissing;
  return *std::max_element(e.greedy()->entropy.begin(), e.greedy()->entropy.end());
}

// -mean(log p of the likeliest - log p of the second).
f64 margin(Evidence& e) {
  if (e.greedy() == nullptr || e.greedy()->top.empty()) return kMissing;
  f64 total = 0;
  for (const std::vector<TopToken>& list : e.greedy()->top) {
    f64 first = -std::numeric_limits<f64>::infinity();
    f64 second = first;
    for (const TopToken& token : list) {
      second = std::max(second, std::min(first, token.logp));
      first = std::max(first, token.logp);
    }
    if (list.size() < 2) return kMissing;
    total += first - second;
  }
  return -total / static_cast<f64>(e.greedy()->top.size());
}

// -mean(l_t - l0_t), l0 without the prompt, l0_1 := 0.
f64 pmi(Evidence& e) {
  if (e.greedy() == nullptr || logp_of(e).empty() || e.greedy()->logp0.empty()) return kMissing;
  const std::span<const f64> logp = logp_of(e);
  f64 total = logp[0];
  for (std::size_t t = 1; t < logp.size(); ++t)
    total += logp[t] - e.greedy()->logp0[t];
  return -total / static_cast<f64>(logp.size());
}

// -mean(l_t - lambda l0_t where H_t >= tau). Source: van der Poel et al. 2022.
f64 cpmi(Evidence& e) {
  constexpr f64 kTau = 0.0656;
  constexpr f64 kLambda = 3.599;
  if (e.greedy() == nullptr || logp_of(e).empty() || e.greedy()->logp0.empty() ||
      e.greedy()->entropy.empty())
    return kMissing;
  const std::span<const f64> logp = logp_of(e);
  f64 total = logp[0];
  for (std::size_t t = 1; t < logp.size(); ++t)
    total += logp[t] - (e.greedy()->entropy[t] >= kTau ? kLambda * e.greedy()->logp0[t] : 0);
  return -total / static_cast<f64>(logp.size());
}

// Divergences from the uniform distribution of q = softmax(logits / 2), S = sum sqrt(q): large when
// certain, hence the minus. Source: Darrin et al. 2023.
f64 of_sqrt_mass(Evidence& e, f64 (*distance)(f64 mass, f64 vocab)) {
  if (e.greedy() == nullptr || e.greedy()->sqrt_mass.empty() || !e.record().vocab) return kMissing;
  f64 total = 0;
  for (const f64 mass : e.greedy()->sqrt_mass)
    total += distance(mass, static_cast<f64>(*e.record().vocab));
  return -total / static_cast<f64>(e.greedy()->sqrt_mass.size());
}

// Renyi divergence of order 1/2: log V - 2 log S.
f64 renyi(Evidence& e) {
  return of_sqrt_mass(e, [](f64 mass, f64 vocab) { return std::log(vocab) - 2 * std::log(mass); });
}

f64 fisher_rao(Evidence& e) {
  return of_sqrt_mass(e, [](f64 mass, f64 vocab) {
    return 2 / std::numbers::pi * std::acos(std::clamp(mass / std::sqrt(vocab), -1.0, 1.0));
  });
}

// -mean(KL(uniform || p)), KL = -(1/V) sum log p - log V. Source: Kang et al. 2025.
f64 self_certainty(Evidence& e) {
  if (e.greedy() == nullptr || e.greedy()->mean_logp.empty() || !e.record().vocab) return kMissing;
  return mean(e.greedy()->mean_logp) + std::log(static_cast<f64>(*e.record().vocab));
}

// -sum of log A_tt, mean over heads. Source: Sriramanan et al. 2024.
f64 attention_score(Evidence& e) {
  if (e.greedy() == nullptr || e.greedy()->attn_self.empty()) return kMissing;
  const Table& a = e.greedy()->attn_self;
  f64 total = 0;
  for (const f64 weight : a.values)
    total -= std::log(weight);
  return total / static_cast<f64>(a.shape[0]);
}

// -sum of w_t l_t, w normalised. Source: Lin et al. 2024 (contextualised sequence likelihood).
f64 csl(Evidence& e) {
  if (e.greedy() == nullptr || logp_of(e).empty() || e.greedy()->csl_weight.empty())
    return kMissing;
  const std::vector<f64>& w = e.greedy()->csl_weight;
  const f64 all = sum(w);
  const std::span<const f64> logp = logp_of(e);
  return all > 0 ? -std::inner_product(logp.begin(), logp.end(), w.begin(), 0.0) / all : kMissing;
}

// c_1 = p_1, c_t = alpha p_t + (1 - alpha) a_t c_{t-1}, a_t the attention of the layer's most
// backward-looking head on the token before; 1 - mean log c, largest over layers.
// Source: Vazhentsev et al. 2025.
f64 rauq(Evidence& e) {
  constexpr f64 kAlpha = 0.2;
  if (e.greedy() == nullptr || logp_of(e).empty() || e.greedy()->attn_prev.empty()) return kMissing;
  const std::span<const f64> logp = logp_of(e);
  const Table& a = e.greedy()->attn_prev;
  const i64 heads = a.shape[1];
  const i64 length = a.shape[2];
  f64 worst = -std::numeric_limits<f64>::infinity();
  for (i64 layer = 0; layer < a.shape[0]; ++layer) {
    std::span<const f64> best;
    f64 most = -1;
    for (i64 head = 0; head < heads; ++head) {
      const std::span<const f64> row =
          std::span(a.values).subspan(usize((layer * heads + head) * length), usize(length));
      const f64 looks_back = length > 1 ? mean(row.subspan(1)) : 0;
      if (looks_back > most) {
        most = looks_back;
        best = row;
      }
    }
    if (best.empty()) return kMissing;
    f64 c = std::exp(logp[0]);
    f64 logs = std::log(c);
    for (std::size_t t = 1; t < logp.size(); ++t) {
      c = kAlpha * std::exp(logp[t]) + (1 - kAlpha) * best[t] * c;
      logs += std::log(c);
    }
    worst = std::max(worst, 1 - logs / static_cast<f64>(logp.size()));
  }
  return worst;
}

// -prod of P(candidates that entail) / P(those that entail or contradict).
// Source: Fadeeva et al. 2024 (claim conditioned probability).
f64 ccp(Evidence& e) {
  if (e.greedy() == nullptr || e.greedy()->alternatives.empty()) return kMissing;
  f64 log_product = 0;
  for (const std::vector<Alternative>& list : e.greedy()->alternatives) {
    f64 entail = 0;
    f64 both = 0;
    for (const Alternative& one : list) {
      const f64 p = std::exp(one.logp);
      if (one.relation == Entailment::kEntails) entail += p;
      if (one.relation != Entailment::kNeutral) both += p;
    }
    // A token about which no candidate says anything leaves the claim as it is.
    if (both > 0) log_product += std::log(entail / both);
  }
  return -std::exp(log_product);
}

// sum of -l_t R_t / sum R. Source: Duan et al. 2024.
f64 token_sar(Evidence& e) {
  if (e.greedy() == nullptr || logp_of(e).empty() || e.greedy()->relevance.empty()) return kMissing;
  const std::vector<f64>& r = e.greedy()->relevance;
  const std::span<const f64> logp = logp_of(e);
  const f64 all = sum(r);
  return all > 0 ? -std::inner_product(logp.begin(), logp.end(), r.begin(), 0.0) / all : kMissing;
}

f64 p_true(Evidence& e) {
  return e.record().p_true ? 1 - *e.record().p_true : kMissing;
}

f64 p_ik(Evidence& e) {
  return e.record().p_ik ? 1 - *e.record().p_ik : kMissing;
}

f64 p_true_sampled(Evidence& e) {
  const std::vector<u8>& votes = e.record().p_true_samples;
  if (votes.empty()) return kMissing;
  return 1 - static_cast<f64>(std::count(votes.begin(), votes.end(), 1)) /
                 static_cast<f64>(votes.size());
}

f64 verbal_1s(Evidence& e) {
  const std::optional<f64> stated =
      e.greedy() == nullptr ? std::nullopt : stated_confidence(e.greedy()->text, false);
  return stated ? 1 - *stated : kMissing;
}

f64 verbal_2s(Evidence& e) {
  const std::optional<f64> stated = stated_confidence(e.record().verbal, true);
  return stated ? 1 - *stated : kMissing;
}

// Several models' distributions over the vocabulary, token by token: the mean over tokens of the
// entropy of their mean (total), of their mean entropy (data), the difference (mutual information),
// the mean pairwise KL divergence, and that minus the mutual information (reverse).
// Source: Malinin and Gales 2021, expectation of posteriors.
struct EnsembleTokens {
  f64 total = 0;
  f64 data = 0;
  f64 pairwise = 0;
  bool there = false;
};

EnsembleTokens ensemble(Evidence& e) {
  const Table& table = e.record().ensemble;
  EnsembleTokens out;
  if (table.empty() || table.shape[1] == 0 || table.shape[2] == 0) return out;
  out.there = true;
  const i64 members = table.shape[0];
  const i64 length = table.shape[1];
  const i64 vocab = table.shape[2];
  const f64 k = static_cast<f64>(members);
  for (i64 t = 0; t < length; ++t) {
    for (i64 v = 0; v < vocab; ++v) {
      f64 mean_p = 0;
      f64 p_log_p = 0;
      f64 log_sum = 0;
      for (i64 i = 0; i < members; ++i) {
        const f64 logp = table.values[usize((i * length + t) * vocab + v)];
        const f64 p = std::exp(logp);
        mean_p += p / k;
        p_log_p += p * logp;
        log_sum += logp;
      }
      if (mean_p > 0) out.total -= mean_p * std::log(mean_p);
      out.data -= p_log_p / k;
      // sum over pairs of p_i (log p_i - log p_j), equal pairs add nothing.
      if (members > 1) out.pairwise += (k * p_log_p - k * mean_p * log_sum) / (k * (k - 1));
    }
  }
  for (f64* value : {&out.total, &out.data, &out.pairwise})
    *value /= static_cast<f64>(length);
  return out;
}

f64 ensemble_total(Evidence& e) {
  const EnsembleTokens x = ensemble(e);
  return x.there ? x.total : kMissing;
}

f64 ensemble_data(Evidence& e) {
  const EnsembleTokens x = ensemble(e);
  return x.there ? x.data : kMissing;
}

f64 ensemble_mi(Evidence& e) {
  const EnsembleTokens x = ensemble(e);
  return x.there ? x.total - x.data : kMissing;
}

f64 ensemble_epkl(Evidence& e) {
  const EnsembleTokens x = ensemble(e);
  return x.there && e.record().ensemble.shape[0] > 1 ? x.pairwise : kMissing;
}

f64 ensemble_rmi(Evidence& e) {
  const EnsembleTokens x = ensemble(e);
  return x.there && e.record().ensemble.shape[0] > 1 ? x.pairwise - (x.total - x.data) : kMissing;
}

// sqrt((h - mu)^T S^-1 (h - mu)) of the answer's state h. Source: Lee et al. 2018.
f64 mahalanobis(Evidence& e) {
  const auto& distance = e.options().distance;
  return e.greedy() == nullptr || e.greedy()->emb.empty() || !distance ? kMissing
                                                                       : distance(e.greedy()->emb);
}

// Less the distance from the background: what any text would have. Source: Ren et al. 2023.
f64 relative_mahalanobis(Evidence& e) {
  const auto& background = e.options().background;
  const f64 near = mahalanobis(e);
  return background && !std::isnan(near) ? near - background(e.greedy()->emb) : kMissing;
}

constexpr Estimator kTable[] = {
    {"msp", "greedy.logp", "-sum log p", Cost::kGreedy, false, msp},
    {"perplexity", "greedy.logp", "-mean log p", Cost::kGreedy, false, perplexity},
    {"perplexity_exp", "greedy.logp", "exp(-mean log p)", Cost::kGreedy, false, perplexity_exp},
    {"min_token", "greedy.logp", "max -log p", Cost::kGreedy, false, min_token},
    {"mean_token_entropy", "greedy.entropy", "mean H", Cost::kGreedy, false, mean_token_entropy},
    {"max_token_entropy", "greedy.entropy", "max H", Cost::kGreedy, false, max_token_entropy},
    {"margin", "greedy.top", "-mean(log p1 - log p2)", Cost::kGreedy, false, margin},
    {"pmi", "greedy.logp logp0", "-mean(log p - log p0)", Cost::kGreedy, false, pmi},
    {"cpmi", "greedy.logp logp0 entropy", "pmi where H >= 0.0656", Cost::kGreedy, false, cpmi},
    {"renyi", "greedy.sqrt_mass vocab", "-Renyi divergence from uniform", Cost::kGreedy, false,
     renyi},
    {"fisher_rao", "greedy.sqrt_mass vocab", "-Fisher-Rao distance from uniform", Cost::kGreedy,
     false, fisher_rao},
    {"self_certainty", "greedy.mean_logp vocab", "-KL(uniform, p)", Cost::kGreedy, false,
     self_certainty},
    {"attention_score", "greedy.attn_self", "-sum log A_tt, mean over heads", Cost::kGreedy, false,
     attention_score},
    {"mahalanobis", "greedy.emb --reference", "distance of the answer's state from known ones",
     Cost::kGreedy, false, mahalanobis},
    {"relative_mahalanobis", "greedy.emb --reference --background",
     "mahalanobis less the same from any text's states", Cost::kGreedy, false,
     relative_mahalanobis},
    {"csl", "greedy.logp csl_weight", "-weighted log p", Cost::kGreedy, false, csl},
    {"rauq", "greedy.logp attn_prev", "1 - mean log c, c recurrent", Cost::kGreedy, false, rauq},
    {"ccp", "greedy.alternatives", "-prod P(entail)/P(entail or contradict)", Cost::kGreedy, false,
     ccp},
    {"token_sar", "greedy.logp relevance", "-relevance-weighted log p", Cost::kGreedy, false,
     token_sar},
    {"p_true", "p_true", "1 - P(True)", Cost::kOneMore, true, p_true},
    {"p_ik", "p_ik", "1 - P(I know)", Cost::kGreedy, true, p_ik},
    {"p_true_sampled", "p_true_samples", "1 - share of True", Cost::kTrueVotes, true,
     p_true_sampled},
    {"verbal_1s", "greedy.text", "1 - confidence stated in the answer", Cost::kGreedy, true,
     verbal_1s},
    {"verbal_2s", "verbal", "1 - confidence stated when asked", Cost::kOneMore, true, verbal_2s},
    {"ensemble_total", "ensemble", "H(mean p)", Cost::kGreedy, false, ensemble_total},
    {"ensemble_data", "ensemble", "mean H(p)", Cost::kGreedy, false, ensemble_data},
    {"ensemble_mi", "ensemble", "total - data", Cost::kGreedy, false, ensemble_mi},
    {"ensemble_epkl", "ensemble", "mean pairwise KL", Cost::kGreedy, false, ensemble_epkl},
    {"ensemble_rmi", "ensemble", "pairwise KL - mutual information", Cost::kGreedy, false,
     ensemble_rmi},
};

}  // namespace

std::span<const Estimator> token_estimators() {
  return kTable;
}

}  // namespace lm::uq

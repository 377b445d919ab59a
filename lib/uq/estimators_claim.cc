// Estimators of one statement of the greedy answer, by the answer's tokens it stands in. l_t, H_t
// as in estimators_token.cc. Sums where lm-polygraph's claim level has sums, means where it has
// means.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "uq/estimators.h"

namespace lm::uq {

namespace {

constexpr f64 kMissing = std::numeric_limits<f64>::quiet_NaN();

/// The claim's part of a list by token; empty where either is missing.
std::span<const f64> part(std::span<const f64> list, const Claim& claim) {
  if (claim.end == 0 || isize(list) < claim.end) return {};
  return list.subspan(usize(claim.first), usize(claim.end - claim.first));
}

std::span<const f64> logp_of(Evidence& e, const Claim& claim) {
  return e.greedy() == nullptr ? std::span<const f64>() : part(e.greedy()->logp, claim);
}

f64 claim_msp(Evidence& e, const Claim& claim) {
  const std::span<const f64> logp = logp_of(e, claim);
  return logp.empty() ? kMissing : -std::accumulate(logp.begin(), logp.end(), 0.0);
}

f64 claim_perplexity(Evidence& e, const Claim& claim) {
  return claim_msp(e, claim) / static_cast<f64>(claim.end - claim.first);
}

f64 claim_max_entropy(Evidence& e, const Claim& claim) {
  if (e.greedy() == nullptr) return kMissing;
  const std::span<const f64> entropy = part(e.greedy()->entropy, claim);
  return entropy.empty() ? kMissing : *std::max_element(entropy.begin(), entropy.end());
}

f64 claim_ccp(Evidence& e, const Claim& claim) {
  if (e.greedy() == nullptr || claim.end == 0 || isize(e.greedy()->alternatives) < claim.end)
    return kMissing;
  return claim_probability(std::span(e.greedy()->alternatives)
                               .subspan(usize(claim.first), usize(claim.end - claim.first)));
}

// -sum(l_t - l0_t), l0_1 := 0.
f64 claim_pmi(Evidence& e, const Claim& claim) {
  const std::span<const f64> logp = logp_of(e, claim);
  if (logp.empty()) return kMissing;
  const std::span<const f64> logp0 = part(e.greedy()->logp0, claim);
  if (logp0.empty()) return kMissing;
  f64 total = 0;
  for (std::size_t t = 0; t < logp.size(); ++t)
    total -= logp[t] - (claim.first == 0 && t == 0 ? 0 : logp0[t]);
  return total;
}

f64 claim_p_true(Evidence&, const Claim& claim) {
  return claim.p_true ? 1 - *claim.p_true : kMissing;
}

// The claim's share of token_sar: sum over its tokens of -l_t R_t / sum of all R.
f64 claim_token_sar(Evidence& e, const Claim& claim) {
  const std::span<const f64> logp = logp_of(e, claim);
  if (logp.empty()) return kMissing;
  const std::vector<f64>& all = e.greedy()->relevance;
  const std::span<const f64> relevance = part(all, claim);
  const f64 sum = std::accumulate(all.begin(), all.end(), 0.0);
  return relevance.empty() || !(sum > 0)
             ? kMissing
             : -std::inner_product(logp.begin(), logp.end(), relevance.begin(), 0.0) / sum;
}

f64 claim_attention_score(Evidence& e, const Claim& claim) {
  if (e.greedy() == nullptr || e.greedy()->attn_self.empty()) return kMissing;
  const Table& a = e.greedy()->attn_self;
  f64 total = 0;
  for (i64 head = 0; head < a.shape[0]; ++head) {
    const std::span<const f64> row =
        part(std::span(a.values).subspan(usize(head * a.shape[1]), usize(a.shape[1])), claim);
    if (row.empty()) return kMissing;
    for (const f64 weight : row)
      total -= std::log(weight);
  }
  return total / static_cast<f64>(a.shape[0]);
}

// Samples that contradict less those that entail it. Source: Mohri and Hashimoto 2024.
f64 claim_frequency(Evidence&, const Claim& claim) {
  if (claim.nli.empty()) return kMissing;
  f64 score = 0;
  for (const Entailment relation : claim.nli)
    score += relation == Entailment::kContradicts ? 1 : relation == Entailment::kEntails ? -1 : 0;
  return score;
}

constexpr ClaimEstimator kTable[] = {
    {"claim_msp", "greedy.logp claims.token_span", "-sum log p of its tokens", Cost::kGreedy,
     claim_msp},
    {"claim_perplexity", "greedy.logp claims.token_span", "-mean log p", Cost::kGreedy,
     claim_perplexity},
    {"claim_max_entropy", "greedy.entropy claims.token_span", "max H", Cost::kGreedy,
     claim_max_entropy},
    {"claim_ccp", "greedy.alternatives claims.token_span",
     "-prod P(entail)/P(entail or contradict)", Cost::kGreedy, claim_ccp},
    {"claim_pmi", "greedy.logp logp0 claims.token_span", "-sum(log p - log p0)", Cost::kGreedy,
     claim_pmi},
    {"claim_p_true", "claims.p_true", "1 - P(True)", Cost::kOneMore, claim_p_true},
    {"claim_token_sar", "greedy.logp relevance claims.token_span", "its share of token_sar",
     Cost::kGreedy, claim_token_sar},
    {"claim_attention_score", "greedy.attn_self claims.token_span",
     "-sum log A_tt, mean over heads", Cost::kGreedy, claim_attention_score},
    {"claim_frequency", "claims.nli", "samples that contradict - that entail", Cost::kBoth,
     claim_frequency},
};

}  // namespace

std::span<const ClaimEstimator> claim_estimators() {
  return kTable;
}

const ClaimEstimator* find_claim_estimator(std::string_view name) {
  for (const ClaimEstimator& one : kTable) {
    if (name == one.name) return &one;
  }
  return nullptr;
}

}  // namespace lm::uq

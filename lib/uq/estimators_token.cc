// Estimators of the greedy answer's tokens. L tokens, l_t = log p(y_t), H_t entropy of the full
// distribution, V vocabulary.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "uq/estimators.h"
#include "uq/fitted.h"
#include "uq/token_measures.h"

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

// -mean of b_t, given, or from likeliest tokens that reach far enough.
f64 boostedprob(Evidence& e) {
  if (e.greedy() == nullptr) return kMissing;
  const GreedyAnswer& answer = *e.greedy();
  if (!answer.boosted.empty()) return -mean(answer.boosted);
  if (answer.top.empty() || answer.tokens.empty() || answer.logp.empty()) return kMissing;
  f64 total = 0;
  for (std::size_t t = 0; t < answer.top.size(); ++t) {
    const std::optional<f64> b =
        boosted_probability(answer.top[t], answer.tokens[t], answer.logp[t],
                            e.record().vocab.value_or(std::numeric_limits<i64>::max()));
    if (!b) return kMissing;
    total += *b;
  }
  return -total / static_cast<f64>(answer.top.size());
}

f64 focus(Evidence& e) {
  if (e.greedy() == nullptr || e.greedy()->focus.empty()) return kMissing;
  const GreedyAnswer& answer = *e.greedy();
  if (answer.keyword.size() != answer.focus.size() ||
      answer.attn_back.size() != answer.focus.size())
    return kMissing;
  return focus_score(answer.focus, answer.keyword, answer.attn_back);
}

// -sum of log A_tt of the answer's tokens, mean over heads, at the middle layer. Source:
// Sriramanan et al. 2024. lm-polygraph's default sums over the prompt's tokens too, whereby long
// prompts look uncertain; its claim-level form and "gen_only" do as here.
f64 attention_score(Evidence& e) {
  if (e.greedy() == nullptr || e.greedy()->attn_self.empty()) return kMissing;
  const Table& a = e.greedy()->attn_self;
  f64 total = 0;
  for (const f64 weight : a.values)
    total -= std::log(weight);
  return total / static_cast<f64>(a.shape[0]);
}

// -sum of w_t l_t, w normalised. Source: Lin et al. 2024 (contextualised sequence likelihood), who
// choose ten heads on a validation set; the mean over all heads and layers, which sample gives, is
// lm-polygraph's.
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
// Source: Vazhentsev et al. 2025. Row t of the attention is token t's own, as in their text; their
// program and lm-polygraph read the pass that generates token t, which is row t - 1, on the same
// token t - 1 (there the weight of a token on itself).
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

f64 ccp(Evidence& e) {
  return e.greedy() == nullptr || e.greedy()->alternatives.empty()
             ? kMissing
             : claim_probability(e.greedy()->alternatives);
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

// Given, or by a probe that was fitted on prompts' states. Source: Kadavath et al. 2022.
f64 p_ik(Evidence& e) {
  if (e.record().p_ik) return 1 - *e.record().p_ik;
  const Fitted* fitted = e.fitted();
  const std::vector<f64>& state = e.record().prompt_emb;
  return fitted == nullptr || !fitted->probe || state.empty()
             ? kMissing
             : e.finite(1 - fitted->probe->probability(state), "emb.prompt", "the probe's sum");
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

// Of several models' distributions.
template <Posterior posterior, f64 EnsembleMeasures::*measure>
f64 ensemble(Evidence& e) {
  const EnsembleMeasures* x = e.ensemble(posterior);
  return x == nullptr ? kMissing : x->*measure;
}

template <Posterior posterior>
f64 ensemble_mi(Evidence& e) {
  const EnsembleMeasures* x = e.ensemble(posterior);
  return x == nullptr ? kMissing : x->total - x->data;
}

template <Posterior posterior>
f64 ensemble_rmi(Evidence& e) {
  const EnsembleMeasures* x = e.ensemble(posterior);
  return x == nullptr ? kMissing : x->pairwise - (x->total - x->data);
}

f64 state_distance(Evidence& e, f64 distance) {
  return e.finite(distance, "greedy.emb", "the distance from known states");
}

// sqrt((h - mu)^T S^-1 (h - mu)) of the answer's state h. Source: Lee et al. 2018.
f64 mahalanobis(Evidence& e) {
  const auto& distance = e.options().distance;
  return e.greedy() == nullptr || e.greedy()->emb.empty() || !distance
             ? kMissing
             : state_distance(e, distance(e.greedy()->emb));
}

// Less the distance from the background: what any text would have. Source: Ren et al. 2023.
f64 relative_mahalanobis(Evidence& e) {
  const auto& background = e.options().background;
  const f64 near = mahalanobis(e);
  return background && !std::isnan(near) ? near - state_distance(e, background(e.greedy()->emb))
                                         : kMissing;
}

// Source: Yoo et al. 2022.
f64 rde(Evidence& e) {
  const Fitted* fitted = e.fitted();
  return fitted == nullptr || !fitted->robust || !e.has_state()
             ? kMissing
             : state_distance(e, fitted->robust->distance(e.greedy()->emb));
}

// The two ranks among training answers, of perplexity and of the state's distance.
f64 of_ranks(Evidence& e, f64 (*score)(const TrainingRanks&, f64 perplexity, f64 distance)) {
  const Fitted* fitted = e.fitted();
  if (fitted == nullptr || !fitted->ranks || !fitted->density || !e.has_state() ||
      logp_of(e).empty())
    return kMissing;
  return score(*fitted->ranks, perplexity(e),
               state_distance(e, fitted->density->distance(e.greedy()->emb)));
}

// Source: Vazhentsev et al. 2023 as lm-polygraph computes it (there HUQ-MD): the mean of the ranks.
// Distances of training answers are of models fitted without them, in five folds (there of one
// third, from a model of two thirds).
f64 ppl_md(Evidence& e) {
  return of_ranks(e, [](const TrainingRanks& ranks, f64 p, f64 d) {
    return (ranks.perplexity_rank(p) + ranks.distance_rank(d)) / 2;
  });
}

f64 huq(Evidence& e) {
  return of_ranks(e, [](const TrainingRanks& ranks, f64 p, f64 d) { return ranks.hybrid(p, d); });
}

constexpr Posterior kPe = Posterior::kProductOfExpectations;
constexpr Posterior kEp = Posterior::kExpectationOfProducts;

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
    {"boostedprob", "greedy.boosted, or tokens logp top (deep)", "-mean dominant probability",
     Cost::kGreedy, false, boostedprob},
    {"focus", "greedy.focus keyword attn_back", "keywords' surprise, raised by earlier ones",
     Cost::kGreedy, false, focus},
    {"attention_score", "greedy.attn_self", "-sum log A_tt, mean over heads", Cost::kGreedy, false,
     attention_score},
    {"mahalanobis", "greedy.emb --reference", "distance of the answer's state from known ones",
     Cost::kGreedy, false, mahalanobis},
    {"relative_mahalanobis", "greedy.emb --reference --background",
     "mahalanobis less the same from any text's states", Cost::kGreedy, false,
     relative_mahalanobis},
    {"rde", "greedy.emb --fitted", "robust distance in 100 kernel components", Cost::kGreedy, false,
     rde},
    {"ppl_md", "greedy.logp emb --fitted", "mean rank of perplexity and distance", Cost::kGreedy,
     false, ppl_md},
    {"huq", "greedy.logp emb --fitted", "rank of perplexity; far away, of both", Cost::kGreedy,
     false, huq},
    {"csl", "greedy.logp csl_weight", "-weighted log p", Cost::kGreedy, false, csl},
    {"rauq", "greedy.logp attn_prev", "1 - mean log c, c recurrent", Cost::kGreedy, false, rauq},
    {"ccp", "greedy.alternatives", "-prod P(entail)/P(entail or contradict)", Cost::kGreedy, false,
     ccp},
    {"token_sar", "greedy.logp relevance", "-relevance-weighted log p", Cost::kGreedy, false,
     token_sar},
    {"p_true", "p_true", "1 - P(True)", Cost::kOneMore, true, p_true},
    {"p_ik", "p_ik, or emb.prompt --fitted", "1 - P(I know)", Cost::kGreedy, true, p_ik},
    {"p_true_sampled", "p_true_samples", "1 - share of True", Cost::kTrueVotes, true,
     p_true_sampled},
    {"verbal_1s", "greedy.text", "1 - confidence stated in the answer", Cost::kGreedy, true,
     verbal_1s},
    {"verbal_2s", "verbal", "1 - confidence stated when asked", Cost::kOneMore, true, verbal_2s},
    {"ensemble_total", "ensemble", "H(mean p)", Cost::kGreedy, false,
     ensemble<kPe, &EnsembleMeasures::total>},
    {"ensemble_data", "ensemble", "mean H(p)", Cost::kGreedy, false,
     ensemble<kPe, &EnsembleMeasures::data>},
    {"ensemble_mi", "ensemble", "total - data", Cost::kGreedy, false, ensemble_mi<kPe>},
    {"ensemble_epkl", "ensemble", "mean pairwise KL", Cost::kGreedy, false,
     ensemble<kPe, &EnsembleMeasures::pairwise>},
    {"ensemble_rmi", "ensemble", "pairwise KL - mutual information", Cost::kGreedy, false,
     ensemble_rmi<kPe>},
    {"ensemble_top5", "ensemble", "H of the 5 likeliest of mean p", Cost::kGreedy, false,
     ensemble<kPe, &EnsembleMeasures::top5>},
    {"ensemble_top10", "ensemble", "H of the 10 likeliest", Cost::kGreedy, false,
     ensemble<kPe, &EnsembleMeasures::top10>},
    {"ensemble_top15", "ensemble", "H of the 15 likeliest", Cost::kGreedy, false,
     ensemble<kPe, &EnsembleMeasures::top15>},
    {"ensemble_ep_total", "ensemble greedy.tokens", "H(mean p), members by their past",
     Cost::kGreedy, false, ensemble<kEp, &EnsembleMeasures::total>},
    {"ensemble_ep_data", "ensemble greedy.tokens", "mean H(p), same weights", Cost::kGreedy, false,
     ensemble<kEp, &EnsembleMeasures::data>},
    {"ensemble_ep_mi", "ensemble greedy.tokens", "total - data", Cost::kGreedy, false,
     ensemble_mi<kEp>},
    {"ensemble_ep_epkl", "ensemble greedy.tokens", "mean pairwise KL", Cost::kGreedy, false,
     ensemble<kEp, &EnsembleMeasures::pairwise>},
    {"ensemble_ep_rmi", "ensemble greedy.tokens", "pairwise KL - mutual information", Cost::kGreedy,
     false, ensemble_rmi<kEp>},
    {"ensemble_ep_top5", "ensemble greedy.tokens", "H of the 5 likeliest of mean p", Cost::kGreedy,
     false, ensemble<kEp, &EnsembleMeasures::top5>},
    {"ensemble_ep_top10", "ensemble greedy.tokens", "H of the 10 likeliest", Cost::kGreedy, false,
     ensemble<kEp, &EnsembleMeasures::top10>},
    {"ensemble_ep_top15", "ensemble greedy.tokens", "H of the 15 likeliest", Cost::kGreedy, false,
     ensemble<kEp, &EnsembleMeasures::top15>},
};

}  // namespace

f64 claim_probability(std::span<const std::vector<Alternative>> tokens) {
  f64 log_product = 0;
  for (const std::vector<Alternative>& list : tokens) {
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

std::span<const Estimator> token_estimators() {
  return kTable;
}

}  // namespace lm::uq

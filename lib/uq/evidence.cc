#include "uq/evidence.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/hash.h"
#include "core/random.h"
#include "core/str.h"

namespace lm::uq {

void Evidence::set(const UqRecord& record) {
  record_ = &record;
  flags_ = {};
  fault_.reset();
  question_ = xxh3_64(record.id);
  has_logp_ = has_similarity_ = has_inverse_ = has_words_ = false;
  clusters_.reset();
  components_.reset();
  first_equal_.reset();
  graph_.reset();
  kernel_.reset();
  inverse_.reset();
  embeddings_.clear();
  ensemble_ = {};
}

std::span<const f64> Evidence::sample_logp() {
  if (has_logp_) return logp_;
  has_logp_ = true;
  logp_.clear();
  mean_logp_.clear();
  for (const Answer& sample : record_->samples) {
    if (sample.logp.empty()) {
      logp_.clear();
      mean_logp_.clear();
      break;
    }
    const f64 sum = std::accumulate(sample.logp.begin(), sample.logp.end(), 0.0);
    logp_.push_back(sum);
    mean_logp_.push_back(sum / static_cast<f64>(sample.logp.size()));
  }
  return logp_;
}

std::span<const f64> Evidence::sample_mean_logp() {
  sample_logp();
  return mean_logp_;
}

bool Evidence::compare_nli() {
  const Table& entail = record_->nli_entail;
  if (entail.empty()) return false;
  const i64 n = entail.shape[0];
  alike_.rows = n;
  alike_.row.resize(usize(n));
  std::iota(alike_.row.begin(), alike_.row.end(), 0);
  alike_.matrix.resize(usize(n * n));
  for (i64 i = 0; i < n; ++i) {
    for (i64 j = 0; j < n; ++j) {
      alike_.matrix[usize(i * n + j)] =
          i == j ? 1 : (entail.values[usize(i * n + j)] + entail.values[usize(j * n + i)]) / 2;
    }
  }
  return true;
}

void Evidence::compare_answers() {
  if (has_similarity_) return;
  has_similarity_ = true;
  alike_ = {};
  similarity_.clear();
  greedy_similarity_.clear();
  const i64 m = samples();
  if (m == 0) return;
  const GreedyAnswer* best = greedy();
  bool done = false;
  if (options_.sim == Sim::kNli) {
    done = compare_nli();
  } else if (options_.sim == Sim::kGiven) {
    const Table& given = record_->sim_answers;
    done = !given.empty();
    if (done) {
      const i64 n = given.shape[0];
      alike_.rows = n;
      alike_.row.resize(usize(n));
      std::iota(alike_.row.begin(), alike_.row.end(), 0);
      alike_.matrix.resize(usize(n * n));
      for (i64 i = 0; i < n; ++i) {
        for (i64 j = 0; j < n; ++j) {
          alike_.matrix[usize(i * n + j)] =
              i == j ? 1 : (given.values[usize(i * n + j)] + given.values[usize(j * n + i)]) / 2;
        }
      }
    }
  } else if (options_.sim == Sim::kEmbed) {
    std::vector<const std::vector<f64>*> all;
    for (const Answer& sample : record_->samples)
      all.push_back(&sample.emb);
    if (best != nullptr && !best->emb.empty()) all.push_back(&best->emb);
    done = compare_embeddings(options_.map, all, alike_);
  } else {
    std::vector<std::string_view> all;
    for (const Answer& sample : record_->samples)
      all.push_back(sample.text);
    if (best != nullptr) all.push_back(best->text);
    texts_.compare(options_.sim, all, alike_);
    done = true;
  }
  if (!done) return;
  alike_.gather(m, similarity_);
  if (alike_.items() > m) {
    for (i64 i = 0; i < m; ++i)
      greedy_similarity_.push_back(alike_.at(m, i));
  }
}

std::span<const f64> Evidence::similarity() {
  compare_answers();
  return similarity_;
}

std::span<const f64> Evidence::greedy_similarity() {
  compare_answers();
  return greedy_similarity_;
}

std::span<const f64> Evidence::text_similarity(Sim kind) {
  if (kind == options_.sim) return similarity();
  LM_CHECK(kind == Sim::kRougeL || kind == Sim::kBleu, "a similarity that lexsim has");
  const ComparedWords& words = sample_words();
  const i64 m = samples();
  text_similarity_.assign(usize(m * m), 1.0);
  for (i64 i = 0; i < m; ++i) {
    for (i64 j = 0; j < i; ++j) {
      if (words.equal(i, j)) continue;
      text_similarity_[usize(i * m + j)] = text_similarity_[usize(j * m + i)] =
          kind == Sim::kRougeL ? words.rouge_l(i, j) : words.bleu(i, j);
    }
  }
  return text_similarity_;
}

const ComparedWords& Evidence::sample_words() {
  if (!has_words_) {
    has_words_ = true;
    std::vector<std::string_view> all;
    for (const Answer& sample : record_->samples)
      all.push_back(sample.text);
    words_.set(all);
  }
  return words_;
}

bool Evidence::same_meaning(i64 i, i64 j, bool for_sets) const {
  if (options_.sim != Sim::kNli) return alike_.at(i, j) >= options_.threshold;
  const Table& entail = record_->nli_entail;
  const Table& contra = record_->nli_contradict;
  enum class Relation { kEntails, kNeutral, kContradicts };
  const auto relation = [&](i64 a, i64 b) {
    const f64 e = entail.values[usize(a * entail.shape[0] + b)];
    const f64 c = contra.values[usize(a * contra.shape[0] + b)];
    const f64 neutral = std::max(0.0, 1 - e - c);
    if (for_sets) return e > c ? Relation::kEntails : Relation::kContradicts;
    if (c > e && c >= neutral) return Relation::kContradicts;
    return e >= neutral ? Relation::kEntails : Relation::kNeutral;
  };
  const Relation there = relation(i, j);
  const Relation back = relation(j, i);
  if (!options_.loose || for_sets) return there == Relation::kEntails && back == Relation::kEntails;
  return there != Relation::kContradicts && back != Relation::kContradicts &&
         !(there == Relation::kNeutral && back == Relation::kNeutral);
}

namespace {
bool can_cluster(const ScoreOptions& options, const UqRecord& record) {
  return options.sim != Sim::kNli || !record.nli_contradict.empty();
}
}  // namespace

std::span<const i32> Evidence::clusters() {
  if (!clusters_) {
    clusters_.emplace();
    if (!similarity().empty() && can_cluster(options_, *record_)) {
      const auto same = [this](i64 i, i64 j) { return same_meaning(i, j, false); };
      clusters_ = options_.components ? cluster_components(samples(), same)
                                      : cluster_first_fit(samples(), same);
    }
  }
  return *clusters_;
}

std::span<const i32> Evidence::components() {
  if (!components_) {
    components_.emplace();
    if (!similarity().empty() && can_cluster(options_, *record_)) {
      components_ =
          cluster_components(samples(), [this](i64 i, i64 j) { return same_meaning(i, j, true); });
    }
  }
  return *components_;
}

std::span<const i32> Evidence::first_equal() {
  if (!first_equal_) {
    first_equal_.emplace();
    for (i64 i = 0; i < samples(); ++i) {
      i64 first = 0;
      while (record_->samples[usize(first)].text != record_->samples[usize(i)].text)
        ++first;
      first_equal_->push_back(static_cast<i32>(first));
    }
  }
  return *first_equal_;
}

const GraphMeasures* Evidence::graph() {
  if (!graph_) {
    const std::span<const f64> w = similarity();
    if (w.empty()) return nullptr;
    graph_ = graph_measures(w, samples(), eigen_);
  }
  return &*graph_;
}

f64 Evidence::kernel() {
  if (kernel_) return *kernel_;
  kernel_ = std::nan("");
  std::vector<f64> g;
  const i64 m = samples();
  if (options_.sim == Sim::kNli) {
    const Table& e = record_->nli_entail;
    const Table& c = record_->nli_contradict;
    if (m == 0 || e.empty() || c.empty()) return *kernel_;
    // E + E^T + half of what is neutral.
    g.resize(usize(m * m));
    for (i64 i = 0; i < m; ++i) {
      for (i64 j = 0; j < m; ++j) {
        const f64 entail =
            e.values[usize(i * e.shape[0] + j)] + e.values[usize(j * e.shape[0] + i)];
        const f64 contra =
            c.values[usize(i * c.shape[0] + j)] + c.values[usize(j * c.shape[0] + i)];
        g[usize(i * m + j)] = entail + (2 - entail - contra) / 2;
      }
    }
  } else {
    const std::span<const f64> w = similarity();
    if (w.empty()) return *kernel_;
    g.assign(w.begin(), w.end());
  }
  kernel_ = kernel_entropy(g, m, 0.3, eigen_);
  return *kernel_;
}

std::span<const std::vector<f64>* const> Evidence::embeddings() {
  if (embeddings_.empty()) {
    for (const Answer& sample : record_->samples) {
      if (sample.emb.empty() || sample.emb.size() != record_->samples[0].emb.size()) {
        embeddings_.clear();
        break;
      }
      embeddings_.push_back(&sample.emb);
    }
  }
  return embeddings_;
}

// The rewordings that take part: all, or the number that was asked for, left out or repeated at
// random. A wording of kind "original" is none.
std::vector<const Perturbation*> Evidence::wordings() const {
  std::vector<const Perturbation*> out;
  for (const Perturbation& one : record_->perturb) {
    if (one.kind != "original" && !one.samples.empty()) out.push_back(&one);
  }
  const i64 want = options_.perturbations;
  if (want == 0 || out.empty()) return out;
  const RandomStream random(options_.seed, RandomPurpose::kOther,
                            mix64(question_ ^ fnv1a64("wordings")));
  u64 draw = 0;
  while (isize(out) > want)
    out.erase(out.begin() + static_cast<std::ptrdiff_t>(random.below(draw++, out.size())));
  const u64 there = out.size();
  while (isize(out) < want)
    out.push_back(out[random.below(draw++, there)]);
  return out;
}

bool Evidence::compare_prompts(std::vector<f64>& sx) {
  const std::vector<const Perturbation*> others = wordings();
  const i64 n = isize(others) + 1;
  Similarities alike;
  if (options_.prompt_sim == Sim::kEmbed) {
    std::vector<const std::vector<f64>*> all = {&record_->prompt_emb};
    for (const Perturbation* one : others)
      all.push_back(&one->emb);
    if (!compare_embeddings(options_.map, all, alike)) return false;
  } else {
    std::vector<std::string_view> all = {record_->prompt};
    for (const Perturbation* one : others)
      all.push_back(one->prompt);
    texts_.compare(options_.prompt_sim, all, alike);
  }
  alike.gather(n, sx);
  return true;
}

// Answers by wording, numbered through, and how alike they are.
bool Evidence::collect_answers(std::vector<std::vector<i32>>& by_prompt, Similarities& alike) {
  std::vector<const Answer*> all;
  const auto add = [&](const std::vector<Answer>& answers) {
    std::vector<i32>& list = by_prompt.emplace_back();
    for (const Answer& answer : answers) {
      list.push_back(static_cast<i32>(all.size()));
      all.push_back(&answer);
    }
    return !list.empty();
  };
  const auto original =
      std::find_if(record_->perturb.begin(), record_->perturb.end(),
                   [](const Perturbation& one) { return one.kind == "original"; });
  if (!add(original == record_->perturb.end() ? record_->samples : original->samples)) return false;
  for (const Perturbation* one : wordings())
    add(one->samples);
  if (by_prompt.size() < 2) return false;
  if (static_cast<i64>(options_.sim) < kTextSims) {
    std::vector<std::string_view> texts;
    for (const Answer* answer : all)
      texts.push_back(answer->text);
    texts_.compare(options_.sim, texts, alike);
    return true;
  }
  // Matrices in the record are of the samples alone; only embeddings reach across wordings.
  if (options_.sim != Sim::kEmbed) return false;
  std::vector<const std::vector<f64>*> embeddings;
  for (const Answer* answer : all)
    embeddings.push_back(&answer->emb);
  return compare_embeddings(options_.map, embeddings, alike);
}

const InverseResult* Evidence::inverse() {
  if (has_inverse_) return inverse_ ? &*inverse_ : nullptr;
  has_inverse_ = true;
  if (record_->perturb.empty()) return nullptr;
  std::vector<std::vector<i32>> by_prompt;
  Similarities alike;
  std::vector<f64> sx;
  if (!collect_answers(by_prompt, alike) || !compare_prompts(sx)) return nullptr;
  if (std::all_of(sx.begin(), sx.end(), [](f64 s) { return s > 0.9999; })) {
    flags_.inv_identical_prompts = true;
    return nullptr;
  }
  inverse_ =
      inverse_measures(sx, by_prompt, alike, options_.draws, options_.seed, question_, worker_);
  flags_.inv_nonmonotone = inverse_->mean.nonmonotone;
  return &*inverse_;
}

const EnsembleMeasures* Evidence::ensemble(Posterior posterior) {
  OfEnsemble& one = ensemble_[static_cast<std::size_t>(posterior)];
  if (!one.computed) {
    one.computed = true;
    const GivenEnsemble& given = record_->ensemble_given;
    one.measures =
        posterior == Posterior::kProductOfExpectations ? given.product : given.expectation;
    if (one.measures) return &*one.measures;
    one.measures = ensemble_measures(
        record_->ensemble, greedy() == nullptr ? std::span<const i64>() : greedy()->tokens,
        posterior);
  }
  return one.measures ? &*one.measures : nullptr;
}

f64 Evidence::finite(f64 value, std::string_view field, std::string_view what) {
  if (std::isfinite(value)) return value;
  if (!fault_)
    fault_ = Fault{"range",
                   cat("field ", quote(field), ": numbers too large: ", what, " overflows"), -1};
  return std::nan("");
}

i64 Evidence::inverse_answers() {
  i64 answers = samples();
  for (const Perturbation& one : record_->perturb) {
    if (one.kind == "original") answers = 0;
  }
  for (const Perturbation& one : record_->perturb)
    answers += isize(one.samples);
  return answers;
}

}  // namespace lm::uq

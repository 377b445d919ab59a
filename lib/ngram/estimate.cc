#include "ngram/estimate.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "core/error.h"
#include "core/parallel.h"
#include "core/str.h"

namespace lm::ngram {

namespace {

constexpr i64 kGrain = i64{1} << 14;
constexpr i64 kChunkGrams = i64{1} << 15;
constexpr char kFallbackHint[] =
    "--discount-fallback uses 0.5 1 1.5 for such orders (character and class data, tiny texts); "
    "repeated text is better deduplicated first";

// What one context h gathers. Integers, so that concurrent additions give one result.
struct ContextSums {
  u64 heavy;   // sum of a(hw) >= 3 over kept hw
  u64 pruned;  // sum of a(hw) over pruned hw
  u32 once;    // N_1, N_2, N_3+ over kept hw
  u32 twice;
  u32 more;
  u32 unused;
};

f64 total(const ContextSums& c) {
  return static_cast<f64>(c.heavy + c.pruned + c.once + 2 * u64{c.twice});
}

f64 gamma(const ContextSums& c, const Discounts& d) {
  return (d[1] * c.once + d[2] * c.twice + d[3] * c.more + static_cast<f64>(c.pruned)) / total(c);
}

bool is_context(const ContextSums& c) {
  return (c.heavy | c.pruned | c.once | c.twice) != 0;
}

void gather(ContextSums& sums, u64 adjusted, bool pruned) {
  // Relaxed: only the totals matter, and parallel_for's end orders them before any read.
  constexpr std::memory_order kRelaxed = std::memory_order_relaxed;
  if (pruned) {
    std::atomic_ref<u64>(sums.pruned).fetch_add(adjusted, kRelaxed);
  } else if (adjusted == 1) {
    std::atomic_ref<u32>(sums.once).fetch_add(1, kRelaxed);
  } else if (adjusted == 2) {
    std::atomic_ref<u32>(sums.twice).fetch_add(1, kRelaxed);
  } else if (adjusted > 2) {
    std::atomic_ref<u64>(sums.heavy).fetch_add(adjusted, kRelaxed);
    std::atomic_ref<u32>(sums.more).fetch_add(1, kRelaxed);
  }
}

f64 discounted(u64 adjusted, const Discounts& d) {
  return static_cast<f64>(adjusted) - d[std::min<u64>(adjusted, 3)];
}

std::vector<u8> excluded_words(const EstimateOptions& options, const Vocab& vocab) {
  if (!options.vocab_limit) return {};
  std::vector<u8> excluded(usize(vocab.size()), 1);
  excluded[kUnk] = excluded[kBos] = excluded[kEos] = 0;
  for (const std::string& word : *options.vocab_limit) {
    if (const std::optional<u32> id = vocab.find(word)) excluded[*id] = 0;
  }
  return excluded;
}

CountTrie build_trie(const Context& ctx, const EstimateOptions& options, NgramCounter& counter) {
  TrieOptions trie{options.order, options.prune, excluded_words(options, counter.vocab()),
                   options.compat_kenlm};
  const i64 last = trie.prune.empty() ? 0 : trie.prune.back();
  trie.prune.resize(usize(options.order), last);
  const std::unique_ptr<GramStream> grams = counter.finish();
  return CountTrie(ctx, trie, *grams, counter.vocab().size(), counter.max_grams());
}

void choose_discounts(const Context& ctx, const EstimateOptions& options, const CountTrie& trie,
                      EstimateReport& report) {
  for (int n = 1; n <= options.order; ++n) {
    report.stats.push_back(trie.stats(n));
    try {
      report.discounts.push_back(closed_form_discounts(trie.stats(n), n));
    } catch (const Error& error) {
      if (!options.discount_fallback) throw;
      const std::array<f64, 3>& d = *options.discount_fallback;
      report.discounts.push_back({0, d[0], d[1], d[2]});
      report.fallback_orders.push_back(n);
      ctx.log->message(LogLevel::kInfo, cat(error.message(), "; using the fallback discounts ",
                                            d[0], " ", d[1], " ", d[2]));
    }
  }
}

// The pass over orders: holds p of one order while the next is computed.
class Interpolation {
 public:
  Interpolation(const Context& ctx, const EstimateOptions& options, const CountTrie& trie,
                const std::vector<Discounts>& discounts, ModelSink& sink)
      : ctx_(ctx), options_(options), trie_(trie), discounts_(discounts), sink_(sink) {}

  void run() {
    Column<f64> p = unigrams();
    std::optional<Column<u32>> contexts;
    for (int n = 2; n <= options_.order; ++n) {
      contexts = trie_.contexts(n, contexts ? &*contexts : nullptr);
      const Column<ContextSums> sums = sum_contexts(n, *contexts);
      write_order(n - 1, p, &sums);
      p = interpolate(n, *contexts, sums, p);
    }
    write_order(options_.order, p, nullptr);
  }

 private:
  Column<f64> unigrams() const {
    const i64 size = trie_.size(1);
    ContextSums empty{};
    for (i64 w = 0; w < size; ++w)
      gather(empty, trie_.adjusted(1, w), trie_.pruned(1, w));
    const Discounts& d = discounts_[0];
    const f64 left = gamma(empty, d);
    const i64 predicted = (options_.compat_kenlm ? trie_.stats(1).grams : trie_.stats(1).kept) - 1;
    const f64 share = options_.interpolate_unigrams ? left / static_cast<f64>(predicted) : 0.0;
    Column<f64> p(ctx_, size);
    p.resize(size);
    for (i64 w = 0; w < size; ++w) {
      p[w] = discounted(trie_.adjusted(1, w), d) / total(empty) + share;
    }
    p[kUnk] = options_.interpolate_unigrams ? share : left;
    p[kBos] = 1.0;  // <s> may be scored as the first word without changing a sentence's probability
    return p;
  }

  Column<ContextSums> sum_contexts(int n, const Column<u32>& contexts) const {
    Column<ContextSums> sums(ctx_, trie_.size(n - 1));
    sums.resize(trie_.size(n - 1));
    parallel_for(trie_.size(n), kGrain, [&](i64 begin, i64 end) {
      constexpr i64 kAhead = 16;
      for (i64 i = begin; i < end; ++i) {
        if (i + kAhead < end) __builtin_prefetch(&sums[contexts[i + kAhead]], 1);
        gather(sums[contexts[i]], trie_.adjusted(n, i), trie_.pruned(n, i));
      }
    });
    return sums;
  }

  Column<f64> interpolate(int n, const Column<u32>& contexts, const Column<ContextSums>& sums,
                          const Column<f64>& shorter) const {
    Column<f64> p(ctx_, trie_.size(n));
    p.resize(trie_.size(n));
    const Discounts& d = discounts_[usize(n - 1)];
    parallel_for(trie_.size(n - 1), kGrain, [&](i64 begin, i64 end) {
      for (i64 s = begin; s < end; ++s) {
        for (i64 i = trie_.first_child(n - 1, s); i < trie_.first_child(n - 1, s + 1); ++i) {
          const ContextSums& context = sums[contexts[i]];
          p[i] =
              discounted(trie_.adjusted(n, i), d) / total(context) + gamma(context, d) * shorter[s];
        }
      }
    });
    return p;
  }

  struct Item final : PipelineItem {
    i64 begin = 0;
    i64 end = 0;
    std::unique_ptr<ModelSink::Chunk> chunk;
  };

  void write_order(int n, const Column<f64>& p, const Column<ContextSums>* sums) {
    sink_.begin_order(n);
    i64 next = 0;
    ordered_pipeline(i64{4} * max_threads(),
                     [&]() -> std::unique_ptr<PipelineItem> {
                       if (next >= trie_.size(n)) return nullptr;
                       std::unique_ptr<Item> item = std::make_unique<Item>();
                       item->begin = next;
                       item->end = next = std::min(next + kChunkGrams, trie_.size(n));
                       return item;
                     },
                     {{StageMode::kParallel,
                       [&](PipelineItem& item) { fill(n, p, sums, static_cast<Item&>(item)); }},
                      {StageMode::kSerial,
                       [&](PipelineItem& item) { sink_.take(*static_cast<Item&>(item).chunk); }}});
  }

  void fill(int n, const Column<f64>& p, const Column<ContextSums>* sums, Item& item) const {
    item.chunk = sink_.new_chunk(n);
    std::array<i64, kMaxOrder> node{};  // [m - 1] = index on level m of the last m words
    std::array<u32, kMaxOrder> words{};
    node[usize(n - 1)] = item.begin;
    for (int m = n - 1; m >= 1; --m)
      node[usize(m - 1)] = trie_.parent_of(m, node[usize(m)]);
    for (i64 i = item.begin; i < item.end; ++i) {
      node[usize(n - 1)] = i;
      for (int m = n - 1; m >= 1; --m) {
        i64& at = node[usize(m - 1)];
        while (trie_.first_child(m, at + 1) <= node[usize(m)])
          ++at;
      }
      if (trie_.pruned(n, i)) continue;
      for (int m = n; m >= 1; --m)
        words[usize(n - m)] = trie_.word(m, node[usize(m - 1)]);
      f64 backoff = 0.0;
      if (sums != nullptr && is_context((*sums)[i])) {
        backoff = std::log10(gamma((*sums)[i], discounts_[usize(n)]));
      }
      item.chunk->add({words.data(), usize(n)}, std::min(0.0, std::log10(p[i])), backoff);
    }
  }

  const Context& ctx_;
  const EstimateOptions& options_;
  const CountTrie& trie_;
  const std::vector<Discounts>& discounts_;
  ModelSink& sink_;
};

}  // namespace

void check_options(const EstimateOptions& options) {
  if (isize(options.prune) > options.order) {
    throw Error(ErrorKind::kUsage, cat(options.prune.size(),
                                       " pruning thresholds for a model of order ", options.order));
  }
  i64 lower = 0;
  for (const i64 threshold : options.prune) {
    if (threshold < lower) {
      throw Error(ErrorKind::kUsage,
                  cat("pruning threshold ", threshold, " follows ", lower,
                      ", expected non-negative and non-decreasing values"),
                  "a falling threshold would remove n-grams that kept ones need");
    }
    lower = threshold;
  }
  if (!options.discount_fallback) return;
  for (int k = 1; k <= 3; ++k) {
    const f64 d = (*options.discount_fallback)[usize(k - 1)];
    if (!(d >= 0.0 && d <= k)) {
      throw Error(ErrorKind::kUsage,
                  cat("fallback discount ", d, " for count ", k, " is outside [0, ", k, "]"));
    }
  }
}

Discounts closed_form_discounts(const LevelStats& stats, int order) {
  Discounts d{};
  const std::array<i64, 5>& t = stats.with_count;
  for (int k = 1; k <= 3; ++k) {
    if (t[usize(k)] == 0) {
      throw Error(ErrorKind::kData,
                  cat("no ", order, "-gram has adjusted count ", k,
                      ", so the Kneser-Ney discounts of this order have no closed form"),
                  kFallbackHint);
    }
  }
  const f64 y = static_cast<f64>(t[1]) / static_cast<f64>(t[1] + 2 * t[2]);
  for (int k = 1; k <= 3; ++k) {
    d[usize(k)] =
        k - (k + 1) * y * static_cast<f64>(t[usize(k + 1)]) / static_cast<f64>(t[usize(k)]);
    if (!(d[usize(k)] >= 0.0 && d[usize(k)] <= k)) {
      throw Error(ErrorKind::kData,
                  cat("the discount of ", order, "-grams with adjusted count ", k, " is ",
                      d[usize(k)], ", expected 0 to ", k),
                  kFallbackHint);
    }
  }
  return d;
}

EstimateReport estimate(const Context& ctx, const EstimateOptions& options, NgramCounter& counter,
                        ModelSink& sink) {
  check_options(options);
  EstimateReport report;
  const CountTrie trie = build_trie(ctx, options, counter);
  choose_discounts(ctx, options, trie, report);
  std::vector<i64> counts;
  for (const LevelStats& stats : report.stats)
    counts.push_back(stats.kept);
  sink.begin(counter.vocab(), counts);
  Interpolation(ctx, options, trie, report.discounts, sink).run();
  sink.end();
  report.spilled_bytes = counter.spilled_bytes() + trie.spilled_bytes();
  return report;
}

}  // namespace lm::ngram

#pragma once
// Modified Kneser-Ney from the formulas alone, over std::map of strings, in doubles: slow and
// plain.

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/random.h"
#include "core/str.h"
#include "ngram/arpa.h"
#include "ngram/estimate.h"

namespace lm::test {

using Words = std::vector<std::string>;
struct Values {
  f64 log10_p = 0;
  f64 log10_b = 0;
};
using Grams = std::map<Words, Values>;

struct Oracle {
  int order;
  std::vector<i64> prune;  // one per order
  bool uniform = true;
  std::set<std::string> allowed;  // empty = all
  std::vector<std::map<Words, i64>> raw, adjusted;
  std::vector<ngram::Discounts> discounts;

  static Words words_of(const std::string& line) {
    Words out;
    for (const std::string_view word : split(line, ' ')) {
      if (!word.empty()) out.emplace_back(word);
    }
    return out;
  }

  bool pruned(const Words& g) const {
    const bool special = g.size() == 1 && (g[0] == "<s>" || g[0] == "</s>" || g[0] == "<unk>");
    if (special) return false;
    const auto outside = [&](const std::string& w) {
      return !allowed.empty() && w != "<s>" && w != "</s>" && w != "<unk>" && !allowed.contains(w);
    };
    if (std::any_of(g.begin(), g.end(), outside)) return true;
    return raw[g.size() - 1].at(g) <= prune[g.size() - 1];
  }

  Grams run(const std::vector<std::string>& lines, const std::array<f64, 3>* fallback) {
    raw.assign(usize(order), {});
    for (const std::string& line : lines) {
      Words s{"<s>"};
      for (const std::string& w : words_of(line))
        s.push_back(w);
      s.push_back("</s>");
      for (std::size_t end = 1; end < s.size(); ++end) {
        for (std::size_t n = 1; n <= usize(order) && n <= end + 1; ++n) {
          const i64 first = static_cast<i64>(end + 1 - n);
          ++raw[n - 1][Words(s.begin() + first, s.begin() + static_cast<i64>(end) + 1)];
        }
      }
    }
    raw[0][{"<unk>"}] = 0;
    raw[0][{"<s>"}] = 0;
    adjusted = raw;
    for (std::size_t n = 1; n < usize(order); ++n) {
      for (auto& [g, a] : adjusted[n - 1]) {
        if (n > 1 && g[0] == "<s>") continue;
        a = 0;
      }
      for (const auto& [g, count] : raw[n]) {
        const Words suffix(g.begin() + 1, g.end());
        if (n == 1 || suffix[0] != "<s>") ++adjusted[n - 1][suffix];
      }
    }
    discounts.clear();
    for (int n = 1; n <= order; ++n) {
      ngram::LevelStats stats;
      for (const auto& [g, a] : adjusted[usize(n - 1)]) {
        if (a >= 1 && a <= 4) ++stats.with_count[usize(a)];
      }
      try {
        discounts.push_back(ngram::closed_form_discounts(stats, n));
      } catch (const Error&) {
        if (fallback == nullptr) throw;
        discounts.push_back({0, (*fallback)[0], (*fallback)[1], (*fallback)[2]});
      }
    }
    return interpolate();
  }

  Grams interpolate() const {
    Grams out;
    std::map<Words, f64> p;
    std::map<Words, f64> gamma;
    for (std::size_t n = 1; n <= usize(order); ++n) {
      const ngram::Discounts& d = discounts[n - 1];
      std::map<Words, f64> sum;
      for (const auto& [g, a] : adjusted[n - 1]) {
        const Words h(g.begin(), g.end() - 1);
        sum[h] += static_cast<f64>(a);
        gamma[h] += pruned(g) ? static_cast<f64>(a) : d[usize(std::min<i64>(a, 3))];
      }
      for (const auto& [h, s] : sum)
        gamma[h] /= s;
      i64 kept = 0;
      for (const auto& [g, a] : adjusted[0])
        kept += pruned(g) ? 0 : 1;
      for (const auto& [g, a] : adjusted[n - 1]) {
        const Words h(g.begin(), g.end() - 1);
        const Words shorter(g.begin() + 1, g.end());
        const f64 u = (static_cast<f64>(a) - d[usize(std::min<i64>(a, 3))]) / sum[h];
        const f64 lower = n > 1 ? p.at(shorter) : uniform ? 1.0 / static_cast<f64>(kept - 1) : 0.0;
        f64 value = u + gamma[h] * lower;
        if (n == 1 && !uniform && g[0] == "<unk>") value = gamma[h];
        if (n == 1 && g[0] == "<s>") value = 1;
        p[g] = value;
        if (!pruned(g)) out[g].log10_p = std::min(0.0, std::log10(value));
      }
    }
    for (auto& [g, values] : out) {
      if (g.size() < usize(order) && gamma.contains(g)) values.log10_b = std::log10(gamma.at(g));
    }
    return out;
  }
};

/// Keeps everything in doubles.
class CollectSink final : public ngram::ModelSink {
 public:
  struct Part final : Chunk {
    explicit Part(const ngram::Vocab& v) : vocab(v) {}
    void add(std::span<const u32> words, f64 log10_p, f64 log10_b) override {
      Words g;
      for (const u32 w : words)
        g.emplace_back(vocab.word(w));
      items.emplace_back(std::move(g), Values{log10_p, log10_b});
    }
    const ngram::Vocab& vocab;
    std::vector<std::pair<Words, Values>> items;
  };
  void begin(const ngram::Vocab& vocab, std::span<const i64> counts) override {
    vocab_ = &vocab;
    counts_.assign(counts.begin(), counts.end());
  }
  void begin_order(int) override {}
  std::unique_ptr<Chunk> new_chunk(int) const override { return std::make_unique<Part>(*vocab_); }
  void take(Chunk& chunk) override {
    for (auto& item : static_cast<Part&>(chunk).items)
      grams.insert(std::move(item));
  }
  void end() override { ended = true; }
  Grams grams;
  std::vector<i64> counts_;
  bool ended = false;

 private:
  const ngram::Vocab* vocab_ = nullptr;
};

/// Lines of words drawn with frequencies 1/rank, so that every count of counts occurs.
inline std::vector<std::string> random_lines(u64 seed, i64 lines, u64 words) {
  const RandomStream draw(seed, RandomPurpose::kOther);
  u64 at = 0;
  std::vector<std::string> out;
  for (i64 l = 0; l < lines; ++l) {
    std::string text;
    const u64 length = draw.below(at++, 9);
    for (u64 i = 0; i < length; ++i) {
      const f64 u = draw.uniform(at++);
      append(text, i == 0 ? "" : " ", "w", static_cast<u64>(std::pow(static_cast<f64>(words), u)));
    }
    out.push_back(text);
  }
  return out;
}

/// Gives text in blocks of at most block_lines lines.
inline ngram::NgramCounter::BlockSource source_of(const std::vector<std::string>& lines,
                                                  std::size_t block_lines = 50) {
  return [&lines, block_lines, at = std::size_t{0}](std::string& block) mutable {
    if (at == lines.size()) return false;
    block.clear();
    for (std::size_t i = 0; i < block_lines && at < lines.size(); ++i, ++at) {
      append(block, lines[at], "\n");
    }
    return true;
  };
}

inline std::string train_arpa(const Context& ctx, const std::vector<std::string>& lines,
                              const ngram::EstimateOptions& options) {
  ngram::NgramCounter counter(ctx, {options.order, false});
  counter.add_text(source_of(lines));
  std::string out;
  ngram::ArpaWriter writer([&out](std::string_view bytes) { out.append(bytes); });
  ngram::estimate(ctx, options, counter, writer);
  return out;
}

}  // namespace lm::test

#include "uq/gaap.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "core/error.h"
#include "core/random.h"
#include "core/str.h"
#include "core/utf8.h"
#include "text/unicode.h"

namespace lm::uq {

namespace {

// Words without a meaning of their own, in the order of bytes.
constexpr std::string_view kFunctionWords[] = {
    "a",       "about",  "above",   "after", "again",  "all",   "also",    "am",    "an",
    "and",     "any",    "are",     "as",    "at",     "be",    "because", "been",  "before",
    "being",   "below",  "between", "both",  "but",    "by",    "can",     "could", "did",
    "do",      "does",   "doing",   "down",  "during", "each",  "few",     "for",   "from",
    "further", "had",    "has",     "have",  "having", "he",    "her",     "here",  "hers",
    "him",     "his",    "how",     "i",     "if",     "in",    "into",    "is",    "it",
    "its",     "just",   "may",     "me",    "might",  "more",  "most",    "must",  "my",
    "no",      "nor",    "not",     "now",   "of",     "off",   "on",      "once",  "only",
    "or",      "other",  "our",     "ours",  "out",    "over",  "own",     "same",  "shall",
    "she",     "should", "so",      "some",  "such",   "than",  "that",    "the",   "their",
    "theirs",  "them",   "then",    "there", "these",  "they",  "this",    "those", "through",
    "to",      "too",    "under",   "until", "up",     "us",    "very",    "was",   "we",
    "were",    "what",   "when",    "where", "which",  "while", "who",     "whom",  "whose",
    "why",     "will",   "with",    "would", "you",    "your",  "yours"};

bool is_function_word(std::string_view word) {
  return std::binary_search(std::begin(kFunctionWords), std::end(kFunctionWords), word);
}

bool in_word(char32_t cp) {
  return text::in_categories(cp, text::kLetters | text::kMarks | text::kNumbers);
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Bytes between double quotes, straight or curved, that stand in pairs.
std::vector<text::Span> quoted_spans(std::string_view text) {
  std::vector<text::Span> out;
  i64 open = -1;
  for (i64 at = 0; at < isize(text);) {
    const Decoded next = decode_at(text, at);
    if (next.cp == U'"' || next.cp == 0x201C || next.cp == 0x201D) {
      if (open >= 0) out.push_back({open, at});
      open = open >= 0 ? -1 : at + next.size;
    }
    at += next.size;
  }
  return out;
}

bool touches(const text::Span& word, std::span<const text::Span> spans) {
  return std::any_of(spans.begin(), spans.end(), [&](const text::Span& span) {
    return span.begin < word.end && word.begin < span.end;
  });
}

bool has_number(std::string_view word) {
  return std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Draws in a row.
class Draws {
 public:
  Draws(u64 seed, std::string_view id)
      : random_(seed, RandomPurpose::kOther, mix64(fnv1a64(id) ^ fnv1a64("gaap"))) {}
  i64 below(i64 bound) { return static_cast<i64>(random_.below(next_++, static_cast<u64>(bound))); }
  f64 uniform() { return random_.uniform(next_++); }

 private:
  RandomStream random_;
  u64 next_ = 0;
};

// Keeps `most` items, each set of them as likely as the others, in their order.
template <typename T>
void sample_down(std::vector<T>& items, i64 most, Draws& draws) {
  if (isize(items) <= most) return;
  std::vector<i64> order(items.size());
  std::iota(order.begin(), order.end(), i64{0});
  for (i64 i = 0; i < most; ++i)
    std::swap(order[usize(i)], order[usize(i + draws.below(isize(order) - i))]);
  order.resize(usize(most));
  std::sort(order.begin(), order.end());
  std::vector<T> kept;
  for (const i64 i : order)
    kept.push_back(std::move(items[usize(i)]));
  items = std::move(kept);
}

}  // namespace

std::vector<text::Span> words_of(std::string_view text) {
  std::vector<text::Span> out;
  i64 joint = -1;  // an apostrophe or hyphen right behind the last word
  for (i64 at = 0; at < isize(text);) {
    const Decoded next = decode_at(text, at);
    const i64 end = at + next.size;
    const bool behind = !out.empty() && out.back().end == at;
    if (in_word(next.cp)) {
      if (behind || (joint >= 0 && joint == at)) {
        out.back().end = end;
      } else {
        out.push_back({at, end});
      }
      joint = -1;
    } else {
      const bool joins = next.cp == U'\'' || next.cp == U'-' || next.cp == 0x2019;
      joint = joins && behind ? end : -1;
    }
    at = end;
  }
  return out;
}

i64 DocumentFrequencies::add(std::string_view text) {
  constexpr i64 kNode = 64;  // of the table, beside the word
  ++texts_;
  std::unordered_set<std::string> seen;
  i64 grown = 0;
  for (const text::Span& span : words_of(text)) {
    std::string word = text::to_lower(text.substr(usize(span.begin), usize(span.end - span.begin)));
    const auto [place, fresh] = seen.insert(std::move(word));
    if (!fresh) continue;
    i64& count = counts_[*place];
    if (count == 0) grown += kNode + isize(*place);
    ++count;
  }
  return grown;
}

f64 DocumentFrequencies::rarity(std::string_view word) const {
  const auto found = counts_.find(std::string(word));
  const i64 with = found == counts_.end() ? 0 : found->second;
  return std::log(static_cast<f64>(1 + texts_) / static_cast<f64>(1 + with));
}

u64 DocumentFrequencies::digest() const {
  u64 sum = static_cast<u64>(texts_);
  for (const auto& [word, count] : counts_)
    sum += mix64(xxh3_64(word) ^ static_cast<u64>(count));
  return mix64(sum);
}

// One prompt.
struct Gaap::Run {
  struct Keyword {
    i64 word = 0;                      // its place among the words
    std::vector<std::string> instead;  // the last one may be empty: left out
  };
  struct Individual {
    std::vector<i32> choice;  // by keyword; 0: the word, i: instead[i - 1]
    Reworded reworded;
  };

  Gaap& owner;
  std::string_view prompt;
  Draws draws;
  std::vector<text::Span> words;
  std::vector<Keyword> keywords;

  Run(Gaap& gaap, std::string_view text, u64 seed, std::string_view id)
      : owner(gaap), prompt(text), draws(seed, id), words(words_of(text)) {}

  std::string_view word(i64 at) const {
    const text::Span& span = words[usize(at)];
    return prompt.substr(usize(span.begin), usize(span.end - span.begin));
  }

  void choose_keywords(std::span<const text::Span> kept) {
    const std::vector<text::Span> quoted = quoted_spans(prompt);
    std::vector<std::pair<f64, i64>> ranked;  // rarest first
    for (i64 i = 0; i < isize(words); ++i) {
      const std::string lower = text::to_lower(word(i));
      if (is_function_word(lower) || has_number(lower)) continue;
      if (touches(words[usize(i)], kept) || touches(words[usize(i)], quoted)) continue;
      ranked.emplace_back(-owner.rarity_(lower), i);
    }
    std::sort(ranked.begin(), ranked.end());
    const f64 share = owner.options_.keywords * static_cast<f64>(words.size());
    const i64 most = std::max<i64>(1, static_cast<i64>(std::floor(share)));
    if (isize(ranked) > most) ranked.resize(usize(most));
    for (const auto& [rank, i] : ranked)
      add_keyword(i);
    std::sort(keywords.begin(), keywords.end(),
              [](const Keyword& a, const Keyword& b) { return a.word < b.word; });
  }

  void add_keyword(i64 at) {
    Keyword keyword{at, owner.wordnet_.related(text::to_lower(word(at)))};
    const char first = word(at)[0];
    for (std::string& instead : keyword.instead) {  // a capital stays one
      if (first >= 'A' && first <= 'Z' && instead[0] >= 'a' && instead[0] <= 'z')
        instead[0] = static_cast<char>(instead[0] - 'a' + 'A');
    }
    if (words.size() > 1) keyword.instead.emplace_back();
    if (!keyword.instead.empty()) keywords.push_back(std::move(keyword));
  }

  /// The text of a choice. A word that is left out takes the blanks before it along, at the
  /// beginning those behind it.
  std::string render(const std::vector<i32>& choice) const {
    std::string out;
    i64 from = 0;
    bool skip_blanks = false;
    const auto copy = [&](i64 end) {
      while (skip_blanks && from < end && is_blank(prompt[usize(from)]))
        ++from;
      skip_blanks = skip_blanks && from == end;
      out += prompt.substr(usize(from), usize(end - from));
      from = end;
    };
    for (i64 k = 0; k < isize(keywords); ++k) {
      if (choice[usize(k)] == 0) continue;
      const Keyword& keyword = keywords[usize(k)];
      const std::string& instead = keyword.instead[usize(choice[usize(k)] - 1)];
      copy(words[usize(keyword.word)].begin);
      if (instead.empty()) {
        while (!out.empty() && is_blank(out.back()))
          out.pop_back();
        skip_blanks = out.empty();
      }
      out += instead;
      if (!instead.empty()) skip_blanks = false;
      from = words[usize(keyword.word)].end;
    }
    copy(isize(prompt));
    return out;
  }

  bool leaves_a_word(const std::vector<i32>& choice) const {
    i64 left_out = 0;
    for (i64 k = 0; k < isize(keywords); ++k) {
      const i32 c = choice[usize(k)];
      if (c > 0 && keywords[usize(k)].instead[usize(c - 1)].empty()) ++left_out;
    }
    return left_out < isize(words);
  }

  /// Appends the individual of a choice unless its text is the prompt or is there already.
  void add(std::vector<i32> choice, i64 generation, std::unordered_set<std::string>& seen,
           std::vector<Individual>& out) {
    if (!leaves_a_word(choice)) return;
    std::string text = render(choice);
    if (text == prompt || !seen.insert(text).second) return;
    const std::string_view pair[] = {prompt, text};
    Similarities sims;
    owner.comparer_.compare(owner.options_.sim, pair, sims);
    out.push_back({std::move(choice), {std::move(text), sims.at(0, 1), generation}});
  }

  std::vector<Individual> first() {
    std::vector<std::pair<i64, i32>> single;  // keyword, choice
    for (i64 k = 0; k < isize(keywords); ++k) {
      for (i32 c = 1; c <= static_cast<i32>(keywords[usize(k)].instead.size()); ++c)
        single.emplace_back(k, c);
    }
    sample_down(single, owner.options_.population, draws);
    std::vector<Individual> out;
    std::unordered_set<std::string> seen;
    for (const auto& [k, c] : single) {
      std::vector<i32> choice(keywords.size(), 0);
      choice[usize(k)] = c;
      add(std::move(choice), 0, seen, out);
    }
    return out;
  }

  /// Roulette without replacement, in the order drawn: a random one.
  std::vector<Individual> select(const std::vector<Individual>& population) {
    std::vector<f64> weight;
    for (const Individual& one : population)
      weight.push_back(one.reworded.similarity);
    std::vector<Individual> out;
    const i64 most = std::min(owner.options_.parents, isize(population));
    while (isize(out) < most) {
      f64 total = std::accumulate(weight.begin(), weight.end(), 0.0, [](f64 sum, f64 w) {
        return w < 0 ? sum : sum + w;  // negative: taken
      });
      if (total <= 0) {  // nothing left that resembles the prompt: all are alike
        for (f64& w : weight)
          w = w < 0 ? w : 1;
        continue;
      }
      f64 at = draws.uniform() * total;
      std::size_t chosen = weight.size();
      for (std::size_t i = 0; i < weight.size(); ++i) {
        if (weight[i] <= 0) continue;
        chosen = i;  // rounding may leave a rest behind the last
        at -= weight[i];
        if (at <= 0) break;
      }
      weight[chosen] = -1;
      out.push_back(population[chosen]);
    }
    return out;
  }

  /// Parents in pairs, with what stands behind a place of the text swapped.
  std::vector<std::vector<i32>> cross(const std::vector<Individual>& parents) {
    std::vector<std::vector<i32>> out;
    if (words.size() < 2) return out;
    for (std::size_t i = 0; i + 1 < parents.size(); i += 2) {
      const i64 cut = 1 + draws.below(isize(words) - 1);
      std::vector<i32> a = parents[i].choice;
      std::vector<i32> b = parents[i + 1].choice;
      for (std::size_t k = 0; k < keywords.size(); ++k) {
        if (keywords[k].word >= cut) std::swap(a[k], b[k]);
      }
      out.push_back(std::move(a));
      out.push_back(std::move(b));
    }
    return out;
  }

  std::vector<Individual> next(const std::vector<Individual>& population, i64 generation) {
    std::vector<Individual> out = select(population);
    const std::vector<std::vector<i32>> offspring = cross(out);
    std::unordered_set<std::string> seen;
    for (const Individual& parent : out)
      seen.insert(parent.reworded.text);
    for (const std::vector<i32>& choice : offspring)
      add(choice, generation, seen, out);
    for (std::vector<i32> mutant : offspring) {
      const i64 k = draws.below(isize(keywords));
      const i64 options = isize(keywords[usize(k)].instead);
      mutant[usize(k)] = static_cast<i32>(1 + draws.below(options));
      add(std::move(mutant), generation, seen, out);
    }
    sample_down(out, owner.options_.population, draws);
    return out;
  }

  bool resembles(const std::vector<Individual>& population) const {
    return std::any_of(population.begin(), population.end(), [&](const Individual& one) {
      return one.reworded.similarity >= owner.options_.similarity;
    });
  }

  /// From the generations in turn, each time one of those that are not there yet.
  std::vector<Reworded> draw(std::vector<std::vector<Individual>> pools) {
    std::vector<Reworded> out;
    std::unordered_set<std::string> seen;
    for (bool found = true; found;) {
      found = false;
      for (std::vector<Individual>& pool : pools) {
        if (isize(out) == owner.options_.count) return out;
        std::erase_if(pool,
                      [&](const Individual& one) { return seen.contains(one.reworded.text); });
        if (pool.empty()) continue;
        found = true;
        const i64 at = draws.below(isize(pool));
        out.push_back(pool[usize(at)].reworded);
        seen.insert(out.back().text);
      }
    }
    return out;
  }
};

Gaap::Gaap(const WordNet& wordnet, const GaapOptions& options,
           std::function<f64(std::string_view)> rarity)
    : wordnet_(wordnet), options_(options), rarity_(std::move(rarity)) {
  LM_CHECK(options_.gap > 0 && options_.population > 0 && options_.parents > 0,
           "a population has individuals");
}

Gaap::~Gaap() = default;

Result<std::vector<Reworded>> Gaap::reword(std::string_view text, u64 seed, std::string_view id,
                                           std::span<const text::Span> kept) {
  Run run(*this, text, seed, id);
  run.choose_keywords(kept);
  std::vector<Run::Individual> population = run.first();
  if (population.empty())
    return Fault{"reword", "no word of the prompt can be replaced or left out", -1};
  std::vector<std::vector<Run::Individual>> pools;
  for (i64 t = 0;; ++t) {
    if (t % options_.gap == 0) pools.push_back(population);
    if (t >= options_.generations || !run.resembles(population)) break;
    population = run.next(population, t + 1);
  }
  return run.draw(std::move(pools));
}

}  // namespace lm::uq

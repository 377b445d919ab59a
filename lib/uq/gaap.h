#pragma once
// GAAP: rewordings of a prompt by a genetic algorithm. Some words, the keywords, may each be
// replaced by words that WordNet relates to them, or left out. An individual is a choice for every
// keyword; parents are drawn by their similarity to the prompt, swap what stands behind a place of
// the text, and their offspring mutate, so that generations drift away from the prompt.
// Source: Song et al. 2025. What the paper leaves open: keywords are the rarest words; a place of
// the text stays the same place after words before it were left out, so that no word is doubled or
// lost by a swap; rewordings are drawn from the generations in turn.

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "core/types.h"
#include "text/pretokenize.h"
#include "uq/similarity.h"
#include "uq/wordnet.h"

namespace lm::uq {

struct GaapOptions {
  i64 count = 9;         // rewordings
  f64 keywords = 0.5;    // share of the words that may be replaced; one word at least
  f64 similarity = 0.7;  // ends when the whole population is less similar to the prompt
  i64 generations = 10;
  i64 gap = 1;           // generations between those that are drawn from
  i64 population = 100;  // individuals at most
  i64 parents = 50;
  Sim sim = Sim::kJaccard;  // one of the text kinds
};

struct Reworded {
  std::string text;
  f64 similarity = 0;  // to the prompt
  i64 generation = 0;  // that first had it
};

/// Words of a text: maximal runs of letters, marks and numbers, with single apostrophes and hyphens
/// inside.
std::vector<text::Span> words_of(std::string_view text);

/// In how many of a set of texts a word stands.
class DocumentFrequencies {
 public:
  /// Bytes that the table has grown by.
  i64 add(std::string_view text);
  /// ln((1 + texts) / (1 + texts with the word)); word: lower case.
  f64 rarity(std::string_view word) const;
  i64 texts() const { return texts_; }
  /// 64 bits of all counts.
  u64 digest() const;

 private:
  i64 texts_ = 0;
  std::unordered_map<std::string, i64> counts_;  // iterated for sums only
};

/// One per worker. Borrows the database.
class Gaap {
 public:
  /// rarity: of a word in lower case; the rarest words are the keywords, of equally rare ones the
  /// first.
  Gaap(const WordNet& wordnet, const GaapOptions& options,
       std::function<f64(std::string_view word)> rarity);
  ~Gaap();

  /// Up to options.count texts, all different and none of them the prompt; fewer where the words
  /// do not give more. Words that touch `kept` stay; so do numbers, what stands in double quotes,
  /// and words like "the". Draws are a function of (seed, id). Fault "reword": no word may be
  /// replaced by anything, and the only word of a text is not left out.
  /// O(generations (population + parents) bytes), with the similarity's own cost for each text.
  Result<std::vector<Reworded>> reword(std::string_view text, u64 seed, std::string_view id,
                                       std::span<const text::Span> kept = {});

 private:
  struct Run;
  const WordNet& wordnet_;
  GaapOptions options_;
  std::function<f64(std::string_view)> rarity_;
  TextComparer comparer_;
};

}  // namespace lm::uq

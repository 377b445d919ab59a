#pragma once
// How much two texts share: words, n-grams, longest common subsequences, characters. The one
// definition behind answer similarities (lm-uq) and task metrics. Texts are cut into words once and
// compared as ids. N-gram counts are plain sums, so corpus scores are scores of added counts. Pure
// functions. Sources: Lin 2004 (ROUGE), Papineni et al. 2002 (BLEU), Popovic 2015 (chrF), Jaccard.

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/types.h"

namespace lm::text {

/// Words as ids, the same id for the same word while the table lives. Not thread-safe.
class WordIds {
 public:
  /// Appends the ids of text's words: maximal runs of letters, marks and numbers, lower-cased; an
  /// ideograph or kana is a word of its own. On ASCII the words of the usual ROUGE.
  void add_words(std::string_view text, std::vector<i32>& out);
  i32 id(std::string_view word);
  void clear() { ids_.clear(); }

 private:
  std::unordered_map<std::string, i32> ids_;
  std::string word_;
};

/// The words themselves, as add_words cuts them.
std::vector<std::string> overlap_words(std::string_view text);

/// The form in which short answers are compared: lower case, punctuation and the articles a, an,
/// the left out, single blanks (Rajpurkar et al. 2016).
std::string answer_key(std::string_view text);
/// The same, appended.
void append_answer_key(std::string& out, std::string_view text);
/// The last decimal number of a text in a canonical spelling ("1,234.50" is "1234.5"), or empty.
std::string last_number(std::string_view text);

/// |A intersection B| / |A union B| of word sets; 1 for two empty ones.
f64 jaccard(std::span<const i32> a, std::span<const i32> b);
/// Words as a set: sorted, each once. What jaccard makes of both sides, for callers that compare
/// one with many.
void make_word_set(std::vector<i32>& words);
f64 jaccard_of_sets(std::span<const i32> a, std::span<const i32> b);

struct Overlap {
  f64 precision = 0;  // of a: shared / |a|
  f64 recall = 0;     // of b
  f64 f1 = 0;
};
/// Clipped n-gram matches; n = 1 is the token F1 of question answering. Zero if either has none,
/// one if both are empty.
Overlap rouge_n(std::span<const i32> a, std::span<const i32> b, i64 n);
/// Longest common subsequence. O(|a| |b| / 64).
Overlap rouge_l(std::span<const i32> a, std::span<const i32> b);
i64 common_subsequence(std::span<const i32> a, std::span<const i32> b);

/// Matches and totals of a hypothesis by order; adding two makes a corpus. Of several references an
/// n-gram counts as often as in the one that has most of it, and the length is that of the nearest,
/// of two the shorter.
struct BleuCounts {
  std::array<i64, 4> matches{};
  std::array<i64, 4> totals{};
  i64 length = 0;
  i64 reference_length = 0;
  void add(const BleuCounts& other);
};
BleuCounts bleu_counts(std::span<const i32> hypothesis, std::span<const i32> reference);
BleuCounts bleu_counts(std::span<const i32> hypothesis,
                       std::span<const std::vector<i32>> references);
/// What stands for a precision of zero: nothing, or 1/2, 1/4, ... of a match for the first, second,
/// ... order without one, unless all are (the rule of mteval).
enum class BleuSmoothing : u8 { kNone, kHalving };
/// In [0,1]: brevity penalty times the geometric mean of the precisions up to `order`; zero if one
/// of them is.
f64 bleu(const BleuCounts& counts, i64 order = 4, BleuSmoothing smoothing = BleuSmoothing::kNone);
/// Of short strings: order min(4, |a|, |b|), mean of both directions, so that it is symmetric.
f64 bleu_similarity(std::span<const i32> a, std::span<const i32> b);

/// A text's n-grams of orders 1 to 4, made once for comparisons with many.
struct WordGrams {
  i64 length = 0;                            // words
  std::array<std::vector<u64>, 4> by_order;  // keys, sorted
  void make(std::span<const i32> words);
};
/// rouge_n (n <= 4) and bleu_similarity of the texts that these were made of.
Overlap rouge_n(const WordGrams& a, const WordGrams& b, i64 n);
f64 bleu_similarity(const WordGrams& a, const WordGrams& b);

/// Character n-grams of orders 1 to 6 without white space. totals are zero where the reference is
/// too short for the order, so that a corpus counts orders that both have.
struct ChrfCounts {
  std::array<i64, 6> matches{};
  std::array<i64, 6> totals{};
  std::array<i64, 6> reference_totals{};
  void add(const ChrfCounts& other);
};
ChrfCounts chrf_counts(std::string_view hypothesis, std::string_view reference);
/// In [0,1]: F-beta of mean precision and mean recall over the orders that both have.
f64 chrf(const ChrfCounts& counts, f64 beta = 2);

}  // namespace lm::text

#pragma once
// Figures by language from records of parallel items: bits per byte, tokens per word, tokens
// against a pivot's, scores; how unequal languages are treated, and how far answers agree between
// them. All figures are quotients of sums over items, so resampling items gives intervals;
// languages share an item's draws where they share its id, which pairs their differences. The
// headline is the mean over languages, never the mean over records. Sources: Petrov et al. 2023
// (parity); Rust et al. 2021 (fertility); Qi et al. 2023 (RankC).

#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/types.h"
#include "text/value.h"

namespace lm::eval {

/// An item's part of a language's two sums.
struct RatioPart {
  f64 above = 0;
  f64 below = 0;
};

struct RatioOptions {
  f64 scale = 1;  // value = scale * sum of above / sum of below
  bool higher_is_better = false;
  std::string pivot;                   // empty: no gaps
  std::map<std::string, f64> weights;  // of languages, for a weighted mean; empty: none
  i64 draws = 1000;
  u64 seed = 0;
};

/// A figure with the middle 95 % of its draws; NaN where undefined.
struct Figure {
  f64 value = std::numeric_limits<f64>::quiet_NaN();
  f64 low = std::numeric_limits<f64>::quiet_NaN();
  f64 high = std::numeric_limits<f64>::quiet_NaN();
};

struct LanguageRow {
  std::string language;
  i64 n = 0;  // items
  Figure value;
  Figure gap;  // the pivot's value minus this one's
};

struct RatioSummary {
  std::vector<LanguageRow> rows;  // by name
  Figure mean;                    // over languages
  Figure weighted;                // over languages with a weight
  Figure gini;                    // of the values; 0: all equal
  Figure worst;
  std::string worst_language;
};

/// Sums by language and item.
class RatioTable {
 public:
  /// id: the same for translations of one item. Parts of one id and language add up.
  void add(const std::string& language, const std::string& id, const RatioPart& part);
  bool empty() const { return languages_.empty(); }
  std::vector<std::string> languages() const;
  /// Items of a language by id.
  std::map<std::string, RatioPart> items(const std::string& language) const;
  /// O(draws * items). Throws Error{kData} when the pivot has no items.
  RatioSummary summary(const RatioOptions& options) const;

 private:
  struct Item {
    i64 id = 0;  // number of the id, in order of appearance
    RatioPart part;
  };
  std::map<std::string, std::vector<Item>> languages_;
  std::map<std::string, i64> ids_;
  std::vector<std::string> names_;
};

/// Mean absolute difference of all pairs over twice the mean; NaN of nothing or a mean of 0.
f64 gini(std::span<const f64> values);

/// {"languages":[{...}],"mean":...,"worst":...}.
text::Value summary_value(const RatioSummary& summary);

/// Words and characters of a text, and whether its script writes no blanks between words (most of
/// its letters are Han, Kana, Thai, Lao, Khmer, Burmese or Tibetan).
struct TextUnits {
  i64 words = 0;
  i64 characters = 0;  // other than white space
  i64 letters = 0;
  i64 unspaced = 0;  // of the letters
};
TextUnits count_units(std::string_view text);

/// Answers by question and language.
class AnswerTable {
 public:
  void add(const std::string& language, const std::string& id, std::string answer);
  void add_ranking(const std::string& language, const std::string& id, std::vector<f64> scores);
  /// Share of the questions that two languages both answer in which the answers are equal, mean
  /// over pairs of languages; NaN without such a pair. Pairs in order of the names.
  struct Pair {
    std::string a, b;
    i64 n = 0;
    f64 agreement = 0;
  };
  std::vector<Pair> pairs() const;
  /// The same for rankings of a question's candidates by score: RankC.
  std::vector<Pair> ranking_pairs() const;

 private:
  std::map<std::string, std::map<std::string, std::string>> answers_;
  std::map<std::string, std::map<std::string, std::vector<f64>>> rankings_;
};
/// Agreement of two rankings: sum over j of w_j |top j of both| / j, w_j ~ exp(n - j). Candidates
/// with equal scores rank in their order. Equal sizes, at least one.
f64 rank_consistency(std::span<const f64> a, std::span<const f64> b);

}  // namespace lm::eval

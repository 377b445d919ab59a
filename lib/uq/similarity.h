#pragma once
// "Do these two answers mean the same?" by methods that need no model: each gives a symmetric
// matrix in [0,1] with ones on the diagonal. Equal texts are scored once. Not thread-safe: one per
// worker, memory kept between records.
//   exact    1 if the answers are equal but for case, punctuation and articles
//   numeric  1 if their last numbers are equal (texts without a number: as exact)
//   jaccard  word sets       rougeL  F1 of the longest common subsequence of words
//   bleu     mean of both directions, order at most the shorter length       chrf  the same
//   embed    cosine of the embeddings in the record, mapped into [0,1]
//   nli      mean of P(entails) of both directions, from the record         given  the record's

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "text/overlap.h"

namespace lm::uq {

enum class Sim : u8 { kExact, kNumeric, kJaccard, kRougeL, kBleu, kChrf, kEmbed, kNli, kGiven };
/// Names in the order of the enumerators; the first `kTextSims` compare texts alone.
std::span<const std::string> sim_names();
inline constexpr i64 kTextSims = 6;
std::optional<Sim> find_sim(std::string_view name);

/// Cosine c to [0,1]: (1 + c) / 2, |c|, max(0, c).
enum class SimMap : u8 { kHalf, kAbs, kRelu };
std::span<const std::string> sim_map_names();
std::optional<SimMap> find_sim_map(std::string_view name);

/// Items and how alike they are; items that are one text share a row.
struct Similarities {
  std::vector<i32> row;     // [items]
  i64 rows = 0;             // distinct ones, at most items
  std::vector<f64> matrix;  // [rows, rows]
  f64 at(i64 i, i64 j) const { return matrix[usize(row[usize(i)] * rows + row[usize(j)])]; }
  i64 items() const { return isize(row); }
  /// [items, items] of the first n items.
  void gather(i64 n, std::vector<f64>& out) const;
};

class TextComparer {
 public:
  /// kind: one of the text kinds.
  void compare(Sim kind, std::span<const std::string_view> texts, Similarities& out);
  /// What two texts must share to be equal under exact or numeric.
  static std::string key(Sim kind, std::string_view text);

 private:
  /// Numbers texts by their first equal one; memory is kept, nothing is allocated per text.
  class Numbering {
   public:
    void begin(std::size_t most);
    /// The number of an equal text, or -1 and this one gets `number`. text outlives the numbering.
    i32 find_or_add(std::string_view text, i32 number);

   private:
    struct Slot {
      u64 hash = 0;
      std::string_view text;
      i32 number = -1;
    };
    std::vector<Slot> slots_;  // a power of two, at most half full
  };

  static void append_key(std::string& out, Sim kind, std::string_view text);
  void number(Sim kind, std::span<const std::string_view> texts, Similarities& out);
  Numbering seen_, keys_;
  std::vector<std::string_view> distinct_;
  std::string key_text_;  // keys, one behind the other
  std::vector<std::size_t> ends_;
  std::vector<i32> row_of_;  // by distinct text, that of its key
  text::WordIds ids_;
  std::vector<std::vector<i32>> words_;
};

/// The words of texts and what is made of them for comparisons, each distinct text once.
class ComparedWords {
 public:
  void set(std::span<const std::string_view> texts);
  i64 items() const { return isize(row_); }
  /// rougeL or bleu as TextComparer has them, and F1 of n-grams of any two items.
  f64 rouge_l(i64 i, i64 j) const { return text::rouge_l(words(i), words(j)).f1; }
  f64 rouge_n(i64 i, i64 j, i64 n) const { return text::rouge_n(grams(i), grams(j), n).f1; }
  f64 bleu(i64 i, i64 j) const { return text::bleu_similarity(grams(i), grams(j)); }
  bool equal(i64 i, i64 j) const { return row_[usize(i)] == row_[usize(j)]; }

 private:
  const std::vector<i32>& words(i64 i) const { return words_[usize(row_[usize(i)])]; }
  const text::WordGrams& grams(i64 i) const { return grams_[usize(row_[usize(i)])]; }
  std::vector<i32> row_;
  text::WordIds ids_;
  std::vector<std::vector<i32>> words_;
  std::vector<text::WordGrams> grams_;
};

/// False if an embedding is missing, zero, or of another dimension than the first. Any finite
/// magnitudes have the right cosine.
bool compare_embeddings(SimMap map, std::span<const std::vector<f64>* const> given,
                        Similarities& out);

}  // namespace lm::uq

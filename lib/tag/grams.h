#pragma once
// How often the n-grams of a document's words repeat, n = 2 ... 10, exactly.
//
// An n-gram is the pair of the two (n-1)-grams it is made of, and repeats only if both of them do.
// So level n numbers the pairs of repeated (n-1)-grams that stand side by side: no hash stands in
// for an n-gram, and in ordinary text few positions are left from n = 4 on. Pairs of a long
// document are numbered part by part, by their hash. Memory: 16 bytes a word and some 50 MB at
// most; it is kept from document to document.

#include <array>
#include <span>
#include <vector>

#include "core/types.h"
#include "tag/pieces.h"

namespace lm::tag {

inline constexpr int kMaxGram = 10;

/// Sums over the positions of the n-grams; chars are code points of words, white space not counted.
struct GramLevel {
  // Always there.
  i64 positions = 0;        // max(words - n + 1, 0)
  i64 top_count = 0;        // of the most frequent n-gram, of equal ones the first seen
  i64 top_chars = 0;        // its length
  i64 duplicate_chars = 0;  // of all copies of n-grams that occur more than once
  i64 all_chars = 0;
  // With GramSums::kAll.
  i64 longest_top_chars = 0;  // the most characters of those as frequent as the most frequent
  // Of n-grams that stood before, looked for from left to right, each found one skipped as a whole.
  i64 again_chars = 0;
  i64 top_at = 0;  // where the most frequent n-gram stands first, a number of a word
  // Of words in n-grams that stood before, each word once, with the blanks between words that are
  // counted together.
  i64 stood_chars = 0;
  // Of words that are in any n-gram that occurs more than once, each word counted once.
  i64 covered_chars = 0;
};

/// Which sums are made: those that Gopher's taggers of Dolma ask for, or all.
enum class GramSums { kFew, kAll };

class GramCounter {
 public:
  /// part_pairs: how many pairs are numbered at once, a power of two.
  explicit GramCounter(i64 part_pairs = i64{1} << 21) : part_pairs_(part_pairs) {}
  /// ids: [words] numbers of the distinct words; counts: how often each occurs, by number. O(words)
  /// for text; O(10 words) at most.
  void count(std::span<const Word> words, std::span<const u32> ids, std::span<const u32> counts,
             GramSums sums = GramSums::kAll);
  /// 2 <= n <= kMaxGram.
  const GramLevel& level(int n) const { return levels_[static_cast<std::size_t>(n)]; }

 private:
  static constexpr u64 kEmpty = ~u64{0};
  struct Slot {
    u64 pair = kEmpty;
    u32 count = 0;
    bool seen = false;
    bool stood = false;
  };
  struct Pair {
    u64 value;
    u32 at;
    u32 cell;
  };
  void count_level(int n, GramSums sums);
  void sum_few(int n, GramLevel& level);
  void sum_all(int n, GramLevel& level);
  /// Pairs of grams that repeat and stand side by side, from left to right; every gram of the level
  /// before is forgotten.
  void find_candidates();
  void drop_lone_hashes();
  /// The number of a gram is its slot.
  void number_pairs();
  static u64 slot_of(const std::vector<Slot>& slots, u64 pair, u64 hash);
  static void double_slots(std::vector<Slot>& slots);
  /// All this of a long document, in parts by the pairs' hash; only what repeats has a number.
  void number_in_parts();
  void count_part(u64 part, u64 parts);

  i64 part_pairs_;
  std::array<GramLevel, kMaxGram + 1> levels_;
  std::vector<u32> prefix_;  // [words + 1] chars of the words before
  std::vector<u32> gram_;  // [words + 1] number of the gram at a position, kOnce if it occurs once
  std::vector<u32> repeated_;  // positions of repeated grams of the level before, rising
  bool mostly_lone_ = true;    // pairs of the level before occurred once
  std::vector<Pair> pairs_;
  std::vector<u8> cells_;  // [2^k] how many pairs have this hash, two for more
  std::vector<Slot> slots_;
  std::vector<u32> next_gram_;    // of a long document: gram_ as this level makes it
  std::vector<Slot> part_slots_;  // [2 * part_pairs_] of one part
};

}  // namespace lm::tag

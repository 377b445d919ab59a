#pragma once
// Byte-pair encoding (Sennrich et al. 2016): a piece starts as symbols, the adjacent pair with the
// lowest rank (leftmost among equals) merges until no pair has a rank. Symbols are bytes
// (byte-level models, Radford et al. 2019) or characters with byte fallback (SentencePiece-derived
// models). Immutable after construction; const methods are safe to call concurrently, each caller
// with its own BpeScratch. Pieces are well-formed UTF-8.

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/types.h"
#include "text/bpe_cache.h"
#include "text/cut_table.h"
#include "text/fresh_pages.h"
#include "text/pretokenize.h"
#include "text/vocab.h"

namespace lm::text {

struct BpeOptions {
  bool byte_level = false;        // symbols are bytes; vocabulary strings are raw bytes
  bool byte_fallback = false;     // unknown characters become <0xNN> tokens if all of them exist
  bool fuse_unk = false;          // adjacent unknown characters give one unk
  bool ignore_merges = false;     // a piece that is a token as a whole is that token
  std::optional<i32> unk;         // without it unknown characters vanish
  std::string continuing_prefix;  // character models: symbols after the first carry this
  std::string word_suffix;        // character models: the last symbol carries this
};

/// Merge number i has rank i; left, right and result are ids of the vocabulary.
struct BpeMerge {
  i32 left;
  i32 right;
  i32 result;
};

/// What is looked up and merged as one: a piece, or a part of it between cuts.
struct BpeUnit {
  BpeCache::Probe probe;  // of a short one
  std::string_view bytes;
  int variant;
};

/// Working memory and cache of one encoding thread.
struct BpeScratch {
  explicit BpeScratch(i64 cache_bytes) : cache(cache_bytes) {}
  /// So many units are probed before the first is looked up: their cache lines fill a quarter of
  /// the processor's first cache.
  static constexpr i64 kUnits = 128;
  BpeCache cache;
  std::array<BpeUnit, kUnits> units;
  i64 unit_count = 0;
  std::vector<i32> symbols;
  std::vector<i32> found;
  std::vector<i32> prev, next;
  std::vector<u64> pairs, heap;
};

class BpeModel {
 public:
  using Scratch = BpeScratch;
  static constexpr const char* kKind = "bpe";
  /// Of merges with the same pair the last one counts, as in the Hugging Face engine.
  BpeModel(Vocab vocab, const std::vector<BpeMerge>& merges, BpeOptions options);

  /// Appends the ids of one pretoken. O(n log n) in its symbols, O(1) when cached.
  void encode(std::string_view piece, BpeScratch& scratch, std::vector<i32>& ids) const;

  /// The same for many pieces of one text.
  void encode(std::string_view text, std::span<const Span> pieces, BpeScratch& scratch,
              std::vector<i32>& ids) const;

  /// Byte ranges of ids inside the piece they came from: ids as encode gave them for exactly this
  /// piece; base is added. Appends one range per id.
  void locate(std::string_view piece, std::span<const i32> ids, i64 base,
              std::vector<std::pair<i64, i64>>& offsets) const;

  const Vocab& vocab() const { return vocab_; }
  const BpeOptions& options() const { return options_; }
  bool byte_level() const { return options_.byte_level; }
  std::optional<i32> unk() const { return options_.unk; }

 private:
  static constexpr u64 kNoPair = ~u64{0};
  struct PairSlot {
    u64 key;    // left << 32 | right
    u64 value;  // rank << 32 | result
  };

  /// Most pairs that are looked up have no merge: their tags, a sixteenth of the table, say so.
  u64 pair_value(i32 left, i32 right) const {
    const u64 key = static_cast<u64>(left) << 32 | static_cast<u64>(right);
    const u64 hash = key * 0x9E3779B97F4A7C15ULL;
    const u8 tag = tag_of(hash);
    for (std::size_t at = hash >> pair_shift_; pair_tags_[at] != 0; at = (at + 1) & pair_mask_) {
      if (pair_tags_[at] == tag && pairs_.data()[at].key == key) return pairs_.data()[at].value;
    }
    return kNoPair;
  }
  /// From bits of the hash that do not choose the place; never 0.
  static u8 tag_of(u64 hash) { return static_cast<u8>(hash >> 24 | 1); }
  void put_pair(u64 key, u64 value);
  void fill_byte_pairs();
  void put_piece(std::string_view piece, const char* text_end, BpeScratch& scratch,
                 std::vector<i32>& ids) const;
  void put_unit(std::string_view unit, int variant, const char* text_end, BpeScratch& scratch,
                std::vector<i32>& ids) const;
  void encode_units(BpeScratch& scratch, std::vector<i32>& ids) const;
  void encode_unknown(std::string_view unit, int variant, BpeScratch& scratch,
                      std::vector<i32>& ids) const;
  void split_symbols(std::string_view unit, std::vector<i32>& symbols) const;
  bool fall_back(std::string_view bytes, std::vector<i32>& symbols) const;
  i32 find_symbol(std::string_view character, bool first, bool last) const;
  void merge_short(std::string_view unit, std::vector<i32>& symbols) const;
  void merge_long(BpeScratch& scratch) const;
  i64 surface_bytes(i32 id) const;
  bool is_unknown(std::string_view character, bool first, bool last) const;

  Vocab vocab_;
  BpeOptions options_;
  std::array<i32, 256> byte_ids_{};  // byte-level: symbol of a byte; else its <0xNN> token; -1 none
  std::vector<i32> char_ids_;        // character models: token of each character below U+10000
  std::vector<u64> byte_pairs_;      // pair_value of two bytes' symbols, if all 256 are there
  FreshPages<PairSlot> pairs_;       // at most half full
  std::vector<u8> pair_tags_;        // 0 = free
  std::size_t pair_mask_ = 0;
  int pair_shift_ = 0;
  std::optional<CutTable> cuts_;
};

}  // namespace lm::text

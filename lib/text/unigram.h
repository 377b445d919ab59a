#pragma once
// The unigram model of a tokenizer.json (Kudo 2018): of all ways to cut a word into pieces the one
// whose scores, logarithms of probabilities, have the largest sum. A character that no piece covers
// is unknown, at ten less than the smallest score; neighbours that are unknown become one token, or
// their bytes' pieces. Immutable; const methods are safe to call concurrently. Words are
// well-formed UTF-8.

#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/types.h"
#include "text/pretokenize.h"
#include "text/vocab.h"

namespace lm::text {

struct UnigramOptions {
  std::vector<f64> scores;  // of id 0, 1, ...
  std::optional<i32> unk;
  bool byte_fallback = false;  // an unknown stretch becomes <0xNN> pieces, if all are there
};

/// Working memory of one encoding thread: a few kB, and at worst four bytes for each byte of a
/// word.
struct UnigramScratch {
  explicit UnigramScratch(i64 /*cache_bytes*/) {}
  i64 base = 0;             // ways are settled up to here
  std::vector<f64> scores;  // of the best way to a place; a ring
  std::vector<u32>
      back;  // from the base on: twice the last piece's bytes, 1 more if unknown; 0: none
};

class UnigramModel {
 public:
  using Scratch = UnigramScratch;
  static constexpr const char* kKind = "unigram";

  /// scores has one entry per id of vocab, which has no holes.
  UnigramModel(Vocab vocab, UnigramOptions options);

  /// Appends the ids of one word, of less than 2 GiB. O(n longest piece). Throws Error{kData} where
  /// a character is unknown and the file names no unknown token.
  void encode(std::string_view word, UnigramScratch& scratch, std::vector<i32>& ids) const;
  /// The same for many words of one text.
  void encode(std::string_view text, std::span<const Span> words, UnigramScratch& scratch,
              std::vector<i32>& ids) const;
  /// Byte ranges of ids inside the word that encode gave them for; base is added. One range per id;
  /// the bytes of an unknown stretch have all of it.
  void locate(std::string_view word, std::span<const i32> ids, i64 base,
              std::vector<std::pair<i64, i64>>& offsets) const;

  const Vocab& vocab() const { return vocab_; }
  bool byte_level() const { return false; }
  std::optional<i32> unk() const { return options_.unk; }

 private:
  /// A node of the trie of all pieces: its children stand side by side, by byte.
  struct TrieNode {
    i32 first = 0;
    i32 count = 0;
    i32 id = -1;
    u8 byte = 0;
  };
  void build_trie();
  i32 child(i32 node, u8 byte) const;
  /// Calls piece(Span) for the pieces of the best way, in order; unknown neighbours are one.
  template <typename Piece>
  void best_way(std::string_view word, UnigramScratch& scratch, const Piece& piece) const;
  i64 relax(std::string_view word, i64 at, UnigramScratch& scratch) const;
  template <typename Piece>
  void settle(i64 end, UnigramScratch& scratch, const Piece& piece) const;
  /// The ids of one piece.
  void put(std::string_view piece, std::vector<i32>& ids) const;

  Vocab vocab_;
  UnigramOptions options_;
  std::vector<TrieNode> trie_;
  std::vector<i32> byte_ids_;  // of <0x00> to <0xFF>; empty unless all are there
  f64 unk_score_ = 0;
  i64 longest_ = 4;  // bytes of a piece or of an unknown character
};

}  // namespace lm::text

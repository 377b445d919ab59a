#pragma once
// WordPiece (Schuster and Nakajima 2012; as used by Devlin et al. 2019): a word is cut from its
// front into the longest tokens of the vocabulary, of which those behind the first carry a prefix.
// A word that cannot be cut so, or that is too long, is one unknown token. Immutable; const methods
// are safe to call concurrently. Words are well-formed UTF-8.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/types.h"
#include "text/pretokenize.h"
#include "text/vocab.h"

namespace lm::text {

struct WordPieceOptions {
  std::string prefix = "##";
  i64 max_word_chars = 100;  // code points; longer words are unknown
  i32 unk = 0;
};

/// Working memory of one encoding thread. Words are short enough to need no cache.
struct WordPieceScratch {
  explicit WordPieceScratch(i64 /*cache_bytes*/) {}
  std::string candidate;
};

class WordPieceModel {
 public:
  using Scratch = WordPieceScratch;
  static constexpr const char* kKind = "wordpiece";

  /// unk is in the vocabulary.
  WordPieceModel(Vocab vocab, WordPieceOptions options);

  /// Appends the ids of one word. O(n longest token).
  void encode(std::string_view word, WordPieceScratch& scratch, std::vector<i32>& ids) const;
  /// The same for many words of one text.
  void encode(std::string_view text, std::span<const Span> words, WordPieceScratch& scratch,
              std::vector<i32>& ids) const;
  /// Byte ranges of ids inside the word that encode gave them for; base is added. One range per id.
  void locate(std::string_view word, std::span<const i32> ids, i64 base,
              std::vector<std::pair<i64, i64>>& offsets) const;

  const Vocab& vocab() const { return vocab_; }
  bool byte_level() const { return false; }
  std::optional<i32> unk() const { return options_.unk; }

 private:
  /// The longest token that word begins with behind `at`, or -1; size: its bytes there.
  i32 longest(std::string_view word, i64 at, std::string& candidate, i64& size) const;

  Vocab vocab_;
  WordPieceOptions options_;
};

}  // namespace lm::text

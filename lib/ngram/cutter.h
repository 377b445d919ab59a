#pragma once
// How a text becomes the sentences and words of an n-gram model, one rule for training and scoring.
// The form is stored in LMNG files, so that a model is asked in the words it was trained on.
//
// Words are what stands between ASCII blanks, or the pieces of a tokenizer, or ids in decimal. A
// piece is spelt as its bytes with a blank as U+2581 and any other blank, NUL or byte that is no
// UTF-8 as <0xNN>; the piece for unknown text is spelt as that text (what SentencePiece prints), so
// models trained on printed pieces can be asked. Pieces with equal spelling are one word.
// Under CCNet normalisation a sentence is normalised first (ccnet.h).

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/types.h"
#include "text/tokenizer.h"

namespace lm::ngram {

enum class SentenceUnit { kLine, kDoc };
enum class WordKind { kBlanks, kPieces, kIds };

struct TextForm {
  SentenceUnit unit = SentenceUnit::kLine;
  WordKind words = WordKind::kBlanks;
  bool ccnet = false;
  std::string tokenizer;  // SHA-256 of the tokenizer file for kPieces, else empty
  bool operator==(const TextForm&) const = default;
};

/// "unit=line words=pieces normalise=none tokenizer=9f86...": the stored form.
std::string form_text(const TextForm& form);
/// nullopt for an empty text (a model that does not say). Throws Error{kData} naming `name` for a
/// form that this program does not know.
std::optional<TextForm> parse_form(std::string_view text, const std::string& name);
/// Throws Error{kUsage} when words cut as `asked` are not the words of a model trained as
/// `trained`: another word kind, tokenizer or normalisation. The unit may differ. name is the
/// model's.
void check_form(const TextForm& trained, const TextForm& asked, const std::string& name);

/// One text in words, and the buffers that the next text reuses. One per worker.
struct CutText {
  std::vector<std::string_view> words;     // valid until the next cut, while text and cutter live
  std::vector<i64> ends;                   // words.size() after each sentence; no sentence is empty
  std::vector<std::pair<i64, i64>> spans;  // bytes of the text per word, when asked for

  // Scratch.
  std::deque<std::string> own;
  std::vector<i32> ids;
  std::vector<std::pair<i64, i64>> offsets;
  std::unique_ptr<text::EncodeState> state;
};

class TextCutter {
 public:
  /// tokenizer: for kPieces, outlives the cutter; else null. It should be loaded with specials as
  /// text and none added. O(vocabulary).
  TextCutter(TextForm form, const text::Tokenizer* tokenizer);
  const TextForm& form() const { return form_; }

  /// text is well-formed UTF-8. with_spans fills cut.spans; not under CCNet normalisation
  /// (Error{kInternal}). Safe to call concurrently with different cuts.
  void cut(std::string_view text, CutText& cut, bool with_spans = false) const;
  /// Ids as one sentence (none when there are no ids): spelt as pieces with a tokenizer, which must
  /// have all of them, in decimal without.
  void cut_ids(std::span<const i32> ids, CutText& cut) const;

 private:
  void sentence(std::string_view text, i64 offset, CutText& cut, bool with_spans) const;
  void by_blanks(std::string_view text, i64 offset, CutText& cut, bool with_spans) const;
  void by_pieces(std::string_view text, i64 offset, CutText& cut, bool with_spans) const;

  TextForm form_;
  const text::Tokenizer* tokenizer_;
  std::vector<std::string> spelling_;  // by id; empty for ids without a token
};

/// What a piece's bytes look like as a word: see above.
std::string spell_piece(std::string_view bytes);

}  // namespace lm::ngram

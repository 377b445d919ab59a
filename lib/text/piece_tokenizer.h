#pragma once
// A Tokenizer made of the parts of a tokenizer.json whose model encodes one pretoken at a time:
// BPE, WordPiece or unigram. tiktoken, GPT-2 and BERT vocabulary files load into the same parts.
// The order of the encode pipeline is part of parity with the Hugging Face engine: raw added
// tokens, normalizer, normalised added tokens, pre-tokenizer per stretch, model, template. Thread
// rule as for Tokenizer.

#include <memory>
#include <string>
#include <vector>

#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/token_decoder.h"
#include "text/tokenizer.h"
#include "text/unigram.h"
#include "text/word_piece.h"

namespace lm::text {

/// Everything that a loader finds out.
struct TokenizerParts {
  Vocab vocab;
  std::vector<BpeMerge> merges;
  BpeOptions options;
  std::optional<WordPieceOptions> word_piece;  // the model is that, not BPE
  std::optional<UnigramOptions> unigram;       // or that
  /// Entries of the file's vocabulary that the model cannot produce (byte-level files: names with
  /// characters outside the alphabet), as literal text.
  std::vector<std::pair<std::string, i32>> literal_tokens;
  AddedTokens added;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  TokenDecoder decoder;
  std::vector<i32> template_before, template_after;
  std::optional<i32> bos, eos, pad;
  std::string digest;
};

/// Model: BpeModel, WordPieceModel or UnigramModel.
template <typename Model>
class PieceTokenizer final : public Tokenizer {
 public:
  PieceTokenizer(TokenizerParts parts, const LoadOptions& options);

  std::unique_ptr<EncodeState> new_state() const override;
  bool encode(std::string_view text, EncodeState& state, std::vector<i32>& ids,
              std::vector<std::pair<i64, i64>>* offsets) const override;
  std::string decode(std::span<const i32> ids, bool skip_specials) const override;
  std::string token_bytes(i32 id, bool literal_specials) const override;
  std::optional<i32> find(std::string_view token) const override;
  bool is_special(i32 id) const override;
  bool has(i32 id) const override;

  /// True if pretokens are found by the general pattern engine, which is several times slower.
  bool slow_patterns() const { return pre_tokenizer_.slow(); }

 private:
  struct State;
  struct Job;
  void encode_stretch(std::string_view raw, i64 begin, Job& job) const;
  void encode_normalized(std::string_view text, i64 begin, const OffsetMap* map, Job& job) const;
  void encode_parts(std::string_view text, bool at_start, i64 begin, const OffsetMap* map,
                    Job& job) const;
  void put_added(const AddedToken& token, i64 begin, i64 end, Job& job) const;
  std::string_view bytes_of(i32 id) const;

  Model model_;
  AddedTokens added_;
  Normalizer normalizer_;
  PreTokenizer pre_tokenizer_;
  std::optional<PatternId> scanner_;
  TokenDecoder decoder_;
  std::vector<std::pair<std::string, i32>> literal_tokens_;
  LoadOptions options_;
  // Decoded bytes of every id, end to end; an id that no token has spans nothing and is not known.
  std::string decoded_;
  std::vector<i64> decoded_at_;
  std::vector<bool> known_, special_;
};

using BpeTokenizer = PieceTokenizer<BpeModel>;
using WordPieceTokenizer = PieceTokenizer<WordPieceModel>;
using UnigramTokenizer = PieceTokenizer<UnigramModel>;
extern template class PieceTokenizer<BpeModel>;
extern template class PieceTokenizer<WordPieceModel>;
extern template class PieceTokenizer<UnigramModel>;

/// The tokenizer of whichever model the parts are of.
std::unique_ptr<Tokenizer> make_tokenizer(TokenizerParts parts, const LoadOptions& options);

}  // namespace lm::text

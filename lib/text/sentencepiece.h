#pragma once
// SentencePiece models (unigram, BPE, word, char) through libsentencepiece: encode equals
// `spm_encode --output_format=id`, decode equals `spm_decode`. Nothing is added around a text; BOS
// and EOS are the caller's policy. The text of a control piece ("<s>") inside a document becomes
// its id and the text on either side is encoded as a text of its own, as transformers' tokenizers
// over such files do (LlamaTokenizer); with SpecialPolicy::kText it is ordinary text, as in the
// library. User-defined pieces are always matched, as in the library. Also training, with every
// skipped sentence counted. Source: Kudo 2018 (unigram), Sennrich et al. 2016 (BPE), Kudo and
// Richardson 2018 (library).

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "text/tokenizer.h"

namespace lm::text {

/// Loads a *.model file. Throws Error{kNoInput}, or Error{kData} naming the file and what is wrong;
/// the file is validated first, so a hostile one cannot crash the library.
/// options.special applies to the text of control pieces.
std::unique_ptr<Tokenizer> load_sentencepiece(const std::string& path,
                                              const LoadOptions& options = {});

/// The same from a model already in memory; name appears in messages.
std::unique_ptr<Tokenizer> sentencepiece_from_bytes(const std::string& bytes,
                                                    const std::string& name,
                                                    const LoadOptions& options = {});

/// Training parameters; each has the library's meaning and default unless said otherwise.
struct SentencePieceOptions {
  std::string model_type = "unigram";  // unigram | bpe | char | word
  i64 vocab_size = 8000;
  f64 character_coverage = 0.9995;  // [0.98, 1]
  i64 input_sentence_size = 0;      // sample this many sentences; 0 takes all
  bool shuffle_input_sentence = true;
  bool byte_fallback = false;
  bool split_digits = false;
  bool split_by_unicode_script = true;
  bool split_by_number = true;
  bool split_by_whitespace = true;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool allow_whitespace_only_pieces = false;
  std::string normalization = "nmt_nfkc";  // nmt_nfkc | nfkc | nmt_nfkc_cf | nfkc_cf | identity
  i64 max_sentencepiece_length = 16;       // characters
  i64 max_sentence_length = 4192;          // bytes; longer sentences are skipped and counted
  std::vector<std::string> user_defined_symbols, control_symbols;
  i64 unk_id = 0, bos_id = 1, eos_id = 2, pad_id = -1;  // -1 leaves the piece out (not unk)
  bool train_extremely_large_corpus = false;            // 64-bit suffix array for unigram
};

/// The named preset with its vocabulary size set. "languini": BPE with byte fallback, digits and
/// scripts split, identity normalisation, pad 0, unk 1, no BOS/EOS, document separator "<D>"
/// (Stanic et al. 2023). Throws Error{kUsage} for other names.
SentencePieceOptions sentencepiece_preset(std::string_view name, i64 vocab_size);

struct SentencePieceReport {
  i64 documents = 0, sentences = 0, bytes = 0;  // handed to the library
  i64 too_long = 0, too_long_bytes = 0;         // skipped: longer than max_sentence_length
  i64 reserved = 0;  // skipped: contain U+2585, which the library reserves
};

/// Calls back once per document until it returns false; the view stays valid until the next call.
using DocumentSource = std::function<bool(std::string_view& document)>;

/// Trains a model and returns its serialized bytes (the content of a .model file). Documents are
/// cut into sentences at LF; CR before LF is dropped. ctx.seed drives sampling. The result does not
/// depend on ctx.threads: the library's sums do depend on its own thread count, so that is fixed at
/// 16, spm_train's default. Sentences are held in memory by the library (about 3 times the text),
/// which is charged to ctx.memory. Throws Error{kUsage} for options out of range, Error{kData} when
/// no text is left or the vocabulary cannot be filled, Error{kOs} over the budget.
std::string train_sentencepiece(const DocumentSource& source, const SentencePieceOptions& options,
                                const Context& ctx, SentencePieceReport* report = nullptr);

}  // namespace lm::text

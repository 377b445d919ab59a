#pragma once
// A tokenizer maps UTF-8 text to ids and back. Implementations: BPE (tokenizer.json, tiktoken
// files, GPT-2 vocab+merges), WordPiece (tokenizer.json, BERT's vocab.txt), SentencePiece models.
// Loading validates everything that encoding relies on. Thread rule: const methods are safe to call
// concurrently; each thread owns an EncodeState.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/result.h"
#include "core/types.h"

namespace lm::text {

/// What encode does with special-token strings inside document text.
enum class SpecialPolicy {
  kParse,  // they become special ids (the Hugging Face behaviour; default)
  kText,   // they are ordinary text (tiktoken's encode_ordinary)
  kError,  // encode returns false: a bad record
};

struct LoadOptions {
  SpecialPolicy special = SpecialPolicy::kParse;
  bool add_specials = true;  // run the post-processor template (BOS/EOS of the tokenizer file)
  std::string pattern;  // for tiktoken files: r50k | cl100k | o200k | llama3 | qwen2; empty = guess
  i64 cache_bytes = i64{64} << 20;   // pretoken cache per EncodeState
  std::string bos_token, eos_token;  // these tokens begin and end texts; empty = as the files say
};

/// Per-thread scratch and cache. Output never depends on its content.
class EncodeState {
 public:
  virtual ~EncodeState() = default;
  i64 specials_in_text = 0;  // how many special tokens were found in document text so far
  /// Set: in the texts that are encoded next, special tokens that touch one of these byte ranges
  /// (ascending, apart) are text, and all others become ids, whatever the policy. Borrowed.
  const std::vector<std::pair<i64, i64>>* literal = nullptr;
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  virtual std::unique_ptr<EncodeState> new_state() const = 0;
  /// Appends the ids of text (valid UTF-8). Returns false only under SpecialPolicy::kError when a
  /// special string occurs; throws Error{kData} only where a pattern of the file exceeds the match
  /// limit or its normalizer makes a text more than 64 times longer. offsets, when not null,
  /// receives one [begin,end) byte range per id.
  virtual bool encode(std::string_view text, EncodeState& state, std::vector<i32>& ids,
                      std::vector<std::pair<i64, i64>>* offsets = nullptr) const = 0;
  /// Text of ids; special tokens are left out when skip_specials. Ids outside the vocabulary throw
  /// Error{kData}. Bytes that form no UTF-8 become U+FFFD per maximal ill-formed subpart.
  virtual std::string decode(std::span<const i32> ids, bool skip_specials) const = 0;
  /// Raw bytes that id contributes when it is not the first token of a text (for streaming and for
  /// byte counts). Specials give their literal text when literal_specials, else nothing.
  virtual std::string token_bytes(i32 id, bool literal_specials = false) const = 0;
  /// Id of a token's literal text (special or vocabulary entry as written in the file).
  virtual std::optional<i32> find(std::string_view token) const = 0;
  virtual bool is_special(i32 id) const = 0;
  /// False for ids outside the vocabulary and for its holes: they have no text.
  virtual bool has(i32 id) const = 0;

  /// Largest id over model and added tokens + 1.
  i64 vocab_size() const { return vocab_size_; }
  std::optional<i32> bos() const { return bos_; }
  std::optional<i32> eos() const { return eos_; }
  std::optional<i32> pad() const { return pad_; }
  std::optional<i32> unk() const { return unk_; }
  /// What the file's post-processor puts before and behind a text (LoadOptions::add_specials).
  std::span<const i32> before() const { return before_; }
  std::span<const i32> after() const { return after_; }
  /// True if decode drops one leading blank that encode put there (SentencePiece dummy prefix).
  bool strips_leading_space() const { return strips_leading_space_; }
  /// SHA-256 of the file that defines the tokenizer, hexadecimal.
  const std::string& digest() const { return digest_; }
  const std::string& kind() const { return kind_; }  // "bpe", "sentencepiece-bpe", ...
  /// Replaces bos and eos by the tokens that options name; Error{kUsage} for an unknown one. Called
  /// by load_tokenizer.
  void assign_roles(const LoadOptions& options);

 protected:
  i64 vocab_size_ = 0;
  std::optional<i32> bos_, eos_, pad_, unk_;
  std::vector<i32> before_, after_;
  bool strips_leading_space_ = false;
  std::string digest_;
  std::string kind_;
};

/// Runs encode, which encodes a text of a record, however deep inside. Fault "tokenizer" where the
/// tokenizer gives up on the text (a pattern of its file exceeds the match limit, a normalizer
/// makes it too long): that makes a bad record, never a failed run.
template <typename Encode>
std::optional<Fault> tokenizer_fault(Encode encode) {
  try {
    encode();
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::kData) throw;
    return Fault{"tokenizer", e.message(), -1};
  }
  return std::nullopt;
}

/// tokenizer.encode() for a text of a record. Fault "tokenizer" as above, "special" where it
/// returns false. After a fault ids and offsets may hold a part.
std::optional<Fault> encode_record(const Tokenizer& tokenizer, std::string_view text,
                                   EncodeState& state, std::vector<i32>& ids,
                                   std::vector<std::pair<i64, i64>>* offsets = nullptr);

/// path: a tokenizer.json, a *.tiktoken file, a SentencePiece *.model, a vocab.json/encoder.json
/// with its merges beside it, BERT's vocab.txt (its settings in tokenizer_config.json beside it), a
/// zstd-compressed form of any of them, or a folder holding one.
/// Detected by content. bos, eos and pad: options, else tokenizer_config.json and
/// special_tokens_map.json beside the file; without either, the names of special tokens
/// (token_roles.h). SentencePiece models have their own. Throws Error{kNoInput} or Error{kData}
/// naming the file and the component that is not understood.
std::unique_ptr<Tokenizer> load_tokenizer(const std::string& path, const LoadOptions& options = {});

/// A file of a tokenizer and the name it has in a model folder.
struct TokenizerFile {
  std::string path;
  std::string name;
};
/// The files that load_tokenizer(path) reads: the tokenizer as tokenizer.json, tokenizer.model,
/// vocab.txt or vocab.json with merges.txt (a ranks file under its own name), and the
/// configurations beside it.
/// A folder that holds them under these names loads the same. Throws as load_tokenizer.
std::vector<TokenizerFile> tokenizer_files(const std::string& path);

/// Decodes a growing id sequence piece by piece; the concatenation of all pieces equals
/// decode(all ids). Holds back bytes that may still become a character.
class StreamDecoder {
 public:
  StreamDecoder(const Tokenizer& tokenizer, bool skip_specials);
  std::string push(i32 id);
  std::string finish();

 private:
  const Tokenizer* tokenizer_;
  bool skip_specials_;
  bool at_start_ = true;
  std::string held_;
};

}  // namespace lm::text

#pragma once
// Tokenizers as taggers use them.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tag/files.h"
#include "tag/tagger.h"
#include "text/tokenizer.h"

namespace lm::tag {

struct Definition;

/// A tokenizer that all workers share.
using SharedTokenizer = std::shared_ptr<const std::unique_ptr<text::Tokenizer>>;

/// The tokenizer at path (text::load_tokenizer), read once. Throws Error{kNoInput} and
/// Error{kData}.
SharedTokenizer read_tokenizer(const std::string& path, TagFiles& files);

/// One worker's use of a tokenizer.
class TokenWork {
 public:
  explicit TokenWork(SharedTokenizer tokenizer)
      : tokenizer_(std::move(tokenizer)), state_((*tokenizer_)->new_state()) {}
  const text::Tokenizer& tokenizer() const { return **tokenizer_; }
  /// Tokens of text without those that the tokenizer's template adds, and where they come from.
  std::optional<Fault> encode(std::string_view text, bool with_offsets);
  const std::vector<i32>& ids() const { return ids_; }
  const std::vector<std::pair<i64, i64>>& offsets() const { return offsets_; }

 private:
  SharedTokenizer tokenizer_;
  std::unique_ptr<text::EncodeState> state_;
  std::vector<i32> ids_;
  std::vector<std::pair<i64, i64>> offsets_;
};

/// The kind tokens of --define.
TaggerDef tokens_tagger(const Definition& of, TagFiles& files);

}  // namespace lm::tag

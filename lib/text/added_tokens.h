#pragma once
// Tokens that are cut out of text before the model sees it: special tokens and other additions of a
// tokenizer file. Matching is leftmost-longest over all tokens of a pass, without overlap; the
// flags mean what they mean in the Hugging Face engine. Immutable after finish(); const methods are
// safe to call concurrently.

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/types.h"
#include "text/normalizer.h"
#include "text/tokenizer.h"

namespace lm::text {

struct AddedToken {
  i32 id = 0;
  std::string content;
  bool single_word = false;  // only where no word character stands on either side
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // and after it
  bool normalized = false;   // matched after the normalizer, with normalised content
  bool special = false;
};

/// A stretch of text: ordinary (token null) or an added token.
struct AddedSplit {
  i64 begin;
  i64 end;
  const AddedToken* token;
};

/// Which special tokens of a text become ids: by the policy, or by where they stand.
struct SpecialRule {
  SpecialPolicy policy = SpecialPolicy::kParse;
  const std::vector<std::pair<i64, i64>>* literal = nullptr;  // EncodeState::literal
  /// Of a normalised stretch of the text: where it begins, and its bytes' places there (null: they
  /// are the text's own).
  i64 begin = 0;
  const OffsetMap* map = nullptr;

  /// Whether one at these bytes of the stretch becomes an id.
  bool takes(i64 from, i64 to) const;
  /// Whether a text is refused that has any.
  bool refuses() const { return literal == nullptr && policy == SpecialPolicy::kError; }
};

class AddedTokens {  // NOLINT(bugprone-reserved-identifier): of the compiler, copying arrays
 public:
  /// Later tokens with the same content are ignored, as are empty ones.
  void add(AddedToken token);
  /// Builds the matchers. Call once, after the last add.
  void finish(const Normalizer& normalizer);

  /// Cuts text by the tokens of one pass (normalized: those matched after the normalizer). Ordinary
  /// stretches are never empty. Special tokens that the rule does not take are ordinary text.
  void split(std::string_view text, bool normalized, const SpecialRule& rule,
             std::vector<AddedSplit>& out) const;
  bool any(bool normalized) const { return !tries_[normalized ? 1 : 0].empty(); }

  const AddedToken* find(std::string_view content) const;
  const AddedToken* by_id(i32 id) const;
  const std::vector<AddedToken>& tokens() const { return tokens_; }

 private:
  /// Byte trie with a filter on the first two bytes.
  class Trie {
   public:
    void insert(std::string_view word, i32 value);
    bool empty() const { return values_.empty(); }
    /// First longest match at or after from: begin, end, value; or nullopt.
    struct Hit {
      i64 begin;
      i64 end;
      i32 value;
    };
    std::optional<Hit> find(std::string_view text, i64 from) const;

   private:
    i64 longest_at(std::string_view text, i64 at, i32& value) const;
    std::vector<i32> values_;                // per node, -1 = not the end of a word
    std::unordered_map<u64, i32> children_;  // node << 8 | byte -> node
    std::vector<bool> starts_;               // by the first two bytes, 65536 once used
    std::vector<bool> first_ = std::vector<bool>(256, false);
    int only_first_ = -1;  // the one first byte, -1 none yet, -2 several
  };

  std::vector<AddedToken> tokens_;
  std::unordered_map<std::string, i32> by_content_;  // looked up, never iterated
  std::unordered_map<i32, i32> by_id_;
  Trie tries_[2];
};

}  // namespace lm::text

#pragma once
// Pre-tokenizers: they cut text into the pieces that the merge model sees one by one. The patterns
// of GPT-2, cl100k (two forms), Qwen 2 and o200k have hand-written scanners, chosen by the
// pattern's text; any other pattern runs through PCRE2. Scanners cover the whole text: the pieces
// concatenate to it. Text is well-formed UTF-8. Thread rule: const methods are safe to call
// concurrently. The closed forms were derived from ordered alternation and are tested against PCRE2
// running the literal patterns (tests/unit/text/pretokenize_test.cc).

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::text {

/// A half-open byte range of a text.
struct Span {
  i64 begin = 0;
  i64 end = 0;
  bool operator==(const Span&) const = default;
};

enum class PatternId {
  kR50k,            // GPT-2 (ByteLevel with use_regex)
  kCl100kHf,        // cl100k as in tokenizer.json files; Llama 3
  kCl100kTiktoken,  // cl100k as tiktoken runs it: differs where text ends in white space
  kQwen2,           // cl100k-hf with single numbers
  kO200k,           // GPT-4o
  kOther,
};

/// The scanner for this pattern text, or kOther.
PatternId identify_pattern(std::string_view pattern);
/// A canonical pattern text of a known id, for messages and for tests.
std::string_view pattern_text(PatternId id);

/// Fills pieces with the pieces of text from `at` on (a piece boundary) until it is full or text
/// ends; returns how many. id is not kOther. O(bytes covered).
i64 scan_some(PatternId id, std::string_view text, i64 at, std::span<Span> pieces);

/// Appends all pieces of text. id is not kOther.
void scan_pieces(PatternId id, std::string_view text, std::vector<Span>& pieces);

/// Whose meaning ^ and $ have: any line's (Oniguruma, which the Hugging Face engine uses) or the
/// text's (the Rust engines of tiktoken).
enum class RegexDialect { kOniguruma, kRust };

/// Scratch memory of matching, kept from text to text. One per thread.
class RegexWork {
 public:
  RegexWork();
  ~RegexWork();
  RegexWork(RegexWork&& other) noexcept;
  RegexWork& operator=(RegexWork&& other) noexcept;

 private:
  friend class Regex;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A compiled PCRE2 pattern with Unicode properties, and JIT where the machine has it. \s and \w
/// are rewritten to White_Space and to the word characters of UTS 18, which PCRE2's own are not
/// (its \s has U+180E). Property tables are those of the installed PCRE2: Unicode 14 in
/// version 10.42.
class Regex {
 public:
  /// Throws Error{kData} naming the pattern, the offset and the reason if it does not compile.
  explicit Regex(std::string_view pattern, RegexDialect dialect = RegexDialect::kOniguruma);
  ~Regex();
  Regex(Regex&& other) noexcept;
  Regex& operator=(Regex&& other) noexcept;
  /// Appends all non-overlapping matches from left to right. Empty matches are included and
  /// advance by one character. Throws Error{kData} if the pattern exceeds its match limits.
  void find_all(std::string_view text, std::vector<Span>& matches) const;
  /// The same with memory of the caller's, `most` matches at most. Where the pattern exceeds its
  /// limits: why, as "at byte 3: match limit exceeded"; then matches holds those before.
  std::optional<std::string> try_find(std::string_view text, i64 most, RegexWork& work,
                                      std::vector<Span>& matches) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lm::text

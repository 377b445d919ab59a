#pragma once
// The pre_tokenizer of a tokenizer.json: splitting steps in order, each applied to the parts that
// the step before left. Some steps also rewrite (a prefix space, Metaspace); parts then point into
// owned text and carry where their bytes came from. Immutable once built; const methods are safe to
// call concurrently, each caller with its own PartList.

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "text/pretokenize.h"

namespace lm::text {

/// What becomes of the matches of a splitting pattern.
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

/// One part of the text on its way to the model.
struct Part {
  std::string_view text;
  i64 origin = 0;  // offset of its first byte in the given text, when map < 0
  i32 map = -1;    // index into PartList::maps, whose entry map_at is its first byte's origin
  i64 map_at = 0;
};

/// Parts and what they point into. Reused from text to text.
struct PartList {
  std::vector<Part> parts;
  std::vector<Part> next;
  std::deque<std::string> owned;
  std::vector<std::vector<i64>> maps;  // origins, one more than the bytes
  std::vector<Span> spans;
  void clear();
  /// Origin of byte k of a part (k may be its size).
  i64 origin(const Part& part, i64 k) const {
    return part.map < 0 ? part.origin + k : maps[usize(part.map)][usize(part.map_at + k)];
  }
};

enum class PreTokenizerKind {
  kPattern,  // a known scanner, a regular expression or a literal string
  kDigits,   // numbers, singly or in runs
  kPunctuation,
  kWhitespace,       // \w+ or [^\w\s]+, white space removed
  kWhitespaceSplit,  // white space removed
  kBert,             // white space removed, punctuation isolated
  kMetaspace,
  kPrefixSpace,  // one U+0020 before parts that do not begin with one (ByteLevel)
};

enum class PrependScheme { kFirst, kAlways, kNever };

struct PreTokenizerStep {
  PreTokenizerKind kind = PreTokenizerKind::kPattern;
  PatternId pattern = PatternId::kOther;  // kPattern: a scanner if not kOther
  std::optional<Regex> regex;             // kPattern: else this, else the literal
  std::string literal;                    // kPattern: text to find; kMetaspace: the replacement
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool invert = false;  // the pattern's gaps are the matches
  bool single_digits = false;
  PrependScheme prepend = PrependScheme::kAlways;
  bool split = true;  // kMetaspace
};

class PreTokenizer {
 public:
  void add(PreTokenizerStep step) { steps_.push_back(std::move(step)); }
  bool empty() const { return steps_.empty(); }
  /// The one scanner this amounts to, if it does: then parts need not be built.
  std::optional<PatternId> single_scanner() const;
  /// True if some step runs through the general pattern engine.
  bool slow() const;
  /// Cuts text; at_start says that it begins at offset 0 of the whole input. list is cleared first;
  /// its parts are not empty and stay valid until the next call. with_maps: origins are kept.
  void run(std::string_view text, bool at_start, bool with_maps, PartList& list) const;

 private:
  std::vector<PreTokenizerStep> steps_;
};

}  // namespace lm::text

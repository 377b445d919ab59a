#pragma once
// The normalizer of a tokenizer.json: a list of text rewritings in order. Optionally keeps, for
// every byte of the result, which bytes of the source it came from. Immutable once built; const
// methods are safe to call concurrently. Text is well-formed UTF-8.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/types.h"
#include "text/charsmap.h"
#include "text/pretokenize.h"

namespace lm::text {

/// For byte i of a rewritten text, [first, second) of the source.
using OffsetMap = std::vector<std::pair<i64, i64>>;
/// Source range of rewritten bytes [b, e) of a stretch that begins at `begin`: through the map if
/// there is one, else as they are.
std::pair<i64, i64> source_range(const OffsetMap* map, i64 b, i64 e, i64 begin);

enum class NormalizerKind {
  kNfc,
  kNfd,
  kNfkc,
  kNfkd,
  kLowercase,
  kStripAccents,
  kReplace,      // every match of pattern (or regex) by content
  kPrepend,      // content before a non-empty text
  kStrip,        // white space at the left, the right or both ends
  kBertClean,    // controls out, white space to blanks
  kBertCjk,      // blanks around ideographs
  kBertAccents,  // nonspacing marks out
  kCharsmap,     // SentencePiece's table
};

struct NormalizerStep {
  NormalizerKind kind;
  std::string pattern;
  std::string content;
  std::optional<Regex> regex;
  bool left = false;
  bool right = false;
  std::optional<Charsmap> charsmap = {};
};

class Normalizer {
 public:
  void add(NormalizerStep step) { steps_.push_back(std::move(step)); }
  bool empty() const { return steps_.empty(); }
  /// False if text is certainly left as it is: then apply need not be called.
  bool may_change(std::string_view text) const;
  /// The rewritten text; map, when not null, is replaced by its origins. O(n) per step. A normal
  /// form maps a whole run (an inert character and what may join it) to its source run.
  std::string apply(std::string_view text, OffsetMap* map = nullptr) const;

 private:
  std::vector<NormalizerStep> steps_;
};

/// The settings of BERT's normalizer, and its steps, which are those of the Hugging Face engine.
struct BertNormalization {
  bool clean_text = true;
  bool space_cjk = true;
  bool strip_accents = true;
  bool lower_case = true;
};
void add_bert_steps(const BertNormalization& how, Normalizer& out);

}  // namespace lm::text

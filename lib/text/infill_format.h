#pragma once
// How a document with holes is laid out for a left-to-right model: which special tokens stand
// where. One registry for making training rows and for asking models. Two families:
//   middle  PREFIX p SUFFIX s MIDDLE m END, or suffix first: PREFIX SUFFIX s MIDDLE p m END
//   masks   the document with <mask_1>, <mask_2>, ... in the holes, EOS, SEP, then for each hole
//   its
//           mask, what stood there, END
// Special tokens are ids, never text. Sources: Bavarian et al. 2022 (fill in the middle); Nijkamp
// et al. 2023 (CodeGen2).

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "text/tokenizer.h"

namespace lm::text {

enum class InfillLayout : u8 { kPrefixFirst, kSuffixFirst, kMasks };

/// Names of tokens. A role may have several spellings: the first that a tokenizer has is taken, so
/// that one format serves the models of a family.
struct InfillFormat {
  std::string name;
  InfillLayout layout = InfillLayout::kPrefixFirst;
  std::vector<std::string> prefix, suffix, middle;  // of the middle family
  std::vector<std::string> mask;                    // with "%" for the number of the hole, from 1
  std::vector<std::string> sep;
  std::vector<std::string> end;  // ends what fills a hole; none: the tokenizer's EOS
  std::vector<std::string> eos;  // ends the document; none: the tokenizer's EOS
};

/// The built-in names: codegen2, psm, spm, codellama, qwen, deepseek.
std::span<const std::string_view> infill_format_names();
/// A built-in format, or one of a JSON file: {"layout":"psm"|"spm"|"masks", and the roles above as
/// a string or a list of spellings}. Throws Error{kUsage} for a name that is neither, Error{kData}
/// naming file and key for a file that is not as said.
InfillFormat infill_format(const std::string& name_or_file);

/// The ids of a format's tokens in one vocabulary.
struct InfillTokens {
  InfillLayout layout = InfillLayout::kPrefixFirst;
  i32 prefix = -1, suffix = -1, middle = -1;
  std::vector<i32> masks;  // of the holes 1, 2, ...: as many as the vocabulary has
  i32 sep = -1;
  i32 end = -1;
  i32 eos = -1;
  std::vector<i32> sentinels;  // all of these, ascending

  bool is_sentinel(i32 id) const;
};
/// Throws Error{kUsage} naming the token that the tokenizer lacks.
InfillTokens infill_tokens(const InfillFormat& format, const Tokenizer& tokenizer);

/// A document in pieces as ids: k holes stand between k + 1 kept pieces.
using Pieces = std::span<const std::vector<i32>>;

/// Appends what a model of the format is asked with: everything before what fills the first hole.
/// Middle family: two pieces. Throws Error{kInternal} for other numbers of pieces, or more holes
/// than there are masks.
void append_infill_prompt(const InfillTokens& tokens, Pieces kept, std::vector<i32>& out);
/// Appends what follows the prompt in a training row: the fillings, each with its end.
void append_infill_fillings(const InfillTokens& tokens, Pieces fillings, std::vector<i32>& out);

/// A training row taken apart again.
struct InfilledRow {
  std::vector<std::vector<i32>> kept, fillings;
};
/// nullopt for ids that are no row of the format: sentinels missing, repeated or out of order. Of
/// the suffix-first layout prefix and filling come back as one piece, in front of an empty filling.
std::optional<InfilledRow> read_infilled_row(const InfillTokens& tokens, std::span<const i32> ids);

}  // namespace lm::text

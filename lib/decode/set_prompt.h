#pragma once
// Prompts with sets: texts whose order the model cannot see, because they stand side by side at the
// same positions and none of them sees another. What follows a set sees all of it.
// Source: McIlroy-Young et al. 2024 (set-based prompting), whose two halves, positions and mask,
// can be had alone.

#include <string>
#include <string_view>
#include <vector>

#include "decode/prompt.h"

namespace lm::decode {

/// A text, or the texts of a set (which may be empty ones).
struct PromptPart {
  std::vector<std::string> texts;
  bool set = false;
};

struct SetOptions {
  /// The texts of a set lie in the order of their lengths and tokens, not as given: then sums over
  /// them run in one order, and every permutation gives the same bits.
  bool canonical = true;
  bool parallel = true;  // they begin at the same position; off: one goes on where another ended
  bool apart = true;     // none sees another
};

struct SetPrompt {
  std::vector<PromptRow> rows;
  i32 next = 0;  // position behind them: the longest text of a set counts
};

/// Parts of a text with <|start_2d|> A <|split_2d|> B <|end_2d|> around its sets. Fault "sets":
/// marks that do not pair, or one set in another, with the byte.
Result<std::vector<PromptPart>> split_sets(std::string_view text);

/// Every text is tokenised alone; the begin token stands before the first part. Faults of
/// PromptEncoder.
Result<SetPrompt> encode_sets(PromptEncoder& encoder, const std::vector<PromptPart>& parts,
                              const SetOptions& options = {});

}  // namespace lm::decode

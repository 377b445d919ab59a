#pragma once
// Cutting a text or a list into pieces. Pieces are runs of whole units: code points, lines,
// sentences, words (measured in tokens), items. Pure functions.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/memory_hold.h"
#include "core/result.h"
#include "core/types.h"
#include "text/value.h"

namespace lm::flow {

enum class Unit : u8 { kChars, kLines, kTokens, kItems, kSentences };

/// The unit of a name ("chars", ...), or nothing.
std::optional<Unit> unit_of(std::string_view name);
const std::vector<std::string>& unit_names();

struct Cut {
  Unit by = Unit::kChars;
  i64 size = 0;    // units of a piece; <= 0: one piece
  i64 stride = 0;  // from piece to piece; <= 0: size, so that they do not overlap
  /// Of chars and tokens: pieces are whole sentences, as many as fit.
  bool keep_sentences = false;
};

/// Tokens of a text.
using CountTokens = std::function<i64(const std::string&)>;

/// Half-open runs of units that cover [0, weights.size()): from unit i as many as have together at
/// most `size`, at least one; the next run begins at the first unit `stride` further, but never
/// behind the end of this one, and at least one unit further. Runs end with the first that reaches
/// the end. Of n units of weight 1: starts 0, s, 2s, ..., 1 + ceil((n - m) / s) of them.
struct Run {
  i64 begin = 0;
  i64 end = 0;
  bool operator==(const Run&) const = default;
};
std::vector<Run> runs_of(const std::vector<i64>& weights, i64 size, i64 stride);
/// The same of n units of weight 1. O(runs).
std::vector<Run> equal_runs(i64 n, i64 size, i64 stride);

/// The pieces of a text, or of a list (by items). A text by tokens is cut between words, which
/// keep the blanks before them; tokens are counted word by word. An empty text or list has no
/// pieces. Fault "type" for a text by items and a list by anything else. memory: what is made is
/// charged there before it is made, and released; null: nowhere. Throws Error{kOs}.
Result<text::ValueList> cut_pieces(const text::Value& whole, const Cut& cut,
                                   const CountTokens& count, MemoryBudget* memory = nullptr);

}  // namespace lm::flow

#pragma once
// Orders of units, texts and token rows in them, and back. A re-ordered sentence keeps its place;
// what was moved is listed, so that the original comes back byte for byte. Pure functions.
// Source: semantic-aware permutation training (Guo et al. 2024): a left-to-right model learns a
// relation in both directions if it reads the units in several orders.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/types.h"
#include "io/json_node.h"
#include "transform/units.h"

namespace lm::transform {

/// How often units stay, stand in reverse, or stand in an order drawn from all m!; at least 0, not
/// all 0; only their proportions count.
struct OrderOdds {
  f64 identity = 1;
  f64 reverse = 1;
  f64 uniform = 1;
};

/// The order of m units: z[i] is the unit at place i. One unit always stays. Of two the drawn order
/// is the reverse half the time.
std::vector<i64> draw_order(const OrderOdds& odds, i64 units, DrawRow draws);
bool is_identity(std::span<const i64> order);

/// The units of a sentence and the order they are to have.
struct OrderedSentence {
  std::vector<Span> units;
  std::vector<i64> order;
};

/// A sentence that was re-ordered, in the new text or row.
struct Moved {
  Span body;                      // what is to be replaced to undo it
  std::vector<Span> units;        // where the units stand, in their first order
  std::vector<std::string> gaps;  // what stood behind each but the last; none: a blank each
};

struct ReorderedText {
  std::string text;
  std::vector<Moved> moved;
};

/// What stands between two units that were no neighbours: nothing before , . ; : ? ! and closing
/// marks, behind opening marks, on both sides of a long dash and between characters of scripts that
/// are written without blanks; else one blank. left and right are not empty.
std::string_view joint(std::string_view left, std::string_view right);

/// Sentences in order, apart. Those in the identity order stay as they are, byte for byte.
ReorderedText reorder_text(std::string_view text, std::span<const OrderedSentence> sentences);
/// Undoes it. Fault "range" where what is listed does not fit the text.
Result<std::string> restore_text(std::string_view text, std::span<const Moved> moved);

struct ReorderedIds {
  std::vector<i32> ids;
  std::vector<Moved> moved;  // in tokens, without gaps
};

/// The same of tokens: units are ranges of ids that adjoin.
ReorderedIds reorder_ids(std::span<const i32> ids, std::span<const OrderedSentence> sentences);
Result<std::vector<i32>> restore_ids(std::span<const i32> ids, std::span<const Moved> moved);

/// [{"at":[begin,end],"units":[[begin,end],...],"gaps":["",...]},...]; gaps only where they are not
/// all one blank.
std::string moved_json(std::span<const Moved> moved);
/// Fault "type" for what is no such list; name is the field's, for messages.
Result<std::vector<Moved>> read_moved(const io::JsonNode& root, std::string_view name);

}  // namespace lm::transform

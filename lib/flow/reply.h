#pragma once
// What of a reply is its value. Pure functions.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/regex.h"
#include "text/value.h"

namespace lm::flow {

struct Parser {
  enum class Kind : u8 {
    kText,         // without blanks at both ends
    kRaw,          // as it is
    kLastDigits,   // the last run of ASCII digits, as text: leading zeros count
    kLastInteger,  // the same as a number, a minus sign directly before it included
    kLastList,     // the last [...] that is a JSON list
    kJson,         // the whole reply
    kRegex,        // the last match: its first group, or all of it
    kChoice,       // the one of `choices` that the reply begins with, without case and blanks
  };
  Kind kind = Kind::kText;
  std::shared_ptr<const eval::Regex> regex;  // of kRegex; shared by copies of the graph's nodes
  std::vector<std::string> choices;          // of kChoice
  /// Replies, without case, blanks and a final full stop, that say there is nothing: null.
  std::vector<std::string> nothing;
};

/// The names of the kinds, in their order.
const std::vector<std::string>& parser_names();

/// Nothing if the reply has no such value. Throws Error{kData} when a pattern gives up.
std::optional<text::Value> parse_reply(const Parser& parser, std::string_view reply);

/// The last run of ASCII digits, empty if there is none.
std::string_view last_digits(std::string_view text);
/// The last bracketed list of the text that is JSON. Lists inside lists count with what is around
/// them.
std::optional<text::Value> last_list(std::string_view text);

}  // namespace lm::flow

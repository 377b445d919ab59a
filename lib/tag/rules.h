#pragma once
// Filters that are a list of measures, each with limits: the measures become types, and one more
// type says how many of them lie outside.

#include <array>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tag/tagger.h"

namespace lm::tag {

/// A measure and the values a document may have to pass.
struct Rule {
  const char* type;
  const char* meaning;
  f64 least;
  f64 most;
};
inline constexpr f64 kAny = std::numeric_limits<f64>::infinity();

/// The types of the rules, in their order, and failed_rules.
std::vector<TagType> rule_types(std::span<const Rule> rules);

/// Emits the measures of one document in the order of the rules, then how many failed.
class RuleWriter {
 public:
  RuleWriter(std::span<const Rule> rules, Emitter& out) : rules_(rules), out_(out) {}
  void put(f64 value);
  /// After the last measure.
  void finish();

 private:
  std::span<const Rule> rules_;
  Emitter& out_;
  i64 next_ = 0;
  i64 failed_ = 0;
};

/// Gopher's words of English of which a document has to have some.
inline constexpr std::array<std::string_view, 8> kStopWords = {"the", "be",   "to",   "of",
                                                               "and", "that", "have", "with"};
inline constexpr std::string_view kEllipsis = "\xE2\x80\xA6";  // U+2026

/// How often part, which is not empty, stands in text without overlap.
i64 count_of(std::string_view text, std::string_view part);

/// Words of text that begin with a letter or a number. They are fastText's, which DCLM counts:
/// words end at blank, tab, newline, vertical tab, form feed, carriage return and NUL, not at other
/// white space.
i64 count_dclm_words(std::string_view text);

/// part / max(whole, 1).
inline f64 share(i64 part, i64 whole) {
  return static_cast<f64>(part) / static_cast<f64>(whole < 1 ? 1 : whole);
}

/// How many parts stood before among these, and the code points in them.
struct Copies {
  i64 parts = 0;
  i64 chars = 0;
};
Copies count_copies(Document& document, std::span<const Range> parts, WordTable& scratch);

}  // namespace lm::tag

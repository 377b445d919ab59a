#pragma once
// Cuts a text into sentences and these into semantic units (entities, phrases) that may change
// places. Units are byte ranges, ascending, apart, never empty, never of more than so many tokens;
// between them stands white space at most. Where a sentence begins (white space) and ends
// (sentence-final punctuation, white space) belongs to no unit and stays. All offsets lie between
// characters of well-formed UTF-8. Pure functions.
// Source: semantic-aware permutation training (Guo et al. 2024).

#include <span>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/types.h"
#include "text/pretokenize.h"
#include "transform/draws.h"

namespace lm::transform {

using text::Span;

/// The part of the text that a range is.
inline std::string_view part(std::string_view text, Span span) {
  return text.substr(usize(span.begin), usize(span.end - span.begin));
}

inline constexpr i64 kMostTokens = 24;
inline constexpr i64 kLongestSentence = i64{1} << 16;

/// Words and marks: the segments of UAX 29 that are no white space.
std::vector<Span> word_tokens(std::string_view text);
/// A tokenizer's byte ranges of a text as such tokens: without white space at both ends; those that
/// share a character are one; white space alone is none.
std::vector<Span> piece_tokens(std::string_view text, std::span<const std::pair<i64, i64>> offsets);

/// The body of each sentence (UAX 29) that has one: from its first character that is no white space
/// to its final punctuation. No sentence ends inside one of whole (ascending, apart). What goes on
/// for more than kLongestSentence bytes is no sentence and cut at white space, if there is any.
std::vector<Span> sentence_bodies(std::string_view text, std::span<const Span> whole = {});
/// Where the final punctuation of [begin, end) begins: the longest run of terminators and closing
/// marks at the end with a terminator in it; end if there is none.
i64 final_punctuation(std::string_view text, i64 begin, i64 end);

/// English rules: cut at punctuation; a run of capitalised words, a quoted or bracketed span, a
/// number with its unit are a unit each, as is a run of words of a closed class (copulas,
/// prepositions, relative pronouns). Punctuation between units is a unit of its own. Words keep
/// their apostrophes, hyphens, dots and signs.
std::vector<Span> units_by_rules(std::string_view text, Span body, std::span<const Span> tokens);
/// Given ranges (ascending, apart) cut to the body; what lies between two of them is a unit too.
std::vector<Span> units_by_chunks(std::string_view text, Span body, std::span<const Span> chunks);
/// A cut before each of these offsets (ascending).
std::vector<Span> units_by_cuts(std::string_view text, Span body, std::span<const i64> cuts);
/// Each token, or runs of 1 to `longest` tokens of drawn lengths.
std::vector<Span> units_of_tokens(std::string_view text, Span body, std::span<const Span> tokens,
                                  i64 longest, DrawRow draws);
/// Cuts units of more than `most` tokens behind every most-th.
std::vector<Span> limited(std::string_view text, std::span<const Span> units,
                          std::span<const Span> tokens, i64 most = kMostTokens);

/// The chunks of a record, [[begin, end], ...] in bytes. Fault "type" or "range" (descending,
/// overlapping, beyond the text, inside a character), which name says of what field. White space at
/// their ends and empty ones are left out.
Result<std::vector<Span>> read_chunks(std::string_view raw, std::string_view text,
                                      std::string_view name);

/// A token of a text and its surprisal.
struct Surprisal {
  i64 begin = 0;  // byte
  f64 nats = 0;
};
/// Where words begin whose first or later token has a surprisal above the mean plus one standard
/// deviation of all: the cuts of units_by_cuts. Words are runs without white space.
std::vector<i64> surprisal_cuts(std::string_view text, std::span<const Surprisal> tokens);

}  // namespace lm::transform

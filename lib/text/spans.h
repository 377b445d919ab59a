#pragma once
// Attributes that are lists of spans: [[begin, end, score], ...], half open, in code points of the
// text. What taggers write and mixers read. An absent list and an empty one say the same.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/types.h"

namespace lm::text {

struct ScoredSpan {
  i64 begin = 0;
  i64 end = 0;
  f64 score = 0;
  bool operator==(const ScoredSpan&) const = default;
};

/// Python's round(x, decimals): half to even of the exact binary value. |x| < 1e15.
f64 rounded(f64 x, int decimals);
/// Appends a score with five decimals at most, as Python's round(x, 5) has them: half to even of
/// the exact binary value. NaN and infinities become null. O(1), no allocation beyond out's.
void append_score(std::string& out, f64 score);
/// Appends the list as JSON, in the order given.
void append_spans(std::string& out, std::span<const ScoredSpan> spans);

/// Reads the JSON value of an attribute into out, which is cleared first. null gives no spans.
/// Fault "type" for what is no list of triples of two whole numbers and a number, "range" unless 0
/// <= begin <= end. O(n).
std::optional<Fault> read_spans(std::string_view raw, std::vector<ScoredSpan>& out);

/// Share of [0, length) that the spans of at least this score cover; 0 of a text without
/// characters. sorted: scratch. O(n log n), O(n) for spans in order.
f64 covered_share(std::span<const ScoredSpan> spans, f64 least, i64 length,
                  std::vector<ScoredSpan>& sorted);

}  // namespace lm::text

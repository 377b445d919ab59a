#pragma once
// The measures of FineWeb's own filters (Penedo et al. 2024, section 3.6), for the tagger that
// writes them down and for the cleaner that drops by them.

#include <array>
#include <vector>

#include "tag/rules.h"

namespace lm::tag {

inline constexpr i64 kFineWebShort = 30;  // characters of a short line
// Limits of the paper, in the order of the measures.
inline constexpr f64 kFineWebEnds = 0.12;
inline constexpr f64 kFineWebShorts = 0.67;
inline constexpr f64 kFineWebCopies = 0.01;
inline constexpr f64 kFineWebNewlines = 0.3;

/// Ends a sentence, by datatrove's list of 159 marks.
bool is_terminal_mark(char32_t cp);

/// Keeps scratch memory only. One per worker.
class FineWebMeter {
 public:
  /// Of the lines between newlines that are not blank: the share whose last character is a
  /// terminal mark and the share of up to short_chars characters. Of the text: the share of
  /// characters, newlines aside, in lines that stood before; newlines over words. O(n).
  std::array<f64, 4> measure(Document& document, i64 short_chars);

 private:
  std::vector<Range> lines_;
  WordTable table_;
};

}  // namespace lm::tag

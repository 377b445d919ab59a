#pragma once
// Scores of texts against references as translation is judged: BLEU, chrF, TER. They are sums over
// segments and then a quotient, so a segment gives its part of the sums, and any selection of
// segments, a bootstrap's for example, is scored from the sum of its parts. Numbers equal sacrebleu
// 2.6 (BLEU with its 13a tokenizer and exp smoothing, chrF2, TER). Pure functions. Texts are
// well-formed UTF-8. Sources: Papineni et al. 2002; Post 2018 (one tokenization for BLEU); Popovic
// 2015 (chrF); Snover et al. 2006 (TER).

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::text {

/// Matches and totals for n-grams of 1 to 4 words, length, reference length (BleuCounts).
using BleuStats = std::array<f64, 10>;
/// For n-grams of 1 to 6 characters: matches, totals, those of the reference (ChrfCounts).
using ChrfStats = std::array<f64, 18>;
/// Edits, mean reference length.
using TerStats = std::array<f64, 2>;

/// One segment against its references, of which there is at least one. chrF counts the reference
/// that scores best, TER the edits to the nearest.
BleuStats bleu_stats(std::string_view text, std::span<const std::string> references);
ChrfStats chrf_stats(std::string_view text, std::span<const std::string> references);
/// O(shifts * words^2 * 50), shifts at most 1000.
TerStats ter_stats(std::string_view text, std::span<const std::string> references);

/// Scores of sums of the above: 0 to 100, TER also above.
f64 bleu_score(const BleuStats& sums);
f64 chrf_score(const ChrfStats& sums);
f64 ter_score(const TerStats& sums);

/// Words as mteval-v13a cuts them.
std::vector<std::string> words_13a(std::string_view text);

/// Edits from words to reference, a shift of a block being one edit (Tercom's search).
i64 shift_edit_distance(std::span<const std::string> words, std::span<const std::string> reference);

}  // namespace lm::text

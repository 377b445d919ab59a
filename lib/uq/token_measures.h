#pragma once
// Measures of one token among the likeliest at its position, and what makes a token a keyword.
// Probabilities are the model's own; pure functions.

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/types.h"
#include "uq/record.h"

namespace lm::uq {

/// As many of the likeliest tokens as these measures ever need.
inline constexpr i64 kBoostedTop = 200;
inline constexpr i64 kFocusTop = 100;

/// BoostedProb: where the chosen token is a dominant one, the probability of all dominant tokens,
/// else its own. Dominant are the tokens down to the last drop, in falling order, that takes more
/// than 30 % of the token's probability and more than 0.005; without such a drop none is.
/// top: likeliest first, as far as a probability of at most 0.005 or the whole vocabulary, else
/// nullopt: a later drop would go unseen. Source: Dinh and Niehues 2025 and their program 0.1.1,
/// which agree.
std::optional<f64> boosted_probability(std::span<const TopToken> top, i64 chosen, f64 chosen_logp,
                                       i64 vocab);

/// Focus: -ln(q + 1e-5) of the chosen token + 2^H(q) (H in bits), q the probabilities of at least
/// 0.01 times the tokens' weights (inverse document frequencies; empty function: 1), normalised.
/// top: as far as a probability below 0.01 or the whole vocabulary. nullopt where it is not or no
/// weight is left. Source: Zhang et al. 2023; the constant and the threshold are lm-polygraph's.
std::optional<f64> focus_surprise(std::span<const TopToken> top, i64 chosen, i64 vocab,
                                  const std::function<f64(i64)>& weight);

/// Focus of tokens whose surprise is given, with each keyword's surprise raised by what it looks
/// back at: f_t = h_t + 0.9 sum over j < t of w_tj f_j, w_t the attention of t on the answer's
/// earlier tokens over their sum; for tokens that are no keywords f_t = h_t. The mean of f over the
/// keywords; NaN without one. back: row t has t weights, or none where t is no keyword.
f64 focus_score(std::span<const f64> surprise, std::span<const f64> keyword,
                std::span<const std::vector<f64>> back);

/// Which characters of a text belong to keywords, by byte: words with a digit, words that begin
/// with a capital inside a sentence, and words that carry meaning rather than grammar (not among
/// some 150 English function words). In place of the tagger of the paper (nouns, numbers, names),
/// which would be a model of its own.
std::vector<u8> keyword_bytes(std::string_view text);

}  // namespace lm::uq

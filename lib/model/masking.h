#pragma once
// Masked diffusion in numbers: noise levels, which tokens of a text they hide, what a hidden token
// counts, and how a bound of a text's log-likelihood is estimated. Nothing here knows of models.
// Every draw is a function of a RandomStream and an index. Sources: Sahoo et al. 2024 (MDLM), Nie
// et al. 2025 (LLaDA), Arriola et al. 2025 (block diffusion).

#include <span>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "core/types.h"

namespace lm::model {

/// The least noise level: eps of the sources.
inline constexpr f64 kLeastNoise = 1e-3;

/// What the cross entropy of a hidden token counts at noise level t: 1/t, with which the loss is
/// the bound; 1; or 1/t but no more than a cap. The last two have less variance and are no bounds.
struct NoiseWeight {
  enum class Kind : u8 { kElbo, kUniform, kClip };
  Kind kind = Kind::kElbo;
  f64 cap = 0;  // of kClip
  f64 at(f64 t) const;
};
/// "elbo", "uniform" or "clip:C" with C >= 1. Throws Error{kUsage} naming the text.
NoiseWeight parse_noise_weight(std::string_view text);

/// Point i of van der Corput's sequence in base 2, moved by `shift` modulo 1, in [0, 1): any 2^k
/// points from a multiple of 2^k on are an even grid of 1 / 2^k, so one lies in each of 2^k equal
/// parts, however many more there are and however they are divided.
f64 spread_point(f64 shift, u64 i);

/// Hides each token of `hidden` [n] with probability `share`: where draw first + j lies below it.
/// Returns how many.
i64 hide_each(const RandomStream& random, u64 first, f64 share, std::span<u8> hidden);
/// Hides `count` of them, all choices being equally probable: those of the smallest draws, so that
/// more are hidden beside the same ones as `count` grows. O(n log n).
void hide_count(const RandomStream& random, u64 first, i64 count, std::span<u8> hidden);

/// A number in [1, n], n > 0, of a point in [0, 1): uniform where the point is.
i64 count_at(f64 point, i64 n);

/// A draw of the estimator by counts: with m uniform in [1, n] and m tokens hidden, n / m times
/// the cross entropies of the hidden ones is an unbiased estimate of the integral over t of the
/// weighted ones, hence of a bound of -log p, with far less variance than draws of t have.
struct HiddenDraw {
  std::vector<u8> hidden;  // [n]
  i64 count = 0;           // of them; n / count is what each counts
  f64 weight() const { return static_cast<f64>(hidden.size()) / static_cast<f64>(count); }
};
/// Draw number `draw` of `draws` of a text of n > 0 tokens: the counts of all are spread evenly
/// over [1, n] from a random one on. The mean of the draws' estimates is the estimate.
HiddenDraw hidden_draw(const RandomStream& random, i64 n, i64 draw, i64 draws);

}  // namespace lm::model

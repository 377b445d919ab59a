#pragma once
// From rewards to advantages. Pure functions in float64.

#include <span>
#include <vector>

#include "core/types.h"

namespace lm::align {

/// Rewards of a completion's tokens: -kl (log pi - log ref) each, and `reward` more for the last.
std::vector<f64> token_rewards(std::span<const f32> logp, std::span<const f32> ref_logp, f64 kl,
                               f64 reward);

/// Generalised advantages of a text that ends behind its last token: the sum over k of (gamma
/// lambda)^k delta_(t+k), delta_t = r_t + gamma V_(t+1) - V_t, V = 0 behind the end.
/// Paper: Schulman et al. 2016.
std::vector<f64> gae(std::span<const f64> rewards, std::span<const f32> values, f64 gamma,
                     f64 lambda);

/// Less their mean, over their standard deviation (of all of them, not of a sample) and 1e-8.
void whiten(std::span<f64> values);

/// Each less the mean of the others; of one alone, 0 is taken. Paper: Kool et al. 2019.
void leave_one_out(std::span<f64> rewards);

/// Less their mean, over their standard deviation and 1e-6, so that equal ones give about 0.
/// Paper: Shao et al. 2024.
void normalise_group(std::span<f64> rewards);

}  // namespace lm::align

#pragma once
// Rotary position tables, made on the host in f64. theta_k = base^(-2k/rotary_dim), k <
// rotary_dim/2.

#include <span>
#include <vector>

#include "core/types.h"

namespace lm {

struct RopeConfig {
  enum Kind : u8 { kPlain, kLinear, kLlama3, kYarn, kDynamicNtk };
  Kind kind = kPlain;
  i64 rotary_dim = 0;  // even
  f64 base = 10000;
  f64 factor = 1;            // linear, llama3, yarn, ntk
  f64 low_freq_factor = 1;   // llama3
  f64 high_freq_factor = 4;  // llama3
  i64 original_context = 0;  // llama3, yarn, ntk
  f64 beta_fast = 32;        // yarn
  f64 beta_slow = 1;         // yarn
  f64 attention_factor = 0;  // yarn: 0 = 0.1 ln(factor) + 1
};

/// Angular frequency of every pair, [rotary_dim/2]. Throws Error{kConfig} for an odd or
/// non-positive rotary_dim, a factor below 1 or a missing original_context. Sources: Su et al.
/// 2021; Peng et al. 2023 (YaRN, section 3.2-3.4); Llama 3.1's published rule.
std::vector<f64> rope_frequencies(const RopeConfig& config, i64 context = 0);

/// [2, positions, rotary_dim/2]: cosines, then sines, times the attention factor of YaRN.
/// context: longest sequence for kDynamicNtk, ignored otherwise.
std::vector<f32> make_rope_table(const RopeConfig& config, i64 positions, i64 context = 0);

/// Positions [begin, end) of such a table, in parallel.
void fill_rope_table(const RopeConfig& config, i64 positions, i64 context, i64 begin, i64 end,
                     f32* table);

}  // namespace lm

#include "ops/rope_table.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/parallel.h"
#include "core/str.h"

namespace lm {

namespace {

constexpr f64 kTau = 6.283185307179586476925;

void check(const RopeConfig& c) {
  const auto fail = [](const std::string& what) {
    throw Error(ErrorKind::kConfig, cat("rotary positions: ", what));
  };
  if (c.rotary_dim <= 0 || c.rotary_dim % 2 != 0) {
    fail(cat("rotary_dim is ", c.rotary_dim, ", expected an even positive number"));
  }
  if (!(c.base > 0)) fail(cat("base is ", c.base, ", expected a positive number"));
  if (!(c.factor >= 1)) fail(cat("factor is ", c.factor, ", expected at least 1"));
  const bool needs_context = c.kind == RopeConfig::kLlama3 || c.kind == RopeConfig::kYarn ||
                             c.kind == RopeConfig::kDynamicNtk;
  if (needs_context && c.original_context <= 0) fail("the original context length is missing");
  if (c.kind == RopeConfig::kLlama3 && !(c.high_freq_factor > c.low_freq_factor)) {
    fail("high_freq_factor must exceed low_freq_factor");
  }
}

// Llama 3.1: short wavelengths stay, long ones are stretched by factor, between them a blend.
f64 llama3_frequency(const RopeConfig& c, f64 omega) {
  const f64 wavelength = kTau / omega;
  const f64 original = static_cast<f64>(c.original_context);
  if (wavelength < original / c.high_freq_factor) return omega;
  if (wavelength > original / c.low_freq_factor) return omega / c.factor;
  const f64 s =
      (original / wavelength - c.low_freq_factor) / (c.high_freq_factor - c.low_freq_factor);
  return (1 - s) * omega / c.factor + s * omega;
}

// YaRN: the pair index at which a frequency makes `turns` rotations over the original context.
f64 yarn_pair(const RopeConfig& c, f64 turns) {
  return static_cast<f64>(c.rotary_dim) *
         std::log(static_cast<f64>(c.original_context) / (turns * kTau)) / (2 * std::log(c.base));
}

f64 yarn_frequency(const RopeConfig& c, i64 k, f64 omega) {
  const f64 last = static_cast<f64>(c.rotary_dim - 1);
  const f64 low = std::max(0.0, std::floor(yarn_pair(c, c.beta_fast)));
  f64 high = std::min(last, std::ceil(yarn_pair(c, c.beta_slow)));
  if (high == low) high += 0.001;  // the ramp needs a width
  const f64 ramp = std::clamp((static_cast<f64>(k) - low) / (high - low), 0.0, 1.0);
  return ramp * omega / c.factor + (1 - ramp) * omega;
}

}  // namespace

std::vector<f64> rope_frequencies(const RopeConfig& config, i64 context) {
  check(config);
  const f64 d = static_cast<f64>(config.rotary_dim);
  f64 base = config.base;
  if (config.kind == RopeConfig::kDynamicNtk && context > config.original_context &&
      config.rotary_dim > 2) {
    const f64 stretch =
        config.factor * static_cast<f64>(context) / static_cast<f64>(config.original_context) -
        (config.factor - 1);
    base *= std::pow(stretch, d / (d - 2));
  }
  std::vector<f64> out;
  for (i64 k = 0; k < config.rotary_dim / 2; ++k) {
    f64 omega = std::pow(base, -2.0 * static_cast<f64>(k) / d);
    if (config.kind == RopeConfig::kLinear) omega /= config.factor;
    if (config.kind == RopeConfig::kLlama3) omega = llama3_frequency(config, omega);
    if (config.kind == RopeConfig::kYarn) omega = yarn_frequency(config, k, omega);
    out.push_back(omega);
  }
  return out;
}

void fill_rope_table(const RopeConfig& config, i64 positions, i64 context, i64 begin, i64 end,
                     f32* table) {
  const std::vector<f64> omega = rope_frequencies(config, context);
  f64 attention = 1;
  if (config.kind == RopeConfig::kYarn) {
    attention =
        config.attention_factor != 0 ? config.attention_factor : 0.1 * std::log(config.factor) + 1;
  }
  const i64 half = ssize(omega);
  parallel_for(end - begin, 256, [&](i64 first, i64 last) {
    for (i64 t = begin + first; t < begin + last; ++t) {
      for (i64 k = 0; k < half; ++k) {
        const f64 angle = static_cast<f64>(t) * omega[usize(k)];
        table[t * half + k] = static_cast<f32>(attention * std::cos(angle));
        table[(positions + t) * half + k] = static_cast<f32>(attention * std::sin(angle));
      }
    }
  });
}

std::vector<f32> make_rope_table(const RopeConfig& config, i64 positions, i64 context) {
  check(config);
  std::vector<f32> table(usize(positions * config.rotary_dim));
  fill_rope_table(config, positions, context, 0, positions, table.data());
  return table;
}

}  // namespace lm

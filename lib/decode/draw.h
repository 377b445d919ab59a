#pragma once
// Random draws of decoding. A draw is a function of (seed, record id, token, position, sample,
// stream) only, so a record's text does not depend on batches, threads or on how many draws came
// before: speculative and plain sampling give the same bytes. Pure functions.
// Source: Gumbel 1954 (the maximum of perturbed log-weights is a draw from their softmax).

#include <array>
#include <span>
#include <string_view>

#include "core/types.h"

namespace lm::decode {

/// What a draw is for: the last word of the counter.
enum class DrawStream : u32 {
  kToken = 1,
  kDraft = 2,
  kDiffusionToken = 3,
  kDiffusionUnmask = 4,
  kResample = 5,
  kOther = 6,
};

using DrawKey = std::array<u32, 2>;

/// The halves (low, high) of mix64(seed XOR fnv1a64(record id)).
DrawKey draw_key(u64 seed, std::string_view record_id);

/// Where a draw stands: absolute position of the token and sample index.
struct DrawPoint {
  DrawKey key = {};
  i64 position = 0;
  i64 sample = 0;
  DrawStream stream = DrawStream::kToken;
};

/// Uniform in (0,1) that belongs to a token id.
f64 draw_uniform(const DrawPoint& at, i32 token);
/// -ln(-ln u) of that uniform.
f64 draw_gumbel(const DrawPoint& at, i32 token);

/// The id whose weight + Gumbel noise is largest; ties go to the smaller id. ids ascending, weights
/// finite log-weights (not normalised), same size, at least one.
/// Noise is only evaluated where it could win: a logarithm is bounded by its argument's distance
/// from one. Same result as evaluating all.
i32 draw_token(const DrawPoint& at, std::span<const i32> ids, std::span<const f64> weights);

/// The id of the largest weight; ties go to the smaller id.
i32 largest(std::span<const i32> ids, std::span<const f64> weights);

}  // namespace lm::decode

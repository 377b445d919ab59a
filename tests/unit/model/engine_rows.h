#pragma once
// What tests of the inference engine share: models with attention that is far from uniform, tokens,
// rows.

#include <span>
#include <string>
#include <vector>

#include "core/random.h"
#include "model/engine.h"
#include "model/shape.h"

namespace lm::test {

/// Weights `scale` times a fresh model's.
inline model::Model scaled_model(const std::string& shape, f32 scale) {
  model::Model model = model::new_model(model::make_config(model::parse_shape(shape)), 11);
  for (i64 i = 0; i < model.weights.elements(); ++i)
    model.weights.data()[i] *= scale;
  return model;
}

/// Of a vocabulary of 50.
inline std::vector<i32> random_tokens(i64 n, u64 seed) {
  const RandomStream random(seed, RandomPurpose::kOther);
  std::vector<i32> out;
  for (i64 i = 0; i < n; ++i)
    out.push_back(static_cast<i32>(random.below(static_cast<u64>(i), 50)));
  return out;
}

/// The tokens as the next of a sequence, all with logits.
inline std::vector<model::EvalRow> chain(i32 seq, std::span<const i32> tokens) {
  std::vector<model::EvalRow> rows;
  for (const i32 token : tokens) {
    model::EvalRow row;
    row.seq = seq;
    row.token = token;
    row.want_logits = true;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace lm::test

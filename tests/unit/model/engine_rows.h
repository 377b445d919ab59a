#pragma once
// What tests of the inference engine share: models with attention that is far from uniform, tokens,
// rows.

#include <cstring>
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

/// Rows that see each other, all with logits.
inline std::vector<model::EvalRow> mutual(i32 seq, std::span<const i32> tokens) {
  std::vector<model::EvalRow> rows = chain(seq, tokens);
  for (model::EvalRow& row : rows)
    row.see = model::EvalRow::See::kAll;
  return rows;
}

using Logits = std::vector<std::vector<f32>>;

inline std::vector<f32> copy(std::span<const f32> row) {
  return {row.begin(), row.end()};
}

/// Bits, not values: -0 and NaN count.
inline bool same_bits(const std::vector<f32>& a, const std::vector<f32>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(f32)) == 0;
}

}  // namespace lm::test

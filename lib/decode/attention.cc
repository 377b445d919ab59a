#include "decode/attention.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "decode/engine_options.h"

namespace lm::decode {

AttentionReader::AttentionReader(model::Engine& engine, std::vector<i64> layers)
    : engine_(engine), layers_(std::move(layers)) {}

const model::AttentionCfg& AttentionReader::layer(i64 index) const {
  return std::get<model::AttentionCfg>(engine_.cfg().layers[usize(layers_[usize(index)])].mixer);
}

i64 AttentionReader::token_bytes() const {
  i64 numbers = 0;
  for (i64 index = 0; index < isize(layers_); ++index)
    numbers += layer(index).qkv_size();
  return numbers * static_cast<i64>(sizeof(f32));
}

void AttentionReader::read(std::span<const i32> tokens) {
  const model::SequenceCache& cache = engine_.cache();
  check_room(cache, cache.pages_of(isize(tokens)), isize(tokens));
  const i32 seq = engine_.create();
  std::vector<model::EvalRow> rows(tokens.size());
  for (i64 i = 0; i < isize(rows); ++i) {
    rows[usize(i)].seq = seq;
    rows[usize(i)].token = tokens[usize(i)];
    rows[usize(i)].want_hidden = true;
  }
  engine_.eval(rows);
  engine_.release(seq);  // what the rows asked for stays until the next eval
}

void AttentionReader::weights(i64 index, i64 head, i64 row, std::span<f64> out) const {
  const model::AttentionCfg& a = layer(index);
  LM_CHECK(isize(out) == row + 1 && head >= 0 && head < a.heads, "a weight per visible token");
  const i64 first = a.window > 0 ? std::max<i64>(0, row + 1 - a.window) : 0;
  const i64 key_at = a.q_size() + head / (a.heads / a.kv_heads) * a.head_dim;
  const f32* const query = engine_.projection(row, index).data() + head * a.head_dim;
  const f64 scale = 1 / std::sqrt(static_cast<f64>(a.head_dim));
  std::fill(out.begin(), out.end(), 0.0);
  f64 most = -INFINITY;
  const auto hidden = [&](i64 j) { return !a.sparse.sees(head, row, j); };
  for (i64 j = first; j <= row; ++j) {
    if (hidden(j)) continue;
    const f32* const key = engine_.projection(j, index).data() + key_at;
    f64 dot = 0;
    for (i64 k = 0; k < a.head_dim; ++k)
      dot += static_cast<f64>(query[k]) * static_cast<f64>(key[k]);
    out[usize(j)] = dot * scale;
    most = std::max(most, out[usize(j)]);
  }
  f64 sum = 0;
  for (i64 j = first; j <= row; ++j) {
    if (hidden(j)) continue;
    out[usize(j)] = std::exp(out[usize(j)] - most);
    sum += out[usize(j)];
  }
  for (i64 j = first; j <= row; ++j)
    out[usize(j)] /= sum;
}

}  // namespace lm::decode

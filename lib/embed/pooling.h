#pragma once
// From the states of a text's tokens to one vector. Sums are f64 in order of the tokens, so a
// vector depends on its own text alone. Sources: Reimers and Gurevych 2019 (mean, first token);
// Muennighoff 2022 (position-weighted mean).

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::embed {

enum class Pooling : u8 {
  kLast,      // the last token's state
  kMean,      // of all tokens, specials too
  kWeighted,  // token number i from 1 counts i times
  kBegin,     // the state of the token that begins a text
  kClass,     // an encoder's [CLS]: its first token
};

/// "last", "mean", "weighted", "bos", "cls".
std::string_view pooling_name(Pooling pool);
std::vector<std::string> pooling_names();
/// Throws Error{kUsage} for another name.
Pooling pooling_of(std::string_view name);

/// True if `row` of `rows` tokens counts.
bool pools_row(Pooling pool, i64 row, i64 rows);

/// Weighted sum of states that come in order; add() all of one text, then write().
class Pooler {
 public:
  Pooler(Pooling pool, i64 width) : pool_(pool), sums_(usize(width)) {}
  /// state: [width] of token `row`, for which pools_row holds.
  void add(i64 row, std::span<const f32> state);
  /// out: [width].
  void write(std::span<f32> out) const;

 private:
  Pooling pool_;
  f64 weight_ = 0;
  std::vector<f64> sums_;
};

/// Divides by the Euclidean norm; a zero vector stays.
void normalize(std::span<f32> vector);

}  // namespace lm::embed

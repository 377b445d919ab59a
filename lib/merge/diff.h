#pragma once
// How two models differ, tensor by tensor.

#include <functional>
#include <optional>
#include <string>

#include "core/context.h"
#include "merge/inputs.h"

namespace lm::merge {

enum class DiffState : u8 { kEqual, kDiffers, kOnlyA, kOnlyB, kShape };

struct TensorDiff {
  std::string name;
  DiffState state = DiffState::kEqual;
  Shape a_shape, b_shape;
  std::string a_dtype, b_dtype;  // empty where the tensor is not
  // Of tensors of one shape that are numbers; sums in fp64. NaN where a value is not finite.
  bool measured = false;
  f64 a_norm = 0;  // Euclidean
  f64 b_norm = 0;
  f64 distance = 0;   // norm of a - b
  f64 relative = 0;   // distance / a_norm, 0 if both are 0
  f64 cosine = 0;     // 1 if both are 0
  f64 same_sign = 1;  // share of elements with the same sign, -, 0 or +
  f64 changed = 0;    // share of elements of another value
  f64 max_abs = 0;    // largest |a - b|
};

struct DiffTotals {
  i64 tensors = 0;  // names in either
  i64 equal = 0;
  i64 differ = 0;   // in values or type
  i64 missing = 0;  // in one only
  i64 shapes = 0;   // of unequal shape
  f64 distance = 0;
  f64 relative = 0;
  bool same() const { return equal == tensors; }
};

/// Calls take(difference) for every tensor of either model, by name. Equal: the same type, shape
/// and values. Integers are compared as bytes. Reads each pair once, in bounded memory.
DiffTotals diff(const InputModel& a, const InputModel& b, const Context& ctx,
                const std::function<void(const TensorDiff&)>& take);

/// "equal", "differs", "only in a", ...
std::string_view state_name(DiffState state);

}  // namespace lm::merge

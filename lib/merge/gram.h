#pragma once
// Interpolations on the sphere. Their results lie in the span of their inputs, so that norms and
// products of the inputs (the Gram matrix, in fp64) decide the coefficients: one pass of
// statistics, then one linear combination, whatever the iteration between.
//
// slerp and nuslerp: Shoemake 1985. karcher: the mean of Karcher 1977 by its gradient iteration.
// model_stock: Jang, Yun and Han 2024.

#include <span>
#include <string>
#include <vector>

#include "core/types.h"

namespace lm::merge {

/// Inner products of k vectors, symmetric.
class Gram {
 public:
  explicit Gram(i64 size) : size_(size), values_(usize(size * size)) {}
  /// From the upper triangle by rows, as the kernels collect it.
  Gram(i64 size, std::span<const f64> triangle);
  i64 size() const { return size_; }
  f64 operator()(i64 i, i64 j) const { return values_[usize(i * size_ + j)]; }
  void set(i64 i, i64 j, f64 value);
  f64 norm(i64 i) const;
  /// a' G b.
  f64 product(std::span<const f64> a, std::span<const f64> b) const;

 private:
  i64 size_;
  std::vector<f64> values_;
};

/// Coefficients of the inputs, and what to tell the user ("" for nothing).
struct Blend {
  std::vector<f64> coefficients;
  std::string note;
};

/// Vectors of at most this norm have no direction: they are left as they are.
inline constexpr f64 kNoNorm = 1e-8;

/// Two vectors. t = 0 gives the first. Linear where |cos| > threshold (slerp).
Blend slerp_blend(const Gram& gram, f64 t, f64 threshold);
/// The same, linear only where the sine of the angle vanishes (nuslerp).
Blend nuslerp_blend(const Gram& gram, f64 t);
/// Mean norm times the direction of the weighted mean of directions: the closed form of one step
/// in the tangent space, which moves nothing. Throws Error{kData} for more than two vectors whose
/// directions cancel to a length below eps; two are mixed linearly then.
Blend multislerp_blend(const Gram& gram, std::span<const f64> weights, f64 eps);
/// Mean norm times the Karcher mean of the directions; at most max_iter steps, until one is shorter
/// than tol.
Blend karcher_blend(const Gram& gram, std::span<const f64> weights, i64 max_iter, f64 tol);
/// Of task vectors: t / k each, with t = k c / (1 + (k - 1) c) and c the mean cosine of pairs.
Blend model_stock_blend(const Gram& gram);

}  // namespace lm::merge

#pragma once
// Weighted sums of models.

#include <vector>

#include "merge/kernel.h"

namespace lm::merge {

/// sum_i w_i x_i / divisor. The products are added in ascending order, element by element, so that
/// the result does not depend on the order of the models, nor on how a set of equal weights is
/// given to them. One rounding for each product, each sum and the division. The sum begins with
/// the first product: -0 stays -0.
template <class A>
class LinearKernel final : public Kernel<A> {
 public:
  LinearKernel(const std::vector<f64>& weights, f64 divisor);
  void combine(const Chunk<A>& in, A* out) const override;
  /// For one model or two, in f32.
  bool combine_bf16(std::span<const u8* const> x, i64 count, u8* to) const override;

 private:
  struct Exchange {
    std::size_t low, high;
  };
  std::vector<A> weights_;
  A divisor_ = 1;
  std::vector<Exchange> network_;  // sorts as many values as there are weights
};

/// Sum in an order that does not depend on the order of the values.
f64 sorted_sum(std::vector<f64> values);

}  // namespace lm::merge

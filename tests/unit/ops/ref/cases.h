#pragma once
// The operator case table: one list drives comparison with the reference, finite differences,
// determinism and the benchmark, on any backend.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "graph/exec.h"
#include "graph/graph.h"
#include "ref.h"

namespace lm::test {

/// A graph with its data. Data is drawn per input from (seed, input number): no zeros, no
/// constants.
class CaseGraph {
 public:
  explicit CaseGraph(u64 seed);
  Graph g;

  // Shapes come by value: one of the graph's own would move when a value is added.

  /// Normal values times scale plus shift, differentiable.
  Value f(Shape shape, f64 scale = 1, f64 shift = 0);
  /// As f, but a parameter: its gradient accumulates in a bound buffer.
  Value param(Shape shape, f64 scale = 1);
  /// Uniform in [lo, hi] with no element closer than 0.05 to zero: for kinks.
  Value away_from_zero(Shape shape);
  /// Given numbers without a gradient.
  Value fixed(Shape shape, std::vector<f32> data);
  Value ints(Shape shape, std::vector<i32> data);
  /// i32 [count] uniform in [0, bound).
  std::vector<i32> draw_ints(i64 count, i64 bound);

  struct Bound {
    Value v;
    OwnedTensor tensor;
    bool differentiable = false;
  };
  std::vector<std::unique_ptr<Bound>> bound;
  std::vector<std::unique_ptr<Bound>> grads;  // parameter gradients, made by bind()

  /// Binds all data (on a CPU backend) and zeroed parameter gradients.
  void bind(Executor& exec);
  /// All data as f64.
  void set(RefRun& ref) const;

 private:
  OwnedTensor& add(Value v, const Shape& shape, DType dtype, bool differentiable);
  u64 seed_;
};

struct OpCase {
  std::string name;
  std::function<std::vector<Value>(CaseGraph&)> build;  // returns the outputs to check
  f64 nmse = 1e-11;                                     // limit against the reference
  bool differentiable = true;
  bool host_only = false;  // devices have no kernel
};

/// All cases, in a fixed order.
std::vector<OpCase> op_cases();

// By family.
void add_elementwise_cases(std::vector<OpCase>& cases);
void add_matrix_cases(std::vector<OpCase>& cases);
void add_transformer_cases(std::vector<OpCase>& cases);
void add_recurrent_cases(std::vector<OpCase>& cases);
void add_experts_cases(std::vector<OpCase>& cases);

/// sum over outputs of <fixed random numbers, output>: the loss of the gradient tests.
Value random_loss(CaseGraph& c, const std::vector<Value>& outputs);

/// sum (y-r)^2 / sum r^2; infinity when y holds a NaN; equal infinities count as equal.
f64 nmse(std::span<const f32> y, const Numbers& r);

/// Spans [N,6] of causal attention over consecutive sequences of the given lengths.
std::vector<i32> causal_spans(std::span<const i64> lengths);

}  // namespace lm::test

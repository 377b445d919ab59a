#pragma once
// The obvious version of every forward operator in double precision, run over a graph's forward
// nodes. Tests compare a backend's outputs with it and differentiate it numerically to check
// gradients.

#include <vector>

#include "graph/graph.h"

namespace lm::test {

using Numbers = std::vector<f64>;  // row-major, contiguous; integers are exact in f64

/// What a reference function sees: contiguous inputs by position, outputs to fill.
struct RefNode {
  const Graph& g;
  const Node& n;
  std::vector<const Numbers*> in;  // null: absent
  std::vector<Numbers*> out;       // null: absent

  bool has(i64 i) const { return i < ssize(in) && in[usize(i)] != nullptr; }
  const Numbers& x(i64 i) const { return *in[usize(i)]; }
  Numbers& y(i64 j) const { return *out[usize(j)]; }
  const Shape& shape(i64 i) const { return g.shape(n.in[i]); }
  i64 rows(i64 i) const { return shape(i).rows(); }
  i64 cols(i64 i) const { return shape(i).cols(); }
};

/// Random draws of dropout in training runs.
struct RefCtx {
  u64 seed = 0;
  u32 step = 0;
  u32 micro_step = 0;
  bool training = false;
};

class RefRun {
 public:
  explicit RefRun(const Graph& g) : g_(g), values_(g.values().size()) {}
  void set(Value v, Numbers data) { values_[usize(v.id)] = std::move(data); }
  Numbers& at(Value v) { return values_[usize(v.id)]; }
  /// Runs the first `nodes` nodes.
  void run(i64 nodes, const RefCtx& ctx = {});

 private:
  const Graph& g_;
  std::vector<Numbers> values_;
};

// By family; false if the operator is not of it.
bool ref_elementwise(const RefNode& r, const RefCtx& ctx);
bool ref_movement(const RefNode& r);
bool ref_transformer(const RefNode& r);
bool ref_loss(const RefNode& r);
bool ref_recurrent(const RefNode& r);
bool ref_experts(const RefNode& r);

}  // namespace lm::test

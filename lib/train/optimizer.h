#pragma once
// AdamW over the flat slab, and the norm that clipping needs. Every parameter has the same offset
// in weights, gradients and both moments, where frozen ones are not; padding is zero and stays
// zero. A rank updates only its own part (ZeRO-1), and touches only that part of the moments.
// Source: Loshchilov & Hutter 2019, algorithm 2: m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2,
// w -= lr (m/(1-b1^t) / (sqrt(v/(1-b2^t)) + eps) + decay w), decay taken of the old w.

#include <memory>
#include <span>
#include <vector>

#include "comm/comm.h"
#include "graph/backend.h"
#include "graph/params.h"

namespace lm::train {

struct AdamWOptions {
  f64 beta1 = 0.9;
  f64 beta2 = 0.95;
  f64 eps = 1e-8;
  f64 weight_decay = 0.1;  // on parameters that say decay: matrices, not norms and biases
};

class AdamW {
 public:
  /// The moments lie in backend's memory, as the slabs that update() takes; it outlives this.
  /// apart: parameters that something else updates, which uses their first moment: they have no
  /// second one.
  AdamW(const ParamSet& set, const AdamWOptions& options, i64 world_size, const Backend& backend,
        std::span<const i32> apart = {});

  /// Update number t (from 1). Gradients are multiplied by grad_scale first. Frozen parameters stay
  /// as they are. half: null, or the bf16 copy of weights to be made anew. One pass over part of
  /// the slabs; bits do not depend on the thread count.
  void update(i64 t, f64 lr, f64 grad_scale, const ParamSlab& grads, ParamSlab& weights,
              ParamSlab* half, const comm::Part& part);

  ParamSlab& m() { return m_; }
  ParamSlab& v() { return v_; }
  const ParamSlab& m() const { return m_; }
  const ParamSlab& v() const { return v_; }
  /// What v() lies over: those apart have no elements.
  const ParamSet& v_set() const { return *v_set_; }

 private:
  struct Range {
    i64 begin;
    i64 end;
    bool decay;
    i64 v_begin;  // in v()
  };
  AdamWOptions options_;
  const Backend& backend_;
  std::vector<Range> ranges_;  // runs of trainable parameters with equal decay
  std::shared_ptr<const ParamSet> v_set_;
  ParamSlab m_;
  ParamSlab v_;
};

/// The parameters of a set, those apart without elements.
ParamSet second_moments(const ParamSet& set, std::span<const i32> apart);

/// L2 norm of the whole gradient: f64 over fixed blocks of each part, parts added by all_reduce.
f64 gradient_norm(const ParamSlab& grads, const comm::Part& part, comm::Comm& comm,
                  const Backend& backend);

/// min(1, clip / (norm + 1e-6)); 1 when clip is 0 (off).
f64 clip_scale(f64 norm, f64 clip);

}  // namespace lm::train

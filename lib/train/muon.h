#pragma once
// Muon: momentum whose matrices are made orthogonal by a few Newton-Schulz steps. With g the
// gradient and b the momentum: m = b m + (1 - b) g, u = b m + (1 - b) g, X = u / |u|, five times
// X = a X + (b' A + c A A) X with A = X X^T, and w -= lr (0.2 sqrt(max(rows, cols)) X + decay w):
// updates have the size of AdamW's, whose learning rate and decay fit.
// Sources: Jordan et al. 2024 (Muon, the coefficients); Liu et al. 2025 (size and decay).

#include <memory>
#include <vector>

#include "graph/exec.h"
#include "graph/params.h"
#include "model/config.h"

namespace lm::train {

struct MuonOptions {
  f64 momentum = 0.95;
  f64 weight_decay = 0.1;
};

/// Rows of a parameter that are one matrix: queries, keys and values are stored as one, and so are
/// gate and up.
struct MuonMatrix {
  i32 param = -1;
  i64 row = 0;
  i64 rows = 0;
  i64 cols = 0;
};
/// The matrices of the layers; embeddings, heads, norms and biases are AdamW's.
std::vector<MuonMatrix> muon_matrices(const model::ModelCfg& cfg, const ParamSet& set);

/// x's nearest matrix with orthogonal rows (or columns), about: singular values in [0.7, 1.2].
Value orthogonal(Graph& graph, Value x);

class Muon {
 public:
  /// Plans and allocates a slab for the largest matrix. backend outlives this.
  Muon(const model::ModelCfg& cfg, const ParamSet& set, const MuonOptions& options,
       const Backend& backend);
  ~Muon();

  /// One update; gradients are multiplied by grad_scale first. m: momentum in the place of AdamW's
  /// first moment. half: null, or the bf16 copy of weights. Bits do not depend on threads.
  void update(f64 lr, f64 grad_scale, const ParamSlab& grads, ParamSlab& weights, ParamSlab* half,
              ParamSlab& m);
  /// Of its slab.
  i64 slab_bytes() const;
  /// The same before there is one.
  static i64 slab_bytes(const model::ModelCfg& cfg, const ParamSet& set, const Backend& backend);

 private:
  struct Step;
  MuonOptions options_;
  const Backend& backend_;
  std::vector<MuonMatrix> matrices_;
  Storage slab_;
  std::vector<std::unique_ptr<Step>> steps_;  // one per shape
};

}  // namespace lm::train

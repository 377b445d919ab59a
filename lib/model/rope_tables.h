#pragma once
// The rotary tables of a model: one per distinct configuration of its layers, made once and shared
// by all its graphs. Empty for models with learned positions.

#include <vector>

#include "graph/backend.h"
#include "model/config.h"

namespace lm::model {

class RopeTables {
 public:
  /// positions: rows of each table, 0: cfg.context. In host memory; with `later` only the address
  /// space is taken, and fill() makes what is needed.
  RopeTables(const ModelCfg& cfg, i64 positions, bool later = false);
  /// Makes the rows below `positions`, and some more. O(rows made).
  void fill(i64 positions);
  /// Fills the tables and moves them to a backend's memory.
  void place(const Backend& backend);

  i64 size() const { return isize(tables_); }
  /// The table of a layer.
  i64 of_layer(i64 layer) const { return layers_[usize(layer)]; }
  /// f32 [2, positions, rotary_dim / 2]. Only to be read; Tensor has no read-only form.
  Tensor tensor(i64 table) const;
  i64 bytes() const;

 private:
  struct Table {
    RopeConfig config;
    Storage numbers;
    Shape shape;
  };
  i64 context_ = 0;
  i64 rows_ = 0;
  i64 filled_ = 0;
  std::vector<Table> tables_;
  std::vector<i64> layers_;
};

}  // namespace lm::model

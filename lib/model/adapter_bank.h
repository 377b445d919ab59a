#pragma once
// Adapters that run beside one model without being merged into it: every text of a batch may have
// another one, or a mixture. The factors of all adapters stand side by side, so that a layer
// computes y + B (m * (A x)), where m [rows, columns] holds the weight of each adapter for the
// row's text over the columns that the adapter has. A row's zeros add exactly nothing, so its bits
// do not depend on what others use. Costs grow with the sum of the ranks.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/params.h"
#include "model/config.h"
#include "tensor/safetensors.h"

namespace lm::model {

class AdapterBank {
 public:
  /// Rows [row, row + rows) of the product with a parameter's matrix; a [columns, in], b [rows,
  /// columns], by index of params(), with the scale inside b.
  struct Part {
    std::string param;  // without ".weight"
    i64 row = 0;
    i64 rows = 0;
    i32 a = 0;
    i32 b = 0;
  };

  /// Opens the adapters. files: the model's, in base_folder; params: its own. Throws what
  /// Adapter::open throws, and Error{kData} for adapters that change more than the matrices of
  /// layers: those must be merged.
  AdapterBank(const std::vector<std::string>& folders, const SafeModel& files,
              const std::string& base_folder, const ModelCfg& cfg, const ParamSet& params);
  ~AdapterBank();
  AdapterBank(const AdapterBank&) = delete;
  AdapterBank& operator=(const AdapterBank&) = delete;
  /// Reads the factors, once. O(bytes()).
  void load();
  /// Of memory that weights() have, or will have.
  i64 bytes() const { return params_->slab_elements() * item_bytes(DType::kF32); }

  i64 count() const { return isize(first_) - 1; }
  i64 columns() const { return first_.back(); }
  /// Fills a row of m for an adapter weight each.
  void fill(std::span<const f32> weights, std::span<f32> row) const;
  /// In order of the model's parameters and of rows within one.
  const std::vector<Part>& parts() const { return parts_; }
  const ParamSet& params() const { return *params_; }
  /// Behind load().
  const ParamSlab& weights() const;

 private:
  struct Unread;
  std::vector<i64> first_;  // column of each adapter, and the end
  std::vector<Part> parts_;
  std::unique_ptr<ParamSet> params_;
  ParamSlab weights_;
  std::unique_ptr<Unread> unread_;  // until load()
};

}  // namespace lm::model

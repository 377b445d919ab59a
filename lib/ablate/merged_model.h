#pragma once
// A model in memory whose weights are replaced by one mean of models after another: what `linear`
// would write, without writing it.

#include <memory>
#include <string>
#include <vector>

#include "core/context.h"
#include "merge/plan.h"
#include "model/checkpoint.h"
#include "model/mapping.h"

namespace lm::ablate {

/// A sink that puts tensors, as stored, into the parameters of a model in memory.
class ModelSink final : public merge::Sink {
 public:
  /// The model outlives this. Throws nothing.
  explicit ModelSink(const model::Model& model);
  /// Throws Error{kData} for a tensor that the model does not have, or of another shape.
  void declare(const std::string& name, DType dtype, const Shape& shape) override;
  void begin() override {}
  std::span<const i64> order() const override { return order_; }
  void write(std::string_view name, std::string_view bytes) override;
  /// Throws Error{kData} naming a tensor of the model that was not declared.
  void commit() override;

 private:
  struct Target {
    DType dtype = DType::kF32;
    Shape shape;
    std::vector<const model::TensorMap*> maps;
    i64 done = 0;       // elements
    std::string whole;  // the bytes so far, where they are stored transposed
  };
  std::string_view bare(std::string_view name) const;

  const model::Model& model_;
  std::string prefix_;
  std::vector<model::TensorMap> maps_;
  std::map<std::string, Target, std::less<>> targets_;  // by declared name
  std::vector<i64> order_;
};

class MergedModel {
 public:
  /// Reads the configuration of a folder and reserves f32 weights, charged to ctx.memory; their
  /// contents come with mean_of. Throws as load_config and MemoryBudget::charge.
  MergedModel(const std::string& folder, const Context& ctx);

  /// Fills the weights with the mean of model folders, weighted; a single one gives itself. Returns
  /// the bytes that were read. Throws what make_plan and run throw.
  i64 mean_of(const std::vector<std::string>& folders, const std::vector<f64>& weights);
  const model::Model& model() const { return model_; }

 private:
  const Context& ctx_;
  model::Model model_;
  std::unique_ptr<MemoryCharge> charge_;
};

}  // namespace lm::ablate

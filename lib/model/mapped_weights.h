#pragma once
// The parameters of a model folder for inference, in the file's own type. What a checkpoint stores
// as the engine wants it is read where the file is mapped; what it stores in parts (queries, keys
// and values) or transposed is assembled while somebody holds it. Vectors are f32.

#include <vector>

#include "graph/params.h"
#include "model/config.h"
#include "model/mapping.h"
#include "tensor/safetensors.h"

namespace lm::model {

class MappedWeights final : public Weights {
 public:
  /// O(parameters). params outlives this. Throws Error{kData} as read_weights.
  MappedWeights(SafeModel files, const ModelCfg& cfg, const ParamSet& params);

  /// Matrices have the type of their tensors (f32, bf16 or f16; f32 where they are stored in
  /// several types or as f64), vectors f32. Contents of an assembled matrix fault outside
  /// hold() and drop().
  Tensor operator[](i32 param) const override { return params_[usize(param)].tensor; }
  DType dtype(i32 param) const override { return params_[usize(param)].tensor.dtype; }
  std::vector<Tensor> parts(i32 param) const override;
  /// Assembles, reading the file once; nothing for what is mapped or held already.
  void hold(i32 param) const override;
  /// Gives the memory of an assembled matrix back, and lets the pages of its tensors go.
  void drop(i32 param) const override;

 private:
  struct Part {
    TensorMap map;
    const SafeEntry* entry = nullptr;
  };
  struct Param {
    Tensor tensor;
    std::vector<Part> parts;
    Storage memory;  // of vectors; address space of assembled matrices
    bool assembled = false;
    bool held = false;
  };
  void assemble(Param& param) const;

  SafeModel files_;
  mutable std::vector<Param> params_;  // only their contents change
};

}  // namespace lm::model

#pragma once
// The list of a model's parameters and flat slabs over it. Every parameter has the same element
// offset in every slab (values, gradients, moments), each padded to 64 elements (256 bytes of f32)
// and the total to world_size * 64, so optimizer, clipping and checkpoints are flat loops.

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tensor/tensor.h"

namespace lm {

struct ParamInfo {
  std::string name;  // the engine's own path, not a checkpoint's
  Shape shape;
  i64 offset = 0;     // elements from the slab's start
  i64 count = 0;      // elements without padding
  bool decay = true;  // weight decay applies: matrices and embeddings
  bool trainable = true;
};

class ParamSet {
 public:
  /// Appends and returns the index. Throws Error{kInternal} on a second parameter of that name.
  i32 add(std::string_view name, const Shape& shape, bool decay, bool trainable = true);
  const ParamInfo& operator[](i32 index) const { return list_[usize(index)]; }
  i32 size() const { return static_cast<i32>(list_.size()); }
  /// Index, or -1.
  i32 find(std::string_view name) const;
  const std::vector<ParamInfo>& list() const { return list_; }
  /// Padded elements of a slab for world_size ranks.
  i64 slab_elements(i64 world_size = 1) const;
  /// Elements of all parameters without padding.
  i64 count() const;

 private:
  std::vector<ParamInfo> list_;
  std::unordered_map<std::string, i32> index_;
  i64 end_ = 0;
};

/// One f32 CPU slab over a ParamSet, zero at first.
class ParamSlab {
 public:
  ParamSlab() = default;
  explicit ParamSlab(const ParamSet& set, i64 world_size = 1);
  Tensor view(i32 index) const;
  f32* data() const { return reinterpret_cast<f32*>(storage_.data()); }
  i64 elements() const { return elements_; }
  void zero();

 private:
  const ParamSet* set_ = nullptr;
  Storage storage_;
  i64 elements_ = 0;
};

}  // namespace lm

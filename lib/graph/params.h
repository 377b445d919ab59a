#pragma once
// The list of a model's parameters, where their values lie, and flat slabs over them. Every
// parameter has the same element offset in every slab (values, gradients, moments), each padded to
// 64 elements (256 bytes of f32) and the total to world_size * 64, so optimizer, clipping and
// checkpoints are flat loops.

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
  /// Appends and returns the index. Trainable parameters come before frozen ones, so that what an
  /// optimizer keeps is a slab of its own length. Throws Error{kInternal} on a second parameter of
  /// that name, and on a trainable one behind a frozen one.
  i32 add(std::string_view name, const Shape& shape, bool decay, bool trainable = true);
  const ParamInfo& operator[](i32 index) const { return list_[usize(index)]; }
  i32 size() const { return static_cast<i32>(list_.size()); }
  /// Index, or -1.
  i32 find(std::string_view name) const;
  const std::vector<ParamInfo>& list() const { return list_; }
  /// Padded elements of a slab for world_size ranks.
  i64 slab_elements(i64 world_size = 1) const;
  /// The same of the trainable parameters alone.
  i64 trained_elements(i64 world_size = 1) const;
  /// Elements of all parameters without padding.
  i64 count() const;
  /// Of the trainable ones.
  i64 trained_count() const;

 private:
  std::vector<ParamInfo> list_;
  std::unordered_map<std::string, i32> index_;
  i64 end_ = 0;
  i64 trained_end_ = 0;
};

/// Where the values of a model's parameters lie, by index of its ParamSet.
class Weights {
 public:
  virtual ~Weights() = default;
  /// The parameter: [rows, cols] or [count], contiguous. Its contents are there after hold().
  virtual Tensor operator[](i32 param) const = 0;
  virtual DType dtype(i32 param) const = 0;
  /// Its rows where they lie without hold(), as tensors one below the other; empty if they do not.
  virtual std::vector<Tensor> parts(i32 param) const { return {(*this)[param]}; }
  /// Makes the contents readable, where they are not kept in memory; until drop(), which gives that
  /// memory back. One thread at a time.
  virtual void hold(i32) const {}
  virtual void drop(i32) const {}
};

class Backend;

/// What a slab has room for: gradients and moments are of the trained parameters.
enum class SlabOf : u8 { kAll, kTrained };

/// One slab over a ParamSet, zero at first: f32 on the CPU, or of a type in a backend's memory. set
/// outlives it.
class ParamSlab final : public Weights {
 public:
  ParamSlab() = default;
  explicit ParamSlab(const ParamSet& set, i64 world_size = 1, SlabOf of = SlabOf::kAll);
  /// dtype: f32, or bf16 for the copies that kernels read. Throws what Backend::allocate throws.
  ParamSlab(const ParamSet& set, i64 world_size, const Backend& backend, DType dtype = DType::kF32,
            SlabOf of = SlabOf::kAll);
  Tensor operator[](i32 param) const override;
  DType dtype(i32) const override { return dtype_; }
  /// Of an f32 slab (null if there is none); of a bf16 slab.
  f32* data() const;
  u16* bf16_data() const;
  DType dtype() const { return dtype_; }
  Device device() const { return storage_.device(); }
  i64 elements() const { return elements_; }
  i64 bytes() const { return elements_ * item_bytes(dtype_); }
  /// Of CPU memory.
  void zero();

 private:
  const ParamSet* set_ = nullptr;
  Storage storage_;
  i64 elements_ = 0;
  DType dtype_ = DType::kF32;
};

}  // namespace lm

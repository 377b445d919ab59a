#pragma once
// A tensor and what a low-rank adapter adds to it: base + scale B A, made where it is read, so that
// nothing of the base's size is held.
//
// Source: E. Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2022.

#include <mutex>
#include <string>

#include "merge/source.h"

namespace lm::merge {

/// Factors in an open file. a: [rank, in], b: [out, rank], 16-bit or f32.
struct LowRank {
  const SafeEntry* a = nullptr;
  const SafeEntry* b = nullptr;
  f64 scale = 0;
  bool transposed = false;  // the tensor is [in, out]: embeddings, and layers that store it so
  i64 rank() const { return a->shape[0]; }
  Shape shape() const {
    return transposed ? Shape{a->shape[1], b->shape[0]} : Shape{b->shape[0], a->shape[1]};
  }
};

/// Products are summed in ascending order of the rank, in the arithmetic of the reader; elements do
/// not depend on the range that is asked for.
class LowRankSource final : public TensorSource {
 public:
  /// delta has the shape of base. adapter: for messages.
  LowRankSource(SourcePtr base, const LowRank& delta, std::string adapter);
  std::string describe() const override;
  std::string_view name() const override { return base_->name(); }
  DType dtype() const override { return base_->dtype(); }
  const Shape& shape() const override { return base_->shape(); }
  void load(i64 first, i64 count, f32* to) const override;
  void load(i64 first, i64 count, f64* to) const override;
  /// Rounded to the base's type.
  void load_bytes(i64 first, i64 count, u8* to) const override;
  /// Of the base's bytes, the factors and the scale.
  Hash128 digest(i64 first, i64 count) const override;
  void prefetch(i64 first, i64 count) const override { base_->prefetch(first, count); }
  void release(i64 first, i64 count) const override { base_->release(first, count); }

 private:
  template <class A>
  void load_sum(i64 first, i64 count, A* to) const;

  SourcePtr base_;
  LowRank delta_;
  std::string adapter_;
  mutable std::once_flag digested_;
  mutable Hash128 factors_;
};

}  // namespace lm::merge

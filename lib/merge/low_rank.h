#pragma once
// A tensor and what a low-rank adapter adds to it: base + scale B A, made where it is read, so that
// nothing of the base's size is held.
//
// Source: E. Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2022.

#include <mutex>
#include <string>

#include "merge/source.h"
#include "model/adapter.h"

namespace lm::merge {

/// Products are summed in ascending order of the rank, in the arithmetic of the reader; elements do
/// not depend on the range that is asked for.
class LowRankSource final : public TensorSource {
 public:
  /// delta has the shape of base. adapter: for messages.
  LowRankSource(SourcePtr base, const model::LowRank& delta, std::string adapter);
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
  model::LowRank delta_;
  std::string adapter_;
  mutable std::once_flag digested_;
  mutable Hash128 factors_;
};

}  // namespace lm::merge

#pragma once
// LoRA adapters in the layout of PEFT: a folder with adapter_config.json and
// adapter_model.safetensors. Low-rank factors are added to tensors of a base; whole tensors
// (modules_to_save, biases) stand in place of the base's. A model may be named as a base with an
// adapter, BASE+ADAPTER.
//
// Source: E. Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, 2022; scale alpha /
// sqrt(rank) of D. Kalajdzievski, A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA,
// 2023.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/safetensors.h"

namespace lm::model {

/// Factors in an open file: scale B A is added to a tensor. a: [rank, in], b: [out, rank], 16-bit
/// or f32.
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

/// Where a model is: a base, and an adapter or nothing.
struct ModelPath {
  std::string base;
  std::string adapter;
};

/// What a path names: a model's folder or file, BASE+ADAPTER, or the folder of an adapter, which
/// goes on adapter_base, if given, else on the base that its configuration names. A plus sign may
/// be part of a name, too: what exists decides. Throws Error{kNoInput}, with a hint for what looks
/// like a name of the Hugging Face hub.
ModelPath find_model(const std::string& path, const std::string& adapter_base = {});

/// adapter_config.json and adapter_model.safetensors.
inline constexpr const char* kAdapterConfig = "adapter_config.json";
inline constexpr const char* kAdapterWeights = "adapter_model.safetensors";

/// True for a folder with an adapter and no model of its own.
bool is_adapter(const std::string& folder);

class Adapter {
 public:
  /// Reads configuration and header, and finds the base's tensors. Throws Error{kNoInput} without
  /// one of the files, and Error{kData} naming the tensor for what is not a LoRA adapter, or not
  /// one of this base: a module that the base lacks, other shapes, a rank that is not the
  /// configuration's, one factor without the other, variants that are more than B A (DoRA).
  static Adapter open(const std::string& folder, const SafeModel& base,
                      const std::string& base_folder);
  /// The base that a configuration names; empty if none. It need not exist.
  static std::string named_base(const std::string& folder);

  const std::string& folder() const { return folder_; }
  /// A tensor that replaces the base's of that name, or null.
  const SafeEntry* whole(std::string_view tensor) const;
  /// Names of those.
  std::vector<std::string> whole_names() const;
  /// What is added to a tensor of the base, or to a whole one; null for nothing.
  const LowRank* delta(const SafeEntry& tensor) const;
  i64 deltas() const { return isize(deltas_); }

 private:
  Adapter(std::string folder, SafeModel files)
      : folder_(std::move(folder)), files_(std::move(files)) {}

  std::string folder_;
  SafeModel files_;
  std::map<std::string, const SafeEntry*, std::less<>> whole_;
  std::map<const SafeEntry*, LowRank> deltas_;
};

}  // namespace lm::model

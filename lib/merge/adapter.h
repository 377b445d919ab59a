#pragma once
// LoRA adapters in the layout of PEFT: a folder with adapter_config.json and
// adapter_model.safetensors. Low-rank factors are added to tensors of a base; whole tensors
// (modules_to_save, biases) stand in place of the base's.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "merge/low_rank.h"
#include "tensor/safetensors.h"

namespace lm::merge {

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

}  // namespace lm::merge

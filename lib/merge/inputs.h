#pragma once
// The models of a merge, opened: headers and config.json are read, weights are mapped. A model of
// several uses is opened once.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "merge/source.h"
#include "tensor/safetensors.h"

namespace lm::merge {

using Json = nlohmann::ordered_json;

struct InputModel {
  std::string path;
  SafeModel files;
  Json config;          // null without a config.json
  std::string tied_to;  // the embedding that stands for a head which is not stored, or empty
  i64 layers = 0;       // by the tensors' names

  /// The tensor, or the embedding in a head's place; null when there is none. own_name: what it is
  /// called in the files.
  const SafeEntry* find(std::string_view tensor) const;
  SourcePtr source(const SafeEntry& entry) const;
  /// A word of config.json, or empty.
  std::string config_text(const char* key) const;
};

class InputModels {
 public:
  /// The model at a path: a folder, or a .safetensors file. Throws kNoInput, kData, with a hint for
  /// what looks like a name of the Hugging Face hub.
  i64 open(const std::string& path);
  const InputModel& operator[](i64 number) const { return *models_[usize(number)]; }
  i64 size() const { return isize(models_); }

 private:
  std::vector<std::unique_ptr<const InputModel>> models_;
};

}  // namespace lm::merge

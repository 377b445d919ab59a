#pragma once
// The models of a merge, opened: headers and config.json are read, weights are mapped. A model of
// several uses is opened once. A model may be a base with an adapter.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "merge/source.h"
#include "model/adapter.h"
#include "tensor/safetensors.h"

namespace lm::merge {

using Json = nlohmann::ordered_json;

struct InputModel {
  std::string path;    // as it is called: a folder, a file, or BASE+ADAPTER
  std::string folder;  // of the base
  SafeModel files;
  std::optional<model::Adapter> adapter;
  Json config;          // null without a config.json
  std::string tied_to;  // the embedding that stands for a head which is not stored, or empty
  i64 layers = 0;       // by the tensors' names

  /// The tensor as stored, in the adapter or in the base; null when there is none.
  const SafeEntry* stored(std::string_view tensor) const;
  /// The same, or the embedding in a head's place.
  const SafeEntry* find(std::string_view tensor) const;
  /// Names of all that is stored.
  std::vector<std::string> names() const;
  /// With what the adapter adds to it.
  SourcePtr source(const SafeEntry& entry) const;
  /// A word of config.json, or empty.
  std::string config_text(const char* key) const;
  /// Its name, wherever it is: the last part of its path, or two with a plus between them.
  std::string label() const;
};

class InputModels {
 public:
  /// adapter_base: the model that adapters without a base of their own are put on. Empty: the one
  /// that their configuration names.
  explicit InputModels(std::string adapter_base = {}) : adapter_base_(std::move(adapter_base)) {}

  /// The model at a path: a folder, a .safetensors file, BASE+ADAPTER, or the folder of an adapter.
  /// Throws kNoInput, kData, with a hint for what looks like a name of the Hugging Face hub.
  i64 open(const std::string& path);
  const InputModel& operator[](i64 number) const { return *models_[usize(number)]; }
  i64 size() const { return isize(models_); }

 private:
  std::string adapter_base_;
  std::vector<std::unique_ptr<const InputModel>> models_;
};

}  // namespace lm::merge

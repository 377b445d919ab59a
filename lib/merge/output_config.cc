#include "merge/output_config.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json_node.h"
#include "merge/convert.h"
#include "merge/layers.h"
#include "merge/recipe.h"

namespace lm::merge {

namespace {

constexpr std::array<const char*, 4> kLayerCounts = {"num_hidden_layers", "n_layer", "num_layers",
                                                     "n_layers"};
constexpr std::array<const char*, 5> kLayerLists = {
    "layer_types", "mlp_layer_types", "layers_block_type", "no_rope_layers", "attention_layers"};

// The type of all weights, if they have one.
std::optional<DType> common_dtype(const std::vector<PlannedTensor>& tensors) {
  std::optional<DType> common;
  for (const PlannedTensor& tensor : tensors) {
    if (!is_floating(tensor.dtype)) continue;
    if (common && *common != tensor.dtype) return std::nullopt;
    common = tensor.dtype;
  }
  return common;
}

bool set_layers(Json& config, const std::vector<i64>& layers) {
  bool found = false;
  for (const char* const key : kLayerCounts) {
    if (!config.contains(key)) continue;
    config[key] = isize(layers);
    found = true;
  }
  for (const char* const key : kLayerLists) {
    if (!config.contains(key) || !config[key].is_array()) continue;
    const Json old = config[key];
    Json list = Json::array();
    for (const i64 layer : layers)
      if (usize(layer) < old.size()) list.push_back(old[usize(layer)]);
    if (isize(list) == isize(layers)) config[key] = list;
  }
  return found;
}

// Ids of special tokens belong to the vocabulary.
void take_token_ids(const std::string& folder, Json& config) {
  const std::string file = (std::filesystem::path(folder) / "config.json").string();
  if (!io::path_exists(file)) return;
  const Json other = io::parse_object(io::read_file(file, i64{16} << 20), file);
  for (const char* const key : {"bos_token_id", "eos_token_id", "pad_token_id"}) {
    if (other.contains(key)) {
      config[key] = other[key];
    } else {
      config.erase(key);
    }
  }
}

}  // namespace

std::string output_config(const InputModel& reference, const std::vector<PlannedTensor>& tensors,
                          const std::vector<i64>& layers, const std::string& vocabulary) {
  if (!reference.config.is_object()) return {};
  Json config = reference.config;
  // Models of text and more have a part for the text.
  Json* const part = config.contains("text_config") && config["text_config"].is_object()
                         ? &config["text_config"]
                         : &config;
  if (!layers.empty() && !set_layers(*part, layers)) {
    throw Error(ErrorKind::kData, cat(reference.folder,
                                      "/config.json: no key has the number of layers, expected one "
                                      "of num_hidden_layers, n_layer, num_layers, n_layers"));
  }
  if (const std::optional<DType> dtype = common_dtype(tensors)) {
    const std::string_view word = torch_dtype(*dtype);
    for (const char* const key : {"torch_dtype", "dtype"}) {
      const bool either = config.contains("torch_dtype") || config.contains("dtype");
      if (!word.empty() && (config.contains(key) || !either)) config[key] = word;
    }
  }
  bool head = false;
  for (const PlannedTensor& tensor : tensors) {
    head = head || is_head(tensor.job.name);
    const bool tokens = has_token_rows(tensor.job.name) && tensor.job.shape.rank == 2;
    if (tokens && part->contains("vocab_size")) (*part)["vocab_size"] = tensor.job.shape[0];
  }
  if (!vocabulary.empty() && vocabulary != reference.folder) take_token_ids(vocabulary, *part);
  // A head that is stored beside the embedding is another matrix.
  if (head && config.value("tie_word_embeddings", false)) config["tie_word_embeddings"] = false;
  return config.dump(2) + "\n";
}

}  // namespace lm::merge

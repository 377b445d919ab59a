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
#include "model/family.h"
#include "model/mapping.h"
#include "model/params.h"

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

std::string_view bare(std::string_view name, std::string_view prefix) {
  return !prefix.empty() && name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

const PlannedTensor* find_tensor(const std::vector<PlannedTensor>& tensors, std::string_view name,
                                 std::string_view prefix) {
  const auto at = std::find_if(tensors.begin(), tensors.end(), [&](const PlannedTensor& one) {
    return bare(one.job.name, prefix) == bare(name, prefix);
  });
  return at == tensors.end() ? nullptr : &*at;
}

[[noreturn]] void does_not_fit(const InputModel& reference, const std::string& what) {
  throw Error(ErrorKind::kData,
              cat(reference.folder, "/config.json does not fit the tensors: ", what),
              "config.json is the base's, or the first model's");
}

// The tensors that a model of a known family must have by its configuration.
void check_tensors(const InputModel& reference, const std::vector<PlannedTensor>& tensors,
                   const model::ModelCfg& cfg) {
  const std::string_view prefix = model::find_family(cfg.family, "model").prefix;
  const model::ModelParams params = model::make_params(cfg);
  for (const model::TensorMap& map : model::tensor_maps(cfg, params.set)) {
    const PlannedTensor* const tensor = find_tensor(tensors, map.name, prefix);
    if (tensor == nullptr)
      does_not_fit(reference, cat("there is no tensor ", quote(map.name, 200), " of shape ",
                                  to_string(map.shape)));
    if (tensor->job.shape == map.shape) continue;
    does_not_fit(reference,
                 cat(tensor->inputs[0].source->describe(), " is ", to_string(tensor->job.shape),
                     ", by config.json ", to_string(map.shape)));
  }
  for (const PlannedTensor& tensor : tensors) {
    const std::optional<i64> layer = layer_of(tensor.job.name);
    if (layer && *layer >= cfg.depth())
      does_not_fit(reference, cat(tensor.inputs[0].source->describe(), " is of a layer beyond ",
                                  cfg.depth(), " layers"));
  }
}

// Of a family that is not known: the number of layers, where there is one list of them.
void check_layers(const InputModel& reference, const std::vector<PlannedTensor>& tensors,
                  const Json& part) {
  std::optional<std::string> list;
  i64 layers = 0;
  for (const PlannedTensor& tensor : tensors) {
    const std::optional<i64> layer = layer_of(tensor.job.name);
    if (!layer) continue;
    const std::string zeroth = with_layer(tensor.job.name, 0);
    const std::string before = zeroth.substr(0, zeroth.find(".0."));
    if (list && *list != before) return;
    list = before;
    layers = std::max(layers, *layer + 1);
  }
  for (const char* const key : kLayerCounts) {
    if (!list || !part.contains(key) || !part[key].is_number_integer()) continue;
    if (part[key].get<i64>() != layers)
      does_not_fit(reference, cat(key, " is ", part[key].get<i64>(), ", and ", reference.path,
                                  " has ", layers, " layers"));
  }
}

void check_fits(const InputModel& reference, const std::vector<PlannedTensor>& tensors,
                const Json& config, const Json& part) {
  std::optional<model::ModelCfg> cfg;
  try {
    cfg = model::parse_config(config.dump(), reference.folder);
  } catch (const Error& e) {  // what models are run of here is not all that can be merged
    if (e.kind() != ErrorKind::kData) throw;
  }
  if (cfg) return check_tensors(reference, tensors, *cfg);
  check_layers(reference, tensors, part);
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
  check_fits(reference, tensors, config, *part);
  return config.dump(2) + "\n";
}

}  // namespace lm::merge

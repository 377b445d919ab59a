#include "merge/inputs.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json_node.h"
#include "merge/layers.h"

namespace lm::merge {

namespace {

namespace fs = std::filesystem;

constexpr i64 kMaxConfigBytes = i64{16} << 20;

std::string find_embedding(const SafeModel& files) {
  for (const SafeEntry* const entry : files.entries()) {
    if (has_token_rows(entry->name) && !is_head(entry->name) && entry->shape.rank == 2)
      return entry->name;
  }
  return {};
}

InputModel open_model(const std::string& path) {
  if (!io::path_exists(path)) {
    const bool looks_like_hub =
        path[0] != '/' && path[0] != '.' && std::count(path.begin(), path.end(), '/') == 1;
    throw Error(ErrorKind::kNoInput, cat(path, ": no such model folder"),
                looks_like_hub ? "models are local folders: download it first" : "");
  }
  InputModel model{path, SafeModel::open(path), Json(), {}, 0};
  const std::string config = (fs::path(path) / "config.json").string();
  if (io::path_exists(config))
    model.config = io::parse_object(io::read_file(config, kMaxConfigBytes), config);
  if (model.files.entries().empty()) throw Error(ErrorKind::kData, cat(path, ": holds no tensors"));
  for (const SafeEntry* const entry : model.files.entries()) {
    if (const std::optional<i64> layer = layer_of(entry->name))
      model.layers = std::max(model.layers, *layer + 1);
  }
  if (model.config.is_object() && model.config.value("tie_word_embeddings", false))
    model.tied_to = find_embedding(model.files);
  return model;
}

}  // namespace

const SafeEntry* InputModel::find(std::string_view tensor) const {
  const SafeEntry* const own = files.find(tensor);
  if (own != nullptr || tied_to.empty() || !is_head(tensor) || !tensor.ends_with(".weight"))
    return own;
  return files.find(tied_to);
}

SourcePtr InputModel::source(const SafeEntry& entry) const {
  return std::make_unique<MappedSource>(entry, path);
}

std::string InputModel::config_text(const char* key) const {
  if (!config.is_object()) return {};
  const Json::const_iterator at = config.find(key);
  return at != config.end() && at->is_string() ? at->get<std::string>() : std::string();
}

i64 InputModels::open(const std::string& path) {
  for (i64 number = 0; number < size(); ++number) {
    if (models_[usize(number)]->path == path) return number;
  }
  models_.push_back(std::make_unique<const InputModel>(open_model(path)));
  return size() - 1;
}

}  // namespace lm::merge

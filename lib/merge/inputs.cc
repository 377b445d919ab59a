#include "merge/inputs.h"

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json_node.h"
#include "merge/layers.h"
#include "merge/low_rank.h"

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

InputModel open_model(const std::string& path, const std::string& adapter_base) {
  const model::ModelPath at = model::find_model(path, adapter_base);
  InputModel model{path, at.base, SafeModel::open(at.base), {}, Json(), {}, 0};
  if (!at.adapter.empty()) model.adapter = model::Adapter::open(at.adapter, model.files, at.base);
  const std::string config = (fs::path(at.base) / "config.json").string();
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

// Names, not paths: the same merge in another place gives the same bytes.
std::string folder_name(const std::string& path) {
  const fs::path clean = fs::path(path).lexically_normal();
  return (clean.has_filename() ? clean : clean.parent_path()).filename().string();
}

}  // namespace

const SafeEntry* InputModel::stored(std::string_view tensor) const {
  if (adapter) {
    if (const SafeEntry* const whole = adapter->whole(tensor)) return whole;
  }
  return files.find(tensor);
}

const SafeEntry* InputModel::find(std::string_view tensor) const {
  const SafeEntry* const own = stored(tensor);
  if (own != nullptr || tied_to.empty() || !is_head(tensor) || !tensor.ends_with(".weight"))
    return own;
  return stored(tied_to);
}

std::vector<std::string> InputModel::names() const {
  std::vector<std::string> names;
  for (const SafeEntry* const entry : files.entries())
    names.push_back(entry->name);
  if (!adapter) return names;
  for (std::string& name : adapter->whole_names()) {
    if (files.find(name) == nullptr) names.push_back(std::move(name));
  }
  return names;
}

SourcePtr InputModel::source(const SafeEntry& entry) const {
  const model::LowRank* const delta = adapter ? adapter->delta(entry) : nullptr;
  const bool own = files.find(entry.name) == &entry;
  SourcePtr plain = std::make_unique<MappedSource>(entry, own ? folder : adapter->folder());
  if (delta == nullptr) return plain;
  return std::make_unique<LowRankSource>(std::move(plain), *delta, adapter->folder());
}

std::string InputModel::config_text(const char* key) const {
  if (!config.is_object()) return {};
  const Json::const_iterator at = config.find(key);
  return at != config.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::string InputModel::label() const {
  std::string label = folder_name(folder);
  if (adapter) append(label, "+", folder_name(adapter->folder()));
  return label;
}

i64 InputModels::open(const std::string& path) {
  for (i64 number = 0; number < size(); ++number) {
    if (models_[usize(number)]->path == path) return number;
  }
  models_.push_back(std::make_unique<const InputModel>(open_model(path, adapter_base_)));
  return size() - 1;
}

}  // namespace lm::merge

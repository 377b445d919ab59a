#include "embed/folder_settings.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <vector>

#include "core/error.h"
#include "core/str.h"
#include "io/file.h"
#include "io/json_node.h"

namespace lm::embed {
namespace {

using io::Json;
using io::JsonNode;
namespace fs = std::filesystem;

constexpr i64 kMaxConfigBytes = i64{16} << 20;
constexpr i64 kMostTokens = i64{1} << 28;  // beyond, a file means "no limit"

std::string inside(const std::string& folder, const std::string& name) {
  return (fs::path(folder) / name).string();
}

Json read_json(const std::string& path) {
  return io::parse_object(io::read_file(path, kMaxConfigBytes), path);
}

struct Module {
  std::string kind;  // last component of its type
  std::string folder;
};

std::vector<Module> read_modules(const std::string& folder, const std::string& path) {
  const std::string bytes = io::read_file(path, kMaxConfigBytes);
  const io::JsonDocument document(bytes);
  std::vector<Module> out;
  document.root(path).each_item([&](const JsonNode& one) {
    const std::string type = one.text("type");
    const std::string below = one.text_or("path", "");
    const fs::path relative(below);
    const bool leaves = relative.is_absolute() ||
                        std::find(relative.begin(), relative.end(), "..") != relative.end();
    if (leaves) one.fail("path", "a folder inside this one");
    out.push_back(
        {type.substr(type.rfind('.') + 1), below.empty() ? folder : inside(folder, below)});
  });
  return out;
}

struct ModeName {
  const char* key;   // the older spelling, a flag
  const char* name;  // the newer one, a value of pooling_mode
  std::optional<Pooling> pool;
};
constexpr std::array<ModeName, 6> kModes = {{
    {"pooling_mode_cls_token", "cls", Pooling::kClass},
    {"pooling_mode_mean_tokens", "mean", Pooling::kMean},
    {"pooling_mode_max_tokens", "max", std::nullopt},
    {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens", std::nullopt},
    {"pooling_mode_weightedmean_tokens", "weightedmean", Pooling::kWeighted},
    {"pooling_mode_lasttoken", "lasttoken", Pooling::kLast},
}};

Pooling read_pooling(const std::string& path) {
  const Json json = read_json(path);
  const JsonNode fields(json, path);
  const std::string named = fields.text_or("pooling_mode", "");
  const ModeName* found = nullptr;
  for (const ModeName& mode : kModes) {
    if (named.empty() ? !fields.flag_or(mode.key, false) : named != mode.name) continue;
    if (found != nullptr)
      throw Error(ErrorKind::kData, cat(path, ": several poolings at once (", found->name, ", ",
                                        mode.name, ") are not supported"));
    found = &mode;
  }
  if (found == nullptr || !found->pool)
    throw Error(ErrorKind::kData,
                cat(path, ": pooling ",
                    quote(found != nullptr ? found->name
                          : named.empty()  ? "none"
                                           : named),
                    " is not supported, expected cls, mean, weightedmean or lasttoken"));
  return *found->pool;
}

/// A length; files write 1e30 for "no limit".
i64 read_length(const std::string& path, const char* key) {
  if (!io::path_exists(path)) return 0;
  const Json json = read_json(path);
  const Json::const_iterator at = json.find(key);
  if (at == json.end() || at->is_null()) return 0;
  const f64 length = at->is_number() ? at->get<f64>() : 0;
  if (!(length >= 1)) JsonNode(json, path).fail(key, "a positive number of tokens");
  return length > static_cast<f64>(kMostTokens) ? 0 : static_cast<i64>(length);
}

}  // namespace

FolderSettings read_folder_settings(const std::string& folder) {
  FolderSettings out;
  out.folder = folder;
  const std::string path = inside(folder, "modules.json");
  out.sentence = io::path_exists(path);
  if (out.sentence) {
    bool first = true;
    for (const Module& module : read_modules(folder, path)) {
      if (first && module.kind == "Transformer") {
        out.folder = module.folder;
      } else if (!first && module.kind == "Pooling" && !out.pool && !out.normalize) {
        out.pool = read_pooling(inside(module.folder, "config.json"));
      } else if (!first && module.kind == "Normalize" && out.pool) {
        out.normalize = true;
      } else {
        throw Error(ErrorKind::kData, cat(path, ": module ", quote(module.kind),
                                          " is not supported at this place, expected "
                                          "Transformer, Pooling, Normalize"));
      }
      first = false;
    }
    out.max_tokens = read_length(inside(out.folder, "sentence_bert_config.json"), "max_seq_length");
  }
  if (out.max_tokens == 0)
    out.max_tokens = read_length(inside(out.folder, "tokenizer_config.json"), "model_max_length");
  return out;
}

}  // namespace lm::embed

#include "model/checkpoint.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include <sys/stat.h>

#include "core/error.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/str.h"
#include "core/xxh3_stream.h"
#include "io/atomic_file.h"
#include "io/file.h"
#include "model/drawn_weights.h"
#include "model/family.h"
#include "model/mapping.h"
#include "tensor/safetensors.h"

namespace lm::model {
namespace {

namespace fs = std::filesystem;

constexpr i64 kMaxConfigBytes = i64{16} << 20;
constexpr const char* kManifest = "manifest.json";
constexpr std::array<const char*, 10> kTokenizerFiles = {
    "tokenizer.json",    "tokenizer.model",     "tokenizer_config.json",
    "vocab.json",        "merges.txt",          "special_tokens_map.json",
    "added_tokens.json", "chat_template.jinja", "chat_template.json",
    "vocab.txt"};

std::string in_folder(const std::string& folder, const std::string& name) {
  return (fs::path(folder) / name).string();
}

/// Adds the end ids of generation_config.json, which chat models use for their turn markers.
void merge_generation(const std::string& text, const std::string& name, ModelCfg& cfg) {
  const Json json = parse_object(text, name);
  const JsonNode root(json, name);
  const std::vector<i32> ids = read_eos_ids(root);
  check_eos_ids(root, ids, cfg.vocab);
  cfg.end_ids.insert(cfg.end_ids.end(), ids.begin(), ids.end());
  std::sort(cfg.end_ids.begin(), cfg.end_ids.end());
  cfg.end_ids.erase(std::unique(cfg.end_ids.begin(), cfg.end_ids.end()), cfg.end_ids.end());
}

/// The folder of a training run is not a model, but it holds some: says which.
void check_not_a_run(const std::string& folder) {
  if (io::path_exists(in_folder(folder, "config.json"))) return;
  if (const std::string last = in_folder(folder, "final"); is_adapter(last))
    throw Error(ErrorKind::kNoInput, cat(folder, ": the folder of a training run, not of a model"),
                cat("BASE+", last, " is the model with the run's adapter"));
  std::string inside;
  if (const std::string latest = in_folder(folder, "latest"); io::path_exists(latest))
    inside = trim(io::read_file(latest, 4096));
  if (io::path_exists(in_folder(folder, "final/config.json"))) inside = "final";
  if (inside.empty() || !io::path_exists(in_folder(in_folder(folder, inside), "config.json")))
    return;
  throw Error(ErrorKind::kNoInput, cat(folder, ": the folder of a training run, not of a model"),
              cat(in_folder(folder, inside), " is its newest model"));
}

std::string make_generation_json(const ModelCfg& cfg) {
  Json json = Json::object();
  json["_from_model_config"] = true;
  if (cfg.bos) json["bos_token_id"] = *cfg.bos;
  if (cfg.eos.size() == 1)
    json["eos_token_id"] = cfg.eos[0];
  else if (!cfg.eos.empty())
    json["eos_token_id"] = cfg.eos;
  if (cfg.pad) json["pad_token_id"] = *cfg.pad;
  return json.dump(2) + "\n";
}

std::string torch_name(DType dtype) {
  if (dtype == DType::kF32) return "float32";
  if (dtype == DType::kBf16) return "bfloat16";
  if (dtype == DType::kF16) return "float16";
  throw Error(ErrorKind::kUsage, cat("weights cannot be stored as ", dtype_name(dtype),
                                     ", expected f32, bf16 or f16"));
}

/// Relative names of all regular files below folder, sorted.
std::vector<std::string> list_files(const std::string& folder) {
  std::vector<std::string> out;
  std::error_code code;
  fs::recursive_directory_iterator it(folder, code);
  for (; !code && it != fs::recursive_directory_iterator(); it.increment(code))
    if (it->is_regular_file()) out.push_back(fs::relative(it->path(), folder).generic_string());
  if (code) throw os_error(ErrorKind::kIo, folder, "cannot list", code.value());
  std::sort(out.begin(), out.end());
  return out;
}

/// XXH3 of a file, through a small buffer: a model of any size takes no memory and no address
/// space.
std::string file_digest(const std::string& path) {
  constexpr i64 kBufferBytes = i64{256} << 10;
  const io::Fd file = io::open_input(path);
  std::string buffer(usize(kBufferBytes), '\0');
  Xxh3Stream hash;
  while (const i64 count = io::read_full(file.get(), buffer.data(), kBufferBytes, path))
    hash.update(std::string_view(buffer).substr(0, usize(count)));
  return hex64(hash.digest());
}

/// The first thing in which a file differs from its manifest entry, or empty.
std::string verify_file(const std::string& folder, const std::string& name, const JsonNode& entry) {
  const std::string path = in_folder(folder, name);
  if (!io::path_exists(path)) return cat(name, " is missing");
  const i64 expected = entry.integer("bytes", 0, i64{1} << 60);
  const i64 bytes = static_cast<i64>(fs::file_size(path));
  if (bytes != expected) return cat(name, " has ", bytes, " bytes, expected ", expected);
  if (file_digest(path) != entry.text("xxh3"))
    return cat(name, " does not have the recorded digest");
  return {};
}

}  // namespace

Model new_model(const ModelCfg& cfg, u64 seed, i64 world_size) {
  Model model;
  model.cfg = cfg;
  std::unique_ptr<ModelParams> params = std::make_unique<ModelParams>(make_params(cfg));
  model.weights = ParamSlab(params->set, world_size);
  init_params(*params, seed, model.weights);
  model.params = std::move(params);
  return model;
}

ConfigFiles read_config_files(const std::string& folder) {
  ConfigFiles out;
  check_not_a_run(folder);
  const std::string path = in_folder(folder, "config.json");
  out.cfg = parse_config(io::read_file(path, kMaxConfigBytes), path);
  out.tokenizer_folder = folder;
  const std::string generation = in_folder(folder, "generation_config.json");
  if (io::path_exists(generation)) {
    out.generation_json = io::read_file(generation, kMaxConfigBytes);
    merge_generation(out.generation_json, generation, out.cfg);
  }
  return out;
}

ModelCfg load_config(const std::string& path) {
  return read_config_files(model_parts(path).base).cfg;
}

namespace {
SafeModel open_weights(const std::string& folder) {
  SafeModel files = SafeModel::open(folder);
  if (files.entries().empty())
    throw Error(ErrorKind::kData, cat(files.files().front().path(), ": holds no tensors"));
  return files;
}
}  // namespace

namespace {
[[noreturn]] void refuse_draw(const std::string& folder, std::string_view what) {
  throw Error(ErrorKind::kUsage, cat(folder, ": ", what));
}

void map_drawn(const std::string& folder, const ModelCfg& stored, std::optional<EmbedDraw> draw,
               MappedModel& model) {
  if (!draw && stored.embed.kind == EmbedKind::kGaussian) draw.emplace();
  model.cfg = plain_config(stored, draw.has_value());
  std::unique_ptr<ModelParams> params = std::make_unique<ModelParams>(make_params(model.cfg));
  model.weights = std::make_unique<DrawnWeights>(open_weights(folder), stored, params->set, draw);
  model.params = std::move(params);
  if (draw) model.table_bytes = 2 * stored.vocab * stored.width * item_bytes(DType::kF32);
}
}  // namespace

MappedModel map_model(const std::string& path, const std::vector<std::string>& further,
                      const std::optional<EmbedDraw>& draw, LoadAdapters load) {
  const ModelPath at = model_parts(path);
  MappedModel model;
  model.cfg = load_config(at.base);
  std::vector<std::string> adapters;
  if (!at.adapter.empty()) adapters.push_back(at.adapter);
  adapters.insert(adapters.end(), further.begin(), further.end());
  if (draw && !model.cfg.embed.drawn())
    refuse_draw(at.base, "embeddings are learned, so that there is none to draw");
  if (model.cfg.embed.drawn()) {
    if (!adapters.empty()) refuse_draw(at.base, "adapters do not go with drawn embeddings");
    const ModelCfg stored = model.cfg;
    map_drawn(at.base, stored, draw, model);
    return model;
  }
  std::unique_ptr<ModelParams> params = std::make_unique<ModelParams>(make_params(model.cfg));
  SafeModel files = open_weights(at.base);
  if (!adapters.empty()) {
    model.adapters =
        std::make_unique<AdapterBank>(adapters, files, at.base, model.cfg, params->set);
    if (load == LoadAdapters::kNow) model.adapters->load();
    model.adapter_weights.assign(adapters.size(), 0);
    if (!at.adapter.empty()) model.adapter_weights[0] = 1;
  }
  model.weights = std::make_unique<MappedWeights>(std::move(files), model.cfg, params->set);
  model.params = std::move(params);
  return model;
}

namespace {
Model load(const std::string& folder, i64 world_size, const std::optional<LoraCfg>& lora) {
  Model model;
  ConfigFiles config = read_config_files(folder);
  model.cfg = std::move(config.cfg);
  model.cfg.lora = lora;
  model.generation_json = std::move(config.generation_json);
  model.folder = folder;
  const SafeModel files = open_weights(folder);
  std::unique_ptr<ModelParams> params = std::make_unique<ModelParams>(make_params(model.cfg));
  check_weights(files, model.cfg, params->set);
  model.weights = ParamSlab(params->set, world_size);
  read_weights(files, model.cfg, params->set, model.weights);
  model.stored = files.entries().front()->dtype;
  model.params = std::move(params);
  return model;
}
}  // namespace

Model load_model(const std::string& folder, i64 world_size) {
  return load(folder, world_size, std::nullopt);
}

Model load_with_lora(const std::string& folder, const LoraCfg& lora, u64 seed, i64 world_size) {
  Model model = load(folder, world_size, lora);
  for (i32 i = 0; i < model.params->set.size(); ++i) {
    if (!model.params->set[i].trainable) continue;
    const Tensor t = model.weights[i];
    init_param(*model.params, i, seed, {t.f32_data(), usize(t.count())});
  }
  return model;
}

void write_config_files(const std::string& folder, const ConfigFiles& files, DType dtype) {
  io::write_file(in_folder(folder, "config.json"), write_config(files.cfg, torch_name(dtype)));
  io::write_file(in_folder(folder, "generation_config.json"), files.generation_json.empty()
                                                                  ? make_generation_json(files.cfg)
                                                                  : files.generation_json);
  if (files.tokenizer_folder.empty()) return;
  for (const char* name : kTokenizerFiles) {
    const std::string path = in_folder(files.tokenizer_folder, name);
    if (io::path_exists(path)) io::write_file(in_folder(folder, name), io::Mapping(path).bytes());
  }
}

std::vector<WrittenFile> write_model_files(const std::string& folder, const Model& model,
                                           const SaveOptions& options) {
  const std::string& tokenizer =
      options.tokenizer_folder.empty() ? model.folder : options.tokenizer_folder;
  write_config_files(folder, {model.cfg, model.generation_json, tokenizer}, options.dtype);
  return write_weights(model.cfg, model.params->set, model.weights, options.dtype,
                       SafeWriter::to_folder(folder, options.max_shard_bytes));
}

// What a path is not, reading the folder says better.
ModelPath model_parts(const std::string& path) {
  const bool plain = io::path_exists(path) ? !is_adapter(path) : path.find('+') == path.npos;
  return plain ? ModelPath{path, {}} : find_model(path);
}

std::span<const char* const> tokenizer_file_names() {
  return kTokenizerFiles;
}

void write_manifest(const std::string& folder, std::span<const WrittenFile> known) {
  Json files = Json::object();
  for (const std::string& name : list_files(folder)) {
    if (name == kManifest) continue;
    const std::string path = in_folder(folder, name);
    const auto one = std::find_if(known.begin(), known.end(),
                                  [&](const WrittenFile& file) { return file.name == name; });
    if (one != known.end()) {
      files[name] = {{"bytes", one->bytes}, {"xxh3", hex64(one->xxh3)}};
    } else {
      files[name] = {{"bytes", fs::file_size(path)}, {"xxh3", file_digest(path)}};
    }
  }
  const Json manifest = {{"files", files}};
  io::write_file(in_folder(folder, kManifest), manifest.dump(1) + "\n");
}

std::string verify_folder(const std::string& folder) {
  const std::string path = in_folder(folder, kManifest);
  if (!io::path_exists(path)) return {};
  const Json json = parse_object(io::read_file(path, kMaxConfigBytes), path);
  std::string wrong;
  JsonNode(json, path).object("files").each_field([&](std::string_view name, const JsonNode& file) {
    if (wrong.empty()) wrong = verify_file(folder, std::string(name), file);
  });
  return wrong;
}

namespace {

/// Files that programs of the toolkit write into a model's folder.
bool is_model_file(const std::string& name) {
  if (name.ends_with(".safetensors")) return true;
  for (const std::string_view known :
       {"config.json", "generation_config.json", kManifest, "model.safetensors.index.json",
        "chat_template.jinja", "merge.json", "soup.json", "ablate.json", kAdapterConfig})
    if (name == known) return true;
  for (const char* const known : kTokenizerFiles)
    if (name == known) return true;
  return name.starts_with('.') && name.find(".lm-") != std::string::npos;
}

}  // namespace

std::vector<std::string> model_files(const std::string& path) {
  const ModelPath parts = model_parts(path);
  std::vector<std::string> out;
  for (const std::string& folder : {parts.base, parts.adapter}) {
    std::error_code code;
    for (fs::directory_iterator at(folder, code); !code && at != fs::directory_iterator();
         at.increment(code)) {
      if (is_model_file(at->path().filename().string())) out.push_back(at->path().string());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

void check_replaceable(const std::string& folder) {
  io::check_replaceable(folder, "model",
                        [](const std::string& name) { return name == "config.json"; });
  std::error_code code;
  for (fs::directory_iterator at(folder, code); !code && at != fs::directory_iterator();
       at.increment(code)) {
    const std::string name = at->path().filename().string();
    if (is_model_file(name) && !at->is_directory(code)) continue;
    throw Error(ErrorKind::kCannotCreate,
                cat(folder, ": holds ", quote(name), " beside the model, which would be lost"),
                "move it away, or write into a new folder");
  }
}

void save_model(const std::string& folder, const Model& model, const SaveOptions& options) {
  check_replaceable(folder);
  io::AtomicDir out(folder, {}, true);
  const std::vector<WrittenFile> weights = write_model_files(out.temp_path(), model, options);
  write_manifest(out.temp_path(), weights);
  out.commit();
}

namespace {
/// Nanoseconds of the last change of a file's content, name or place, which no program can set
/// back; or none.
std::optional<i64> changed_at(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return i64{info.st_ctim.tv_sec} * 1'000'000'000 + info.st_ctim.tv_nsec;
}

/// Digests by name of a manifest, for files that are older than it.
class RecordedDigests {
 public:
  explicit RecordedDigests(const std::string& folder) : folder_(folder) {
    const std::string path = in_folder(folder, kManifest);
    written_ = changed_at(path);
    if (!written_) return;
    const Json json = Json::parse(io::read_file(path, kMaxConfigBytes), nullptr, false);
    if (json.is_object() && json.contains("files")) files_ = json["files"];
  }
  /// Empty for what is not recorded, has another size, or may have changed since.
  std::string find(const std::string& name) const {
    const Json* const entry = member(files_, name);
    if (entry == nullptr) return {};
    const Json* const bytes = member(*entry, "bytes");
    const Json* const digest = member(*entry, "xxh3");
    if (bytes == nullptr || !bytes->is_number_integer() || digest == nullptr ||
        !digest->is_string())
      return {};
    const std::string path = in_folder(folder_, name);
    const std::optional<i64> changed = changed_at(path);
    if (!changed || *changed >= *written_ ||
        bytes->get<i64>() != static_cast<i64>(fs::file_size(path)))
      return {};
    return digest->get<std::string>();
  }

 private:
  static const Json* member(const Json& object, const std::string& name) {
    if (!object.is_object()) return nullptr;
    const Json::const_iterator at = object.find(name);
    return at == object.end() ? nullptr : &*at;
  }

  const std::string& folder_;
  std::optional<i64> written_;
  Json files_;
};
}  // namespace

namespace {
/// Of a configuration and the weights beside it.
std::string folder_digest(const std::string& folder, const char* config, const SafeModel& model) {
  const RecordedDigests recorded(folder);
  std::vector<std::string> paths;
  for (const SafeFile& file : model.files())
    paths.push_back(file.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> digests(paths.size());
  parallel_for(isize(paths), 1, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      std::string& digest = digests[usize(i)];
      digest = recorded.find(fs::path(paths[usize(i)]).filename().string());
      if (digest.empty()) digest = file_digest(paths[usize(i)]);
    }
  });
  std::string text = file_digest(in_folder(folder, config));
  for (i64 i = 0; i < isize(paths); ++i)
    append(text, "\n", fs::file_size(paths[usize(i)]), " ", digests[usize(i)]);
  const Hash128 hash = xxh3_128(text);
  return cat("xxh3:", hex64(hash.hi), hex64(hash.lo));
}
}  // namespace

std::string model_digest(const std::string& path) {
  const ModelPath at = model_parts(path);
  const std::string base = folder_digest(at.base, "config.json", SafeModel::open(at.base));
  if (at.adapter.empty()) return base;
  const Hash128 hash = xxh3_128(cat(base, "\n", adapter_digest(at.adapter)));
  return cat("xxh3:", hex64(hash.hi), hex64(hash.lo));
}

std::string adapter_digest(const std::string& folder) {
  return folder_digest(folder, kAdapterConfig, SafeModel::open(in_folder(folder, kAdapterWeights)));
}

}  // namespace lm::model

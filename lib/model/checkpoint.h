#pragma once
// Model folders as transformers reads and writes them: config.json, generation_config.json,
// model.safetensors (or shards with an index), tokenizer files; and manifest.json with sizes and
// digests. A folder appears complete under its name or not at all (io::AtomicDir).

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "model/adapter.h"
#include "model/adapter_bank.h"
#include "model/config.h"
#include "model/drawn_embeddings.h"
#include "model/mapped_weights.h"
#include "model/params.h"
#include "tensor/safe_writer.h"
#include "tensor/tensor.h"

namespace lm::model {

/// A model in memory, f32. Movable; the parameter list stays at its address.
struct Model {
  ModelCfg cfg;
  std::unique_ptr<const ModelParams> params;
  ParamSlab weights;
  DType stored = DType::kF32;   // type of the checkpoint's weights
  std::string generation_json;  // generation_config.json as read, or empty
  std::string folder;           // where it was read, empty for a new model
};

/// A model folder opened for inference: parameters in the file's type, where the file is mapped;
/// and adapters beside it. Movable; what it points to stays at its address. Where embeddings are
/// drawn, this is an ordinary model of one draw (drawn_weights.h).
struct MappedModel {
  ModelCfg cfg;
  std::unique_ptr<const ModelParams> params;
  std::unique_ptr<const Weights> weights;
  i64 table_bytes = 0;                    // of a draw, in memory
  std::unique_ptr<AdapterBank> adapters;  // null: none
  std::vector<f32> adapter_weights;       // of a text that is not told otherwise
};

/// What runs: a model in memory or a mapped one, which outlives it.
struct ModelRef {
  ModelRef(const Model& m) : cfg(m.cfg), params(*m.params), weights(m.weights) {}  // NOLINT
  ModelRef(const MappedModel& m)                                                   // NOLINT
      : cfg(m.cfg),
        params(*m.params),
        weights(*m.weights),
        adapters(m.adapters.get()),
        adapter_weights(m.adapter_weights) {}
  const ModelCfg& cfg;
  const ModelParams& params;
  const Weights& weights;
  const AdapterBank* adapters = nullptr;
  std::span<const f32> adapter_weights;
};

/// A fresh model with initial weights drawn from seed. world_size pads the slab for sharding.
Model new_model(const ModelCfg& cfg, u64 seed, i64 world_size = 1);

/// Reads a folder; cfg.end_ids takes generation_config.json's end ids too.
/// Throws Error{kNoInput} when config.json or the weights are absent, Error{kData} naming file and
/// key or tensor (parse_config, read_weights). Sharded and single files, f32/bf16/f16/f64.
Model load_model(const std::string& folder, i64 world_size = 1);

/// The same with fresh adapters, drawn from seed, beside its matrices, and everything else frozen.
/// Throws Error{kUsage} for targets that the model does not have (lora_modules).
Model load_with_lora(const std::string& folder, const LoraCfg& lora, u64 seed, i64 world_size = 1);

/// Opens a model (find_model) without reading its weights, with its adapter and further ones beside
/// it, which texts choose (Engine::adapt): of adapter i of `further` the number is i, or i + 1 if
/// the model has one of its own. draw: of a model with drawn embeddings; absent: the first of seed
/// 0 of a gaussian one, the learnt table of a semi one. An engine wants adapters loaded; with
/// kLater the caller does that, when it has the memory. Throws as load_model, find_model and
/// AdapterBank, and Error{kUsage} for a draw or adapters that the model does not go with.
enum class LoadAdapters : u8 { kNow, kLater };
MappedModel map_model(const std::string& path, const std::vector<std::string>& further = {},
                      const std::optional<EmbedDraw>& draw = {},
                      LoadAdapters load = LoadAdapters::kNow);

/// Only the configuration (with generation_config.json's end ids) of a model (find_model): for
/// plans and listings.
ModelCfg load_config(const std::string& path);

struct SaveOptions {
  DType dtype = DType::kF32;     // f32, bf16 or f16
  std::string tokenizer_folder;  // copy the tokenizer files found here; empty: model.folder, if any
  i64 max_shard_bytes = kMaxShardBytes;
};

/// What a model folder holds beside its weights.
struct ConfigFiles {
  ModelCfg cfg;                  // config.json
  std::string generation_json;   // generation_config.json as read, or empty
  std::string tokenizer_folder;  // where the tokenizer files are, empty: nowhere
};

/// Reads those of a folder. Throws as load_config.
ConfigFiles read_config_files(const std::string& folder);
/// Writes config.json, saying that weights are of type dtype (f32, bf16, f16; else Error{kUsage}),
/// generation_config.json, and copies of the tokenizer files, into an existing folder. Throws
/// Error{kCannotCreate, kIo}.
void write_config_files(const std::string& folder, const ConfigFiles& files, DType dtype);

/// write_config_files, and the weights (write_weights): for callers that add files of their own
/// (trainer state) before they call write_manifest and rename. Returns the files of weights. Throws
/// Error{kCannotCreate, kIo, kUsage}.
std::vector<WrittenFile> write_model_files(const std::string& folder, const Model& model,
                                           const SaveOptions& options);

/// The folders of a model (find_model): the base has configuration and tokenizer. A path that names
/// nothing is given back as the base.
ModelPath model_parts(const std::string& path);

/// The names of tokenizer files that a model folder may hold.
std::span<const char* const> tokenizer_file_names();

/// Writes manifest.json over every file below folder: {"files": {name: {"bytes", "xxh3"}}}. known:
/// what was written there and need not be read for it.
void write_manifest(const std::string& folder, std::span<const WrittenFile> known = {});

/// Checks folder against its manifest.json. Returns an empty string, or what is wrong
/// ("model.safetensors has 120 bytes, expected 128"). Reads everything. A folder without a manifest
/// (written by another program) is not wrong. Throws Error{kData} for an unreadable manifest.
std::string verify_folder(const std::string& folder);

/// write_model_files and write_manifest into a hidden sibling, synced and renamed. Replaces an
/// older model folder; anything else that exists there is refused with Error{kCannotCreate}.
void save_model(const std::string& folder, const Model& model, const SaveOptions& options);

/// The files of a model (find_model) that have names of a model's (configuration, weights,
/// tokenizer, adapter): paths, sorted. Nothing if it is no folder.
std::vector<std::string> model_files(const std::string& path);
/// io::check_replaceable for model folders, which hold a config.json. They are replaced whole, so
/// what else stands there is refused too.
void check_replaceable(const std::string& folder);

/// The identity that records carry, "xxh3:" and 32 hexadecimal digits: XXH3 over config.json and
/// the sizes and XXH3 digests of the weight files by name. The digest of a file that did not
/// change since manifest.json was written is taken from there, by the system's change times, which
/// copies do not keep; other files are read. Of a base with an adapter: over both digests.
std::string model_digest(const std::string& path);
/// The same of an adapter's configuration and factors.
std::string adapter_digest(const std::string& folder);

}  // namespace lm::model

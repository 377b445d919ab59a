#pragma once
// Model folders as transformers reads and writes them: config.json, generation_config.json,
// model.safetensors (or shards with an index), tokenizer files; and manifest.json with sizes and
// digests. A folder appears complete under its name or not at all (io::AtomicDir).

#include <memory>
#include <span>
#include <string>

#include "model/config.h"
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

/// A model folder opened for inference: parameters in the file's type, where the file is mapped.
/// Movable; parameter list and weights stay at their addresses.
struct MappedModel {
  ModelCfg cfg;
  std::unique_ptr<const ModelParams> params;
  std::unique_ptr<const MappedWeights> weights;
};

/// What runs: a model in memory or a mapped one, which outlives it.
struct ModelRef {
  ModelRef(const Model& m) : cfg(m.cfg), params(*m.params), weights(m.weights) {}         // NOLINT
  ModelRef(const MappedModel& m) : cfg(m.cfg), params(*m.params), weights(*m.weights) {}  // NOLINT
  const ModelCfg& cfg;
  const ModelParams& params;
  const Weights& weights;
};

/// A fresh model with initial weights drawn from seed. world_size pads the slab for sharding.
Model new_model(const ModelCfg& cfg, u64 seed, i64 world_size = 1);

/// Reads a folder; cfg.end_ids takes generation_config.json's end ids too.
/// Throws Error{kNoInput} when config.json or the weights are absent, Error{kData} naming file and
/// key or tensor (parse_config, read_weights). Sharded and single files, f32/bf16/f16/f64.
Model load_model(const std::string& folder, i64 world_size = 1);

/// Opens a folder without reading its weights. Throws as load_model.
MappedModel map_model(const std::string& folder);

/// Only the configuration (with generation_config.json's end ids): for plans and listings.
ModelCfg load_config(const std::string& folder);

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

/// The files in a folder that have names of a model's (configuration, weights, tokenizer): paths,
/// sorted. Nothing if it is no folder.
std::vector<std::string> model_files(const std::string& folder);
/// io::check_replaceable for model folders, which hold a config.json. They are replaced whole, so
/// what else stands there is refused too.
void check_replaceable(const std::string& folder);

/// The identity that records carry, "xxh3:" and 32 hexadecimal digits: XXH3 over config.json and
/// the sizes and XXH3 digests of the weight files by name. The digest of a file that did not
/// change since manifest.json was written is taken from there, by the system's change times, which
/// copies do not keep; other files are read.
std::string model_digest(const std::string& folder);

}  // namespace lm::model

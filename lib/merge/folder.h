#pragma once
// The output of a merge: a model folder that appears whole or not at all, or tensors in memory.

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "io/atomic_file.h"
#include "merge/plan.h"
#include "tensor/safe_writer.h"

namespace lm::merge {

struct FolderOptions {
  i64 shard_bytes = kMaxShardBytes;
  std::string version;  // of the program, for merge.json
  io::OutputOptions files;
  std::map<std::string, std::string> more_files;  // by name, what else the folder holds
};

/// Checks, before a plan is made, that a folder may be written: absent, empty, or an older model.
/// Throws Error{kCannotCreate}.
void check_output(const std::string& folder);

/// Merges into a folder: config.json, the reference's tokenizer files and generation_config.json,
/// safetensors, merge.json (what was merged, and digests of what was read) and manifest.json.
/// Throws what run() does, and Error{kCannotCreate, kIo}.
EngineReport merge_into_folder(Plan& plan, const Recipe& recipe, const std::string& folder,
                               const FolderOptions& options, const EngineOptions& engine,
                               const Context& ctx, std::atomic<i64>* done = nullptr);

/// Tensors in memory, as stored: for merging within a program.
class MemorySink final : public Sink {
 public:
  struct Stored {
    DType dtype = DType::kF32;
    Shape shape;
    std::string bytes;
  };
  void declare(const std::string& name, DType dtype, const Shape& shape) override;
  void begin() override;
  std::span<const i64> order() const override { return order_; }
  void write(std::string_view name, std::string_view bytes) override;
  void commit() override {}
  const std::map<std::string, Stored, std::less<>>& tensors() const { return tensors_; }

 private:
  std::map<std::string, Stored, std::less<>> tensors_;
  std::vector<i64> order_;
};

}  // namespace lm::merge

#pragma once
// Reads the safetensors container: u64 little-endian header length, JSON header padded with spaces
// to 8 bytes, then tensor data without gaps. Reading is strict and maps the file: it costs no
// memory beside the list of tensors. A folder holds either model.safetensors or shards named by
// model.safetensors.index.json. safe_writer.h writes them.

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/atomic_file.h"
#include "io/file.h"
#include "tensor/tensor.h"

namespace lm {

/// The name of a type in safetensors files: "BF16", "F8_E4M3".
std::string_view safetensors_type(DType dtype);

/// One tensor of a file. data lies in the mapping: valid while the file object lives.
struct SafeEntry {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
  const u8* data = nullptr;
  i64 bytes = 0;
};

/// An open safetensors file. Move-only; const access is safe from many threads.
class SafeFile {
 public:
  /// Maps and validates. Throws kNoInput/kPermission/kIo from the file layer, and Error{kData}
  /// naming file and tensor for: a file shorter than its header or data, header over 100 MB or not
  /// JSON, unknown dtype, more than 5 dimensions, offsets out of range, overlapping or leaving
  /// gaps, a size that is not product * itemsize, duplicate names, trailing bytes.
  explicit SafeFile(const std::string& path);

  const std::string& path() const { return path_; }
  /// Sorted by name.
  std::span<const SafeEntry> entries() const { return entries_; }
  /// Null when absent. O(log n).
  const SafeEntry* find(std::string_view name) const;
  /// The "__metadata__" strings.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  std::string path_;
  io::Mapping map_;
  std::vector<SafeEntry> entries_;
  std::map<std::string, std::string> metadata_;
};

/// All tensors of a model: one file, or the shards of an index. Names are unique across shards.
class SafeModel {
 public:
  /// path: a .safetensors file, an index.json, or a folder holding either (index preferred). Throws
  /// kNoInput when nothing is found and kData when the index names a tensor its shard lacks, a
  /// shard holds a tensor the index does not name there, or a shard name leaves the folder.
  static SafeModel open(const std::string& path);

  /// Sorted by name, all shards.
  std::span<const SafeEntry* const> entries() const { return entries_; }
  const SafeEntry* find(std::string_view name) const;
  /// find(), or Error{kData} naming the file and the tensor.
  const SafeEntry& require(std::string_view name) const;
  const std::vector<SafeFile>& files() const { return files_; }

 private:
  std::string path_;
  std::vector<SafeFile> files_;
  std::vector<const SafeEntry*> entries_;
};

/// A tensor view of an entry (row-major, contiguous). The bytes are read-only: do not write.
/// Throws Error{kData} when the data is not aligned for its dtype.
Tensor entry_tensor(const SafeEntry& entry);

/// Copies an entry into `to` with dtype conversion. Throws ShapeError naming the tensor unless
/// shapes are equal (leading or trailing dimensions of 1 must match too).
void load_entry(const SafeEntry& entry, const Tensor& to);

}  // namespace lm

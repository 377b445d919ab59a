#pragma once
// Writes safetensors files as a stream: every tensor is declared, then their elements follow in
// file order, in blocks of any size, so that a checkpoint larger than memory passes through one
// buffer. Tensors are cut into files by name; within a file wider types stand first, so that each
// tensor is aligned for its type, and equal types by name. Equal declarations give equal bytes.
// Files appear when all are complete and synced, or not at all. One thread at a time: results of
// several threads are handed over in file order.

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/xxh3_stream.h"
#include "io/atomic_file.h"
#include "tensor/tensor.h"

namespace lm {

inline constexpr i64 kMaxShardBytes = 5'000'000'000;  // what transformers takes

/// A file of weights as it was written.
struct WrittenFile {
  std::string name;  // in its folder
  i64 bytes = 0;
  u64 xxh3 = 0;  // xxh3_64 of all of them
};

class SafeWriter {
 public:
  using Metadata = std::map<std::string, std::string>;

  /// One file. metadata is added to {"format":"pt"}, which transformers requires, in every file.
  static SafeWriter to_file(const std::string& path, Metadata metadata = {});
  /// Into a file that the caller completes once commit() has returned.
  static SafeWriter into(io::AtomicFile& file, Metadata metadata = {});
  /// The weights of a model folder, which must exist: model.safetensors, or
  /// model-0000i-of-0000n.safetensors and their index where the data exceeds max_shard_bytes (a
  /// larger tensor gets a file of its own). commit() removes weights that stood there in the other
  /// layout or in more files. Where the folder itself is synced before it gets its name, files need
  /// not be.
  static SafeWriter to_folder(const std::string& folder, i64 max_shard_bytes = kMaxShardBytes,
                              Metadata metadata = {}, const io::OutputOptions& options = {});

  /// Announces a tensor; the first is number 0. Any order.
  void declare(std::string name, DType dtype, const Shape& shape);
  /// Ends the declarations and opens the first file. Throws kCannotCreate, kPermission, kIo, and
  /// kInternal for a name that was declared twice.
  void begin();
  /// Numbers of the declarations in file order: the order in which write() wants them.
  std::span<const i64> order() const { return order_; }

  /// Appends the next elements of tensor `name`, in row-major order. rows may be strided and of any
  /// shape; another type than the declared one is converted as copy_convert does (f32 to f16 and
  /// bf16: to nearest even). A tensor without elements needs no call. Throws kIo, and kInternal
  /// naming the tensor for one that is unknown, not due or given more elements than declared.
  void write(std::string_view name, const Tensor& rows);
  void write(std::string_view name, std::span<const f32> elements);
  /// The same for whole elements in the declared type, little-endian as in the file.
  void write_bytes(std::string_view name, std::string_view bytes);

  /// Puts the files in place. Throws kIo, and kInternal naming the tensor that is not complete.
  void commit();
  /// Of a folder, after commit(): its files but the index, with digests that were taken on the way,
  /// so that nobody needs to read them again.
  const std::vector<WrittenFile>& written() const { return written_; }

 private:
  enum class Phase : u8 { kDeclaring, kWriting, kDone };
  struct Declared {
    std::string name;
    DType dtype = DType::kF32;
    Shape shape;
    i64 bytes = 0;
  };

  SafeWriter(std::string path, bool folder, i64 max_shard_bytes, Metadata metadata,
             const io::OutputOptions& options);
  [[noreturn]] void misuse(std::string_view name, std::string_view what) const;
  void cut_files();
  std::string file_name(i64 file) const;
  std::string make_header(i64 file) const;
  void open_file();
  void next_tensor();
  const Declared& due(std::string_view name, i64 count) const;
  void append(const Declared& to, const u8* from, DType dtype, i64 count);
  void advance(i64 count);
  void flush();
  void put(std::string_view bytes);
  void end_file();
  std::string make_index() const;
  void commit_folder();

  std::string path_;
  bool folder_;
  i64 max_shard_bytes_;
  Metadata metadata_;
  io::OutputOptions options_;
  Phase phase_ = Phase::kDeclaring;
  std::vector<Declared> declared_;
  std::vector<i64> order_;
  std::vector<i64> file_ends_;  // by file, the place in order_ after its last tensor
  std::vector<std::unique_ptr<io::AtomicFile>> files_;  // opened so far, unless it is the caller's
  io::AtomicFile* callers_ = nullptr;
  io::AtomicFile* file_ = nullptr;  // the one that is written
  i64 opened_ = 0;
  std::unique_ptr<Xxh3Stream> digest_;  // of file_ in a folder, else null
  std::vector<WrittenFile> written_;
  std::string buffer_;  // of file_
  i64 at_ = 0;          // place in order_ of the tensor that is due
  i64 left_ = 0;        // its elements to come
};

/// What to write at once: rows may be strided (a view); the type is stored as is.
struct SafeWrite {
  std::string name;
  Tensor tensor;
};

/// Writes one file of tensors that are in memory. Throws what SafeWriter does.
void write_safetensors(const std::string& path, std::span<const SafeWrite> tensors,
                       const std::map<std::string, std::string>& metadata = {});
/// Into a file that the caller completes.
void write_safetensors(io::AtomicFile& file, std::span<const SafeWrite> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace lm

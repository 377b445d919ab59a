#pragma once
// Vectors as a safetensors file: tensor "embeddings" [N, D], or [N, layers, D] for several layers;
// the records' ids as a JSON array in the metadata. Vectors wait in a temporary file, because the
// header, which comes first, names their number.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/context.h"
#include "io/atomic_file.h"
#include "io/file.h"
#include "tensor/tensor.h"

namespace lm::embed {

class VectorFile {
 public:
  /// shape: of one record's vectors; dtype: f32 or f16.
  VectorFile(const Context& ctx, const Shape& shape, DType dtype);
  ~VectorFile() { ctx_.memory->release(charged_); }
  VectorFile(const VectorFile&) = delete;
  VectorFile& operator=(const VectorFile&) = delete;
  /// id: JSON text. Ids are charged to --memory; Error{kData} when they exceed what a header holds.
  void add(std::string_view id, std::span<const f32> vectors);
  i64 count() const { return count_; }
  /// The whole file. metadata: beside the ids.
  void write(io::AtomicFile& file, std::map<std::string, std::string> metadata) const;

 private:
  const Context& ctx_;
  Shape shape_;
  DType dtype_;
  io::TempFile vectors_;
  std::string ids_;  // "[1,2"
  i64 charged_ = 0;
  i64 count_ = 0;
};

/// Bytes of a vector as it is stored: little-endian f32 or f16.
void append_numbers(std::string& out, std::span<const f32> vector, DType dtype);

}  // namespace lm::embed

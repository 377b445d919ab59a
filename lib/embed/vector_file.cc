#include "embed/vector_file.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/str.h"
#include "tensor/convert.h"
#include "tensor/safe_writer.h"

namespace lm::embed {
namespace {

constexpr i64 kCopyBytes = i64{1} << 20;
constexpr i64 kMostIdBytes = i64{64} << 20;  // readers refuse headers of 100 MB
constexpr i64 kChargeBytes = i64{1} << 16;
constexpr const char* kTensor = "embeddings";

}  // namespace

void append_numbers(std::string& out, std::span<const f32> vector, DType dtype) {
  if (dtype == DType::kF32) {
    out.append(reinterpret_cast<const char*>(vector.data()), vector.size_bytes());
    return;
  }
  LM_CHECK(dtype == DType::kF16, "vectors are stored as f32 or f16");
  for (const f32 x : vector) {
    const u16 bits = f32_to_f16(x);
    out.push_back(static_cast<char>(bits & 0xff));
    out.push_back(static_cast<char>(bits >> 8));
  }
}

VectorFile::VectorFile(const Context& ctx, const Shape& shape, DType dtype)
    : ctx_(ctx), shape_(shape), dtype_(dtype), vectors_(ctx.tmp_dir) {}

void VectorFile::add(std::string_view id, std::span<const f32> vectors) {
  LM_CHECK(isize(vectors) == shape_.count(), "vectors of one shape");
  std::string bytes;
  append_numbers(bytes, vectors, dtype_);
  vectors_.append(bytes.data(), isize(bytes));
  append(ids_, count_ == 0 ? "[" : ",", id);
  ++count_;
  if (isize(ids_) > kMostIdBytes)
    throw Error(ErrorKind::kData,
                cat("the ids of ", count_, " records exceed ", format_bytes(kMostIdBytes),
                    ", more than the header of a safetensors file holds"),
                "make several files with --shard, or records with --encoding base64");
  while (2 * isize(ids_) > charged_) {  // a string that grows holds up to twice its size
    ctx_.memory->charge_growing(charged_, kChargeBytes, "ids of records");
    charged_ += kChargeBytes;
  }
}

void VectorFile::write(io::AtomicFile& file, std::map<std::string, std::string> metadata) const {
  Shape shape;
  shape.rank = static_cast<u8>(shape_.rank + 1);
  shape.dim[0] = count_;
  for (int i = 0; i < shape_.rank; ++i)
    shape.dim[usize(i + 1)] = shape_[i];
  metadata["ids"] = count_ == 0 ? "[]" : ids_ + "]";
  SafeWriter writer = SafeWriter::into(file, std::move(metadata));
  writer.declare(kTensor, dtype_, shape);
  writer.begin();
  std::string buffer(usize(kCopyBytes), '\0');
  for (i64 at = 0; at < vectors_.size(); at += kCopyBytes) {
    const i64 n = std::min(kCopyBytes, vectors_.size() - at);
    vectors_.read_at(buffer.data(), n, at);
    writer.write_bytes(kTensor, std::string_view(buffer).substr(0, usize(n)));
  }
  writer.commit();
}

}  // namespace lm::embed

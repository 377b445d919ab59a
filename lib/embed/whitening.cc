#include "embed/whitening.h"

#include <algorithm>
#include <cmath>

#include "core/hash.h"
#include "core/parallel.h"
#include "core/str.h"
#include "stat/eigen.h"
#include "tensor/safe_writer.h"
#include "tensor/safetensors.h"

namespace lm::embed {
namespace {

constexpr const char* kCount = "vectors";
constexpr f64 kLeastVariance = 1e-10;  // of the largest

std::vector<f64> read_numbers(const SafeFile& file, const char* name, int rank) {
  const SafeEntry* const entry = file.find(name);
  if (entry == nullptr)
    throw Error(ErrorKind::kData, cat(file.path(), ": has no tensor \"", name,
                                      "\"; a file of --whiten-fit is expected"));
  if (entry->shape.rank != rank || (entry->dtype != DType::kF32 && entry->dtype != DType::kF64))
    throw Error(ErrorKind::kData,
                cat(file.path(), ": tensor \"", name, "\" is ", dtype_name(entry->dtype), " ",
                    to_string(entry->shape), ", expected f32 or f64 of rank ", rank));
  std::vector<f64> out(usize(entry->shape.count()));
  const Tensor from = entry_tensor(*entry);
  for (i64 i = 0; i < isize(out); ++i) {
    const f64 x = entry->dtype == DType::kF32
                      ? static_cast<f64>(static_cast<const f32*>(from.data)[i])
                      : static_cast<const f64*>(from.data)[i];
    if (!std::isfinite(x))
      throw Error(ErrorKind::kData,
                  cat(file.path(), ": tensor \"", name, "\": number ", i, " is not finite"));
    out[usize(i)] = x;
  }
  return out;
}

}  // namespace

Whitening::Whitening(const std::string& path, i64 dim) {
  const SafeFile file(path);
  mean_ = read_numbers(file, "mean", 1);
  matrix_ = read_numbers(file, "matrix", 2);
  source_ = file.metadata();
  source_.erase(kCount);
  source_.erase("format");  // every file has it
  width_ = isize(mean_);
  const Shape& shape = file.find("matrix")->shape;
  if (shape[1] != width_)
    throw Error(ErrorKind::kData, cat(path, ": tensor \"matrix\" has shape ", to_string(shape),
                                      ", expected rows of ", width_, " as \"mean\" has"));
  if (dim > shape[0])
    throw Error(ErrorKind::kUsage,
                cat("--whiten-dim ", dim, " is more than the ", shape[0], " rows of ", path));
  dim_ = dim > 0 ? dim : shape[0];
  matrix_.resize(usize(dim_ * width_));
}

void Whitening::apply(std::span<const f32> x, std::span<f32> out) const {
  LM_CHECK(isize(x) == width_ && isize(out) == dim_, "vectors of the transformation's size");
  std::vector<f64> centred(x.size());
  for (std::size_t c = 0; c < x.size(); ++c)
    centred[c] = static_cast<f64>(x[c]) - mean_[c];
  for (i64 r = 0; r < dim_; ++r) {
    const f64* const row = matrix_.data() + r * width_;
    f64 sum = 0;
    for (i64 c = 0; c < width_; ++c)
      sum += row[c] * centred[usize(c)];
    out[usize(r)] = static_cast<f32>(sum);
  }
}

u64 Whitening::key() const {
  const auto bytes = [](const std::vector<f64>& list) {
    return std::string_view(reinterpret_cast<const char*>(list.data()), list.size() * sizeof(f64));
  };
  return xxh3_64(bytes(matrix_), xxh3_64(bytes(mean_)));
}

WhiteningFit::WhiteningFit(i64 width, MemoryBudget& memory)
    : width_(width),
      charge_(memory, 3 * width * width * static_cast<i64>(sizeof(f64)),
              cat("a covariance of ", width, " numbers")),
      mean_(usize(width), 0.0),
      delta_(usize(width), 0.0),
      scatter_(usize(width * width), 0.0) {}

void WhiteningFit::add(std::span<const f32> x) {
  LM_CHECK(isize(x) == width_, "vectors of one size");
  const f64 n = static_cast<f64>(++count_);
  for (std::size_t c = 0; c < x.size(); ++c)
    delta_[c] = static_cast<f64>(x[c]) - mean_[c];
  const f64 factor = (n - 1) / n;
  parallel_for(width_, 64, [&](i64 begin, i64 end) {
    for (i64 r = begin; r < end; ++r) {
      const f64 d = factor * delta_[usize(r)];
      f64* const row = scatter_.data() + r * width_;
      for (i64 c = r; c < width_; ++c)
        row[c] += d * delta_[usize(c)];
    }
  });
  for (std::size_t c = 0; c < x.size(); ++c)
    mean_[c] += delta_[c] / n;
}

void WhiteningFit::write(io::AtomicFile& file, std::map<std::string, std::string> source) const {
  if (count_ < 2)
    throw Error(ErrorKind::kData,
                cat("a whitening needs at least two vectors, ", count_, " were made"));
  std::vector<f64> covariance = scatter_;
  for (f64& x : covariance)
    x /= static_cast<f64>(count_ - 1);
  stat::SymmetricEigen eigen;
  eigen.compute(covariance, width_, true);
  const f64 largest = eigen.values().back();
  OwnedTensor mean({width_}, DType::kF64);
  OwnedTensor matrix({width_, width_}, DType::kF64);
  std::copy(mean_.begin(), mean_.end(), static_cast<f64*>(mean.view.data));
  for (i64 r = 0; r < width_; ++r) {
    const f64 variance = eigen.values()[usize(width_ - 1 - r)];
    const std::span<const f64> axis = eigen.vector(width_ - 1 - r);
    // An axis has no direction of its own: its largest component is made positive.
    const auto top = std::max_element(axis.begin(), axis.end(),
                                      [](f64 a, f64 b) { return std::abs(a) < std::abs(b); });
    f64 factor = variance > kLeastVariance * largest ? 1 / std::sqrt(variance) : 0.0;
    if (*top < 0) factor = -factor;
    f64* const row = static_cast<f64*>(matrix.view.data) + r * width_;
    for (i64 c = 0; c < width_; ++c)
      row[c] = factor * axis[usize(c)];
  }
  const SafeWrite tensors[] = {{"matrix", matrix.view}, {"mean", mean.view}};
  source[kCount] = cat(count_);
  write_safetensors(file, tensors, source);
}

}  // namespace lm::embed

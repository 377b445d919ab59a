#pragma once
// Whitening of vectors: y = matrix (x - mean), where the rows of matrix are the principal axes of
// the vectors it was made from, each divided by the deviation along it; the first of them keep most
// of the variance in fewer numbers. Sources: Mu and Viswanath 2018 (mean and top components carry
// little meaning); Su et al. 2021 (whitening of sentence vectors).

#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/context.h"
#include "core/types.h"
#include "io/atomic_file.h"
#include "tensor/tensor.h"

namespace lm::embed {

class Whitening {
 public:
  /// A safetensors file with mean [D] and matrix [K, D], f32 or f64. dim: rows that are used, 0:
  /// all. Throws Error{kData} naming file and tensor; Error{kUsage} for dim > K.
  Whitening(const std::string& path, i64 dim);

  /// What WhiteningFit::write was told of the vectors; empty for a file from elsewhere.
  const std::map<std::string, std::string>& source() const { return source_; }
  i64 width() const { return width_; }  // D
  i64 dim() const { return dim_; }
  /// x: [D]; out: [dim].
  void apply(std::span<const f32> x, std::span<f32> out) const;
  /// 64 bits of the transformation.
  u64 key() const;

 private:
  i64 width_ = 0;
  i64 dim_ = 0;
  std::map<std::string, std::string> source_;
  std::vector<f64> mean_, matrix_;
};

/// Mean and covariance of a stream of vectors (Welford), then the transformation. Memory: 8 D^2
/// bytes, charged.
class WhiteningFit {
 public:
  WhiteningFit(i64 width, MemoryBudget& memory);
  void add(std::span<const f32> x);
  i64 count() const { return count_; }
  /// Writes mean and matrix, axes by falling variance. Axes without variance (below 1e-10 of the
  /// largest) get zero rows: nothing is known along them. Throws Error{kData} for fewer than two
  /// vectors. O(D^3). source: what the vectors are, in the file's metadata.
  void write(io::AtomicFile& file, std::map<std::string, std::string> source) const;

 private:
  i64 width_;
  i64 count_ = 0;
  MemoryCharge charge_;
  std::vector<f64> mean_, delta_;
  std::vector<f64> scatter_;  // upper triangle of the sum of outer products
};

}  // namespace lm::embed

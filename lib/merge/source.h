#pragma once
// Where the elements of an input come from. A merge sees only tensors of the output's shape; that a
// file has other rows, or a low-rank delta beside a base, is a source's affair. Sources borrow from
// open files; all functions are safe to call from several threads.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/hash.h"
#include "tensor/safetensors.h"

namespace lm::merge {

class TensorSource {
 public:
  virtual ~TensorSource() = default;
  /// For messages: "file: tensor name".
  virtual std::string describe() const = 0;
  /// Its own name, which need not be the output's.
  virtual std::string_view name() const = 0;
  virtual DType dtype() const = 0;
  virtual const Shape& shape() const = 0;
  /// Elements [first, first + count), widened exactly.
  virtual void load(i64 first, i64 count, f32* to) const = 0;
  virtual void load(i64 first, i64 count, f64* to) const = 0;
  /// The same as stored, count * item_bytes(dtype()) bytes.
  virtual void load_bytes(i64 first, i64 count, u8* to) const = 0;
  /// Where they lie, if they lie together in memory as stored; else null.
  virtual const u8* stored(i64 /*first*/) const { return nullptr; }
  /// XXH3 of those bytes.
  virtual Hash128 digest(i64 first, i64 count) const;
  /// They will be read soon, or are not needed soon: moves pages, changes nothing.
  virtual void prefetch(i64 /*first*/, i64 /*count*/) const {}
  virtual void release(i64 /*first*/, i64 /*count*/) const {}
};

using SourcePtr = std::unique_ptr<const TensorSource>;

/// Calls take(row, first column, count, place in the range) for the parts of rows in a range of
/// elements.
template <class Take>
void each_row_part(i64 first, i64 count, i64 cols, const Take& take) {
  for (i64 done = 0; done < count;) {
    const i64 row = (first + done) / cols;
    const i64 col = (first + done) % cols;
    const i64 now = std::min(cols - col, count - done);
    take(row, col, now, done);
    done += now;
  }
}

/// A tensor as it lies in a mapped file. Released pages leave our memory, not the page cache.
class MappedSource final : public TensorSource {
 public:
  /// entry outlives this; file: for messages.
  MappedSource(const SafeEntry& entry, std::string file);
  std::string describe() const override;
  std::string_view name() const override { return entry_.name; }
  DType dtype() const override { return entry_.dtype; }
  const Shape& shape() const override { return entry_.shape; }
  void load(i64 first, i64 count, f32* to) const override;
  void load(i64 first, i64 count, f64* to) const override;
  void load_bytes(i64 first, i64 count, u8* to) const override;
  const u8* stored(i64 first) const override { return entry_.data + first * item_bytes(dtype()); }
  Hash128 digest(i64 first, i64 count) const override;
  void prefetch(i64 first, i64 count) const override;
  void release(i64 first, i64 count) const override;

 private:
  const SafeEntry& entry_;
  std::string file_;
};

/// The first columns of chosen rows of a matrix.
class RowMapSource final : public TensorSource {
 public:
  /// rows[i]: the row of `from` that is row i here; all within it. cols: at most its own. Throws
  /// ShapeError unless from is a matrix.
  RowMapSource(SourcePtr from, std::vector<i32> rows, i64 cols);
  std::string describe() const override { return from_->describe(); }
  std::string_view name() const override { return from_->name(); }
  DType dtype() const override { return from_->dtype(); }
  const Shape& shape() const override { return shape_; }
  void load(i64 first, i64 count, f32* to) const override;
  void load(i64 first, i64 count, f64* to) const override;
  void load_bytes(i64 first, i64 count, u8* to) const override;

 private:
  SourcePtr from_;
  std::vector<i32> rows_;
  Shape shape_;
};

/// Zeros of a shape, for what a model does not have.
class ZeroSource final : public TensorSource {
 public:
  ZeroSource(DType dtype, const Shape& shape) : dtype_(dtype), shape_(shape) {}
  std::string describe() const override { return "zeros"; }
  std::string_view name() const override { return {}; }
  DType dtype() const override { return dtype_; }
  const Shape& shape() const override { return shape_; }
  void load(i64 first, i64 count, f32* to) const override;
  void load(i64 first, i64 count, f64* to) const override;
  void load_bytes(i64 first, i64 count, u8* to) const override;

 private:
  DType dtype_;
  Shape shape_;
};

}  // namespace lm::merge

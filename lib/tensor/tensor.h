#pragma once
// Shapes, element types, memory and views. Row-major, innermost stride 1, at most a leading row
// stride: all leading dimensions flattened are rows `ld` elements apart. A Tensor borrows; a
// Storage owns. Views are reshape, leading-dimension slice and column slice; nothing else aliases.
// Storage is aligned to 64 bytes on the CPU (256 on CUDA). Sizes are i64 everywhere.

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/types.h"

namespace lm {

/// Element types. Kernels compute in f32 and read i32 ids; bf16 and f16 are storage that kernels
/// may widen while reading; the rest exists only in files, from kU16 on as bytes that are copied
/// and never converted.
enum class DType : u8 {
  kF32,
  kBf16,
  kF16,
  kI32,
  kU8,
  kF64,
  kI64,
  kI16,
  kI8,
  kBool,
  kU16,
  kU32,
  kU64,
  kF8E4m3,
  kF8E5m2,
  kF8E8m0
};
inline constexpr int kDTypeCount = 16;

/// Types of activations: values between layers and their gradients.
constexpr bool is_real(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kBf16;
}
/// Types of stored weights: kernels widen them exactly while reading.
constexpr bool is_weight(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kBf16 || dtype == DType::kF16;
}
/// Types of checkpoints whose elements are numbers to compute with; others only count or choose.
constexpr bool is_floating(DType dtype) {
  return is_weight(dtype) || dtype == DType::kF64 || dtype == DType::kF8E4m3 ||
         dtype == DType::kF8E5m2;
}
/// Bytes of one element.
i64 item_bytes(DType dtype);
/// "f32", "bf16", ...
std::string_view dtype_name(DType dtype);

inline constexpr int kMaxRank = 5;

/// Dimensions, dim[rank-1] fastest. Rank 0 is a single element. Zero-sized dimensions are legal.
struct Shape {
  std::array<i64, kMaxRank> dim{};
  u8 rank = 0;

  Shape() = default;
  /// Throws ShapeError for more than kMaxRank dimensions or a negative one.
  Shape(std::initializer_list<i64> dims);
  i64 operator[](int axis) const { return dim[static_cast<std::size_t>(axis)]; }
  /// Number of elements; throws ShapeError when the product leaves i64.
  i64 count() const;
  /// Innermost dimension, 1 for rank 0.
  i64 cols() const { return rank == 0 ? 1 : dim[rank - 1U]; }
  /// All leading dimensions flattened.
  i64 rows() const;
  bool operator==(const Shape& other) const;
};

/// "[2, 3]".
std::string to_string(const Shape& shape);

/// Shapes that do not fit together; the message names operator, node and both shapes. Kind kData.
class ShapeError : public Error {
 public:
  explicit ShapeError(std::string message) : Error(ErrorKind::kData, std::move(message)) {}
};

struct Device {
  enum Kind : u8 { kCpu, kCuda };
  Kind kind = kCpu;
  i16 index = 0;
  bool operator==(const Device&) const = default;
};

/// How much of CPU memory will be written: some pages, or all of it soon.
enum class StorageUse : u8 { kSome, kAll };

/// Owned bytes on a device, never resized. Movable. The release function is called once at the end.
class Storage {
 public:
  using Release = void (*)(void* base, i64 bytes);

  Storage() = default;
  /// Adopts memory: release may be null for memory that someone else frees.
  Storage(Device device, void* base, i64 bytes, Release release)
      : base_(base), bytes_(bytes), device_(device), release_(release) {}
  Storage(Storage&& other) noexcept;
  Storage& operator=(Storage&& other) noexcept;
  ~Storage();

  /// Zeroed CPU memory, 64-byte aligned; slabs of at least 64 MiB ask for huge pages, those of
  /// which all is used from 2 MiB on. From 1 MiB on, pages are touched on first use. Throws
  /// Error{kOs} naming the size.
  static Storage cpu(i64 bytes, StorageUse use = StorageUse::kSome);

  u8* data() const { return static_cast<u8*>(base_); }
  i64 bytes() const { return bytes_; }
  Device device() const { return device_; }
  explicit operator bool() const { return base_ != nullptr; }

 private:
  void reset() noexcept;
  void* base_ = nullptr;
  i64 bytes_ = 0;
  Device device_;
  Release release_ = nullptr;
};

/// A borrowed view. data points at the first element; null means "absent" (an output nobody reads).
struct Tensor {
  void* data = nullptr;
  Shape shape;
  i64 ld = 0;  // elements from one row to the next, >= shape.cols()
  DType dtype = DType::kF32;
  Device device;

  i64 rows() const { return shape.rows(); }
  i64 cols() const { return shape.cols(); }
  i64 count() const { return shape.count(); }
  bool contiguous() const { return ld == shape.cols() || shape.rows() <= 1; }
  explicit operator bool() const { return data != nullptr; }
  /// Typed access; LM_CHECKs the element type.
  f32* f32_data() const;
  i32* i32_data() const;
  u8* bytes() const { return static_cast<u8*>(data); }
};

/// Contiguous view of count() elements at data.
Tensor make_tensor(void* data, const Shape& shape, DType dtype = DType::kF32, Device device = {});
/// Contiguous view at an element offset of storage; LM_CHECKs that it fits.
Tensor make_tensor(const Storage& storage, i64 offset, const Shape& shape,
                   DType dtype = DType::kF32);

/// The same elements under another shape. Throws ShapeError unless counts agree and the view is
/// contiguous or keeps the last dimension.
Tensor reshape(const Tensor& t, const Shape& shape);
/// Entries [begin, begin+count) of dimension 0. Throws ShapeError when out of range or rank 0.
Tensor slice(const Tensor& t, i64 begin, i64 count);
/// Columns [begin, begin+count) of every row; keeps ld. Throws ShapeError when out of range.
Tensor columns(const Tensor& t, i64 begin, i64 count);

/// Copies all elements with conversion between floating types (to f32: exact; from f32: round to
/// nearest even; f64 through f32) and between integer types (out of range throws Error{kData}).
/// Shapes must have equal counts and column counts (ShapeError). CPU only.
void copy_convert(const Tensor& from, const Tensor& to);

/// CPU tensor that owns its storage: for tests, loaders and small buffers.
struct OwnedTensor {
  Storage storage;
  Tensor view;
  OwnedTensor() = default;
  explicit OwnedTensor(const Shape& shape, DType dtype = DType::kF32);
};

}  // namespace lm

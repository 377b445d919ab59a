#include "tensor/tensor.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include <sys/mman.h>

#include "core/str.h"
#include "tensor/convert.h"

namespace lm {

namespace {

constexpr std::array<i64, kDTypeCount> kItemBytes = {4, 2, 2, 4, 1, 8, 8, 2,
                                                     1, 1, 2, 4, 8, 1, 1, 1};
constexpr std::array<std::string_view, kDTypeCount> kNames = {
    "f32", "bf16", "f16", "i32", "u8",  "f64",     "i64",     "i16",
    "i8",  "bool", "u16", "u32", "u64", "f8_e4m3", "f8_e5m2", "f8_e8m0"};
constexpr i64 kHugePageBytes = i64{2} << 20;
constexpr i64 kHugeSlabBytes = i64{64} << 20;
constexpr i64 kLazyBytes = i64{1} << 20;  // below, the heap is quicker than fresh pages

void release_mapping(void* base, i64 bytes) {
  munmap(base, usize(bytes));
}
void release_heap(void* base, i64) {
  std::free(base);
}

bool is_float(DType t) {
  return t == DType::kF32 || t == DType::kBf16 || t == DType::kF16 || t == DType::kF64;
}

bool is_integer(DType t) {
  return t == DType::kI32 || t == DType::kU8 || t == DType::kI64 || t == DType::kI16 ||
         t == DType::kI8 || t == DType::kBool;
}

template <typename T>
T load_as(const u8* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

f32 load_float(const u8* p, DType type) {
  switch (type) {
    case DType::kF32:
      return load_as<f32>(p);
    case DType::kBf16:
      return bf16_to_f32(load_as<u16>(p));
    case DType::kF16:
      return f16_to_f32(load_as<u16>(p));
    default:
      return static_cast<f32>(load_as<f64>(p));
  }
}

void store_float(u8* p, DType type, f32 value) {
  if (type == DType::kF32) {
    std::memcpy(p, &value, 4);
  } else if (type == DType::kF64) {
    const f64 wide = value;
    std::memcpy(p, &wide, 8);
  } else {
    const u16 half = type == DType::kBf16 ? f32_to_bf16(value) : f32_to_f16(value);
    std::memcpy(p, &half, 2);
  }
}

// One row of 16-bit floats to f32: the loader's hot path, with the type decided outside the loop.
template <f32 (*kWiden)(u16)>
void widen_row(const u8* src, i64 count, u8* dst) {
  for (i64 c = 0; c < count; ++c) {
    const f32 value = kWiden(load_as<u16>(src + 2 * c));
    std::memcpy(dst + 4 * c, &value, 4);
  }
}

// And back: the writer's.
template <u16 (*kNarrow)(f32)>
void narrow_row(const u8* src, i64 count, u8* dst) {
  for (i64 c = 0; c < count; ++c) {
    const u16 half = kNarrow(load_as<f32>(src + 4 * c));
    std::memcpy(dst + 2 * c, &half, 2);
  }
}

i64 load_int(const u8* p, DType type) {
  switch (type) {
    case DType::kI32:
      return load_as<i32>(p);
    case DType::kI64:
      return load_as<i64>(p);
    case DType::kI16:
      return load_as<i16>(p);
    case DType::kI8:
      return load_as<i8>(p);
    default:
      return *p;
  }
}

template <typename T>
void store_checked(u8* p, i64 value) {
  if (value < static_cast<i64>(std::numeric_limits<T>::min()) ||
      value > static_cast<i64>(std::numeric_limits<T>::max())) {
    throw Error(ErrorKind::kData, cat("integer ", value, " does not fit the stored type"));
  }
  const T narrow = static_cast<T>(value);
  std::memcpy(p, &narrow, sizeof(T));
}

void store_int(u8* p, DType type, i64 value) {
  switch (type) {
    case DType::kI32:
      store_checked<i32>(p, value);
      break;
    case DType::kI64:
      std::memcpy(p, &value, 8);
      break;
    case DType::kI16:
      store_checked<i16>(p, value);
      break;
    case DType::kI8:
      store_checked<i8>(p, value);
      break;
    case DType::kBool:
      *p = value != 0;
      break;
    default:
      store_checked<u8>(p, value);
      break;
  }
}

}  // namespace

i64 item_bytes(DType dtype) {
  return kItemBytes[static_cast<std::size_t>(dtype)];
}
std::string_view dtype_name(DType dtype) {
  return kNames[static_cast<std::size_t>(dtype)];
}

Shape::Shape(std::initializer_list<i64> dims) {
  if (dims.size() > kMaxRank) {
    throw ShapeError(cat("shape with ", dims.size(), " dimensions, at most ", kMaxRank));
  }
  for (const i64 d : dims) {
    if (d < 0) throw ShapeError(cat("negative dimension ", d));
    dim[rank++] = d;
  }
}

i64 Shape::count() const {
  i64 n = 1;
  for (int i = 0; i < rank; ++i) {
    if (__builtin_mul_overflow(n, (*this)[i], &n)) {
      throw ShapeError(cat("shape ", to_string(*this), " has more elements than 2^63"));
    }
  }
  return n;
}

i64 Shape::rows() const {
  i64 n = 1;
  for (int i = 0; i + 1 < rank; ++i) {
    if (__builtin_mul_overflow(n, (*this)[i], &n)) {
      throw ShapeError(cat("shape ", to_string(*this), " has more rows than 2^63"));
    }
  }
  return n;
}

bool Shape::operator==(const Shape& other) const {
  if (rank != other.rank) return false;
  for (int i = 0; i < rank; ++i) {
    if ((*this)[i] != other[i]) return false;
  }
  return true;
}

std::string to_string(const Shape& shape) {
  std::string out = "[";
  for (int i = 0; i < shape.rank; ++i)
    append(out, i == 0 ? "" : ", ", shape[i]);
  out += ']';
  return out;
}

Storage::Storage(Storage&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      device_(other.device_),
      release_(other.release_) {}

Storage& Storage::operator=(Storage&& other) noexcept {
  if (this != &other) {
    reset();
    base_ = std::exchange(other.base_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
    device_ = other.device_;
    release_ = other.release_;
  }
  return *this;
}

Storage::~Storage() {
  reset();
}

void Storage::reset() noexcept {
  if (base_ != nullptr && release_ != nullptr) release_(base_, bytes_);
  base_ = nullptr;
}

Storage Storage::cpu(i64 bytes, StorageUse use) {
  LM_CHECK(bytes >= 0, "storage size must not be negative");
  const std::string failure = cat("cannot allocate ", format_bytes(bytes), " of memory");
  if (bytes >= kLazyBytes) {
    // Anonymous pages are zero and touched by the first writer; huge pages cut TLB misses.
    void* base =
        mmap(nullptr, usize(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) throw Error(ErrorKind::kOs, failure);
    const i64 huge = use == StorageUse::kAll ? kHugePageBytes : kHugeSlabBytes;
    if (bytes >= huge) madvise(base, usize(bytes), MADV_HUGEPAGE);
    return Storage(Device{}, base, bytes, release_mapping);
  }
  const i64 rounded = (std::max<i64>(bytes, 1) + 63) / 64 * 64;
  void* base = std::aligned_alloc(64, usize(rounded));
  if (base == nullptr) throw Error(ErrorKind::kOs, failure);
  std::memset(base, 0, usize(rounded));
  return Storage(Device{}, base, bytes, release_heap);
}

f32* Tensor::f32_data() const {
  LM_CHECK(dtype == DType::kF32, "tensor must be f32");
  return static_cast<f32*>(data);
}

i32* Tensor::i32_data() const {
  LM_CHECK(dtype == DType::kI32, "tensor must be i32");
  return static_cast<i32*>(data);
}

Tensor make_tensor(void* data, const Shape& shape, DType dtype, Device device) {
  return Tensor{data, shape, shape.cols(), dtype, device};
}

Tensor make_tensor(const Storage& storage, i64 offset, const Shape& shape, DType dtype) {
  const i64 begin = offset * item_bytes(dtype);
  LM_CHECK(begin >= 0 && begin + shape.count() * item_bytes(dtype) <= storage.bytes(),
           "tensor must lie inside its storage");
  return make_tensor(storage.data() + begin, shape, dtype, storage.device());
}

Tensor reshape(const Tensor& t, const Shape& shape) {
  const bool keeps_rows = shape.cols() == t.cols();
  if (shape.count() != t.count() || !(t.contiguous() || keeps_rows)) {
    throw ShapeError(cat("cannot reshape ", to_string(t.shape), " with row stride ", t.ld, " to ",
                         to_string(shape)));
  }
  Tensor out = t;
  out.shape = shape;
  out.ld = keeps_rows ? t.ld : shape.cols();
  return out;
}

Tensor slice(const Tensor& t, i64 begin, i64 count) {
  if (t.shape.rank == 0 || begin < 0 || count < 0 || begin > t.shape[0] - count) {
    throw ShapeError(cat("slice [", begin, ", ", begin + count, ") of ", to_string(t.shape)));
  }
  Tensor out = t;
  out.shape.dim[0] = count;
  const i64 per_entry =
      t.shape.rank == 1 ? 1 : t.ld * (t.shape[0] == 0 ? 0 : t.shape.rows() / t.shape[0]);
  out.data = t.bytes() + begin * per_entry * item_bytes(t.dtype);
  if (t.shape.rank == 1) out.ld = std::min(t.ld, count);
  return out;
}

Tensor columns(const Tensor& t, i64 begin, i64 count) {
  if (t.shape.rank == 0 || begin < 0 || count < 0 || begin > t.cols() - count) {
    throw ShapeError(cat("columns [", begin, ", ", begin + count, ") of ", to_string(t.shape)));
  }
  Tensor out = t;
  out.shape.dim[t.shape.rank - 1U] = count;
  out.data = t.bytes() + begin * item_bytes(t.dtype);
  return out;
}

void copy_convert(const Tensor& from, const Tensor& to) {
  if (from.count() != to.count() || from.cols() != to.cols()) {
    throw ShapeError(cat("copy of ", to_string(from.shape), " into ", to_string(to.shape)));
  }
  const bool related = (is_float(from.dtype) && is_float(to.dtype)) ||
                       (is_integer(from.dtype) && is_integer(to.dtype));
  if (from.dtype != to.dtype && !related) {
    throw Error(ErrorKind::kData,
                cat("cannot convert ", dtype_name(from.dtype), " to ", dtype_name(to.dtype)));
  }
  const i64 from_item = item_bytes(from.dtype);
  const i64 to_item = item_bytes(to.dtype);
  for (i64 r = 0; r < from.rows(); ++r) {
    const u8* src = from.bytes() + r * from.ld * from_item;
    u8* dst = to.bytes() + r * to.ld * to_item;
    if (from.dtype == to.dtype) {
      std::memcpy(dst, src, usize(from.cols() * from_item));
    } else if (from.dtype == DType::kBf16 && to.dtype == DType::kF32) {
      widen_row<bf16_to_f32>(src, from.cols(), dst);
    } else if (from.dtype == DType::kF16 && to.dtype == DType::kF32) {
      widen_row<f16_to_f32>(src, from.cols(), dst);
    } else if (from.dtype == DType::kF32 && to.dtype == DType::kBf16) {
      narrow_row<f32_to_bf16>(src, from.cols(), dst);
    } else if (from.dtype == DType::kF32 && to.dtype == DType::kF16) {
      narrow_row<f32_to_f16>(src, from.cols(), dst);
    } else if (is_float(from.dtype)) {
      for (i64 c = 0; c < from.cols(); ++c) {
        store_float(dst + c * to_item, to.dtype, load_float(src + c * from_item, from.dtype));
      }
    } else {
      for (i64 c = 0; c < from.cols(); ++c) {
        store_int(dst + c * to_item, to.dtype, load_int(src + c * from_item, from.dtype));
      }
    }
  }
}

OwnedTensor::OwnedTensor(const Shape& shape, DType dtype)
    : storage(Storage::cpu(shape.count() * item_bytes(dtype))),
      view(make_tensor(storage.data(), shape, dtype)) {}

}  // namespace lm

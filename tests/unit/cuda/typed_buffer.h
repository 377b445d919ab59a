#pragma once
// What the tests of typed kernels share: buffers of f32 or bf16 between guard zones, at any
// distance from a 16-byte boundary, filled with random numbers that the type holds exactly;
// comparison with double precision.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "bf16.h"
#include "catch.h"
#include "core/random.h"
#include "tensor/convert.h"

namespace lm::test {

inline f64 wide(f32 x) {
  return f64{x};
}
inline f64 wide(cuda::Bf16 x) {
  return f64{bf16_to_f32(x.bits)};
}
template <typename T>
T rounded(f64 x) {
  if constexpr (std::is_same_v<T, cuda::Bf16>) {
    return {f32_to_bf16(static_cast<f32>(x))};
  } else {
    return static_cast<f32>(x);
  }
}

/// n items of T, `offset` items off a 16-byte boundary.
template <typename T>
class Buffer {
 public:
  /// Normal values times scale; stream numbers the draw.
  Buffer(i64 n, i64 offset, u64 stream, f64 scale = 1)
      : n_(n),
        bytes_(usize((n + offset) * kItem + 2 * kGuard + 16), kPattern),
        begin_(kGuard + offset * kItem) {
    const i64 past = static_cast<i64>(reinterpret_cast<std::uintptr_t>(bytes_.data()) % 16);
    begin_ += (16 - past) % 16;
    const RandomStream draw(23, RandomPurpose::kOther, stream);
    for (i64 i = 0; i < n; ++i)
      data()[i] = rounded<T>(scale * draw.normal(static_cast<u64>(i)));
  }
  T* data() { return reinterpret_cast<T*>(bytes_.data() + begin_); }
  const T* data() const { return reinterpret_cast<const T*>(bytes_.data() + begin_); }
  f64 at(i64 i) const { return wide(data()[i]); }
  void set(i64 i, f64 x) { data()[i] = rounded<T>(x); }
  i64 size() const { return n_; }
  std::vector<u8> bits() const {
    return {bytes_.begin() + begin_, bytes_.begin() + begin_ + n_ * kItem};
  }
  void restore(const std::vector<u8>& bits) {
    std::copy(bits.begin(), bits.end(), bytes_.begin() + begin_);
  }
  bool intact() const {
    for (i64 i = 0; i < isize(bytes_); ++i) {
      if ((i < begin_ || i >= begin_ + n_ * kItem) && bytes_[usize(i)] != kPattern) return false;
    }
    return true;
  }

 private:
  static constexpr i64 kItem = static_cast<i64>(sizeof(T));
  static constexpr i64 kGuard = 64;
  static constexpr u8 kPattern = 0xB7;
  i64 n_;
  std::vector<u8> bytes_;
  i64 begin_;
};

/// Largest error beside the largest reference value: half a bf16 step (2^-8), or f32's. Mean square
/// error beside the reference's: 2.5e-6 is what rounding to bf16 leaves of many values, 1.5e-5 of
/// the worst.
template <typename T>
void check_close(const std::vector<f64>& got, const std::vector<f64>& ref, f64 slack = 1) {
  REQUIRE(got.size() == ref.size());
  const bool is_bf16 = std::is_same_v<T, cuda::Bf16>;
  f64 error = 0, square = 0, most = 0, total = 0;
  for (std::size_t i = 0; i < ref.size(); ++i) {
    const f64 d = std::fabs(got[i] - ref[i]);
    REQUIRE(!std::isnan(d));
    error = std::max(error, d);
    square += d * d;
    most = std::max(most, std::fabs(ref[i]));
    total += ref[i] * ref[i];
  }
  CHECK(error <= slack * (is_bf16 ? 0.00393 : 4e-6) * most);
  CHECK(square <= slack * slack * (!is_bf16 ? 1e-12 : ref.size() < 500 ? 1.6e-5 : 3e-6) * total);
}
template <typename T>
std::vector<f64> values(const Buffer<T>& b) {
  std::vector<f64> v;
  for (i64 i = 0; i < b.size(); ++i)
    v.push_back(b.at(i));
  return v;
}

}  // namespace lm::test

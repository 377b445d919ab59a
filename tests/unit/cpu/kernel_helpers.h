#pragma once
// Inputs, guarded outputs and error measures shared by the kernel tests.

#include <bit>
#include <cmath>
#include <limits>
#include <string_view>
#include <vector>

#include "catch.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "cpu/kernels.h"

namespace lm::test {

/// n values, normal-ish in (-1, 1), never zero, a function of the seed.
inline std::vector<f32> random_values(i64 n, u64 seed, f32 scale = 1.0f) {
  const RandomStream stream(seed, RandomPurpose::kOther);
  std::vector<f32> x(usize(n));
  for (i64 i = 0; i < n; ++i) {
    const u64 bits = stream.bits(static_cast<u64>(i));
    const f32 u = (static_cast<f32>(bits >> 41) + 0.5f) * 0x1p-23f;
    x[usize(i)] = (2.0f * u - 1.0f) * scale;
  }
  return x;
}

/// An output of n floats at an odd offset, poisoned with NaN, between guard zones.
class Guarded {
 public:
  explicit Guarded(i64 n) : n_(n), cells_(usize(n + 2 * kZone + 1), poison()) {
    for (i64 i = 0; i < kZone; ++i) {
      cells_[usize(i)] = kGuard;
      cells_[usize(kZone + 1 + n + i)] = kGuard;
    }
    cells_[usize(kZone)] = kGuard;
  }
  f32* data() { return cells_.data() + kZone + 1; }
  f32 operator[](i64 i) const { return cells_[usize(kZone + 1 + i)]; }
  i64 size() const { return n_; }
  std::vector<f32> values() const {
    return {cells_.begin() + kZone + 1, cells_.begin() + kZone + 1 + n_};
  }
  /// Guards are whole.
  bool intact() const {
    for (i64 i = 0; i < kZone; ++i) {
      if (cells_[usize(i)] != kGuard || cells_[usize(kZone + 1 + n_ + i)] != kGuard) return false;
    }
    return cells_[usize(kZone)] == kGuard;
  }
  static f32 poison() { return std::bit_cast<f32>(u32{0x7fc0dead}); }

 private:
  static constexpr i64 kZone = 64;
  static constexpr f32 kGuard = 12345.0f;
  i64 n_;
  std::vector<f32> cells_;
};

inline bool same_bits(const std::vector<f32>& a, const std::vector<f32>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::bit_cast<u32>(a[i]) != std::bit_cast<u32>(b[i])) return false;
  }
  return true;
}

/// Normalised mean square error; infinite if any value is NaN.
inline f64 nmse(const std::vector<f32>& y, const std::vector<f64>& reference) {
  f64 error = 0, norm = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const f64 v = static_cast<f64>(y[i]);
    if (std::isnan(v)) return std::numeric_limits<f64>::infinity();
    error += (v - reference[i]) * (v - reference[i]);
    norm += reference[i] * reference[i];
  }
  return norm > 0 ? error / norm : error;
}

inline std::vector<f64> to_f64(const std::vector<f32>& x) {
  return {x.begin(), x.end()};
}

/// Runs body once per instruction-set level of this machine, then restores the best one.
template <typename F>
void for_each_isa(F body) {
  for (const std::string_view name : cpu::supported_isas()) {
    cpu::select_isa(name);
    INFO("level " << std::string(name));
    body();
  }
  cpu::select_isa("auto");
}

/// body(), which returns a vector, must give the same bits with 1, 2 and 7 threads.
template <typename F>
void check_threads(F body) {
  set_threads(1);
  const std::vector<f32> one = body();
  for (const int threads : {2, 7}) {
    set_threads(threads);
    INFO(threads << " threads");
    CHECK(same_bits(one, body()));
  }
  set_threads(1);
}

}  // namespace lm::test

#pragma once
// Learning rate as a pure function of the step. t counts from 0, W warm-up steps, S steps in all;
// the values are shares of the peak:
//   warm-up        (t+1)/W for t < W
//   cosine         f + (1-f) (1 + cos(pi x))/2, x = (t-W)/(S-W)
//   wsd-linear     1 until D = S(1-q), then f + (1-f)(1-x), x = (t-D)/(S-D)
//   wsd-sqrt       the same with 1-sqrt(x)
//   constant       1
//   inverse-sqrt   max(f, sqrt(W/t)), W at least 1
// Sources: Loshchilov & Hutter 2017 (cosine); Hu et al. 2024 and Hagele et al. 2024
// (warm-up-stable-decay, 1-sqrt); Vaswani et al. 2017 (inverse square root).

#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::train {

enum class ScheduleKind : u8 { kCosine, kWsdLinear, kWsdSqrt, kConstant, kInverseSqrt };

/// Names as users write them, in the order of the enumeration.
std::vector<std::string> schedule_names();
/// Throws Error{kUsage} listing the names.
ScheduleKind parse_schedule(std::string_view name);

struct Schedule {
  ScheduleKind kind = ScheduleKind::kCosine;
  f64 peak = 1e-3;
  i64 warmup = 0;         // W
  i64 steps = 1;          // S
  f64 decay_share = 0.2;  // q, of wsd
  f64 floor = 0.1;        // f, share of the peak

  /// Learning rate of step t (0-based); the last value beyond S.
  f64 lr(i64 t) const;
  /// The first steps whose values do not depend on S: with a larger S a run can go on from there.
  /// Warm-up for cosine, up to the decay for wsd, S for the others.
  i64 fixed_until() const;
};

}  // namespace lm::train

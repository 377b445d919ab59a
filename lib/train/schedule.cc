#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"
#include "core/str.h"

namespace lm::train {

std::vector<std::string> schedule_names() {
  return {"cosine", "wsd-linear", "wsd-sqrt", "constant", "inverse-sqrt"};
}

ScheduleKind parse_schedule(std::string_view name) {
  const std::vector<std::string> names = schedule_names();
  for (i64 i = 0; i < isize(names); ++i)
    if (names[usize(i)] == name) return static_cast<ScheduleKind>(i);
  throw Error(ErrorKind::kUsage,
              cat("schedule ", quote(name), " is unknown, expected ", join(names, ", ")));
}

namespace {

/// Progress through [from, to), in [0, 1].
f64 progress(i64 t, f64 from, f64 to) {
  if (to <= from) return 1;
  return std::clamp((static_cast<f64>(t) - from) / (to - from), 0.0, 1.0);
}

/// Where wsd begins to decay.
f64 decay_begin(const Schedule& s) {
  return std::max(static_cast<f64>(s.warmup), static_cast<f64>(s.steps) * (1 - s.decay_share));
}

}  // namespace

f64 Schedule::lr(i64 t) const {
  if (t < warmup) return peak * static_cast<f64>(t + 1) / static_cast<f64>(warmup);
  const f64 total = static_cast<f64>(steps);
  const f64 start = static_cast<f64>(warmup);
  f64 shape = 1;
  switch (kind) {
    case ScheduleKind::kConstant:
      return peak;
    case ScheduleKind::kInverseSqrt: {
      const f64 w = std::max(1.0, start);
      return peak * std::max(floor, std::sqrt(w / std::max(w, static_cast<f64>(t))));
    }
    case ScheduleKind::kCosine:
      shape = 0.5 * (1 + std::cos(std::numbers::pi * progress(t, start, total)));
      break;
    case ScheduleKind::kWsdLinear:
    case ScheduleKind::kWsdSqrt: {
      const f64 decay = decay_begin(*this);
      if (static_cast<f64>(t) < decay) return peak;
      const f64 x = progress(t, decay, total);
      shape = kind == ScheduleKind::kWsdLinear ? 1 - x : 1 - std::sqrt(x);
      break;
    }
  }
  return peak * (floor + (1 - floor) * shape);
}

i64 Schedule::fixed_until() const {
  switch (kind) {
    case ScheduleKind::kCosine:
      return std::min(warmup, steps);
    case ScheduleKind::kWsdLinear:
    case ScheduleKind::kWsdSqrt:
      return std::min(static_cast<i64>(std::ceil(decay_begin(*this))), steps);
    case ScheduleKind::kConstant:
    case ScheduleKind::kInverseSqrt:
      break;
  }
  return steps;
}

}  // namespace lm::train

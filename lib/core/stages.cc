#include "core/stages.h"

#include <algorithm>
#include <ctime>

#include "core/str.h"

namespace lm {

namespace {

i64 clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return i64{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::string seconds(i64 ns) {
  return format_fixed(static_cast<f64>(ns) * 1e-9, 3);
}

}  // namespace

Stage& Stages::stage(std::string_view name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (Stage& one : stages_) {
    if (one.name == name) return one;
  }
  return stages_.emplace_back(name);
}

std::string Stages::json() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string out = "[";
  for (const Stage& one : stages_) {
    append(out, out.size() > 1 ? "," : "", "{\"name\":\"", one.name,
           "\",\"busy_s\":", seconds(one.busy_ns.load()),
           ",\"wait_s\":", seconds(one.wait_ns.load()), ",\"records\":", one.records.load(), "}");
  }
  return out + "]";
}

StageTimer::StageTimer(Stage& stage)
    : stage_(stage),
      wall_ns_(clock_ns(CLOCK_MONOTONIC)),
      cpu_ns_(clock_ns(CLOCK_THREAD_CPUTIME_ID)) {}

StageTimer::~StageTimer() {
  const i64 busy = clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_ns_;
  const i64 all = clock_ns(CLOCK_MONOTONIC) - wall_ns_;
  stage_.busy_ns += busy;
  stage_.wait_ns += std::max<i64>(all - busy, 0);  // the two clocks tick apart by microseconds
}

}  // namespace lm

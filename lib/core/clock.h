#pragma once
// Time, for reports and progress only: nothing here may reach an output's bytes.

#include <string>

#include "core/types.h"

namespace lm {

/// Seconds on a monotonic clock.
f64 monotonic_s();
/// CPU seconds used by this process (user + system, all threads).
f64 cpu_s();
/// Highest resident set so far, bytes.
i64 max_rss_bytes();
/// Now in UTC, "2026-11-23T10:00:00Z".
std::string utc_now_rfc3339();

}  // namespace lm

#pragma once
// Where the time of a run goes, stage by stage: what the report's "stages" say. A stage is a step
// of a program's work (read, decode, work, write); any thread may be in it at any time.

#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "core/types.h"

namespace lm {

/// busy: CPU time of the threads while they were in the stage. wait: the rest of the time they
/// spent there, blocked on a pipe, a disk or a lock, or for want of a core. Thread-safe.
struct Stage {
  explicit Stage(std::string_view stage_name) : name(stage_name) {}
  const std::string name;
  std::atomic<i64> busy_ns{0};
  std::atomic<i64> wait_ns{0};
  std::atomic<i64> records{0};
};

class Stages {
 public:
  /// The stage of that name, made at first use; the reference lives as long as this. Thread-safe.
  Stage& stage(std::string_view name);
  /// [{"name":...,"busy_s":...,"wait_s":...,"records":...}], in the order of first use.
  /// Thread-safe.
  std::string json() const;

 private:
  mutable std::mutex mutex_;
  std::deque<Stage> stages_;  // stable addresses
};

/// Accounts the time from here to the end of the scope. One scope of a thread at a time.
class StageTimer {
 public:
  explicit StageTimer(Stage& stage);
  ~StageTimer();
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  Stage& stage_;
  i64 wall_ns_;
  i64 cpu_ns_;
};

}  // namespace lm

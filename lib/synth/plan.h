#pragma once
// Which draw becomes which record: record by record, the first draw that belongs to the split and,
// where that is asked for, is no repetition of an earlier record. So record i is the same however
// many are asked for, in however many shards and threads.

#include <array>
#include <vector>

#include "core/context.h"
#include "synth/task.h"

namespace lm::synth {

/// Shares of instances, of sum 1.
using SplitShares = std::array<f64, 3>;

/// By a hash of the task's name and the instance: not of the seed, so that splits of different
/// seeds have nothing in common either. drawn.split, if set, wins.
Split split_of(std::string_view task, const Drawn& drawn, const SplitShares& shares);

struct PlanOptions {
  std::string task;
  u64 seed = 0;
  Split split = Split::kTrain;
  SplitShares shares = {0.8, 0.1, 0.1};
  bool distinct = true;
  i64 records = 0;
  /// Fewer distinct instances than records end the plan instead of being an error.
  bool fewer = false;
};

class Plan {
 public:
  /// Draws until all records are placed; distinct: 12 bytes a record and up to 16 more are charged
  /// to the context's memory. Throws Error{kUsage} if there are no more instances in the split:
  /// none came in 64 draws for each that could exist, or in 65536 where their number is not known.
  Plan(const Task& task, PlanOptions options, const Context& ctx);
  ~Plan();
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  /// Records that there are.
  i64 records() const { return records_; }
  /// Where record i < records() was drawn. Without distinctness it is found now.
  Place place(i64 record) const;

 private:
  struct Candidate {
    i64 attempt = -1;  // none within the limit
    u64 key = 0;
  };
  Candidate next(i64 record, i64 attempt) const;
  void place_all();
  [[noreturn]] void refuse(i64 record) const;

  const Task& task_;
  const PlanOptions options_;
  const Context& ctx_;
  i64 most_attempts_;
  i64 records_ = 0;
  std::vector<u32> attempts_;
  i64 charged_ = 0;
};

}  // namespace lm::synth

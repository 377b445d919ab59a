#pragma once
// The process's one pool of compute threads (oneTBB behind a narrow door, so that no other file
// includes it). Results must not depend on how a range is cut: write disjoint outputs, or reduce
// over fixed blocks in block order.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/types.h"

namespace lm {

/// Limits the process's workers and makes the arena; call once before the first parallel call
/// (tool_main and the test main do). Retries thread creation 5 times with backoff, then throws
/// Error{kOs}. A second call with another number changes the limit (tests compare thread counts).
void set_threads(int threads);
int max_threads();
/// Version of the library behind this, as it runs.
std::string parallel_version();

/// Calls body(begin, end) on disjoint sub-ranges that cover [0, n); each has at least `grain`
/// elements except possibly the last. Runs inline when n <= grain or one thread is allowed.
/// Exceptions of body propagate.
void parallel_for(i64 n, i64 grain, const std::function<void(i64 begin, i64 end)>& body);

struct PipelineItem {
  virtual ~PipelineItem() = default;
};

enum class StageMode { kParallel, kSerial };  // serial stages see the items in source order

struct PipelineStage {
  StageMode mode;
  std::function<void(PipelineItem&)> run;
};

/// `source` is called serially and returns null at the end; every item then passes through all
/// stages. At most max_in_flight items exist. Items are destroyed after the last stage. An
/// exception in any stage stops the pipeline and propagates after all running stages have returned.
void ordered_pipeline(i64 max_in_flight,
                      const std::function<std::unique_ptr<PipelineItem>()>& source,
                      const std::vector<PipelineStage>& stages);

}  // namespace lm

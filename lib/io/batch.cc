#include "io/batch.h"

#include <utility>

#include "io/frame.h"

namespace lm::io {

namespace {

constexpr i64 kMuch = 4 * kFrameBytes;

/// Whether its text is much, or will be.
bool is_large(const Batch& batch) {
  return isize(batch.text) >= kMuch || isize(batch.frame) >= kMuch ||
         (!batch.frame.empty() && FrameWalker().peek(batch.frame).content >= kMuch);
}

}  // namespace

void batch_pipeline(i64 threads, const std::function<std::unique_ptr<Batch>()>& source,
                    const std::vector<PipelineStage>& stages) {
  bool large = false;
  bool ended = false;
  std::unique_ptr<Batch> next;  // of the other size than those at work
  const auto take = [&]() -> std::unique_ptr<PipelineItem> {
    std::unique_ptr<Batch> batch = std::move(next);
    if (batch) return batch;
    if (!ended) batch = source();
    ended = batch == nullptr;
    if (ended || is_large(*batch) == large) return batch;
    next = std::move(batch);
    return nullptr;
  };
  do {
    large = next != nullptr && is_large(*next);
    ordered_pipeline(large ? 2 : 2 * threads + 2, take, stages);
  } while (!ended);
}

}  // namespace lm::io

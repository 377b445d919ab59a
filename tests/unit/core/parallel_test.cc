#include "core/parallel.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "catch.h"

using namespace lm;

namespace {

// The thread is inside the serial stage.
thread_local bool in_stage = false;

void busy_for(std::chrono::microseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
}

}  // namespace

TEST_CASE("a stage that computes in parallel never runs the pipeline's source", "[core]") {
  // The source may wait for input that comes only after the stage's batch has gone out. Times make
  // it likely that the stage's thread finds the source as the only work while it waits for a part.
  set_threads(3);
  std::atomic<i64> nested{0};
  i64 left = 100;
  const auto source = [&]() -> std::unique_ptr<PipelineItem> {
    nested += in_stage;
    busy_for(std::chrono::microseconds(500));
    return left-- > 0 ? std::make_unique<PipelineItem>() : nullptr;
  };
  const auto read = [](PipelineItem&) { busy_for(std::chrono::microseconds(500)); };
  const auto compute = [&](PipelineItem&) {
    in_stage = true;
    const std::thread::id own = std::this_thread::get_id();
    parallel_for(3, 1, [&](i64, i64) {
      if (std::this_thread::get_id() != own) busy_for(std::chrono::microseconds(2000));
    });
    in_stage = false;
  };
  ordered_pipeline(8, source, {{StageMode::kParallel, read}, {StageMode::kSerial, compute}});
  CHECK(nested == 0);
  set_threads(2);
}

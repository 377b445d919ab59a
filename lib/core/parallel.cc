#include "core/parallel.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <vector>

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>
#include <tbb/version.h>

#include "core/error.h"
#include "core/str.h"

#ifdef LM_TSAN
extern "C" void __tsan_acquire(void*);
extern "C" void __tsan_release(void*);
#endif

namespace lm {

namespace {

// The thread sanitizer cannot see how oneTBB, which is not built with it, synchronises. What it
// guarantees is told here: `from` was completed before this scope began, the scope is complete
// before whoever takes `to`. This file itself is not instrumented (cmake/rooms.cmake). Nothing
// otherwise.
class HandOver {
 public:
#ifdef LM_TSAN
  HandOver(const void* from, const void* to) : to_(const_cast<void*>(to)) {
    if (from != nullptr) __tsan_acquire(const_cast<void*>(from));
  }
  ~HandOver() {
    if (to_ != nullptr) __tsan_release(to_);
  }
  HandOver(const HandOver&) = delete;
  HandOver& operator=(const HandOver&) = delete;

 private:
  void* to_;
#else
  HandOver(const void*, const void*) {}
#endif
};

// One arena for the life of the process: Debian's oneTBB 2021.8 fails when a thread cannot be made
// (EAGAIN under load), so threads are made once, here, with retries.
struct Pool {
  int threads = 1;
  std::unique_ptr<tbb::global_control> control;
  std::unique_ptr<tbb::task_arena> arena;
};

Pool& pool() {
  static Pool* const instance = new Pool();  // never destroyed: workers may outlive static objects
  return *instance;
}

void warm_up(tbb::task_arena& arena, int threads) {
  arena.execute([threads] {
    tbb::parallel_for(
        tbb::blocked_range<int>(0, threads * 4), [](const tbb::blocked_range<int>&) {},
        tbb::simple_partitioner());
  });
}

}  // namespace

void set_threads(int threads) {
  LM_CHECK(threads >= 1, "thread count must be positive");
  Pool& p = pool();
  if (p.threads == threads && (threads == 1 || p.arena)) return;
  p.arena.reset();
  p.control.reset();
  p.threads = threads;
  if (threads == 1) return;
  for (int attempt = 0;; ++attempt) {
    try {
      p.control = std::make_unique<tbb::global_control>(
          tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
      p.arena = std::make_unique<tbb::task_arena>(threads);
      warm_up(*p.arena, threads);
      return;
    } catch (const std::runtime_error& e) {  // includes std::system_error
      p.arena.reset();
      p.control.reset();
      if (attempt == 4) {
        p.threads = 1;
        throw Error(ErrorKind::kOs, cat("cannot create ", threads, " worker threads: ", e.what()),
                    "--threads 1 needs none");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20 << attempt));
    }
  }
}

int max_threads() {
  return pool().threads;
}

std::string parallel_version() {
  return TBB_runtime_version();
}

void parallel_for(i64 n, i64 grain, const std::function<void(i64, i64)>& body) {
  if (n <= 0) return;
  grain = std::max<i64>(grain, 1);
  Pool& p = pool();
  if (p.threads == 1 || n <= grain || !p.arena) {
    body(0, n);
    return;
  }
  const i64 blocks = (n + grain - 1) / grain;
  const char begin = 0;
  const char end = 0;
  { const HandOver started(nullptr, &begin); }
  // Isolated: a pipeline stage that waits here must not take up the pipeline's source meanwhile,
  // which may block on input for ever while the stage's batch is held back (parallel_test.cc).
  p.arena->execute([&] {
    tbb::this_task_arena::isolate([&] {
      tbb::parallel_for(tbb::blocked_range<i64>(0, blocks), [&](const tbb::blocked_range<i64>& r) {
        const HandOver chunk(&begin, &end);
        body(r.begin() * grain, std::min(n, r.end() * grain));
      });
    });
  });
  const HandOver finished(&end, nullptr);
}

namespace {

/// The items in flight. What travels through oneTBB's filters is their addresses: it forgets what
/// it holds when a stage throws.
class Items {
 public:
  PipelineItem* hold(std::unique_ptr<PipelineItem> item) {
    PipelineItem* at = item.get();
    const std::lock_guard<std::mutex> lock(mutex_);
    held_[at] = std::move(item);
    return at;
  }
  void drop(PipelineItem* item) {
    std::unique_ptr<PipelineItem> last;  // destroyed outside the lock
    const std::lock_guard<std::mutex> lock(mutex_);
    last = std::move(held_.extract(item).mapped());
  }

 private:
  std::mutex mutex_;
  std::unordered_map<PipelineItem*, std::unique_ptr<PipelineItem>> held_;
};

}  // namespace

void ordered_pipeline(i64 max_in_flight,
                      const std::function<std::unique_ptr<PipelineItem>()>& source,
                      const std::vector<PipelineStage>& stages) {
  Pool& p = pool();
  if (p.threads == 1 || !p.arena) {
    while (std::unique_ptr<PipelineItem> item = source()) {
      for (const PipelineStage& stage : stages)
        stage.run(*item);
    }
    return;
  }
  const char end = 0;
  { const HandOver started(nullptr, &source); }
  Items items;
  tbb::filter<void, PipelineItem*> chain = tbb::make_filter<void, PipelineItem*>(
      tbb::filter_mode::serial_in_order,
      [&source, &items, &end](tbb::flow_control& flow) -> PipelineItem* {
        const HandOver all(nullptr, &end);
        const HandOver next(&source, &source);
        std::unique_ptr<PipelineItem> item = source();
        if (!item) {
          flow.stop();
          return nullptr;
        }
        PipelineItem* held = items.hold(std::move(item));
        const HandOver filled(nullptr, held);
        return held;
      });
  for (const PipelineStage& stage : stages) {
    const tbb::filter_mode mode = stage.mode == StageMode::kParallel
                                      ? tbb::filter_mode::parallel
                                      : tbb::filter_mode::serial_in_order;
    chain = chain & tbb::make_filter<PipelineItem*, PipelineItem*>(
                        mode, [&stage, &end](PipelineItem* item) {
                          const HandOver all(nullptr, &end);
                          const HandOver one(item, item);
                          const bool serial = stage.mode == StageMode::kSerial;
                          const HandOver turn(serial ? &stage : nullptr, serial ? &stage : nullptr);
                          stage.run(*item);
                          return item;
                        });
  }
  const tbb::filter<void, void> whole =
      chain & tbb::make_filter<PipelineItem*, void>(tbb::filter_mode::parallel,
                                                    [&items, &end](PipelineItem* item) {
                                                      const HandOver all(nullptr, &end);
                                                      const HandOver last(item, nullptr);
                                                      items.drop(item);
                                                    });
  try {
    p.arena->execute(
        [&] { tbb::parallel_pipeline(static_cast<std::size_t>(max_in_flight), whole); });
  } catch (...) {  // all stages have returned
    const HandOver failed(&end, nullptr);
    throw;
  }
  const HandOver done(&end, nullptr);
}

}  // namespace lm

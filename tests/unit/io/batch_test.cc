// Batches on their way through a pipeline.

#include "io/batch.h"

#include <atomic>

#include "catch.h"
#include "core/context.h"
#include "core/error.h"
#include "io/frame.h"

using namespace lm;
using namespace lm::io;

TEST_CASE("batches keep their order, and few large ones are there at once", "[io]") {
  const std::size_t large = usize(4 * kFrameBytes);
  std::string stored;
  append_stored_frame(stored, std::string(large, 'x'));
  for (const u32 pattern : {0u, ~0u, 0x00ff0f33u, 0x80000001u, 0x7ffffffeu}) {
    std::atomic<int> held{0};
    std::atomic<int> most{0};
    u32 made = 0;
    std::vector<i64> seen;
    const auto count = [&](int by) {
      const int now = held += by;
      for (int old = most; old < now && !most.compare_exchange_weak(old, now);) {
      }
    };
    batch_pipeline(4,
                   [&]() -> std::unique_ptr<Batch> {
                     if (made == 32) return nullptr;
                     std::unique_ptr<Batch> batch = std::make_unique<Batch>();
                     batch->number = made;
                     const bool is_large = (pattern >> made++ & 1) != 0;
                     if (is_large && made % 2 == 0) batch->text.resize(large);
                     if (is_large && made % 2 == 1) batch->frame = stored;
                     if (is_large) count(1);
                     return batch;
                   },
                   {{StageMode::kParallel, [](PipelineItem&) {}},
                    {StageMode::kSerial, [&](PipelineItem& item) {
                       const Batch& batch = static_cast<Batch&>(item);
                       seen.push_back(batch.number);
                       if ((pattern >> batch.number & 1) != 0) count(-1);
                     }}});
    std::vector<i64> expected;
    for (i64 i = 0; i < 32; ++i)
      expected.push_back(i);
    INFO(pattern);
    CHECK(seen == expected);
    CHECK(most <= 2);
  }
}

TEST_CASE("a fault of a stage ends a pipeline of large batches", "[io]") {
  int made = 0;
  const auto source = [&]() -> std::unique_ptr<Batch> {
    if (++made == 20) return nullptr;
    std::unique_ptr<Batch> batch = std::make_unique<Batch>();
    batch->text.resize(made % 2 == 0 ? usize(4 * kFrameBytes) : 1);
    return batch;
  };
  CHECK_THROWS_AS(batch_pipeline(2, source,
                                 {{StageMode::kSerial,
                                   [&](PipelineItem&) {
                                     if (made >= 7) throw Error(ErrorKind::kIo, "no more");
                                   }}}),
                  Error);
}

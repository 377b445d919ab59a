// The steady state of the planned executor allocates nothing. Counted by replacing operator new for
// this test program.

#include "catch.h"
#include "core/parallel.h"
#include "counted_new.h"
#include "cpu/backend.h"
#include "unit/ops/ref/tiny_model.h"

using namespace lm;
using namespace lm::test;

TEST_CASE("after the first step only closures and row lists are allocated", "[cpu][ops]") {
  set_threads(1);
  TinyConfig cfg;
  cfg.rows = 240;
  TinyModel m(cfg);
  m.init();
  m.fill_data();
  Executor exec(m.g, cpu_backend());
  m.bind(exec);
  exec.run(RunCtx{});
  allocations = 0;
  largest = 0;
  exec.run(RunCtx{});
  INFO("allocations " << allocations.load() << ", largest " << largest.load());
  // What is left: parallel_for's std::function keeps a capture above 16 bytes on the heap, and
  // attention backward lists which rows see a key block (8 bytes a row). Never a buffer of values.
  CHECK(largest.load() <= 8 * cfg.rows);
  CHECK(allocations.load() <= 2 * ssize(m.g.nodes()));
  set_threads(2);
}

// The steady state of the planned executor allocates nothing. Counted by replacing operator new for
// this test program.

#include <atomic>
#include <cstdlib>
#include <new>

#include "catch.h"
#include "core/parallel.h"
#include "cpu/backend.h"
#include "unit/ops/ref/tiny_model.h"

namespace {
std::atomic<lm::i64> allocations{0};
std::atomic<lm::i64> largest{0};

void* counted(std::size_t bytes) {
  allocations.fetch_add(1);
  if (static_cast<lm::i64>(bytes) > largest.load()) largest.store(static_cast<lm::i64>(bytes));
  if (void* p = std::malloc(bytes == 0 ? 1 : bytes)) return p;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t bytes) {
  return counted(bytes);
}
void* operator new[](std::size_t bytes) {
  return counted(bytes);
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  allocations.fetch_add(1);
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete[](void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, std::size_t) noexcept {
  std::free(p);
}

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

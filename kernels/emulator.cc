#include "emulator.h"

#include <csetjmp>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ucontext.h>

#include "core/error.h"
#include "core/str.h"
#include "runtime.h"

namespace lm::emu {

namespace {

constexpr i64 kStackBytes = 256 * 1024;
constexpr int kNobody = -1;

// One thread of the block. `gate` counts the barriers it has passed.
struct Fiber {
  ucontext_t context{};
  std::jmp_buf env{};
  std::unique_ptr<char[]> stack;
  bool started = false;
  bool done = true;
  bool waits_block = false;
  bool waits_warp = false;
  i64 block_gate = 0;
  i64 warp_gate = 0;
};

struct Warp {
  i64 gate = 0;
  int arrived = 0;
  u64 slot[2][32] = {};
};

// An access is ordered after another when a barrier that both threads took part in lies between.
struct Access {
  int thread = kNobody;
  i64 block_gate = 0;
  i64 warp_gate = 0;
};
struct Word {
  bool written = false;
  Access writer;
  std::vector<Access> readers;  // since the last write
};
struct Array {
  i64 count = 0;
  i64 item = 0;
  std::vector<u8> data;
  std::vector<Word> words;
};

// The state of the block being run.
struct Machine {
  const char* kernel = "";
  const std::function<void()>* body = nullptr;
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<Warp> warps;
  i64 block_gate = 0;
  int block_arrived = 0;
  std::map<int, int> sites;
  std::vector<Array> arrays;
  Self now;
  std::jmp_buf scheduler{};
  std::exception_ptr error;
  i64 launches = 0;
};

Machine& machine() {
  static Machine m;
  return m;
}

[[noreturn]] void fail(std::string_view what) {
  const Machine& m = machine();
  throw Error(ErrorKind::kInternal, cat("kernel ", m.kernel, ", block ", m.now.block, ", thread ",
                                        m.now.thread, ": ", what));
}

Fiber& running() {
  return *machine().fibers[usize(machine().now.thread)];
}

void yield_to_scheduler() {
  if (_setjmp(running().env) == 0) _longjmp(machine().scheduler, 1);
}

// A fiber's whole life: one kernel thread per turn, over and over.
void fiber_main() {
  for (;;) {
    Machine& m = machine();
    try {
      (*m.body)();
    } catch (...) {
      if (!m.error) m.error = std::current_exception();
    }
    running().done = true;
    yield_to_scheduler();
  }
}

[[gnu::noinline]] void resume(Fiber& f) {
  if (_setjmp(machine().scheduler) != 0) return;
  if (f.started) _longjmp(f.env, 1);
  f.started = true;
  setcontext(&f.context);
}

void prepare(Fiber& f) {
  if (f.stack == nullptr) f.stack.reset(new char[kStackBytes]);
  getcontext(&f.context);
  f.context.uc_stack.ss_sp = f.stack.get();
  f.context.uc_stack.ss_size = static_cast<std::size_t>(kStackBytes);
  f.context.uc_link = nullptr;
  makecontext(&f.context, fiber_main, 0);
  f.started = false;
}

// Suspended stacks of an abandoned block are dropped.
void abandon() {
  for (const std::unique_ptr<Fiber>& f : machine().fibers) {
    if (!f->done) prepare(*f);
    f->done = true;
  }
}

bool can_run(const Machine& m, const Fiber& f, int t) {
  if (f.done) return false;
  if (f.waits_block) return m.block_gate > f.block_gate;
  if (f.waits_warp) return m.warps[usize(t / 32)].gate > f.warp_gate;
  return true;
}

void run_block(Machine& m, i64 block) {
  m.sites.clear();
  m.arrays.clear();
  m.warps.assign(usize(m.now.threads / 32), Warp{});
  m.block_gate = 0;
  m.block_arrived = 0;
  for (int t = 0; t < m.now.threads; ++t) {
    Fiber& f = *m.fibers[usize(t)];
    f.done = f.waits_block = f.waits_warp = false;
    f.block_gate = f.warp_gate = 0;
  }
  m.now.block = block;
  for (bool progress = true; progress;) {
    progress = false;
    for (int t = 0; t < m.now.threads; ++t) {
      Fiber& f = *m.fibers[usize(t)];
      if (!can_run(m, f, t)) continue;
      progress = true;
      m.now.thread = t;
      resume(f);
      if (m.error) {
        abandon();
        const std::exception_ptr error = m.error;
        m.error = nullptr;
        std::rethrow_exception(error);
      }
    }
  }
  for (int t = 0; t < m.now.threads; ++t) {
    if (m.fibers[usize(t)]->done) continue;
    abandon();
    m.now.thread = t;
    fail("waits at a barrier or exchange that others never reach");
  }
}

bool ordered(const Access& before, const Access& now) {
  return before.thread == kNobody || before.thread == now.thread ||
         before.block_gate != now.block_gate ||
         (before.thread / 32 == now.thread / 32 && before.warp_gate != now.warp_gate);
}

}  // namespace

const Self& self() {
  return machine().now;
}

i64 launches() {
  return machine().launches;
}

void run(const char* kernel, i64 blocks, int threads, const std::function<void()>& body) {
  Machine& m = machine();
  m.kernel = kernel;
  ++m.launches;
  LM_CHECK(threads > 0 && threads % 32 == 0 && threads <= 1024, "a block is 1 to 32 whole warps");
  while (isize(m.fibers) < threads) {
    m.fibers.push_back(std::make_unique<Fiber>());
    prepare(*m.fibers.back());
  }
  m.body = &body;
  m.now.threads = threads;
  m.now.blocks = blocks;
  for (i64 b = 0; b < blocks; ++b)
    run_block(m, b);
}

void block_barrier() {
  Machine& m = machine();
  Fiber& f = running();
  if (++m.block_arrived == m.now.threads) {
    m.block_arrived = 0;
    ++m.block_gate;
  } else {
    f.waits_block = true;
    yield_to_scheduler();
    f.waits_block = false;
  }
  ++f.block_gate;
}

namespace {

// Waits for the warp; the 32 values given.
const u64* exchange_row(u64 bits) {
  Machine& m = machine();
  Fiber& f = running();
  Warp& w = m.warps[usize(m.now.thread / 32)];
  // Two rows of slots in turn: nobody writes a row again before all have passed the next exchange.
  u64* slot = w.slot[f.warp_gate & 1];
  slot[m.now.thread % 32] = bits;
  if (++w.arrived == 32) {
    w.arrived = 0;
    ++w.gate;
  } else {
    f.waits_warp = true;
    yield_to_scheduler();
    f.waits_warp = false;
  }
  ++f.warp_gate;
  return slot;
}

}  // namespace

u64 exchange_bits(u64 bits, int lane) {
  if (lane < 0 || lane > 31) fail("exchange with a lane outside the warp");
  return exchange_row(bits)[lane];
}

u32 ballot(bool set) {
  const u64* row = exchange_row(set ? 1 : 0);
  u32 bits = 0;
  for (int lane = 0; lane < 32; ++lane)
    bits |= static_cast<u32>(row[lane]) << lane;
  return bits;
}

void require_aligned(const void* p, i64 bytes) {
  if (reinterpret_cast<std::uintptr_t>(p) % static_cast<u64>(bytes) != 0) fail("unaligned access");
}

int shared_array(int site, i64 count, i64 item_bytes) {
  Machine& m = machine();
  const auto [at, fresh] = m.sites.try_emplace(site, static_cast<int>(m.arrays.size()));
  if (fresh) {
    m.arrays.push_back({count, item_bytes, std::vector<u8>(usize(count * item_bytes), 0xFF),
                        std::vector<Word>(usize(count))});
  }
  const Array& a = m.arrays[usize(at->second)];
  if (a.count != count || a.item != item_bytes) fail("one shared array has two shapes");
  return at->second;
}

void* shared_at(int array, i64 i, bool write) {
  Machine& m = machine();
  Array& a = m.arrays[usize(array)];
  if (i < 0 || i >= a.count) fail(cat("shared index ", i, " outside ", a.count));
  Word& w = a.words[usize(i)];
  const Access now{m.now.thread, running().block_gate, running().warp_gate};
  if (!write && !w.written) fail(cat("shared element ", i, " is read before it is written"));
  if (!ordered(w.writer, now)) fail(cat("race on shared element ", i, " with its writer"));
  if (write) {
    for (const Access& r : w.readers) {
      if (!ordered(r, now)) fail(cat("race on shared element ", i, " with a reader"));
    }
    w.readers.clear();
    w.writer = now;
    w.written = true;
  } else if (w.readers.empty() || w.readers.back().thread != now.thread ||
             w.readers.back().block_gate != now.block_gate) {
    if (!w.readers.empty() && w.readers.back().block_gate != now.block_gate) w.readers.clear();
    w.readers.push_back(now);
  } else {
    w.readers.back() = now;
  }
  return a.data.data() + i * a.item;
}

}  // namespace lm::emu

// The runtime of the emulated device: host memory, one stream.
namespace lm::cuda {

i64 device_count(std::string*) {
  return 1;
}
void use_device(int) {}
int capability() {
  return 90;
}
std::string device_name() {
  return "block emulator";
}
void* allocate(i64 bytes) {
  void* p = std::aligned_alloc(256, usize((bytes + 255) / 256 * 256 + 256));
  if (p == nullptr) throw Error(ErrorKind::kOs, cat("cannot allocate ", bytes, " bytes"));
  std::memset(p, 0xA5, usize(bytes));
  return p;
}
void release(void* base) noexcept {
  std::free(base);
}
void set_zero(void* dst, i64 bytes, Stream*) {
  if (bytes > 0) std::memset(dst, 0, usize(bytes));
}
void upload(void* dst, const void* src, i64 bytes, Stream*) {
  if (bytes > 0) std::memcpy(dst, src, usize(bytes));
}
void download(void* dst, const void* src, i64 bytes, Stream*) {
  if (bytes > 0) std::memcpy(dst, src, usize(bytes));
}
void wait(Stream*) {}
void check_launch(const char*) {}

}  // namespace lm::cuda

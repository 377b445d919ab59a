#include "emulator.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdlib>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ucontext.h>
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LM_EMULATOR_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(LM_EMULATOR_SANITIZED)
#include <sanitizer/common_interface_defs.h>
#endif

#include "core/error.h"
#include "core/str.h"
#include "runtime.h"

namespace lm::emu {

namespace {

constexpr i64 kStackBytes = 256 * 1024;
constexpr int kNobody = -1;
constexpr int kSeveral = -2;

// A cp.async of 16 bytes that has not happened yet.
struct Copy {
  u32 address = 0;
  std::array<u8, 16> bytes{};
};

// One thread of the block. `gate` counts the barriers it has passed.
struct Fiber {
  ucontext_t context{};
  std::jmp_buf env{};
  std::unique_ptr<char[]> stack;
  void* sanitizer = nullptr;  // what the address sanitizer keeps of a suspended stack
  bool started = false;
  bool done = true;
  bool waits_block = false;
  bool waits_warp = false;
  i64 block_gate = 0;
  i64 warp_gate = 0;
  i64 warp_order = 0;  // warp barriers passed
  std::vector<Copy> open_copies;
  std::deque<std::vector<Copy>> copy_groups;
};

struct Warp {
  i64 gate = 0;
  int arrived = 0;
  u64 slot[2][32 * kMostPublished] = {};
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

// A word of dynamic shared memory. Its readers are those since the last write within one block
// gate: a thread, or several of one warp, or several.
struct Cell {
  bool written = false;
  bool in_flight = false;
  int writer = kNobody;
  int reader = kNobody;
  int reader_warp = kNobody;
  i64 write_gate = 0;
  i64 write_order = 0;
  i64 read_gate = 0;
  i64 read_order = 0;
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
  std::vector<u8> dynamic;
  std::vector<Cell> cells;
  i64 conflicts = 0;
  Self now;
  std::jmp_buf scheduler{};
  void* sanitizer = nullptr;  // of the scheduler's stack, and where that is
  const void* stack = nullptr;
  std::size_t stack_bytes = 0;
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

// The address sanitizer is told when stacks change: before, where to, and afterwards.
#if defined(__SANITIZE_ADDRESS__) || defined(LM_EMULATOR_SANITIZED)
void leave_scheduler(const Fiber& to) {
  __sanitizer_start_switch_fiber(&machine().sanitizer, to.stack.get(),
                                 static_cast<std::size_t>(kStackBytes));
}
void enter_scheduler() {
  __sanitizer_finish_switch_fiber(machine().sanitizer, nullptr, nullptr);
}
void leave_fiber(Fiber& from) {
  __sanitizer_start_switch_fiber(&from.sanitizer, machine().stack, machine().stack_bytes);
}
void enter_fiber(const Fiber& to) {
  __sanitizer_finish_switch_fiber(to.sanitizer, &machine().stack, &machine().stack_bytes);
}
#else
void leave_scheduler(const Fiber&) {}
void enter_scheduler() {}
void leave_fiber(const Fiber&) {}
void enter_fiber(const Fiber&) {}
#endif

void yield_to_scheduler() {
  if (_setjmp(running().env) == 0) {
    leave_fiber(running());
    _longjmp(machine().scheduler, 1);
  }
  enter_fiber(running());
}

// A fiber's whole life: one kernel thread per turn, over and over.
void fiber_main() {
  enter_fiber(running());
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
  if (_setjmp(machine().scheduler) != 0) return enter_scheduler();
  leave_scheduler(f);
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
  f.sanitizer = nullptr;
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
    f.block_gate = f.warp_gate = f.warp_order = 0;
    f.open_copies.clear();
    f.copy_groups.clear();
  }
  std::fill(m.dynamic.begin(), m.dynamic.end(), u8{0xFF});
  std::fill(m.cells.begin(), m.cells.end(), Cell{});
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

void run(const char* kernel, i64 blocks, int threads, const std::function<void()>& body,
         i64 shared_bytes) {
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
  LM_CHECK(shared_bytes % 16 == 0 && shared_bytes <= 227 * 1024, "a block's shared memory");
  m.dynamic.resize(usize(shared_bytes));
  m.cells.resize(usize(shared_bytes / 4));
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

u64 exchange_bits(u64 bits, int lane) {
  if (lane < 0 || lane > 31) fail("exchange with a lane outside the warp");
  return publish(&bits, 1)[lane * kMostPublished];
}

const u64* publish(const u64* words, int count) {
  Machine& m = machine();
  Fiber& f = running();
  Warp& w = m.warps[usize(m.now.thread / 32)];
  // Two rows of slots in turn: nobody writes a row again before all have passed the next exchange.
  u64* slot = w.slot[f.warp_gate & 1];
  std::copy_n(words, count, slot + m.now.thread % 32 * kMostPublished);
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

void warp_barrier() {
  const u64 nothing = 0;
  publish(&nothing, 1);
  ++running().warp_order;
}

u32 ballot(bool set) {
  const u64 mine = set ? 1 : 0;
  const u64* all = publish(&mine, 1);
  u32 bits = 0;
  for (int lane = 0; lane < 32; ++lane)
    bits |= static_cast<u32>(all[lane * kMostPublished]) << lane;
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

namespace {

Cell* dynamic_cells(u32 address, int bytes) {
  Machine& m = machine();
  if (address % static_cast<u32>(bytes) != 0) fail("unaligned shared access");
  if (i64{address} + bytes > isize(m.dynamic)) {
    fail(cat("shared address ", address, " outside ", m.dynamic.size()));
  }
  return &m.cells[usize(address / 4)];
}

void check_writer(const Cell& c, u32 address) {
  const Machine& m = machine();
  const Fiber& f = running();
  if (c.in_flight) fail(cat("shared address ", address, " is used during an asynchronous copy"));
  const bool free = c.writer == kNobody || c.writer == m.now.thread ||
                    c.write_gate != f.block_gate ||
                    (c.writer / 32 == m.now.thread / 32 && c.write_order != f.warp_order);
  if (!free) fail(cat("race on shared address ", address, " with its writer"));
}

void check_readers(const Cell& c, u32 address) {
  const Machine& m = machine();
  const Fiber& f = running();
  const bool free = c.reader == kNobody || c.reader == m.now.thread ||
                    c.read_gate != f.block_gate ||
                    (c.reader_warp == m.now.thread / 32 && c.read_order != f.warp_order);
  if (!free) fail(cat("race on shared address ", address, " with a reader"));
}

void note_write(Cell& c) {
  c.written = true;
  c.in_flight = false;
  c.writer = machine().now.thread;
  c.write_gate = running().block_gate;
  c.write_order = running().warp_order;
  c.reader = c.reader_warp = kNobody;
}

void finish(const Copy& copy) {
  Machine& m = machine();
  std::copy(copy.bytes.begin(), copy.bytes.end(), m.dynamic.begin() + copy.address);
  Cell* c = dynamic_cells(copy.address, 16);
  std::for_each(c, c + 4, note_write);
}

}  // namespace

void dynamic_read(u32 address, void* to, int bytes) {
  Machine& m = machine();
  const Fiber& f = running();
  Cell* cells = dynamic_cells(address, bytes);
  for (Cell* c = cells; c != cells + bytes / 4; ++c) {
    if (!c->written && !c->in_flight) {
      fail(cat("shared address ", address, " is read before it is written"));
    }
    check_writer(*c, address);
    const int thread = m.now.thread;
    if (c->reader == kNobody || c->read_gate != f.block_gate) {
      c->reader = thread;
      c->reader_warp = thread / 32;
    } else {
      if (c->reader != thread) c->reader = kSeveral;
      if (c->reader_warp != thread / 32) c->reader_warp = kSeveral;
    }
    c->read_gate = f.block_gate;
    c->read_order = f.warp_order;
  }
  std::memcpy(to, m.dynamic.data() + address, usize(bytes));
}

void dynamic_write(u32 address, const void* from, int bytes) {
  Cell* cells = dynamic_cells(address, bytes);
  for (Cell* c = cells; c != cells + bytes / 4; ++c) {
    check_writer(*c, address);
    check_readers(*c, address);
    note_write(*c);
  }
  std::memcpy(machine().dynamic.data() + address, from, usize(bytes));
}

// The source is read here, the destination changes at the wait: global memory that a kernel both
// writes and copies is not checked.
void async_copy(u32 address, const void* from) {
  Cell* cells = dynamic_cells(address, 16);
  for (Cell* c = cells; c != cells + 4; ++c) {
    check_writer(*c, address);
    check_readers(*c, address);
    c->in_flight = true;
  }
  Copy copy{address, {}};
  if (from != nullptr) {
    require_aligned(from, 16);
    std::memcpy(copy.bytes.data(), from, 16);
  }
  running().open_copies.push_back(copy);
}

void async_commit() {
  Fiber& f = running();
  f.copy_groups.push_back(std::move(f.open_copies));
  f.open_copies.clear();
}

void async_wait(int pending) {
  Fiber& f = running();
  while (isize(f.copy_groups) > pending) {
    for (const Copy& copy : f.copy_groups.front())
      finish(copy);
    f.copy_groups.pop_front();
  }
}

void count_conflicts(const u32* addresses) {
  u32 met = 0;
  for (int i = 0; i < 8; ++i) {
    const u32 bank = 1u << (addresses[i] / 16 % 8);
    if ((met & bank) != 0) ++machine().conflicts;
    met |= bank;
  }
}

i64 bank_conflicts() {
  return machine().conflicts;
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
  if (bytes > emu::largest_allocation) {
    throw Error(ErrorKind::kOs, cat("asked for ", bytes, " bytes of device memory, ",
                                    emu::largest_allocation, " are free"));
  }
  void* p = std::aligned_alloc(256, usize((bytes + 255) / 256 * 256 + 256));
  if (p == nullptr) throw Error(ErrorKind::kOs, cat("cannot allocate ", bytes, " bytes"));
  std::memset(p, 0xA5, usize(bytes));
  return p;
}
i64 free_memory() {
  return i64{1} << 34;
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
void copy_within(void* dst, const void* src, i64 bytes, Stream*) {
  if (bytes > 0) std::memcpy(dst, src, usize(bytes));
}
Stream* make_stream() {
  return nullptr;
}
bool begin_capture(Stream*) {
  return false;
}
void* end_capture(Stream*) {
  return nullptr;
}
void launch_graph(void*, Stream*) {}
void release_graph(void*) noexcept {}
void wait(Stream*) {}
void check_launch(const char*) {}

}  // namespace lm::cuda

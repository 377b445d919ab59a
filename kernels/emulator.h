#pragma once
// The block emulator: runs kernels written against device.h on the host, for tests. Each thread of
// a block is a fiber (ucontext to start, _setjmp/_longjmp to switch: a switch then makes no system
// call). A barrier or exchange yields until all participants have arrived.
//
// What it catches, as Error{kInternal} naming the kernel: a barrier or exchange that some threads
// never reach; shared arrays read before written, indexed out of bounds, or touched by two threads
// without a barrier between; unaligned 16-byte accesses. Global memory is checked by the tests' own
// guard zones and sanitizers. Blocks run one after the other. One host thread at a time.
//
// Dynamic shared memory is a range of bytes that starts at address 0, checked by the 4-byte word.
// Asynchronous copies into it happen as late as they may, at the wait that asks for them; until
// then their destination must not be touched. mma.h builds the matrix instructions on these.

#include <cstring>
#include <functional>
#include <type_traits>

#include "core/types.h"

namespace lm::emu {

struct Self {
  int thread = 0;
  int threads = 0;
  i64 block = 0;
  i64 blocks = 0;
};
/// Of the running fiber.
const Self& self();

/// Runs body once per thread of every block, with shared_bytes of dynamic shared memory.
void run(const char* kernel, i64 blocks, int threads, const std::function<void()>& body,
         i64 shared_bytes = 0);

void block_barrier();
/// The value that lane `lane` of this warp gives to the same exchange.
u64 exchange_bits(u64 bits, int lane);
/// Bit l: what lane l of this warp gives to the same exchange.
u32 ballot(bool set);
void require_aligned(const void* p, i64 bytes);

/// Larger allocations fail as they do on a device that is full. For tests.
inline i64 largest_allocation = i64{1} << 40;

/// An exchange of up to kMostPublished words per lane: word w of lane l is in the result at
/// l * kMostPublished + w, until this thread's next exchange.
inline constexpr int kMostPublished = 4;
const u64* publish(const u64* words, int count);
/// Orders this warp's accesses to dynamic shared memory. Exchanges alone do not.
void warp_barrier();

/// Checked accesses of 4, 8 or 16 bytes, aligned to their size.
void dynamic_read(u32 address, void* to, int bytes);
void dynamic_write(u32 address, const void* from, int bytes);
/// cp.async of 16 bytes, zeros if from is null; its groups as in the PTX manual.
void async_copy(u32 address, const void* from);
void async_commit();
void async_wait(int pending);
/// Notes that one warp-wide access reads these eight 16-byte rows at once.
void count_conflicts(const u32* addresses);
/// Such accesses that met a bank twice, since the process started.
i64 bank_conflicts();

template <typename T>
T exchange(T v, int lane) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
  u64 bits = 0;
  std::memcpy(&bits, &v, sizeof(T));
  bits = exchange_bits(bits, lane);
  std::memcpy(&v, &bits, sizeof(T));
  return v;
}

/// A shared array's storage; the same for all threads of a block that name the same site.
int shared_array(int site, i64 count, i64 item_bytes);
/// Checked access to element i: returns its address.
void* shared_at(int array, i64 i, bool write);

template <typename T>
class Shared {
 public:
  Shared(int site, i64 count) : array_(shared_array(site, count, sizeof(T))) {}

  class Element {
   public:
    Element(int array, i64 i) : array_(array), i_(i) {}
    operator T() const { return *static_cast<const T*>(shared_at(array_, i_, false)); }
    Element& operator=(T v) {
      *static_cast<T*>(shared_at(array_, i_, true)) = v;
      return *this;
    }
    Element& operator=(const Element& other) { return *this = static_cast<T>(other); }
    Element(const Element&) = default;
    Element& operator+=(T v) { return *this = static_cast<T>(*this) + v; }

   private:
    int array_;
    i64 i_;
  };
  Element operator[](i64 i) const { return {array_, i}; }

 private:
  int array_;
};

/// Launches since the process started, by the tests that count them.
i64 launches();

}  // namespace lm::emu

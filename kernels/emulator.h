#pragma once
// The block emulator: runs kernels written against device.h on the host, for tests. Each thread of
// a block is a fiber (ucontext to start, _setjmp/_longjmp to switch: a switch then makes no system
// call). A barrier or exchange yields until all participants have arrived.
//
// What it catches, as Error{kInternal} naming the kernel: a barrier or exchange that some threads
// never reach; shared arrays read before written, indexed out of bounds, or touched by two threads
// without a barrier between; unaligned 16-byte accesses. Global memory is checked by the tests' own
// guard zones and sanitizers. Blocks run one after the other. Matrix and asynchronous-copy
// instructions are not emulated. One host thread at a time.

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

/// Runs body once per thread of every block.
void run(const char* kernel, i64 blocks, int threads, const std::function<void()>& body);

void block_barrier();
/// The value that lane `lane` of this warp gives to the same exchange.
u64 exchange_bits(u64 bits, int lane);
/// Bit l: what lane l of this warp gives to the same exchange.
u32 ballot(bool set);
void require_aligned(const void* p, i64 bytes);

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

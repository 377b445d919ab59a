#include "io/pages.h"

#include <cstdint>

#include <sys/mman.h>
#include <unistd.h>

namespace lm::io {

namespace {
// The whole pages of a range: around it, or inside it.
struct Pages {
  void* base = nullptr;
  std::size_t bytes = 0;
};
Pages pages_of(const void* data, i64 bytes, bool inside) {
  const std::uintptr_t page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t end = begin + static_cast<std::uintptr_t>(bytes);
  const std::uintptr_t low = (inside ? begin + page - 1 : begin) / page * page;
  const std::uintptr_t high = (inside ? end : end + page - 1) / page * page;
  if (low >= high) return {};
  return {reinterpret_cast<void*>(low), high - low};
}
}  // namespace

void fault_in(const void* data, i64 bytes) {
  const Pages pages = pages_of(data, bytes, false);
#ifdef MADV_POPULATE_READ
  constexpr int kAdvice = MADV_POPULATE_READ;
#else
  constexpr int kAdvice = 22;  // what Linux 5.14 calls it; older ones refuse it, and pages fault in
#endif
  if (pages.bytes > 0) ::madvise(pages.base, pages.bytes, kAdvice);
}

void let_go(const void* data, i64 bytes) {
  const Pages pages = pages_of(data, bytes, true);
  if (pages.bytes > 0) ::madvise(pages.base, pages.bytes, MADV_DONTNEED);
}

}  // namespace lm::io

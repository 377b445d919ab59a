#pragma once
// Counts what a test program takes from the heap: replaces operator new and delete, every form that
// must go together. Included by one file of a program.

#include <atomic>
#include <cstdlib>
#include <new>

#include "core/types.h"

// The address sanitizer has operators of its own, which shared libraries are bound to: nothing is
// counted under it.
#if defined(__SANITIZE_ADDRESS__)
#define LM_COUNTED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LM_COUNTED 0
#endif
#endif
#ifndef LM_COUNTED
#define LM_COUNTED 1
#endif

namespace lm::test {

inline constexpr bool kCounted = LM_COUNTED != 0;
inline std::atomic<i64> allocations{0};
inline std::atomic<i64> largest{0};  // bytes of one of them

inline void* counted(std::size_t bytes) noexcept {
  allocations.fetch_add(1);
  if (static_cast<i64>(bytes) > largest.load()) largest.store(static_cast<i64>(bytes));
  return std::malloc(bytes == 0 ? 1 : bytes);
}

}  // namespace lm::test

#if LM_COUNTED
void* operator new(std::size_t bytes) {
  if (void* const p = lm::test::counted(bytes)) return p;
  throw std::bad_alloc();
}
void* operator new[](std::size_t bytes) {
  if (void* const p = lm::test::counted(bytes)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return lm::test::counted(bytes);
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
#endif

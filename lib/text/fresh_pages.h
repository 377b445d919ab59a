#pragma once
// Inside lib/text only: a zeroed array for hash tables. Its memory comes from the kernel as pages
// that nothing has touched, in huge pages where they fit: a table of 32 MiB then takes 16 entries
// of the processor's address cache instead of 8192, and every look-up in it is a miss less.

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include <sys/mman.h>

#include "core/types.h"

namespace lm::text {

template <typename T>
class FreshPages {
  static_assert(std::is_trivial_v<T>, "elements begin as zero bytes and are never destroyed");

 public:
  FreshPages() = default;
  /// count >= 1 elements of zero bytes. Throws std::bad_alloc.
  explicit FreshPages(std::size_t count) : count_(count) {
    const std::size_t bytes = count * sizeof(T);
    const bool huge = bytes >= kHuge;
    mapped_bytes_ = huge ? bytes + kHuge : bytes;
    mapped_ =
        ::mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped_ == MAP_FAILED) {
      mapped_ = nullptr;
      throw std::bad_alloc();
    }
    char* base = static_cast<char*>(mapped_);
    if (huge) {
      // Before the first touch, and aligned: else the kernel gives small pages without a word.
      base += (kHuge - reinterpret_cast<std::size_t>(base) % kHuge) % kHuge;
      ::madvise(base, bytes, MADV_HUGEPAGE);
    }
    data_ = reinterpret_cast<T*>(base);
  }
  ~FreshPages() {
    if (mapped_ != nullptr) ::munmap(mapped_, mapped_bytes_);
  }
  FreshPages(FreshPages&& other) noexcept { swap(other); }
  FreshPages& operator=(FreshPages&& other) noexcept {
    FreshPages moved(std::move(other));
    swap(moved);
    return *this;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }

 private:
  static constexpr std::size_t kHuge = std::size_t{2} << 20;
  void swap(FreshPages& other) noexcept {
    std::swap(mapped_, other.mapped_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
  }

  void* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace lm::text

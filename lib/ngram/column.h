#pragma once
// An array that grows without moving and without needing memory for all of itself: one reserved
// address range, committed piece by piece, each piece anonymous while the budget lasts and a
// mapping of an unlinked spill file afterwards. Readers see plain contiguous memory either way.
// Thread rule: growing is exclusive; distinct elements may be written concurrently.

#include <span>
#include <string>
#include <type_traits>

#include "core/context.h"
#include "io/file.h"

namespace lm::ngram {

class PagedBytes {
 public:
  /// Reserves address space for max_bytes; nothing is charged yet. Throws Error{kOs}.
  PagedBytes(const Context& ctx, i64 max_bytes);
  PagedBytes(PagedBytes&& other) noexcept;
  PagedBytes& operator=(PagedBytes&& other) noexcept;
  ~PagedBytes();

  /// Makes the first `bytes` usable; new bytes are zero. Throws Error{kIo} when the spill disk is
  /// full, kCannotCreate when there is no spill folder, kInternal beyond the reserve.
  void commit(i64 bytes);
  void* data() const { return base_; }
  i64 committed_bytes() const { return committed_; }
  i64 spilled_bytes() const { return spilled_; }

 private:
  void release() noexcept;
  const Context* ctx_ = nullptr;
  void* base_ = nullptr;
  i64 reserved_ = 0;
  i64 committed_ = 0;
  i64 charged_ = 0;
  i64 spilled_ = 0;
  io::Fd spill_;
};

template <typename T>
class Column {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  /// At most max_size elements will ever be held.
  Column(const Context& ctx, i64 max_size)
      : bytes_(ctx, max_size * static_cast<i64>(sizeof(T))),
        data_(static_cast<T*>(bytes_.data())) {}

  i64 size() const { return size_; }
  T& operator[](i64 i) { return data_[i]; }
  const T& operator[](i64 i) const { return data_[i]; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  void push_back(T value) {
    if (size_ == capacity_) resize_capacity(size_ + 1);
    data_[size_++] = value;
  }
  /// New elements are zero.
  void resize(i64 size) {
    if (size > capacity_) resize_capacity(size);
    size_ = size;
  }
  i64 spilled_bytes() const { return bytes_.spilled_bytes(); }

 private:
  void resize_capacity(i64 size) {
    bytes_.commit(size * static_cast<i64>(sizeof(T)));
    capacity_ = bytes_.committed_bytes() / static_cast<i64>(sizeof(T));
  }
  PagedBytes bytes_;
  T* data_;
  i64 size_ = 0;
  i64 capacity_ = 0;
};

}  // namespace lm::ngram

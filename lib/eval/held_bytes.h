#pragma once
// A charge against --memory that grows while a task's documents, prompts and tokens are gathered.

#include <string_view>
#include <utility>

#include "core/context.h"

namespace lm::eval {

class HeldBytes {
 public:
  /// memory: null for no budget.
  HeldBytes(MemoryBudget* memory, std::string_view what) : memory_(memory), what_(what) {}
  HeldBytes(HeldBytes&& other) noexcept
      : memory_(other.memory_), what_(other.what_), bytes_(std::exchange(other.bytes_, 0)) {}
  HeldBytes& operator=(HeldBytes&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(what_, other.what_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~HeldBytes() {
    if (memory_ != nullptr) memory_->release(bytes_);
  }

  /// Throws Error{kOs} when the budget has no room.
  void add(i64 bytes) {
    if (memory_ == nullptr) return;
    memory_->charge_growing(bytes_, bytes, what_);
    bytes_ += bytes;
  }

 private:
  MemoryBudget* memory_;
  std::string_view what_;  // of a literal
  i64 bytes_ = 0;
};

}  // namespace lm::eval

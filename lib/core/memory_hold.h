#pragma once
// A charge of the memory budget that changes while it is held.

#include <string_view>

#include "core/context.h"

namespace lm {

/// A charge that grows and is given back as a whole. Not thread-safe.
class MemoryHold {
 public:
  explicit MemoryHold(MemoryBudget& budget) : MemoryHold(&budget) {}
  /// budget: null for none, then bytes are only counted.
  explicit MemoryHold(MemoryBudget* budget) : budget_(budget) {}
  ~MemoryHold() { release(); }
  MemoryHold(const MemoryHold&) = delete;
  MemoryHold& operator=(const MemoryHold&) = delete;
  i64 bytes() const { return bytes_; }
  MemoryBudget* budget() const { return budget_; }
  /// As MemoryBudget::charge(); bytes may be negative, which gives back a part.
  void add(i64 bytes, std::string_view what) {
    if (budget_ != nullptr && bytes > 0) budget_->charge(bytes, what);
    if (budget_ != nullptr && bytes < 0) budget_->release(-bytes);
    bytes_ += bytes;
  }
  /// As MemoryBudget::charge_growing().
  void add_growing(i64 bytes, std::string_view what) {
    if (budget_ != nullptr) budget_->charge_growing(bytes_, bytes, what);
    bytes_ += bytes;
  }
  /// False and unchanged if bytes do not fit.
  bool try_add(i64 bytes) {
    if (budget_ != nullptr && !budget_->try_charge(bytes)) return false;
    bytes_ += bytes;
    return true;
  }
  void release() {
    if (budget_ != nullptr) budget_->release(bytes_);
    bytes_ = 0;
  }

 private:
  MemoryBudget* budget_;
  i64 bytes_ = 0;
};

}  // namespace lm

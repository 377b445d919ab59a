#pragma once
// Scratch floats for kernels. Freed blocks wait in a list of the thread that took them, so that a
// steady state allocates nothing. A stack discipline per thread is not enough for one buffer per
// thread: a thread that waits in a nested parallel region may run another task meanwhile.

#include "core/types.h"

namespace lm::cpu {

class Scratch {
 public:
  /// 64-byte aligned, contents unspecified. Throws std::bad_alloc.
  explicit Scratch(i64 floats);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  f32* data() const { return data_; }

 private:
  f32* data_ = nullptr;
  i64 capacity_ = 0;
};

}  // namespace lm::cpu

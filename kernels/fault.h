#pragma once
// Bad numbers in the user's data (a token outside the table, a span outside the keys) are found by
// the kernel that would use them. It records the first one it meets and goes on with a harmless
// value; the host looks when it waits for the device and throws Error{kData}.

#include "core/types.h"

namespace lm {
struct Stream;
}

namespace lm::cuda {

enum class FaultKind : i32 { kNone, kToken, kPosition, kTarget, kSpan };

/// In device memory, zeroed.
struct Fault {
  i32 taken = 0;
  i32 kind = 0;
  i32 value = 0;
  i64 row = 0;
  i64 limit = 0;
};

}  // namespace lm::cuda

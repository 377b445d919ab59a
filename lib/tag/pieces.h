#pragma once
// Places in a text, in bytes.

#include "core/types.h"

namespace lm::tag {

/// A maximal run of characters that are no white space (Python's).
struct Word {
  u32 begin = 0;
  u32 bytes = 0;
  u32 chars = 0;  // code points
};

struct Range {
  i64 begin = 0;
  i64 end = 0;
  i64 size() const { return end - begin; }
};

}  // namespace lm::tag

#pragma once
// Cases of tensor-core attention, run wherever runtime.h's memory is: on the block emulator in
// test-cuda, on a device in test-gpu.

#include <string>
#include <vector>

#include "core/types.h"

namespace lm::test {

struct AttentionCase {
  std::string name;
  i64 keys = 0, heads = 1, kv_heads = 1, head_dim = 64;
  f32 softcap = 0;
  i32 window = 0;
  i64 gap = 0;              // elements between the rows of a buffer that belong to nobody
  std::vector<i32> spans;   // [rows, 6]
  i64 bad_row = -1;         // whose span is outside; it must be reported
  i64 unwritten_from = -1;  // keys from here on hold NaN and are seen by nobody
};

/// All cases, or those small enough for the memory checker.
std::vector<AttentionCase> attention_cases(bool few);

/// Forward and backward against a double-precision reference on the same bf16 inputs, by relative
/// L2 norm; equal bits at a second run; nothing written around the outputs. Reports by Catch
/// checks.
void check_attention(const AttentionCase& c);

}  // namespace lm::test

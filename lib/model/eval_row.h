#pragma once
// A token as the engine evaluates it (engine.h).

#include "core/types.h"

namespace lm::model {

/// One token to evaluate. The rows of a sequence within one eval take its next cache slots in the
/// order given: row j of the sequence (counted from 0) has slot length + j.
struct EvalRow {
  /// Which keys of its own sequence the row sees beside the cached [0, length): the sequence's
  /// earlier rows of this call and itself; itself and the rows of `ancestors`; or all rows of this
  /// call.
  enum class See : u8 { kPast, kTree, kAll };

  i32 seq = 0;
  i32 token = 0;
  i32 position = -1;  // -1: the slot
  bool want_logits = false;
  bool want_hidden = false;  // hidden() and state()
  See see = See::kPast;
  u64 ancestors =
      0;  // kTree: bit j = row j of this sequence in this call, before this row, the 65th
  /// Slots [hole_begin, hole_end) are invisible: cached ones, and with kPast also those of earlier
  /// rows of this call.
  i32 hole_begin = 0;
  i32 hole_end = 0;
  /// kAll: the first `until` rows of this call alone, 0: all of them. Blocks that see themselves
  /// and those before them (ops/rows.h clean_span) are read in one call so.
  i32 until = 0;
  /// The row is of its text's prefix, which prefix linear attention reads as a whole: of a sequence
  /// without rows the first ones, consecutive in one call. Of models that read prefixes.
  bool prefix = false;
};

}  // namespace lm::model

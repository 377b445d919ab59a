#pragma once
// Hints about ranges of a mapping (file.h). They move pages and change no result.

#include "core/types.h"

namespace lm::io {

/// For a range that is about to be read: its pages are mapped in one call, not in thousands of
/// faults.
void fault_in(const void* data, i64 bytes);
/// For a range that is done with: the pages wholly inside leave this process's memory (the system's
/// cache keeps them); reading them again maps them again.
void let_go(const void* data, i64 bytes);

}  // namespace lm::io

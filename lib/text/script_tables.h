#pragma once
// Layout of the generated table of Unicode 16.0's scripts (script_tables.cc, written by
// scripts/gen_scripts). Private to script.cc.

#include "core/types.h"

namespace lm::text::tables {

// Two-stage table: value(cp) = blocks[index[cp / block] * block + cp % block].
inline constexpr u32 kScriptBlock = 128;
extern const u8 script_index[];
extern const u8 script_blocks[];

}  // namespace lm::text::tables

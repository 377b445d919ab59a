#pragma once
// Layout of the generated Unicode 16.0 tables of segmentation_tables.cc (scripts/gen_segmentation).
// Private to word_break.cc and script.cc.

#include "core/types.h"

namespace lm::text::tables {

// Two-stage tables: value(cp) = blocks[index[cp / block] * block + cp % block].
inline constexpr u32 kSegmentationBlock = 128;
extern const u8 word_break_index[];
extern const u8 word_break_blocks[];  // low 5 bits Word_Break, 0x20 Extended_Pictographic
extern const u8 script_index[];
extern const u8 script_blocks[];

inline u8 segmentation_value(const u8* index, const u8* blocks, char32_t cp) {
  const char32_t c = cp < 0x110000 ? cp : 0x10FFFF;
  return blocks[u32{index[c / kSegmentationBlock]} * kSegmentationBlock + c % kSegmentationBlock];
}

}  // namespace lm::text::tables

#pragma once
// Layout of the generated Unicode 16.0 tables (unicode_tables.cc, written by scripts/gen_unicode).
// Private to unicode.cc, normalization.cc and the inline look-ups of unicode.h.

#include "core/types.h"

namespace lm::text::tables {

struct CharRecord {
  u8 ccc;    // canonical combining class
  u8 flags;  // 1 Cased, 2 Case_Ignorable, 4 has a numeric value
  i32 lower_delta;
  i32 upper_delta;
};

struct CompositionPair {
  u32 first;
  u32 second;
  u32 composite;
};

// Two-stage tables: value(cp) = blocks[index[cp / block] * block + cp % block].
inline constexpr u32 kPropsBlock = 128;
inline constexpr u32 kBlock = 64;  // of the three others
extern const u16 props_index[];
extern const u8 props_blocks[];  // low 5 bits category, 0x20 Alphabetic, 0x40 not inert, 0x80 blank
extern const u16 records_index[];
extern const u16 records_blocks[];
extern const CharRecord records[];
extern const u16 canon_index[];
extern const u16 canon_blocks[];  // offset into decomposition_pool, 0 = maps to itself
extern const u16 compat_index[];
extern const u16 compat_blocks[];       // the same, only where it differs from the canonical one
extern const u32 decomposition_pool[];  // length, then that many code points
extern const i64 pair_count;
extern const CompositionPair pairs[];  // sorted by (first, second)

inline u8 props(char32_t cp) {
  return cp < 0x110000
             ? props_blocks[props_index[cp / kPropsBlock] * kPropsBlock + cp % kPropsBlock]
             : u8{0};
}

inline const CharRecord& record(char32_t cp) {
  const char32_t c = cp < 0x110000 ? cp : 0x10FFFF;
  return records[records_blocks[records_index[c / kBlock] * kBlock + c % kBlock]];
}

}  // namespace lm::text::tables

#pragma once
// Layout of the generated table of Unicode 16.0's boundary classes (break_tables.cc, written by
// scripts/gen_breaks). Private to sentences.cc and words_u29.cc.

#include "core/types.h"

namespace lm::text::tables {

/// Sentence_Break; the values are the table's.
enum class SentenceClass : u8 {
  kOther,
  kCr,
  kLf,
  kSep,
  kExtend,
  kFormat,
  kSp,
  kLower,
  kUpper,
  kOLetter,
  kNumeric,
  kATerm,
  kSTerm,
  kClose,
  kSContinue
};

/// Word_Break; the values are the table's.
enum class WordClass : u8 {
  kOther,
  kCr,
  kLf,
  kNewline,
  kExtend,
  kZwj,
  kFormat,
  kWSegSpace,
  kRegionalIndicator,
  kKatakana,
  kHebrewLetter,
  kALetter,
  kSingleQuote,
  kDoubleQuote,
  kMidNumLet,
  kMidLetter,
  kMidNum,
  kNumeric,
  kExtendNumLet
};

// value(cp) = blocks[index[cp / block] * block + cp % block]: 4 bits of sentence class, 5 of word
// class, 1 Extended_Pictographic.
inline constexpr u32 kBreakBlock = 64;
extern const u16 break_index[];
extern const u16 break_blocks[];

inline u16 break_classes(char32_t cp) {
  return cp < 0x110000
             ? break_blocks[break_index[cp / kBreakBlock] * kBreakBlock + cp % kBreakBlock]
             : u16{0};
}
inline SentenceClass sentence_class(char32_t cp) {
  return static_cast<SentenceClass>(break_classes(cp) & 0xF);
}
inline WordClass word_class(char32_t cp) {
  return static_cast<WordClass>(break_classes(cp) >> 4 & 0x1F);
}
inline bool is_pictographic(char32_t cp) {
  return (break_classes(cp) >> 9 & 1) != 0;
}

}  // namespace lm::text::tables

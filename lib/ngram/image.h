#pragma once
// The query form of a model: one open-addressing table of 64-bit n-gram hashes per order, as it
// lies in an LMNG file and in memory. The hash of w1..wn is built from wn backwards, so the hash of
// a suffix is an intermediate value. Two n-grams with equal hashes are taken as one (2^-64 a pair).
//
// LMNG, little endian, sections in this order, each padded to 64 bytes:
//   Header | unigrams: Weights[vocab] | words: WordSlot[] | orders 2..N-1: MiddleSlot[] |
//   order N: TopSlot[] | spelling offsets: u64[vocab + 1] | spelling bytes | text form (cutter.h)
// Version 1 files have no text form.
// Weights hold two flags in sign bits that carry nothing otherwise, because log10 p <= 0:
//   p is stored as |p| with the sign set when no longer n-gram ends in this one;
//   b = -0.0 says that no n-gram starts with this one, so it need not be kept as context.

#include <bit>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/types.h"
#include "io/atomic_file.h"
#include "ngram/vocab.h"

namespace lm::ngram {

struct Weights {
  f32 p;
  f32 b;
};
struct WordSlot {
  u64 hash;  // word_hash, 0 = empty
  u64 id;
};
struct MiddleSlot {
  u64 hash;  // 0 = empty
  Weights weights;
};
struct TopSlot {
  u32 hash_low;
  u32 hash_high;  // both 0 = empty
  f32 p;
};
static_assert(sizeof(MiddleSlot) == 16 && sizeof(TopSlot) == 12 && sizeof(WordSlot) == 16);
static_assert(std::endian::native == std::endian::little);

inline u64 gram_hash(u32 last_word) {
  return (u64{last_word} + 1) * 0x9E3779B97F4A7C15ULL;
}
/// The hash of w h from the hash of h, where w stands before h.
inline u64 gram_hash(u64 hash, u32 word) {
  hash = (hash ^ (u64{word} + 1)) * 0xD6E8FEB86659FD93ULL;
  hash ^= hash >> 32;
  return hash == 0 ? 1 : hash;
}
inline u64 slot_hash(const WordSlot& slot) {
  return slot.hash;
}
inline u64 slot_hash(const MiddleSlot& slot) {
  return slot.hash;
}
inline u64 slot_hash(const TopSlot& slot) {
  return u64{slot.hash_high} << 32 | slot.hash_low;
}

/// Where hash's search starts among n > 0 slots. The multiplication spreads low bits upwards.
inline i64 slot_of(u64 hash, i64 n) {
  __extension__ using u128 = unsigned __int128;
  const u64 spread = hash * 0x9E3779B97F4A7C15ULL;
  return static_cast<i64>((u128{spread} * static_cast<u64>(n)) >> 64);
}

/// The slot of hash, or null. At most slots.size() steps, even in a corrupt table.
template <typename Slot>
const Slot* find_slot(std::span<const Slot> slots, u64 hash) {
  const i64 n = isize(slots);
  if (n == 0) return nullptr;
  i64 at = slot_of(hash, n);
  for (i64 step = 0; step < n; ++step) {
    const u64 here = slot_hash(slots[usize(at)]);
    if (here == hash) return &slots[usize(at)];
    if (here == 0) return nullptr;
    if (++at == n) at = 0;
  }
  return nullptr;
}

inline bool extends_left(f32 stored_p) {
  return !std::signbit(stored_p);
}
inline f32 log10_p(f32 stored_p) {
  return -std::fabs(stored_p);
}
inline bool extends_right(f32 b) {
  return std::bit_cast<u32>(b) != 0x80000000u;
}

/// Views of the sections of a model; whoever holds it keeps the bytes alive.
struct ImageView {
  int order = 0;
  std::vector<i64> counts;  // n-grams per order, closing n-grams of builders included
  std::span<const Weights> unigrams;
  std::span<const WordSlot> words;
  std::vector<std::span<const MiddleSlot>> middle;  // [n - 2] for orders 2..order-1
  std::span<const TopSlot> top;                     // order >= 2
  std::span<const u64> spelling_begin;
  std::string_view spelling;
  std::string_view form;  // how training cut text into words (cutter.h); empty = not known
};

/// Slots of a table that takes this many entries: load 2/3, and one slot stays empty.
inline i64 slots_for(i64 entries) {
  return entries + entries / 2 + 1;
}

/// The sizes that a header holds; they say where every section lies.
struct ImageShape {
  int order = 0;
  std::vector<i64> counts;  // n-grams per order
  std::vector<i64> slots;   // [n - 2] of the table of order n >= 2
  i64 vocab = 0;
  i64 word_slots = 0;
  i64 spelling_bytes = 0;
  i64 form_bytes = 0;

  /// Offsets in the file of unigrams, words, orders 2..N, spelling offsets, spelling, text form;
  /// the last one is the size of the file.
  std::vector<i64> section_begins() const;
  /// What comes before the unigrams. body_digest: XXH3-64 of everything after it.
  std::string header(u64 body_digest) const;
};
inline constexpr i64 kImageHeaderBytes = 256;

/// Checks header, sizes and, with verify, the digest of the whole body, then points into bytes
/// (64-byte aligned, as a mapping is). Throws Error{kData} naming `name` for anything that is not a
/// complete, unchanged LMNG file of a version this program reads.
ImageView parse_image(std::string_view bytes, const std::string& name, bool verify);
bool looks_like_image(std::string_view bytes);
/// Writes view as an LMNG file; the caller commits. Deterministic. Throws Error{kIo}.
void write_image(const ImageView& view, io::AtomicFile& file);
/// The same, opened and committed. Throws Error{kCannotCreate, kIo}.
void write_image(const ImageView& view, const std::string& path, bool sync = true);

}  // namespace lm::ngram

#include "text/cut_table.h"

#include <algorithm>
#include <bit>

#include "text/utf8.h"

namespace lm::text {
namespace {

bool is_continuation(char c) {
  return (static_cast<u8>(c) & 0xC0) == 0x80;
}

u64 pack(std::string_view bytes) {
  u64 key = 0;
  for (const char c : bytes)
    key = key << 8 | static_cast<u8>(c);
  return key;
}

std::size_t low6(char c) {
  return static_cast<std::size_t>(static_cast<u8>(c) & 63);
}

std::size_t row_of(char first, char second) {
  return low6(first) << 6 | low6(second);
}

bool bit(u64 word, std::size_t index) {
  return ((word >> index) & 1) != 0;
}

}  // namespace

CutTable::CutTable(const Vocab& vocab) : ends_(4096, 0), beginnings_(4096, 0) {
  u64 characters = 0;  // beyond ASCII; each begins at most two pairs
  for (i64 id = 0; id < vocab.id_limit(); ++id) {
    if (!vocab.has_id(id)) continue;
    for (const char c : vocab.token(id))
      characters += static_cast<u8>(c) >= 0xC0 ? 1 : 0;
  }
  const int bits = std::clamp(static_cast<int>(std::bit_width(32 * characters)), 6, kMostBits);
  bits_.assign(std::size_t{1} << (bits - 6), 0);
  shift_ = 64 - bits;
  for (i64 id = 0; id < vocab.id_limit(); ++id) {
    if (vocab.has_id(id)) mark_token(vocab.token(id));
  }
}

void CutTable::mark_token(std::string_view token) {
  i64 left_begin = 0;
  for (i64 at = 1; at < isize(token); ++at) {
    const u8 before = static_cast<u8>(token[usize(at - 1)]);
    const u8 here = static_cast<u8>(token[usize(at)]);
    if (before < 0x80 && here < 0x80) {
      ascii_[before][here >> 6] |= u64{1} << (here & 63);
      left_begin = at;
      continue;
    }
    if (is_continuation(token[usize(at)])) continue;
    i64 right_end = at + 1;
    while (right_end < isize(token) && is_continuation(token[usize(right_end)]))
      ++right_end;
    const std::string_view left = token.substr(usize(left_begin), usize(at - left_begin));
    const std::string_view right = token.substr(usize(at), usize(right_end - at));
    left_begin = at;
    // Longer than a character: bytes that no well-formed text contains.
    if (left.size() > 4 || right.size() > 4) continue;
    mark_fragments(left, right);
    const u64 h = hash(pack(left), pack(right));
    bits_[h >> 6] |= u64{1} << (h & 63);
  }
}

void CutTable::mark_fragments(std::string_view left, std::string_view right) {
  if (is_continuation(left[0])) {
    const u64 mark = u64{1} << low6(right[0]);
    // The byte before a single one may be any.
    for (std::size_t before = 0; before < 64; ++before) {
      if (left.size() == 1 || before == low6(left[left.size() - 2]))
        ends_[before << 6 | low6(left.back())] |= mark;
    }
  } else if (sequence_size(right[0]) > isize(right)) {
    const u64 mark = u64{1} << low6(left.back());
    for (std::size_t behind = 0; behind < 64; ++behind) {
      if (right.size() == 1 || behind == low6(right[1]))
        beginnings_[low6(right[0]) << 6 | behind] |= mark;
    }
  }
}

inline bool CutTable::joined(std::string_view left, std::string_view right) const {
  if (marked(pack(left), pack(right))) return true;
  const bool maybe =
      (left.size() > 1 && bit(ends_[row_of(left[left.size() - 2], left.back())], low6(right[0]))) ||
      (right.size() > 1 && bit(beginnings_[row_of(right[0], right[1])], low6(left.back())));
  return maybe && joined_by_fragments(left, right);
}

bool CutTable::joined_by_fragments(std::string_view left, std::string_view right) const {
  for (std::size_t skip = 0; skip < left.size(); ++skip) {
    const u64 left_key = pack(left.substr(skip));
    u64 right_key = pack(right);
    for (std::size_t cut = 0; cut < right.size(); ++cut) {
      if (marked(left_key, right_key)) return true;
      right_key >>= 8;
    }
  }
  return false;
}

i64 CutTable::next_cut(std::string_view text, i64 begin) const {
  const i64 size = isize(text);
  i64 left = begin;
  i64 at = begin + sequence_size(text[usize(begin)]);
  while (at < size) {
    const u8 l = static_cast<u8>(text[usize(left)]);
    const u8 r = static_cast<u8>(text[usize(at)]);
    if (l < 0x80 && r < 0x80) {
      if (!bit(ascii_[l][r >> 6], r & 63)) return at;
      left = at++;
      continue;
    }
    const i64 right_size = sequence_size(text[usize(at)]);
    if (!joined(text.substr(usize(left), usize(at - left)),
                text.substr(usize(at), usize(right_size)))) {
      return at;
    }
    left = at;
    at += right_size;
  }
  return size;
}

}  // namespace lm::text

#include "text/cut_table.h"

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

}  // namespace

CutTable::CutTable(const Vocab& vocab) : bits_(std::size_t{1} << (kBits - 6), 0) {
  for (i64 id = 0; id < vocab.id_limit(); ++id) {
    if (vocab.has_id(id)) mark_token(vocab.token(id));
  }
}

void CutTable::mark_token(std::string_view token) {
  i64 left_begin = 0;
  for (i64 at = 1; at < isize(token); ++at) {
    if (is_continuation(token[usize(at)])) continue;
    i64 right_end = at + 1;
    while (right_end < isize(token) && is_continuation(token[usize(right_end)]))
      ++right_end;
    const std::string_view left = token.substr(usize(left_begin), usize(at - left_begin));
    const std::string_view right = token.substr(usize(at), usize(right_end - at));
    left_begin = at;
    // Longer than a character: bytes that no well-formed text contains.
    if (left.size() > 4 || right.size() > 4) continue;
    has_ends_ = has_ends_ || is_continuation(left[0]);
    has_beginnings_ = has_beginnings_ || sequence_size(right[0]) > isize(right);
    const u64 h = hash(pack(left), pack(right));
    bits_[h >> 6] |= u64{1} << (h & 63);
  }
}

bool CutTable::joined(std::string_view left, std::string_view right) const {
  const std::size_t ends = has_ends_ ? left.size() : 1;
  const std::size_t beginnings = has_beginnings_ ? right.size() : 1;
  for (std::size_t skip = 0; skip < ends; ++skip) {
    const u64 left_key = pack(left.substr(skip));
    u64 right_key = pack(right);
    for (std::size_t cut = 0; cut < beginnings; ++cut) {
      if (marked(left_key, right_key)) return true;
      right_key >>= 8;
    }
  }
  return false;
}

i64 CutTable::next_cut(std::string_view text, i64 begin) const {
  i64 left = begin;
  i64 at = begin + sequence_size(text[usize(begin)]);
  while (at < isize(text)) {
    const i64 size = sequence_size(text[usize(at)]);
    if (!joined(text.substr(usize(left), usize(at - left)), text.substr(usize(at), usize(size)))) {
      return at;
    }
    left = at;
    at += size;
  }
  return isize(text);
}

}  // namespace lm::text

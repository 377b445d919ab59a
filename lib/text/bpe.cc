#include "text/bpe.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/error.h"
#include "text/utf8.h"

namespace lm::text {
namespace {

constexpr i64 kShortSymbols = 32;  // up to here a linear scan for the minimum beats a heap

std::string fallback_name(int byte) {
  constexpr char kHex[] = "0123456789ABCDEF";
  return std::string("<0x") + kHex[byte >> 4] + kHex[byte & 15] + ">";
}

}  // namespace

BpeModel::BpeModel(Vocab vocab, const std::vector<BpeMerge>& merges, BpeOptions options)
    : vocab_(std::move(vocab)), options_(std::move(options)) {
  i64 known_bytes = 0;
  for (int b = 0; b < 256; ++b) {
    const std::string name =
        options_.byte_level ? std::string(1, static_cast<char>(b)) : fallback_name(b);
    const bool used = options_.byte_level || options_.byte_fallback;
    byte_ids_[static_cast<std::size_t>(b)] = used ? vocab_.find(name) : -1;
    known_bytes += byte_ids_[static_cast<std::size_t>(b)] >= 0 ? 1 : 0;
  }
  if (!options_.byte_level) {
    char_ids_.assign(0x10000, -1);
    for (i64 id = 0; id < vocab_.id_limit(); ++id) {
      if (!vocab_.has_id(id)) continue;
      const Decoded d = decode_at(vocab_.token(id), 0);
      if (d.valid && d.size == isize(vocab_.token(id)) && d.size > 0 && d.cp < char_ids_.size()) {
        char_ids_[d.cp] = static_cast<i32>(id);
      }
    }
  }
  const std::size_t slots = std::bit_ceil(std::max<std::size_t>(16, merges.size() * 2));
  pairs_ = FreshPages<PairSlot>(slots);
  pair_tags_.assign(slots, 0);
  pair_mask_ = slots - 1;
  pair_shift_ = 64 - std::countr_zero(slots);
  // Symbols that stand for no text of their own would let merges reach over a cut.
  std::vector<bool> odd(usize(vocab_.id_limit()), false);
  if (options_.unk) odd[usize(*options_.unk)] = true;
  for (const i32 id : byte_ids_) {
    if (!options_.byte_level && id >= 0) odd[usize(id)] = true;
  }
  bool odd_operand = false;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const BpeMerge& m = merges[rank];
    put_pair(static_cast<u64>(m.left) << 32 | static_cast<u64>(m.right),
             static_cast<u64>(rank) << 32 | static_cast<u64>(m.result));
    odd_operand = odd_operand || odd[usize(m.left)] || odd[usize(m.right)];
  }
  if (options_.byte_level && known_bytes == 256) fill_byte_pairs();
  const bool plain = options_.continuing_prefix.empty() && options_.word_suffix.empty();
  const bool separate_unknowns = !options_.byte_level && options_.unk && !options_.fuse_unk;
  if (plain && !odd_operand && (known_bytes == 256 || separate_unknowns)) cuts_.emplace(vocab_);
}

void BpeModel::put_pair(u64 key, u64 value) {
  const u64 hash = key * 0x9E3779B97F4A7C15ULL;
  std::size_t at = hash >> pair_shift_;
  while (pair_tags_[at] != 0 && pairs_.data()[at].key != key)
    at = (at + 1) & pair_mask_;
  pair_tags_[at] = tag_of(hash);
  pairs_.data()[at] = {key, value};
}

void BpeModel::fill_byte_pairs() {
  byte_pairs_.assign(65536, kNoPair);
  for (std::size_t left = 0; left < 256; ++left) {
    for (std::size_t right = 0; right < 256; ++right) {
      byte_pairs_[left << 8 | right] = pair_value(byte_ids_[left], byte_ids_[right]);
    }
  }
}

inline void BpeModel::put_unit(std::string_view unit, int variant, const char* text_end,
                               BpeScratch& scratch, std::vector<i32>& ids) const {
  BpeUnit& u = scratch.units[usize(scratch.unit_count++)];
  u.bytes = unit;
  u.variant = variant;
  if (isize(unit) <= BpeCache::kShortBytes) u.probe = scratch.cache.probe(unit, variant, text_end);
  if (scratch.unit_count == BpeScratch::kUnits) encode_units(scratch, ids);
}

void BpeModel::encode(std::string_view text, std::span<const Span> pieces, BpeScratch& scratch,
                      std::vector<i32>& ids) const {
  const char* const end = text.data() + text.size();
  for (const Span& s : pieces) {
    const std::string_view piece(text.data() + s.begin, usize(s.end - s.begin));
    // Short pieces fit a short entry as they are.
    if (isize(piece) <= BpeCache::kShortBytes && !piece.empty())
      put_unit(piece, 0, end, scratch, ids);
    else
      put_piece(piece, end, scratch, ids);
  }
  encode_units(scratch, ids);
}

void BpeModel::encode(std::string_view piece, BpeScratch& scratch, std::vector<i32>& ids) const {
  put_piece(piece, piece.data() + piece.size(), scratch, ids);
  encode_units(scratch, ids);
}

void BpeModel::put_piece(std::string_view piece, const char* text_end, BpeScratch& scratch,
                         std::vector<i32>& ids) const {
  if (piece.empty()) return;
  if (!cuts_ || isize(piece) <= BpeCache::kShortBytes)
    return put_unit(piece, 0, text_end, scratch, ids);
  int variant = 0;
  if (options_.ignore_merges) {
    const bool token = isize(piece) <= vocab_.longest() && vocab_.find(piece) >= 0;
    if (token) return put_unit(piece, 0, text_end, scratch, ids);
    // A unit's own bytes may be a token that its merges do not reach, so the units of cut pieces
    // are cached apart from whole pieces.
    variant = 1;
  }
  for (i64 at = 0; at < isize(piece);) {
    const i64 cut = cuts_->next_cut(piece, at);
    put_unit(piece.substr(usize(at), usize(cut - at)), variant, text_end, scratch, ids);
    at = cut;
  }
}

void BpeModel::encode_units(BpeScratch& scratch, std::vector<i32>& ids) const {
  i32 found[(BpeScratch::kUnits + 1) * BpeCache::kInline];
  i32* end = found;
  for (i64 i = 0; i < scratch.unit_count; ++i) {
    const BpeUnit& unit = scratch.units[usize(i)];
    const BpeCache::ShortEntry* e = nullptr;
    if (isize(unit.bytes) <= BpeCache::kShortBytes) {
      e = scratch.cache.find(unit.probe);
      if (e != nullptr && e->count() <= BpeCache::kInline) {
        std::memcpy(end, e->ids, sizeof e->ids);  // all four without a branch; the count decides
        end[0] = static_cast<i32>(e->first());
        end += e->count();
        continue;
      }
    }
    ids.insert(ids.end(), found, end);
    end = found;
    if (e != nullptr) {
      scratch.cache.append(*e, ids);
    } else if (isize(unit.bytes) <= BpeCache::kShortBytes ||
               !scratch.cache.append(unit.bytes, unit.variant, ids)) {
      encode_unknown(unit.bytes, unit.variant, scratch, ids);
    }
  }
  ids.insert(ids.end(), found, end);
  scratch.unit_count = 0;
}

void BpeModel::encode_unknown(std::string_view unit, int variant, BpeScratch& scratch,
                              std::vector<i32>& ids) const {
  std::vector<i32>& symbols = scratch.symbols;
  symbols.clear();
  i32 token = -1;
  if (options_.ignore_merges && variant == 0 && isize(unit) <= vocab_.longest()) {
    token = vocab_.find(unit);
  }
  if (token >= 0) {
    symbols.push_back(token);
  } else {
    split_symbols(unit, symbols);
    if (isize(symbols) <= kShortSymbols) {
      merge_short(unit, symbols);
    } else {
      merge_long(scratch);
    }
  }
  scratch.cache.insert(unit, variant, symbols);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

i32 BpeModel::find_symbol(std::string_view character, bool first, bool last) const {
  if (options_.continuing_prefix.empty() && options_.word_suffix.empty()) {
    const char* p = character.data();
    const char32_t cp = next_valid(p);
    return cp < char_ids_.size() ? char_ids_[cp] : vocab_.find(character);
  }
  std::string name;
  if (!first) name += options_.continuing_prefix;
  name += character;
  if (last) name += options_.word_suffix;
  return vocab_.find(name);
}

bool BpeModel::fall_back(std::string_view bytes, std::vector<i32>& symbols) const {
  for (const char c : bytes) {
    if (byte_ids_[static_cast<u8>(c)] < 0) return false;
  }
  for (const char c : bytes)
    symbols.push_back(byte_ids_[static_cast<u8>(c)]);
  return true;
}

void BpeModel::split_symbols(std::string_view unit, std::vector<i32>& symbols) const {
  bool unk_pending = false;
  for (i64 at = 0; at < isize(unit);) {
    const i64 size = options_.byte_level ? 1 : sequence_size(unit[usize(at)]);
    const std::string_view character = unit.substr(usize(at), usize(size));
    const bool first = at == 0;
    at += size;
    const i32 id = options_.byte_level ? byte_ids_[static_cast<u8>(character[0])]
                                       : find_symbol(character, first, at == isize(unit));
    if (id >= 0) {
      if (unk_pending) symbols.push_back(*options_.unk);
      unk_pending = false;
      symbols.push_back(id);
    } else if (options_.byte_level || !options_.byte_fallback || !fall_back(character, symbols)) {
      if (!options_.unk) continue;  // the Hugging Face engine drops such characters too
      if (unk_pending && !options_.fuse_unk) symbols.push_back(*options_.unk);
      unk_pending = true;
    }
  }
  if (unk_pending) symbols.push_back(*options_.unk);
}

void BpeModel::merge_short(std::string_view unit, std::vector<i32>& symbols) const {
  u64 pairs[kShortSymbols];
  i32* s = symbols.data();
  i64 n = isize(symbols);
  if (!byte_pairs_.empty()) {
    for (i64 i = 0; i + 1 < n; ++i) {
      pairs[i] = byte_pairs_[usize(i64{static_cast<u8>(unit[usize(i)])} << 8 |
                                   i64{static_cast<u8>(unit[usize(i + 1)])})];
    }
  } else {
    for (i64 i = 0; i + 1 < n; ++i)
      pairs[i] = pair_value(s[i], s[i + 1]);
  }
  while (n > 1) {
    // Values order by rank; equal ranks are equal pairs, and < keeps the leftmost.
    i64 best = 0;
    for (i64 i = 1; i + 1 < n; ++i) {
      if (pairs[i] < pairs[best]) best = i;
    }
    if (pairs[best] == kNoPair) break;
    s[best] = static_cast<i32>(pairs[best] & 0xFFFFFFFFu);
    for (i64 i = best + 1; i + 1 < n; ++i) {
      s[i] = s[i + 1];
      pairs[i] = pairs[i + 1];
    }
    --n;
    if (best > 0) pairs[best - 1] = pair_value(s[best - 1], s[best]);
    if (best + 1 < n) pairs[best] = pair_value(s[best], s[best + 1]);
  }
  symbols.resize(usize(n));
}

void BpeModel::merge_long(BpeScratch& scratch) const {
  std::vector<i32>& s = scratch.symbols;
  const i64 n = isize(s);
  // Positions share a 64-bit heap entry with the rank.
  LM_CHECK(n < (i64{1} << 31), "a pretoken has less than 2^31 symbols");
  std::vector<i32>& prev = scratch.prev;
  std::vector<i32>& next = scratch.next;
  std::vector<u64>& pairs = scratch.pairs;
  std::vector<u64>& heap = scratch.heap;
  prev.resize(usize(n));
  next.resize(usize(n));
  pairs.assign(usize(n), kNoPair);
  heap.clear();
  for (i64 i = 0; i < n; ++i) {
    prev[usize(i)] = static_cast<i32>(i - 1);
    next[usize(i)] = static_cast<i32>(i + 1 < n ? i + 1 : -1);
    if (i + 1 == n) break;
    const u64 value = pair_value(s[usize(i)], s[usize(i + 1)]);
    pairs[usize(i)] = value;
    if (value != kNoPair) heap.push_back((value & ~u64{0xFFFFFFFF}) | static_cast<u64>(i));
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  const auto refresh = [&](i32 at) {
    const i32 right = next[usize(at)];
    const u64 value = right < 0 ? kNoPair : pair_value(s[usize(at)], s[usize(right)]);
    pairs[usize(at)] = value;
    if (value == kNoPair) return;
    heap.push_back((value & ~u64{0xFFFFFFFF}) | static_cast<u64>(at));
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const u64 top = heap.back();
    heap.pop_back();
    const i32 at = static_cast<i32>(top & 0xFFFFFFFFu);
    const u64 value = pairs[usize(at)];
    if (value == kNoPair || value >> 32 != top >> 32) continue;  // out of date
    const i32 gone = next[usize(at)];
    s[usize(at)] = static_cast<i32>(value & 0xFFFFFFFFu);
    next[usize(at)] = next[usize(gone)];
    if (next[usize(gone)] >= 0) prev[usize(next[usize(gone)])] = at;
    pairs[usize(gone)] = kNoPair;
    s[usize(gone)] = -1;
    refresh(at);
    if (prev[usize(at)] >= 0) refresh(prev[usize(at)]);
  }
  std::erase(s, -1);
}

bool BpeModel::is_unknown(std::string_view character, bool first, bool last) const {
  if (options_.byte_level) return byte_ids_[static_cast<u8>(character[0])] < 0;
  if (find_symbol(character, first, last) >= 0) return false;
  if (!options_.byte_fallback) return true;
  return std::any_of(character.begin(), character.end(),
                     [this](char c) { return byte_ids_[static_cast<u8>(c)] < 0; });
}

i64 BpeModel::surface_bytes(i32 id) const {
  const std::string_view token = vocab_.token(id);
  if (options_.byte_level) return isize(token);
  if (std::find(byte_ids_.begin(), byte_ids_.end(), id) != byte_ids_.end()) return 1;
  return isize(token);
}

void BpeModel::locate(std::string_view piece, std::span<const i32> ids, i64 base,
                      std::vector<std::pair<i64, i64>>& offsets) const {
  i64 at = 0;
  const i64 size = isize(piece);
  // Length of the unknown character at `at`, or 0.
  const auto unknown_size = [&]() -> i64 {
    if (at >= size) return 0;
    const i64 n = options_.byte_level ? 1 : sequence_size(piece[usize(at)]);
    return is_unknown(piece.substr(usize(at), usize(n)), at == 0, at + n == size) ? n : 0;
  };
  for (const i32 id : ids) {
    if (!options_.unk) {
      for (i64 n = unknown_size(); n > 0; n = unknown_size())
        at += n;  // dropped by encode
    }
    i64 end = at;
    if (options_.unk && id == *options_.unk && unknown_size() > 0) {
      const i64 begin = at;
      do {
        at += unknown_size();
      } while (options_.fuse_unk && unknown_size() > 0);
      end = at;
      offsets.emplace_back(base + begin, base + end);
      continue;
    }
    i64 bytes = surface_bytes(id);
    const std::string_view token = vocab_.token(id);
    if (!options_.continuing_prefix.empty() && at > 0 &&
        token.starts_with(options_.continuing_prefix)) {
      bytes -= isize(options_.continuing_prefix);
    }
    if (!options_.word_suffix.empty() && token.ends_with(options_.word_suffix)) {
      bytes -= isize(options_.word_suffix);
    }
    end = std::clamp(at + bytes, at, size);
    offsets.emplace_back(base + at, base + end);
    at = end;
  }
}

}  // namespace lm::text

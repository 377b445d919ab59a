#include "text/bpe_cache.h"

#include <utility>

#include "core/hash.h"

namespace lm::text {
namespace {

constexpr std::size_t kFirstSlots = 1024;
constexpr u32 kVariantBit = u32{1} << 31;

}  // namespace

// One free entry, so that find needs no test for a table that is not there yet.
BpeCache::BpeCache(i64 budget_bytes) : budget_(budget_bytes), short_(1) {}

i64 BpeCache::used_bytes() const {
  return isize(short_) * static_cast<i64>(sizeof(ShortEntry)) +
         isize(long_) * static_cast<i64>(sizeof(LongEntry)) + isize(keys_) +
         isize(tokens_) * static_cast<i64>(sizeof(i32));
}

void BpeCache::clear() {
  short_ = FreshPages<ShortEntry>(kFirstSlots);
  mask_ = kFirstSlots - 1;
  short_count_ = 0;
  long_.assign(kFirstSlots, LongEntry{});
  long_free_ = isize(long_);
  keys_.clear();
  tokens_.clear();
}

bool BpeCache::append(std::string_view piece, int variant, std::vector<i32>& out) const {
  if (piece.empty()) return false;
  if (isize(piece) > kShortBytes) return append_long(piece, variant, out);
  const ShortEntry* e = find(probe(piece, variant, piece.data() + piece.size()));
  if (e != nullptr) append(*e, out);
  return e != nullptr;
}

void BpeCache::append(const ShortEntry& e, std::vector<i32>& out) const {
  if (e.count() == kSpilled) {
    const i64 at = e.ids[1];
    out.insert(out.end(), tokens_.begin() + at, tokens_.begin() + at + e.ids[2]);
  } else if (e.count() != 0) {
    out.push_back(static_cast<i32>(e.first()));
    for (u32 i = 1; i < e.count(); ++i)
      out.push_back(static_cast<i32>(e.ids[i]));
  }
}

void BpeCache::insert(std::string_view piece, int variant, std::span<const i32> ids) {
  if (budget_ <= 0 || piece.empty() || piece.size() > kLongBytes) return;
  if (long_.empty()) clear();
  // Doubling a table is the largest step, so it is counted before it happens.
  const bool short_full = 4 * (short_count_ + 1) > 3 * isize(short_);
  const bool long_full = 4 * (isize(long_) - long_free_ + 1) > 3 * isize(long_);
  const bool is_short = isize(piece) <= kShortBytes;
  i64 step = isize(piece) + isize(ids) * static_cast<i64>(sizeof(i32));
  if (is_short && short_full) step += isize(short_) * static_cast<i64>(sizeof(ShortEntry));
  if (!is_short && long_full) step += isize(long_) * static_cast<i64>(sizeof(LongEntry));
  if (used_bytes() + step > budget_) {
    if (entries() == 0) return;  // a budget below the first tables: nothing is ever kept
    clear();
  } else if (is_short && short_full) {
    grow_short();
  } else if (!is_short && long_full) {
    grow_long();
  }
  if (is_short) {
    insert_short(piece, variant, ids);
  } else {
    insert_long(piece, variant, ids);
  }
}

BpeCache::ShortEntry& BpeCache::free_slot(u64 hash) {
  u64 at = hash & mask_;
  while (short_.data()[at].key.hi != 0)
    at = (at + 1) & mask_;
  return short_.data()[at];
}

void BpeCache::insert_short(std::string_view piece, int variant, std::span<const i32> ids) {
  ShortEntry e{};
  e.key = short_key(piece, variant, piece.data() + piece.size());
  if (ids.size() <= kInline) {
    for (std::size_t i = 0; i < ids.size(); ++i)
      e.ids[i] = static_cast<u32>(ids[i]);
    e.ids[0] |= static_cast<u32>(ids.size()) << 28;
  } else {
    e.ids[0] = kSpilled << 28;
    e.ids[1] = static_cast<u32>(tokens_.size());
    e.ids[2] = static_cast<u32>(ids.size());
    tokens_.insert(tokens_.end(), ids.begin(), ids.end());
  }
  free_slot(hash_of(e.key)) = e;
  ++short_count_;
}

void BpeCache::grow_short() {
  const FreshPages<ShortEntry> old =
      std::exchange(short_, FreshPages<ShortEntry>(2 * short_.size()));
  mask_ = short_.size() - 1;
  for (std::size_t i = 0; i < old.size(); ++i) {
    const ShortEntry& e = old.data()[i];
    if (e.key.hi != 0) free_slot(hash_of(e.key)) = e;
  }
}

std::size_t BpeCache::long_slot(u64 hash, std::string_view piece, int variant) const {
  const std::size_t mask = long_.size() - 1;
  const u32 size = static_cast<u32>(piece.size()) | (variant != 0 ? kVariantBit : 0);
  std::size_t at = hash & mask;
  while (long_[at].key_size != 0 &&
         (long_[at].hash != hash || long_[at].key_size != size ||
          std::string_view(keys_).substr(long_[at].key_at, piece.size()) != piece)) {
    at = (at + 1) & mask;
  }
  return at;
}

bool BpeCache::append_long(std::string_view piece, int variant, std::vector<i32>& out) const {
  if (long_.empty() || piece.size() > kLongBytes) return false;
  const LongEntry& e = long_[long_slot(xxh3_64(piece), piece, variant)];
  if (e.key_size == 0) return false;
  out.insert(out.end(), tokens_.begin() + e.ids_at, tokens_.begin() + e.ids_at + e.ids_count);
  return true;
}

void BpeCache::insert_long(std::string_view piece, int variant, std::span<const i32> ids) {
  const u64 hash = xxh3_64(piece);
  LongEntry& e = long_[long_slot(hash, piece, variant)];
  if (e.key_size != 0) return;
  e = {hash, static_cast<u32>(keys_.size()),
       static_cast<u32>(piece.size()) | (variant != 0 ? kVariantBit : 0),
       static_cast<u32>(tokens_.size()), static_cast<u32>(ids.size())};
  keys_.append(piece);
  tokens_.insert(tokens_.end(), ids.begin(), ids.end());
  --long_free_;
}

void BpeCache::grow_long() {
  std::vector<LongEntry> old(long_.size() * 2);
  old.swap(long_);
  const std::size_t mask = long_.size() - 1;
  for (const LongEntry& e : old) {
    if (e.key_size == 0) continue;
    std::size_t at = e.hash & mask;
    while (long_[at].key_size != 0)
      at = (at + 1) & mask;
    long_[at] = e;
  }
  long_free_ += isize(old);
}

}  // namespace lm::text

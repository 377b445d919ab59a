#include "grammar/mask_cache.h"

namespace lm::grammar {

void TokenSink::spread() {
  bits_.assign(usize(words_), 0);
  for (const i32 token : tokens_)
    bits_[usize(token >> 5)] |= u32{1} << (token & 31);
  tokens_.clear();
}

void TokenSink::add(std::span<const u32> mask) {
  if (bits_.empty()) spread();
  for (std::size_t i = 0; i < mask.size(); ++i)
    bits_[i] |= mask[i];
}

void TokenSink::add(const KeptMask& mask) {
  if (!mask.bits.empty()) add(std::span<const u32>(mask.bits));
  for (const i32 token : mask.tokens)
    add(token);
}

KeptMask TokenSink::finish() {
  KeptMask out;
  out.bits = std::move(bits_);
  out.tokens = std::move(tokens_);
  return out;
}

void KeptMask::add_to(std::span<u32> out) const {
  for (std::size_t i = 0; i < bits.size(); ++i)
    out[i] |= bits[i];
  for (const i32 token : tokens)
    out[usize(token >> 5)] |= u32{1} << (token & 31);
}

i64 KeptMask::bytes() const {
  return 200 + 4 * (isize(bits) + isize(tokens) + isize(leaves[0]) + isize(leaves[1]));
}

std::shared_ptr<const KeptMask> MaskCache::find(Kind kind, i32 id) {
  const auto at = index_.find(u64{kind} << 32 | static_cast<u32>(id));
  if (at == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, at->second);
  return at->second->mask;
}

MaskCache::~MaskCache() {
  if (memory_) memory_->give_kept(used_);
}

void MaskCache::drop_last() {
  const i64 bytes = entries_.back().mask->bytes();
  used_ -= bytes;
  if (memory_) memory_->give_kept(bytes);
  index_.erase(entries_.back().key);
  entries_.pop_back();
}

std::shared_ptr<const KeptMask> MaskCache::keep(Kind kind, i32 id, KeptMask mask) {
  const u64 key = u64{kind} << 32 | static_cast<u32>(id);
  auto kept = std::make_shared<const KeptMask>(std::move(mask));
  const i64 bytes = kept->bytes();
  const auto fits = [&] {
    return used_ + bytes <= limit_ && (!memory_ || memory_->try_keep(bytes));
  };
  while (!fits()) {
    if (entries_.empty()) return kept;
    drop_last();
  }
  used_ += bytes;
  entries_.push_front({key, kept});
  index_[key] = entries_.begin();
  return kept;
}

}  // namespace lm::grammar

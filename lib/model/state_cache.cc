#include "model/state_cache.h"

#include <algorithm>

#include "core/error.h"
#include "model/layer.h"

namespace lm::model {

i64 memory_page_bytes(const ModelCfg& cfg, DType dtype) {
  const i64 pages = kPageTokens * cache_token_bytes(cfg, dtype);
  // A model without memory (convolutions of one row) still counts pages.
  return pages > 0 ? pages : std::max<i64>(1, state_numbers(cfg) * item_bytes(DType::kF32));
}

i64 state_pages(const ModelCfg& cfg, DType dtype) {
  const i64 page = memory_page_bytes(cfg, dtype);
  return 2 * ((state_numbers(cfg) * item_bytes(DType::kF32) + page - 1) / page);
}

i64 memory_tokens(const ModelCfg& cfg, DType dtype, i64 tokens) {
  return (cache_token_bytes(cfg, dtype) > 0 ? tokens : 0) + state_pages(cfg, dtype) * kPageTokens;
}

i64 memory_bytes(const ModelCfg& cfg, DType dtype, i64 tokens) {
  return tokens * memory_page_bytes(cfg, dtype) / kPageTokens;
}

StateCache::StateCache(const ModelCfg& cfg, i64 pages)
    : numbers_(state_numbers(cfg)),
      pages_(pages),
      page_bytes_(memory_page_bytes(cfg, DType::kF32)),
      state_pages_(state_pages(cfg, DType::kF32) / 2) {
  if (cache_token_bytes(cfg, DType::kF32) > 0) kv_.emplace(cfg, pages);
}

const StateCache::Sequence& StateCache::sequence(i32 seq) const {
  LM_CHECK(seq >= 0 && seq < isize(sequences_) && sequences_[usize(seq)].live,
           "sequence handle must be live");
  return sequences_[usize(seq)];
}

StateCache::Sequence& StateCache::sequence(i32 seq) {
  return const_cast<Sequence&>(static_cast<const StateCache&>(*this).sequence(seq));
}

i32 StateCache::take_block() {
  if (free_blocks_.empty()) {
    free_blocks_.push_back(static_cast<i32>(blocks_.size()));
    blocks_.emplace_back();
    blocks_.back().numbers.resize(usize(numbers_));
  }
  const i32 block = free_blocks_.back();
  free_blocks_.pop_back();
  blocks_[usize(block)].refs = 1;
  ++live_blocks_;
  return block;
}

void StateCache::drop_block(i32& block) {
  if (block >= 0 && --blocks_[usize(block)].refs == 0) {
    free_blocks_.push_back(block);
    --live_blocks_;
  }
  block = -1;
}

i32 StateCache::take_sequence(i32 pages) {
  if (free_sequences_.empty()) {
    free_sequences_.push_back(static_cast<i32>(sequences_.size()));
    sequences_.emplace_back();
  }
  const i32 seq = free_sequences_.back();
  free_sequences_.pop_back();
  sequences_[usize(seq)].live = true;
  sequences_[usize(seq)].pages = pages;
  return seq;
}

i32 StateCache::create() {
  return take_sequence(kv_ ? kv_->create() : -1);
}

void StateCache::release(i32 seq) {
  Sequence& s = sequence(seq);
  drop_block(s.committed);
  drop_block(s.pending);
  if (kv_) kv_->release(s.pages);
  s = Sequence{};
  free_sequences_.push_back(seq);
}

i32 StateCache::fork(i32 seq) {
  const i32 copy = take_sequence(kv_ ? kv_->fork(sequence(seq).pages) : -1);
  const Sequence& from = sequence(seq);
  Sequence& to = sequence(copy);
  to.length = from.length;
  to.committed = from.committed;
  if (to.committed >= 0) ++blocks_[usize(to.committed)].refs;
  return copy;
}

bool StateCache::truncate(i32 seq, i64 n) {
  Sequence& s = sequence(seq);
  LM_CHECK(n >= 0 && n <= s.length, "truncate cannot lengthen a sequence");
  if (n != 0 && n != s.length) return false;
  if (kv_ && !kv_->truncate(s.pages, n)) return false;
  drop_block(s.pending);
  if (n == 0) drop_block(s.committed);
  s.length = n;
  s.reserved = 0;
  return true;
}

i64 StateCache::free_pages() const {
  const i64 pages = kv_ ? kv_->free_pages() : pages_;
  return std::max<i64>(0, pages - live_blocks_ * state_pages_);
}

i64 StateCache::pages_needed(i32 seq, i64 count) const {
  const Sequence& s = sequence(seq);
  if (count == 0) return 0;
  return (kv_ ? kv_->pages_needed(s.pages, count) : 0) + (s.pending < 0 ? state_pages_ : 0);
}

i64 StateCache::pages_of(i64 tokens, i64 shared) const {
  return (kv_ ? kv_->pages_of(tokens, shared) : 0) + 2 * state_pages_;
}

std::span<const i32> StateCache::table(i32 seq) const {
  return kv_ ? kv_->table(sequence(seq).pages) : std::span<const i32>();
}

void StateCache::bindings(KvView& view) const {
  if (kv_) kv_->bindings(view);
}

bool StateCache::reserve(i32 seq, i64 count) {
  Sequence& s = sequence(seq);
  if (pages_needed(seq, count) > free_pages()) return false;
  if (kv_ && !kv_->reserve(s.pages, count)) return false;
  s.reserved = count;
  if (count == 0) {
    drop_block(s.pending);
    return true;
  }
  if (s.pending < 0) s.pending = take_block();
  std::vector<f32>& to = blocks_[usize(s.pending)].numbers;
  if (s.committed >= 0)
    to = blocks_[usize(s.committed)].numbers;
  else
    std::fill(to.begin(), to.end(), 0.0f);
  return true;
}

void StateCache::commit(i32 seq, std::span<const i32> rows) {
  Sequence& s = sequence(seq);
  LM_CHECK(rows.empty() || isize(rows) == s.reserved, "all pending rows are kept, or none");
  if (kv_) kv_->commit(s.pages, rows);
  if (rows.empty()) {
    drop_block(s.pending);
  } else {
    drop_block(s.committed);
    std::swap(s.committed, s.pending);
  }
  s.length += isize(rows);
  s.reserved = 0;
}

f32* StateCache::pending_state(i32 seq) {
  const Sequence& s = sequence(seq);
  LM_CHECK(s.pending >= 0, "rows were reserved");
  return blocks_[usize(s.pending)].numbers.data();
}

}  // namespace lm::model

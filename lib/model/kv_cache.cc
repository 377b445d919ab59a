#include "model/kv_cache.h"

#include "core/error.h"
#include "core/str.h"
#include "cpu/backend.h"

namespace lm::model {
namespace {

i64 pages_for(i64 slots) {
  return (slots + kPageTokens - 1) / kPageTokens;
}

}  // namespace

KvCache::KvCache(const ModelCfg& cfg, i64 pages)
    : KvCache(cfg, pages, cpu_backend(), DType::kF32) {}

KvCache::KvCache(const ModelCfg& cfg, i64 pages, const Backend& backend, DType dtype)
    : backend_(backend), dtype_(dtype), pages_(pages) {
  LM_CHECK(pages > 0 && pages < 0x7fffffff, "page numbers are 32 bits");
  for (const LayerCfg& layer : cfg.layers) {
    const AttentionCfg* const attention = std::get_if<AttentionCfg>(&layer.mixer);
    const i64 width = attention != nullptr ? attention->kv_size() : 0;
    widths_.push_back(width);
    for (std::vector<void*>* pool : {&keys_, &values_}) {
      if (width == 0) {
        pool->push_back(nullptr);
        continue;
      }
      storage_.push_back(backend.allocate(pages * kPageTokens * width * item_bytes(dtype)));
      pool->push_back(storage_.back().data());
    }
  }
  refs_.assign(usize(pages), 0);
  free_.reserve(usize(pages));
  for (i64 page = pages - 1; page >= 0; --page)
    free_.push_back(static_cast<i32>(page));
}

const KvCache::Sequence& KvCache::sequence(i32 seq) const {
  LM_CHECK(seq >= 0 && seq < isize(sequences_) && sequences_[usize(seq)].live,
           "sequence handle must be live");
  return sequences_[usize(seq)];
}

KvCache::Sequence& KvCache::sequence(i32 seq) {
  return const_cast<Sequence&>(static_cast<const KvCache&>(*this).sequence(seq));
}

i32 KvCache::take_page() {
  const i32 page = free_.back();
  free_.pop_back();
  refs_[usize(page)] = 1;
  return page;
}

void KvCache::drop_page(i32 page) {
  if (--refs_[usize(page)] == 0) free_.push_back(page);
}

void KvCache::drop_pages_from(Sequence& s, i64 slots) {
  const i64 keep = pages_for(slots);
  while (isize(s.pages) > keep) {
    drop_page(s.pages.back());
    s.pages.pop_back();
  }
}

i32 KvCache::create() {
  i32 seq = 0;
  if (free_sequences_.empty()) {
    seq = static_cast<i32>(sequences_.size());
    sequences_.emplace_back();
  } else {
    seq = free_sequences_.back();
    free_sequences_.pop_back();
  }
  sequences_[usize(seq)].live = true;
  return seq;
}

void KvCache::release(i32 seq) {
  Sequence& s = sequence(seq);
  drop_pages_from(s, 0);
  s = Sequence{};
  free_sequences_.push_back(seq);
}

i32 KvCache::fork(i32 seq) {
  const i32 copy = create();
  const Sequence& from = sequence(seq);
  Sequence& to = sequence(copy);
  to.length = from.length;
  to.pages.assign(from.pages.begin(), from.pages.begin() + pages_for(from.length));
  for (const i32 page : to.pages)
    ++refs_[usize(page)];
  return copy;
}

bool KvCache::truncate(i32 seq, i64 n) {
  Sequence& s = sequence(seq);
  LM_CHECK(n >= 0 && n <= s.length, "truncate cannot lengthen a sequence");
  s.length = n;
  s.reserved = 0;
  drop_pages_from(s, n);
  return true;
}

i64 KvCache::pages_needed(i32 seq, i64 count) const {
  const Sequence& s = sequence(seq);
  if (count == 0) return 0;
  const i64 fresh = pages_for(s.length + count) - isize(s.pages);
  const i64 partial = s.length / kPageTokens;  // the page that slot `length` lies in
  const bool copied = partial < isize(s.pages) && refs_[usize(s.pages[usize(partial)])] > 1;
  return (fresh > 0 ? fresh : 0) + (copied ? 1 : 0);
}

/// Whole pages stay shared, the begun one is copied.
i64 KvCache::page_bytes() const {
  i64 elements = 0;
  for (const i64 width : widths_)
    elements += 2 * kPageTokens * width;
  return elements * item_bytes(dtype_);
}

i64 KvCache::pages_of(i64 tokens, i64 shared) const {
  return pages_for(tokens) - shared / kPageTokens;
}

void KvCache::bindings(KvView& view) const {
  view.page_tokens = kPageTokens;
  view.dtype = dtype_;
  view.k = keys();
  view.v = values();
}

bool KvCache::reserve(i32 seq, i64 count) {
  Sequence& s = sequence(seq);
  if (pages_needed(seq, count) > free_pages()) return false;
  s.reserved = count;
  if (count == 0) return true;
  const i64 partial = s.length / kPageTokens;
  // Pages beyond the partial one hold only dropped slots of this sequence: never shared.
  if (partial < isize(s.pages) && refs_[usize(s.pages[usize(partial)])] > 1) {
    const i32 shared = s.pages[usize(partial)];
    const i32 own = take_page();
    copy_page(shared, own);
    drop_page(shared);
    s.pages[usize(partial)] = own;
  }
  while (isize(s.pages) < pages_for(s.length + count))
    s.pages.push_back(take_page());
  return true;
}

void KvCache::commit(i32 seq, std::span<const i32> rows) {
  Sequence& s = sequence(seq);
  i64 previous = -1;
  for (i64 i = 0; i < isize(rows); ++i) {
    const i64 slot = rows[usize(i)];
    LM_CHECK(slot > previous && slot < s.reserved,
             "committed rows must be pending ones and ascending");
    previous = slot;
    if (slot != i) move_slot(s, s.length + slot, s.length + i);
  }
  s.length += isize(rows);
  s.reserved = 0;
  drop_pages_from(s, s.length);
}

/// Numbers of slots in the pools.
void KvCache::copy_slots(i64 from, i64 to, i64 count) {
  for (i64 layer = 0; layer < isize(widths_); ++layer) {
    const i64 slot = widths_[usize(layer)] * item_bytes(dtype_);
    for (void* const base : {keys_[usize(layer)], values_[usize(layer)]}) {
      u8* const pool = static_cast<u8*>(base);
      backend_.copy(pool + to * slot, pool + from * slot, count * slot);
    }
  }
}

void KvCache::copy_page(i32 from, i32 to) {
  copy_slots(from * kPageTokens, to * kPageTokens, kPageTokens);
}

void KvCache::move_slot(const Sequence& s, i64 from, i64 to) {
  const auto at = [&](i64 slot) {
    return s.pages[usize(slot / kPageTokens)] * kPageTokens + slot % kPageTokens;
  };
  copy_slots(at(from), at(to), 1);
}

}  // namespace lm::model

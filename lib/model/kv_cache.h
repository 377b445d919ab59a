#pragma once
// The paged key-value cache: one pool of pages per layer, a page table per sequence, pages shared
// by forks and copied before the first write. A sequence has a committed length n; slots from n on
// may be written by a step and are kept or dropped by commit. Not thread-safe: one engine owns it.

#include <span>
#include <vector>

#include "core/types.h"
#include "graph/backend.h"
#include "model/config.h"
#include "ops/op.h"
#include "tensor/tensor.h"

namespace lm::model {

/// Tokens per page. Attention tiles (256 keys) are a multiple of it.
inline constexpr i64 kPageTokens = 16;

class KvCache {
 public:
  /// Room for `pages` pages of every layer, f32 in host memory: reserved, not touched, so that
  /// resident size follows use. Throws Error{kOs} when it cannot be reserved.
  KvCache(const ModelCfg& cfg, i64 pages);
  /// In a backend's memory; dtype: f32 or bf16.
  KvCache(const ModelCfg& cfg, i64 pages, const Backend& backend, DType dtype);

  /// A new empty sequence. Handles are reused after release.
  i32 create();
  void release(i32 seq);
  /// A sequence with the same committed content, sharing all pages. O(pages of seq).
  i32 fork(i32 seq);
  /// Drops everything from slot n on, n <= length.
  void truncate(i32 seq, i64 n);
  /// Makes slots [length, length + count) writable: allocates pages and copies a shared one.
  /// Returns false and changes nothing when the pool has too few pages.
  [[nodiscard]] bool reserve(i32 seq, i64 count);
  /// Keeps the named reserved slots (length + slots[i], ascending) as the next ones, moving their
  /// keys and values; drops the other reserved slots.
  void commit(i32 seq, std::span<const i32> slots);

  i64 length(i32 seq) const { return sequence(seq).length; }
  i64 reserved(i32 seq) const { return sequence(seq).reserved; }
  i64 free_pages() const { return isize(free_); }
  i64 total_pages() const { return pages_; }
  /// Pages that reserve(seq, count) would take.
  i64 pages_needed(i32 seq, i64 count) const;

  /// Page numbers of a sequence, in order.
  std::span<const i32> table(i32 seq) const { return sequence(seq).pages; }
  DType dtype() const { return dtype_; }
  /// Pools by layer: [pages, kPageTokens, kv_heads * head_dim].
  void* const* keys() const { return keys_.data(); }
  void* const* values() const { return values_.data(); }

 private:
  struct Sequence {
    std::vector<i32> pages;
    i64 length = 0;
    i64 reserved = 0;
    bool live = false;
  };
  const Sequence& sequence(i32 seq) const;
  Sequence& sequence(i32 seq);
  i32 take_page();
  void drop_page(i32 page);
  void drop_pages_from(Sequence& s, i64 slots);
  void copy_slots(i64 from, i64 to, i64 count);
  void copy_page(i32 from, i32 to);
  void move_slot(const Sequence& s, i64 from, i64 to);

  const Backend& backend_;
  DType dtype_ = DType::kF32;
  i64 pages_ = 0;
  std::vector<i64> widths_;  // kv_size by layer
  std::vector<Storage> storage_;
  std::vector<void*> keys_;
  std::vector<void*> values_;
  std::vector<i32> refs_;  // by page
  std::vector<i32> free_;  // used as a stack
  std::vector<Sequence> sequences_;
  std::vector<i32> free_sequences_;
};

}  // namespace lm::model

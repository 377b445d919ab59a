#pragma once
// The paged key-value cache: one pool of pages per layer, a page table per sequence, pages shared
// by forks and copied before the first write. A sequence has a committed length n; slots from n on
// may be written by a step and are kept or dropped by commit. Refuses nothing but lack of pages.

#include <span>
#include <vector>

#include "core/types.h"
#include "graph/backend.h"
#include "model/config.h"
#include "model/sequence_cache.h"
#include "tensor/tensor.h"

namespace lm::model {

/// Tokens per page. Attention tiles (256 keys) are a multiple of it.
inline constexpr i64 kPageTokens = 16;

class KvCache final : public SequenceCache {
 public:
  /// Room for `pages` pages of every layer, f32 in host memory: reserved, not touched, so that
  /// resident size follows use. Throws Error{kOs} when it cannot be reserved.
  KvCache(const ModelCfg& cfg, i64 pages);
  /// In a backend's memory; dtype: f32 or bf16.
  KvCache(const ModelCfg& cfg, i64 pages, const Backend& backend, DType dtype);

  i32 create() override;
  void release(i32 seq) override;
  /// Shares all pages. O(pages of seq).
  i32 fork(i32 seq) override;
  bool truncate(i32 seq, i64 n) override;
  /// Allocates pages and copies a shared one.
  [[nodiscard]] bool reserve(i32 seq, i64 count) override;
  /// Moves the keys and values of the kept rows where others were dropped before them.
  void commit(i32 seq, std::span<const i32> rows) override;
  bool can_tree() const override { return true; }
  bool can_cut() const override { return true; }

  i64 length(i32 seq) const override { return sequence(seq).length; }
  i64 reserved(i32 seq) const override { return sequence(seq).reserved; }
  i64 free_pages() const override { return isize(free_); }
  i64 total_pages() const override { return pages_; }
  i64 page_bytes() const override;
  i64 pages_needed(i32 seq, i64 count) const override;
  i64 pages_of(i64 tokens, i64 shared = 0) const override;

  /// Page numbers of a sequence, in order.
  std::span<const i32> table(i32 seq) const override { return sequence(seq).pages; }
  void bindings(KvView& view) const override;
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
  std::vector<i64> widths_;  // kv_size by layer, 0 of one without attention
  std::vector<Storage> storage_;
  std::vector<void*> keys_;
  std::vector<void*> values_;
  std::vector<i32> refs_;  // by page
  std::vector<i32> free_;  // used as a stack
  std::vector<Sequence> sequences_;
  std::vector<i32> free_sequences_;
};

}  // namespace lm::model

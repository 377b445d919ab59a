#pragma once
// What a model remembers of the sequences it has read. One implementation keeps pages of keys and
// values (kv_cache.h), another may keep a recurrent state per sequence. A sequence has committed
// rows, and behind them pending ones: a pass writes them, commit keeps them or drops some. What an
// implementation cannot do it says beforehand (can_tree, can_cut) or refuses by returning false and
// changing nothing; the caller then goes a longer way. Not thread-safe: one engine owns it.

#include <span>

#include "core/types.h"
#include "ops/attr.h"

namespace lm::model {

class SequenceCache {
 public:
  virtual ~SequenceCache() = default;

  /// A new empty sequence. Handles are reused after release.
  virtual i32 create() = 0;
  virtual void release(i32 seq) = 0;
  /// A sequence with the same committed content; pending rows stay with the original.
  virtual i32 fork(i32 seq) = 0;
  /// Makes room for `count` pending rows behind the committed ones; earlier pending rows are
  /// dropped. Returns false and changes nothing when there is too little.
  [[nodiscard]] virtual bool reserve(i32 seq, i64 count) = 0;
  /// Keeps the named pending rows, ascending, as the next committed ones; drops the others. All or
  /// none of them unless can_cut; the first of them unless can_tree.
  virtual void commit(i32 seq, std::span<const i32> rows) = 0;
  /// Drops pending rows and committed ones from n on, n <= length. False where they cannot be taken
  /// back: the sequence must then be released and read anew.
  [[nodiscard]] virtual bool truncate(i32 seq, i64 n) = 0;
  /// Pending rows may be branches of a tree, of which one path is committed.
  virtual bool can_tree() const = 0;
  /// Of pending rows the first ones may be committed and the others dropped.
  virtual bool can_cut() const = 0;

  virtual i64 length(i32 seq) const = 0;
  virtual i64 reserved(i32 seq) const = 0;

  // Room, counted in pages of whatever size.
  virtual i64 free_pages() const = 0;
  virtual i64 total_pages() const = 0;
  virtual i64 page_bytes() const = 0;
  /// Pages that reserve(seq, count) would take.
  virtual i64 pages_needed(i32 seq, i64 count) const = 0;
  /// Pages that a sequence takes until it has `tokens`, beside those that it goes on sharing with
  /// the one of `shared` tokens it was forked from.
  virtual i64 pages_of(i64 tokens, i64 shared = 0) const = 0;

  /// The numbers by which kernels find a sequence's memory (a view's tables), valid until the next
  /// change of the sequence.
  virtual std::span<const i32> table(i32 seq) const = 0;
  /// What recurrent layers remember of the sequence, to be changed by its pending rows; null: the
  /// model has none.
  virtual f32* pending_state(i32 seq) {
    static_cast<void>(seq);
    return nullptr;
  }
  /// Fills what is equal for all passes in the view that they bind: page size, type, pools.
  virtual void bindings(KvView& view) const = 0;
};

}  // namespace lm::model

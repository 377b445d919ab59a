#pragma once
// The memory of a model with recurrent layers: for each sequence the numbers they leave behind, and
// the pages of a KvCache where other layers attend. Committed states are shared by forks. A pass
// works on a copy, which commit keeps or drops as a whole: there is no going back into a text, and
// no tree. In host memory, f32.

#include <optional>
#include <span>
#include <vector>

#include "model/kv_cache.h"

namespace lm::model {

/// A page of a model's memory, in bytes: what kPageTokens tokens leave in attention layers, or a
/// state where there are none.
i64 memory_page_bytes(const ModelCfg& cfg, DType dtype);
/// Pages of a text's states, committed and pending; 0 without recurrent layers.
i64 state_pages(const ModelCfg& cfg, DType dtype);
/// Memory is sized in tokens, kPageTokens of them a page: of a text of so many, with its states.
i64 memory_tokens(const ModelCfg& cfg, DType dtype, i64 tokens);
i64 memory_bytes(const ModelCfg& cfg, DType dtype, i64 tokens);

class StateCache final : public SequenceCache {
 public:
  /// Room for `pages` pages. Throws as KvCache.
  StateCache(const ModelCfg& cfg, i64 pages);

  i32 create() override;
  void release(i32 seq) override;
  /// Shares the state. O(pages of seq).
  i32 fork(i32 seq) override;
  /// False unless n is 0 or the length.
  bool truncate(i32 seq, i64 n) override;
  [[nodiscard]] bool reserve(i32 seq, i64 count) override;
  void commit(i32 seq, std::span<const i32> rows) override;
  bool can_tree() const override { return false; }
  bool can_cut() const override { return false; }

  i64 length(i32 seq) const override { return sequence(seq).length; }
  i64 reserved(i32 seq) const override { return sequence(seq).reserved; }
  i64 free_pages() const override;
  i64 total_pages() const override { return pages_; }
  i64 page_bytes() const override { return page_bytes_; }
  i64 pages_needed(i32 seq, i64 count) const override;
  /// States are not shared with what the text was forked from once either goes on.
  i64 pages_of(i64 tokens, i64 shared = 0) const override;
  std::span<const i32> table(i32 seq) const override;
  void bindings(KvView& view) const override;

  /// Behind reserve(); [state_numbers(cfg)].
  f32* pending_state(i32 seq) override;

 private:
  struct Block {
    std::vector<f32> numbers;
    i64 refs = 0;
  };
  struct Sequence {
    i32 pages = -1;      // in kv_
    i32 committed = -1;  // block; -1: zeros
    i32 pending = -1;
    i64 length = 0;
    i64 reserved = 0;
    bool live = false;
  };
  const Sequence& sequence(i32 seq) const;
  Sequence& sequence(i32 seq);
  i32 take_sequence(i32 pages);
  i32 take_block();
  void drop_block(i32& block);

  i64 numbers_ = 0;
  i64 pages_ = 0;
  i64 page_bytes_ = 0;
  i64 state_pages_ = 0;
  std::optional<KvCache> kv_;
  std::vector<Block> blocks_;
  std::vector<i32> free_blocks_;
  i64 live_blocks_ = 0;
  std::vector<Sequence> sequences_;
  std::vector<i32> free_sequences_;
};

}  // namespace lm::model

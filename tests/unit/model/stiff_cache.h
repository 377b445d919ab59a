#pragma once
// A sequence memory that keeps all rows of a pass or none and takes nothing back, as one with a
// recurrent state would; what it keeps are a KvCache's keys and values.

#include "model/engine.h"
#include "model/kv_cache.h"

namespace lm::test {

class StiffCache final : public model::SequenceCache {
 public:
  StiffCache(const model::ModelCfg& cfg, i64 pages, const Backend& backend, DType dtype)
      : kv_(cfg, pages, backend, dtype) {}

  i32 create() override { return kv_.create(); }
  void release(i32 seq) override { kv_.release(seq); }
  i32 fork(i32 seq) override { return kv_.fork(seq); }
  bool reserve(i32 seq, i64 count) override { return kv_.reserve(seq, count); }
  void commit(i32 seq, std::span<const i32> rows) override {
    LM_CHECK(rows.empty() || isize(rows) == kv_.reserved(seq), "all pending rows or none");
    kv_.commit(seq, rows);
  }
  bool truncate(i32 seq, i64 n) override { return n == length(seq) && kv_.truncate(seq, n); }
  bool can_tree() const override { return false; }
  bool can_cut() const override { return false; }
  i64 length(i32 seq) const override { return kv_.length(seq); }
  i64 reserved(i32 seq) const override { return kv_.reserved(seq); }
  i64 free_pages() const override { return kv_.free_pages(); }
  i64 total_pages() const override { return kv_.total_pages(); }
  i64 page_bytes() const override { return kv_.page_bytes(); }
  i64 pages_needed(i32 seq, i64 count) const override { return kv_.pages_needed(seq, count); }
  i64 pages_of(i64 tokens, i64 shared) const override { return kv_.pages_of(tokens, shared); }
  std::span<const i32> table(i32 seq) const override { return kv_.table(seq); }
  void bindings(KvView& view) const override { kv_.bindings(view); }

  /// For EngineOptions::make_cache.
  static std::unique_ptr<SequenceCache> make(const model::ModelCfg& cfg, i64 pages,
                                             const Backend& backend, DType dtype) {
    return std::make_unique<StiffCache>(cfg, pages, backend, dtype);
  }

 private:
  model::KvCache kv_;
};

}  // namespace lm::test

#pragma once
// Whether keys were seen before: a Bloom filter or an exact set behind one interface, as the
// options
// --exact, --bloom-* say.

#include <memory>
#include <span>
#include <string>

#include "cli/tool.h"
#include "dedup/bloom.h"
#include "dedup/exact.h"

namespace lm::dedup_tool {

class KeyJudge {
 public:
  /// key_kind: what a filter file must hold ("doc", "key:metadata.url", "paragraph").
  KeyJudge(cli::Tool& tool, const std::string& key_kind, const std::string& normaliser);
  /// True if keys are remembered exactly, not in a filter.
  bool exact() const { return exact_ != nullptr; }
  /// Of the key hash.
  u64 seed() const { return seed_; }
  /// Answers in order. False: memory is used up, give this batch and all later ones to defer().
  bool decide(std::span<const Hash128> keys, std::span<u8> seen);
  /// priorities: per key, or empty; the lowest stays, then the first.
  void defer(std::span<const Hash128> keys, std::span<const u64> priorities = {});
  /// After the last key: writes the filter, sorts what was deferred.
  void finish();
  /// The answers of deferred keys, in the order they were deferred.
  void answer(std::span<u8> seen);
  void add_metrics() const;

 private:
  void open_filter(const std::string& key_kind, const std::string& normaliser);
  void check_load();

  cli::Tool& tool_;
  u64 seed_;
  std::unique_ptr<dedup::BloomFilter> filter_;
  std::unique_ptr<dedup::ExactDedup> exact_;
  bool read_only_ = false;
  bool warned_ = false;
  i64 deferred_ = 0;  // keys given to defer()
  i64 answered_ = 0;  // of them, asked back
  std::optional<i64> next_duplicate_;
};

}  // namespace lm::dedup_tool

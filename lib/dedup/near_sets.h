#pragma once
// Parts of NearDedup: which documents are candidates, their shingle sets on disk, how two of them
// compare, and the union-find of verified pairs.

#include <memory>
#include <span>
#include <vector>

#include "core/context.h"
#include "io/file.h"

namespace lm::dedup {

/// A set of document ordinals with dense numbers 0, 1, ... in ascending order of ordinal.
class CandidateIndex {
 public:
  /// For ordinals below documents; charges documents / 8 * 1.125 bytes.
  CandidateIndex(MemoryBudget& budget, i64 documents);
  void insert(i64 ordinal) { bits_[usize(ordinal / 64)] |= u64{1} << (ordinal % 64); }
  /// Call once after the last insert.
  void seal();
  bool contains(i64 ordinal) const {
    return (bits_[usize(ordinal / 64)] >> (ordinal % 64) & 1) != 0;
  }
  i64 size() const { return size_; }
  /// Dense number of a contained ordinal. O(1).
  i64 rank(i64 ordinal) const;
  /// All contained ordinals, ascending.
  std::vector<i64> ordinals() const;

 private:
  MemoryCharge charge_;
  std::vector<u64> bits_;
  std::vector<i64> before_;  // contained ordinals before each 512-bit block
  i64 size_ = 0;
};

/// Shingle sets of candidates by dense number, in memory while the allowance lasts, then on disk.
class ShingleStore {
 public:
  ShingleStore(const Context& ctx, i64 max_bytes, i64 candidates);
  ~ShingleStore();
  ShingleStore(const ShingleStore&) = delete;
  ShingleStore& operator=(const ShingleStore&) = delete;
  /// The next candidate's set, ascending.
  void append(std::span<const u64> set);
  i64 size() const { return isize(offsets_) - 1; }
  i64 count(i64 id) const { return offsets_[usize(id) + 1] - offsets_[usize(id)]; }
  u64 digest(i64 id) const { return digests_[usize(id)]; }
  /// The set of id: a view into memory, or read into scratch. Safe to call concurrently.
  std::span<const u64> read(i64 id, std::vector<u64>& scratch) const;
  i64 spilled_bytes() const { return file_ ? file_->size() : 0; }

 private:
  const Context* ctx_;
  i64 max_bytes_;
  MemoryCharge charge_;
  i64 charged_ = 0;           // of memory_
  std::vector<i64> offsets_;  // in shingles, over memory_ and then file_
  std::vector<u64> digests_;  // XXH3-64 of the set
  std::vector<u64> memory_;
  std::unique_ptr<io::TempFile> file_;
};

/// Disjoint sets whose representative is their smallest element. Path halving: amortised O(log n).
class UnionFind {
 public:
  UnionFind(MemoryBudget& budget, i64 n);
  i64 find(i64 x);
  void unite(i64 a, i64 b);

 private:
  MemoryCharge charge_;
  std::vector<i64> parent_;
};

}  // namespace lm::dedup

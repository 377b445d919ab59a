#pragma once
// Documents to units of nearly equal token counts, apart from those that are held out. Everything
// is a function of the documents and the seed: no order of threads, no other key changes a unit.

#include <span>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/types.h"

namespace lm::ablate {

/// What a document is for.
enum class Part : u8 { kUnit, kValid, kTest };

/// By the document's text: copies of a text are on one side. valid and test: shares in [0, 1], of
/// a sum of at most 1.
Part part_of(std::string_view text, f64 valid, f64 test, u64 seed);

/// The unit, from 0 on, of each of a key's documents, in their order: as many units as are nearest
/// to tokens / unit_tokens, at least one, of equal token counts but for the documents at their
/// ends. unit_tokens 0: one unit. lengths: tokens, >= 0.
std::vector<i32> cut_into_units(std::span<const i64> lengths, i64 unit_tokens);

/// Finds documents that share long stretches with others: windows of `width` tokens by their
/// hashes.
class OverlapFilter {
 public:
  /// Charges 8 bytes a token of what is added.
  OverlapFilter(i64 width, MemoryBudget& memory) : width_(width), memory_(memory) {}
  ~OverlapFilter() { memory_.release(charged_); }
  OverlapFilter(const OverlapFilter&) = delete;
  OverlapFilter& operator=(const OverlapFilter&) = delete;

  void add(std::span<const i32> tokens);
  /// To be called between the last add() and the first share().
  void seal();
  /// The share of the document's windows that were added, 0 if it is shorter than a window. Safe to
  /// call concurrently. O(tokens log added).
  f64 share(std::span<const i32> tokens) const;

 private:
  u64 hash(std::span<const i32> window) const;

  i64 width_;
  MemoryBudget& memory_;
  i64 charged_ = 0;
  std::vector<u64> hashes_;
};

}  // namespace lm::ablate

#pragma once
// Distinct n-grams with counts in suffix order, from memory or from sorted runs in a spill file.
// Runs are front-coded: per n-gram the number of words shared with its predecessor, its length,
// the other words, and the count as a varint.

#include <memory>
#include <vector>

#include "core/context.h"
#include "io/file.h"
#include "ngram/gram_sort.h"

namespace lm::ngram {

struct Gram {
  int common = 0;             // words, from the last, shared with the previous n-gram of the stream
  int length = 0;             // order, or less when the first word is <s>
  u32 words[kMaxOrder] = {};  // from the last word to the first
  u64 count = 0;
};

class GramStream {
 public:
  virtual ~GramStream() = default;
  /// The next n-gram, strictly after the previous one in suffix order; false at the end. `gram`
  /// must be the same object in every call: words shared with the predecessor are not rewritten.
  virtual bool next(Gram& gram) = 0;
};

/// Over a sorted buffer; owns both, charged while it lives.
class MemoryGrams final : public GramStream {
 public:
  MemoryGrams(MemoryBudget& budget, std::vector<u32> tokens, int order, i64 vocab_size);
  bool next(Gram& gram) override;

 private:
  MemoryCharge charge_;
  std::vector<u32> tokens_;
  GramOrder order_;
  std::vector<GramItem> items_;
  i64 at_ = 0;
};

struct GramRun {
  i64 begin = 0;
  i64 end = 0;
};

/// Writes the stream as one run at the end of file.
GramRun write_run(GramStream& grams, io::TempFile& file);

/// One run, read in pieces of buffer_bytes.
class RunGrams final : public GramStream {
 public:
  RunGrams(const io::TempFile& file, GramRun run, i64 buffer_bytes);
  bool next(Gram& gram) override;

 private:
  u8 byte();
  io::TempReader reader_;
  std::vector<u8> buf_;
  std::size_t at_ = 0;
  i64 left_;
};

/// Merges streams and adds up the counts of equal n-grams.
class MergedGrams final : public GramStream {
 public:
  explicit MergedGrams(std::vector<std::unique_ptr<GramStream>> parts);
  bool next(Gram& gram) override;

 private:
  void advance(std::size_t part);
  std::vector<std::unique_ptr<GramStream>> parts_;
  std::vector<Gram> heads_;
  std::vector<std::size_t> heap_;
};

}  // namespace lm::ngram

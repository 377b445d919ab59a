#pragma once
// Where an estimated model goes: an ARPA file, a binary image, a test. n-grams come order by order,
// in suffix order, in chunks that may be filled concurrently and are taken in order.

#include <memory>
#include <span>

#include "core/types.h"
#include "ngram/vocab.h"

namespace lm::ngram {

class ModelSink {
 public:
  class Chunk {
   public:
    virtual ~Chunk() = default;
    /// words: ids from first to last; log10_p <= 0; log10_b is 0 on the highest order.
    virtual void add(std::span<const u32> words, f64 log10_p, f64 log10_b) = 0;
  };
  virtual ~ModelSink() = default;
  /// counts[n - 1] n-grams of order n will follow.
  virtual void begin(const Vocab& vocab, std::span<const i64> counts) = 0;
  virtual void begin_order(int n) = 0;
  /// Any thread.
  virtual std::unique_ptr<Chunk> new_chunk(int n) const = 0;
  /// One thread, in order.
  virtual void take(Chunk& chunk) = 0;
  /// After the last n-gram. What the sink writes is complete only then.
  virtual void end() = 0;
};

}  // namespace lm::ngram

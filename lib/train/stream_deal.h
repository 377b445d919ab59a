#pragma once
// Documents of token shards dealt to parallel streams, so that every row of a batch goes on where
// it stood the step before. Source: Stanic et al. 2023 (Languini).

#include <span>
#include <utility>
#include <vector>

#include "text/shard_set.h"
#include "train/example.h"

namespace lm::train {

/// Documents in the order of the sets, each behind the stream that is shortest by then, the first
/// of equals. All streams are as long as the shortest; what is beyond is left out. 24 bytes a
/// document. Borrows the sets.
class StreamDeal {
 public:
  /// Throws Error{kData} where a stream would be shorter than one sequence and its last target.
  StreamDeal(std::span<const text::ShardSet> sets, i64 streams, i64 seq_len);

  /// Sequences of a stream, cut every seq_len; they overlap by one token.
  i64 sequences() const { return sequences_; }
  /// Sequence `index` of a stream; with boundaries also where its further documents begin.
  void read(i64 stream, i64 index, bool boundaries, Example& out) const;

 private:
  struct Part {
    i64 begin;  // in its stream
    i64 token;  // in its set
    i64 set;
  };
  std::span<const text::ShardSet> sets_;
  i64 seq_len_;
  i64 sequences_ = 0;
  std::vector<std::vector<Part>> streams_;
};

}  // namespace lm::train

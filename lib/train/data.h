#pragma once
// Where training sequences come from: token shards in a seeded order, or documents pushed from a
// stream. Positions are a few integers, so a run resumes exactly where its checkpoint stood.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "text/shard_set.h"
#include "train/example.h"
#include "train/permutation.h"
#include "train/stream_deal.h"

namespace lm::train {

struct ShardSourceOptions {
  i64 seq_len = 0;
  u64 seed = 0;
  bool shuffle = true;       // false: the order of the files
  bool boundaries = false;   // fill Example::starts
  i64 streams = 0;           // instead: rows of a batch, each of which goes on in its own stream
  std::vector<f64> weights;  // one per set; empty: the sets are one pool, each epoch sees all of it
};

/// Sequences of token shards. A set of n tokens holds (n-1)/seq_len sequences, cut every seq_len
/// (documents run on); they overlap by the token that is target of one and input of the next. Epoch
/// e visits them in the order of a permutation of (seed, set, e). With weights, sample i takes its
/// set by a draw of (seed, i) and each set has epochs of its own. With streams (StreamDeal) sample
/// i is sequence i / streams of stream i % streams, and an epoch has all sequences of all streams.
class ShardSource {
 public:
  struct Position {
    i64 samples = 0;          // sequences given out
    std::vector<i64> by_set;  // of each set, with weights
    bool operator==(const Position&) const = default;
  };

  /// Throws what ShardSet throws; Error{kData} for a set shorter than one sequence; Error{kUsage}
  /// for weights that do not fit, or beside streams.
  ShardSource(const std::vector<std::string>& manifests, ShardSourceOptions options);

  /// Appends the next `count` sequences; never ends.
  void next(i64 count, Examples& out);

  i64 samples_per_epoch() const { return total_; }
  /// Epochs begun and finished so far, of the whole pool (samples / samples per epoch).
  f64 epoch() const;
  i64 tokens() const;
  const std::vector<text::ShardSet>& sets() const { return sets_; }
  const Position& position() const { return position_; }
  /// A position without anything is the beginning, with weights too: what a new run has. Throws
  /// Error{kData} if the position does not fit these sets.
  void seek(const Position& position);

 private:
  i64 draw_set(i64 sample) const;
  void append(i64 set, i64 index, Examples& out) const;
  i64 permuted(i64 slot, i64 n, i64 epoch, i64 index);

  ShardSourceOptions options_;
  std::vector<text::ShardSet> sets_;
  std::vector<i64> first_;  // [sets + 1] first sample of each set in the pool
  i64 total_ = 0;
  Position position_;
  struct Order {
    i64 epoch = -1;
    std::unique_ptr<Permutation> permutation;
  };
  std::vector<Order> orders_;  // one for the pool, or one per set
  std::unique_ptr<StreamDeal> deal_;
};

/// Packs documents that arrive one by one into the same overlapping sequences.
class StreamPacker {
 public:
  struct Position {
    i64 documents = 0;  // documents whose tokens are all used
    i64 offset = 0;     // tokens used of the next one
    bool operator==(const Position&) const = default;
  };
  /// from: where an earlier run stood; that much of the stream is dropped as it arrives.
  StreamPacker(i64 seq_len, bool boundaries, const Position& from);

  /// The next document of the stream, from its first on.
  void push(std::span<const i32> ids);
  /// Complete sequences waiting.
  i64 ready() const;
  /// Appends `count` <= ready() of them.
  void take(i64 count, Examples& out);
  /// Of the first token of the next sequence.
  Position position() const;

 private:
  struct Document {
    i64 number;
    i64 begin;   // in tokens_; of its first kept token
    i64 offset;  // tokens dropped before that
  };
  i64 seq_len_;
  bool boundaries_;
  Position from_;
  i64 pushed_ = 0;
  i64 at_ = 0;  // next sequence's first token in tokens_
  std::vector<i32> tokens_;
  std::vector<Document> documents_;  // with at least one kept token, ascending
};

}  // namespace lm::train

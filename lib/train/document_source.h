#pragma once
// Whole documents of token shards in a new order every epoch, one behind the other in overlapping
// sequences, each perhaps changed on its way.

#include <functional>
#include <memory>
#include <vector>

#include "text/shard_set.h"
#include "train/data.h"
#include "train/permutation.h"

namespace lm::train {

/// Changes a document's ids: a function of its number and the epoch.
using DocumentChange = std::function<void(i64 number, i64 epoch, std::vector<i32>& ids)>;

/// Epoch e visits the documents in the order of a permutation of (seed, e). Borrows the sets.
class DocumentSource {
 public:
  struct Options {
    i64 seq_len = 0;
    u64 seed = 0;
    bool boundaries = false;  // fill Example::starts
    DocumentChange change;    // may be empty
  };
  /// Throws Error{kData} where there is no document.
  DocumentSource(const std::vector<text::ShardSet>& sets, Options options);

  /// Appends the next `count` sequences; never ends.
  void next(i64 count, Examples& out);
  /// Documents of all epochs whose tokens are used, and tokens used of the next one.
  StreamPacker::Position position() const;
  void seek(const StreamPacker::Position& position);

 private:
  void push_next();

  const std::vector<text::ShardSet>& sets_;
  Options options_;
  std::vector<i64> first_;  // [sets + 1] number of each set's first document
  i64 base_ = 0;            // documents before those that the packer was given
  i64 pushed_ = 0;          // documents given to it
  StreamPacker packer_;
  i64 epoch_ = -1;
  std::unique_ptr<Permutation> order_;
};

}  // namespace lm::train

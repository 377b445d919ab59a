#pragma once
// Records that were read once and stay in memory, packed whole into training rows: each row takes
// the next records that fit. Records do not see each other (NextToken with documents).

#include <memory>
#include <span>
#include <vector>

#include "train/example.h"
#include "train/permutation.h"

namespace lm::train {

/// Token sequences with their loss masks, one after another.
class RecordStore {
 public:
  /// loss: as many as tokens.
  void add(std::span<const i32> tokens, std::span<const u8> loss);
  i64 count() const { return isize(ends_); }
  i64 tokens() const { return isize(tokens_); }
  i64 longest() const { return longest_; }
  i64 length(i64 i) const { return ends_[usize(i)] - begin(i); }
  /// Appends record i to a row, as a further document if the row has any.
  void append_to(Example& row, i64 i) const;
  /// Bytes that a record of so many tokens takes, with the room that growing vectors hold.
  static i64 bytes_of(i64 tokens) { return 2 * (tokens * 5 + 8); }
  /// Of all tokens, masks and ends.
  u64 digest() const;

 private:
  i64 begin(i64 i) const { return i == 0 ? 0 : ends_[usize(i - 1)]; }
  std::vector<i32> tokens_;
  std::vector<u8> loss_;
  std::vector<i64> ends_;
  i64 longest_ = 0;
};

/// Epoch e visits the records in the order of a permutation of (seed, e); a row may hold the end of
/// an epoch and the beginning of the next.
class PackedSource {
 public:
  struct Options {
    i64 seq_len = 0;
    u64 seed = 0;
    bool shuffle = true;  // false: the order of the records
  };
  /// Throws Error{kData} without records or with one of more than seq_len + 1 tokens.
  PackedSource(RecordStore records, const Options& options);

  /// Appends the next `count` rows, numbered by their first record; never ends.
  void next(i64 count, Examples& out);
  /// Records given out so far: where the data stands.
  i64 position() const { return position_; }
  void seek(i64 position) { position_ = position; }
  const RecordStore& records() const { return records_; }
  /// Rows that begin in the first `records` records given out. O(records).
  i64 rows_of(i64 records);
  /// Records that the first `rows` rows hold. O(records).
  i64 records_of(i64 rows);

 private:
  i64 record_at(i64 position);

  RecordStore records_;
  Options options_;
  i64 position_ = 0;
  i64 epoch_ = -1;
  std::unique_ptr<Permutation> order_;
};

}  // namespace lm::train

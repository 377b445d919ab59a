#pragma once
// Records that were read once and stay in memory, packed whole into training rows: each row takes
// the next records that fit. Records do not see each other, nor do the sequences of one.

#include <memory>
#include <span>
#include <vector>

#include "train/objective.h"
#include "train/permutation.h"

namespace lm::train {

/// Records of one or more token sequences each, with their loss masks and numbers, one after
/// another.
class RecordStore {
 public:
  RecordStore() : RecordStore(1, 0) {}
  /// Of every record: so many sequences, so many numbers.
  RecordStore(i64 sequences, i64 scalars) : sequences_(sequences), scalars_per_(scalars) {}
  /// A record's sequences in turn. loss: as many as tokens. prefix: as Example has it.
  void add(std::span<const i32> tokens, std::span<const u8> loss, i64 prefix = 0);
  /// A record's numbers.
  void add_scalars(std::span<const f32> scalars);
  i64 count() const { return isize(ends_) / sequences_; }
  i64 tokens() const { return isize(tokens_); }
  i64 longest() const { return longest_; }  // sequence
  /// Tokens of each sequence of record i.
  std::vector<i64> lengths(i64 i) const;
  /// Numbers of record i.
  std::span<const f32> scalars(i64 i) const;
  /// Appends record i to a row, as further sequences if the row has any.
  void append_to(Example& row, i64 i) const;
  /// Bytes that a sequence of so many tokens takes, with the room that growing vectors hold.
  static i64 bytes_of(i64 tokens) { return 2 * (tokens * 5 + 8); }
  /// Of all tokens, masks, ends and numbers.
  u64 digest() const;

 private:
  i64 begin(i64 sequence) const { return sequence == 0 ? 0 : ends_[usize(sequence - 1)]; }
  i64 sequences_;
  i64 scalars_per_;
  std::vector<i32> tokens_;
  std::vector<u8> loss_;
  std::vector<i64> ends_;      // of sequences
  std::vector<i32> prefixes_;  // of sequences
  bool some_prefix_ = false;
  std::vector<f32> scalars_;
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
    bool pack = true;     // false: a row takes one record
    /// Whose slots the rows fill; it outlives this. Null: next-token prediction.
    const Objective* objective = nullptr;
  };
  /// Throws Error{kData} without records or with a sequence of more tokens than the objective
  /// takes.
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
  /// Of the slot's room, what record i takes.
  i64 room(i64 i) const;

  RecordStore records_;
  Options options_;
  i64 position_ = 0;
  i64 epoch_ = -1;
  std::unique_ptr<Permutation> order_;
  i64 slot_room_ = 0;
};

}  // namespace lm::train

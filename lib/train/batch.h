#pragma once
// Sequences of tokens on their way to a step, and the graph inputs made of them.

#include <span>
#include <vector>

#include "core/types.h"
#include "model/build.h"

namespace lm::train {

/// Sequences of seq_len + 1 tokens: inputs are the first seq_len, targets the last.
struct SequenceBatch {
  i64 seq_len = 0;
  std::vector<i32> tokens;               // [count, seq_len + 1]
  std::vector<std::vector<i32>> starts;  // per sequence, ascending: places in 1..seq_len where a
                                         // document begins; empty vectors when not wanted
  i64 count() const { return isize(starts); }
  std::span<const i32> sequence(i64 i) const {
    return std::span(tokens).subspan(usize(i * (seq_len + 1)), usize(seq_len + 1));
  }
  void clear() {
    tokens.clear();
    starts.clear();
  }
};

inline constexpr i32 kIgnoredTarget = -100;

/// One micro-batch as TrainGraph takes it. Memory stays in place, so it is bound once.
struct MicroBatch {
  /// rows = sequences * seq_len. mask_documents: a row sees its own document only, positions begin
  /// at 0 in each document, and the first token of a document is no target.
  MicroBatch(i64 sequences, i64 seq_len, bool mask_documents);

  /// Takes `sequences` sequences of batch from number `first`; those beyond the batch's end become
  /// rows that see nothing and have no target.
  void fill(const SequenceBatch& batch, i64 first);

  i64 sequences;
  i64 seq_len;
  bool mask_documents;
  std::vector<i32> tokens;   // [rows]
  std::vector<i32> targets;  // [rows]
  model::PackedRows rows;    // positions, spans
  i64 target_count = 0;      // targets that are not ignored

 private:
  i64 filled_ = -1;  // sequences the spans were made for, when they do not depend on documents
};

}  // namespace lm::train

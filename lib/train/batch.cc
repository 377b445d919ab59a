#include "train/batch.h"

#include <algorithm>

#include "core/error.h"

namespace lm::train {

MicroBatch::MicroBatch(i64 sequence_count, i64 length, bool mask)
    : sequences(sequence_count),
      seq_len(length),
      mask_documents(mask),
      tokens(usize(sequence_count * length)),
      targets(usize(sequence_count * length)),
      rows(model::causal_rows({}, sequence_count * length)) {}

void MicroBatch::fill(const SequenceBatch& batch, i64 first) {
  LM_CHECK(batch.seq_len == seq_len, "sequences of the step's length");
  const i64 have = std::clamp<i64>(batch.count() - first, 0, sequences);
  std::vector<i64> lengths;
  std::fill(tokens.begin(), tokens.end(), 0);
  std::fill(targets.begin(), targets.end(), kIgnoredTarget);
  target_count = have * seq_len;
  for (i64 s = 0; s < have; ++s) {
    const std::span<const i32> from = batch.sequence(first + s);
    const i64 at = s * seq_len;
    std::copy_n(from.begin(), seq_len, tokens.begin() + at);
    std::copy_n(from.begin() + 1, seq_len, targets.begin() + at);
    i64 begin = 0;
    if (mask_documents) {
      for (const i32 start : batch.starts[usize(first + s)]) {
        targets[usize(at + start - 1)] = kIgnoredTarget;
        --target_count;
        if (start == seq_len) continue;
        lengths.push_back(start - begin);
        begin = start;
      }
    }
    lengths.push_back(seq_len - begin);
  }
  if (!mask_documents && filled_ == have) return;
  filled_ = have;
  // Copied into place: the executor holds the addresses.
  const model::PackedRows packed = model::causal_rows(lengths, sequences * seq_len);
  std::copy(packed.positions.begin(), packed.positions.end(), rows.positions.begin());
  std::copy(packed.spans.begin(), packed.spans.end(), rows.spans.begin());
}

}  // namespace lm::train

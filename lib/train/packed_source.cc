#include "train/packed_source.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/hash.h"
#include "core/str.h"

namespace lm::train {

namespace {

template <typename T>
u64 hash_of(const std::vector<T>& values) {
  return xxh3_64({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

}  // namespace

void RecordStore::add(std::span<const i32> tokens, std::span<const u8> loss) {
  LM_CHECK(tokens.size() == loss.size() && !tokens.empty(), "a mask value per token");
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  loss_.insert(loss_.end(), loss.begin(), loss.end());
  ends_.push_back(isize(tokens_));
  longest_ = std::max(longest_, isize(tokens));
}

void RecordStore::append_to(Example& row, i64 i) const {
  if (!row.tokens.empty()) row.starts.push_back(static_cast<i32>(row.tokens.size()));
  const auto from = begin(i), to = ends_[usize(i)];
  row.tokens.insert(row.tokens.end(), tokens_.begin() + from, tokens_.begin() + to);
  row.loss.insert(row.loss.end(), loss_.begin() + from, loss_.begin() + to);
}

u64 RecordStore::digest() const {
  return hash_of(std::vector<u64>{hash_of(tokens_), hash_of(loss_), hash_of(ends_)});
}

PackedSource::PackedSource(RecordStore records, const Options& options)
    : records_(std::move(records)), options_(options) {
  if (records_.count() == 0) throw Error(ErrorKind::kData, "no records to train on");
  if (records_.longest() > options.seq_len + 1)
    throw Error(ErrorKind::kData, cat("a record of ", records_.longest(),
                                      " tokens, expected at most ", options.seq_len + 1));
}

i64 PackedSource::record_at(i64 position) {
  const i64 n = records_.count();
  if (!options_.shuffle) return position % n;
  if (epoch_ != position / n) {
    epoch_ = position / n;
    order_ =
        std::make_unique<Permutation>(static_cast<u64>(n), options_.seed, static_cast<u64>(epoch_));
  }
  return static_cast<i64>((*order_)(static_cast<u64>(position % n)));
}

void PackedSource::next(i64 count, Examples& out) {
  for (i64 i = 0; i < count; ++i) {
    Example& row = out.emplace_back();
    row.number = position_;
    for (i64 r = record_at(position_);
         isize(row.tokens) + records_.length(r) <= options_.seq_len + 1; r = record_at(position_)) {
      records_.append_to(row, r);
      ++position_;
    }
  }
}

i64 PackedSource::rows_of(i64 records) {
  i64 rows = 0;
  i64 used = options_.seq_len + 1;
  for (i64 position = 0; position < records; ++position) {
    const i64 length = records_.length(record_at(position));
    used += length;
    if (used <= options_.seq_len + 1) continue;
    ++rows;
    used = length;
  }
  return rows;
}

i64 PackedSource::records_of(i64 rows) {
  i64 position = 0;
  for (i64 row = 0; row < rows; ++row) {
    i64 left = options_.seq_len + 1;
    while ((left -= records_.length(record_at(position))) >= 0)
      ++position;
  }
  return position;
}

}  // namespace lm::train

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

void RecordStore::add(std::span<const i32> tokens, std::span<const u8> loss, i64 prefix) {
  LM_CHECK(tokens.size() == loss.size() && !tokens.empty(), "a mask value per token");
  LM_CHECK(prefix >= 0 && prefix <= isize(tokens), "a prefix of the tokens");
  prefixes_.push_back(static_cast<i32>(prefix));
  some_prefix_ |= prefix > 0;
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  loss_.insert(loss_.end(), loss.begin(), loss.end());
  ends_.push_back(isize(tokens_));
  longest_ = std::max(longest_, isize(tokens));
}

void RecordStore::add_scalars(std::span<const f32> scalars) {
  LM_CHECK(isize(scalars) == scalars_per_, "a record's numbers");
  scalars_.insert(scalars_.end(), scalars.begin(), scalars.end());
}

std::vector<i64> RecordStore::lengths(i64 i) const {
  std::vector<i64> out;
  for (i64 q = i * sequences_; q < (i + 1) * sequences_; ++q)
    out.push_back(ends_[usize(q)] - begin(q));
  return out;
}

std::span<const f32> RecordStore::scalars(i64 i) const {
  return std::span(scalars_).subspan(usize(i * scalars_per_), usize(scalars_per_));
}

void RecordStore::append_to(Example& row, i64 i) const {
  for (i64 q = i * sequences_; q < (i + 1) * sequences_; ++q) {
    if (!row.tokens.empty()) row.starts.push_back(static_cast<i32>(row.tokens.size()));
    const i64 from = begin(q), to = ends_[usize(q)];
    row.tokens.insert(row.tokens.end(), tokens_.begin() + from, tokens_.begin() + to);
    row.loss.insert(row.loss.end(), loss_.begin() + from, loss_.begin() + to);
    if (some_prefix_) row.prefixes.push_back(prefixes_[usize(q)]);
  }
  const std::span<const f32> numbers = scalars(i);
  row.scalars.insert(row.scalars.end(), numbers.begin(), numbers.end());
}

u64 RecordStore::digest() const {
  std::vector<u64> parts = {hash_of(tokens_), hash_of(loss_), hash_of(ends_)};
  if (!scalars_.empty()) parts.push_back(hash_of(scalars_));
  if (some_prefix_) parts.push_back(hash_of(prefixes_));
  return hash_of(parts);
}

PackedSource::PackedSource(RecordStore records, const Options& options)
    : records_(std::move(records)), options_(options) {
  if (records_.count() == 0) throw Error(ErrorKind::kData, "no records to train on");
  const Objective* objective = options.objective;
  const i64 most =
      objective ? objective->tokens_per_sequence(options.seq_len) : options.seq_len + 1;
  slot_room_ = objective ? objective->slot_room(options.seq_len) : most;
  if (records_.longest() > most)
    throw Error(ErrorKind::kData,
                cat("a record of ", records_.longest(), " tokens, expected at most ", most));
}

i64 PackedSource::room(i64 i) const {
  if (!options_.pack) return slot_room_;
  const std::vector<i64> lengths = records_.lengths(i);
  return options_.objective ? std::min(slot_room_, options_.objective->room_of(lengths))
                            : lengths[0];
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
    i64 left = slot_room_;
    for (i64 r = record_at(position_); (left -= room(r)) >= 0; r = record_at(position_)) {
      records_.append_to(row, r);
      ++position_;
    }
  }
}

i64 PackedSource::rows_of(i64 records) {
  i64 rows = 0;
  i64 used = slot_room_;
  for (i64 position = 0; position < records; ++position) {
    const i64 length = room(record_at(position));
    used += length;
    if (used <= slot_room_) continue;
    ++rows;
    used = length;
  }
  return rows;
}

i64 PackedSource::records_of(i64 rows) {
  i64 position = 0;
  for (i64 row = 0; row < rows; ++row) {
    i64 left = slot_room_;
    while ((left -= room(record_at(position))) >= 0)
      ++position;
  }
  return position;
}

}  // namespace lm::train

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/random.h"
#include "core/str.h"
#include "train/data.h"

namespace lm::train {
namespace {

// Streams of RandomPurpose::kDataOrder: permutations use set << 32 | epoch.
constexpr u64 kDrawStream = ~u64{0};

void check_weights(const std::vector<f64>& weights, std::size_t sets) {
  if (weights.empty()) return;
  if (weights.size() != sets)
    throw Error(ErrorKind::kUsage, cat(weights.size(), " weights for ", sets, " data sets"));
  for (const f64 w : weights)
    if (!(w > 0 && w < 1e30))
      throw Error(ErrorKind::kUsage, cat("weight ", w, ", expected a positive number"));
}

}  // namespace

ShardSource::ShardSource(const std::vector<std::string>& manifests, ShardSourceOptions options)
    : options_(std::move(options)), first_{0} {
  LM_CHECK(options_.seq_len >= 1, "a sequence has at least one token");
  check_weights(options_.weights, manifests.size());
  if (options_.streams > 0 && !options_.weights.empty())
    throw Error(ErrorKind::kUsage, "weights of data sets do not go with streams of documents");
  for (const std::string& name : manifests) {
    sets_.emplace_back(name);
    const i64 tokens = sets_.back().tokens();
    const i64 samples = (tokens - 1) / options_.seq_len;
    if (samples < 1 && options_.streams == 0)
      throw Error(ErrorKind::kData, cat(name, ": ", tokens, " tokens, expected at least ",
                                        options_.seq_len + 1, " (one sequence and its target)"));
    first_.push_back(first_.back() + samples);
  }
  total_ = first_.back();
  if (options_.streams > 0) {
    deal_ = std::make_unique<StreamDeal>(sets_, options_.streams, options_.seq_len);
    total_ = options_.streams * deal_->sequences();
  }
  const bool weighted = !options_.weights.empty();
  orders_.resize(weighted ? sets_.size() : 1);
  if (weighted) position_.by_set.assign(sets_.size(), 0);
}

i64 ShardSource::tokens() const {
  i64 sum = 0;
  for (const text::ShardSet& set : sets_)
    sum += set.tokens();
  return sum;
}

f64 ShardSource::epoch() const {
  return static_cast<f64>(position_.samples) / static_cast<f64>(total_);
}

void ShardSource::seek(const Position& position) {
  if (position == Position{}) {
    position_ = {.samples = 0, .by_set = std::vector<i64>(position_.by_set.size(), 0)};
    return;
  }
  const i64 given = std::accumulate(position.by_set.begin(), position.by_set.end(), i64{0});
  if (position.samples < 0 || position.by_set.size() != position_.by_set.size() ||
      (!position.by_set.empty() && given != position.samples))
    throw Error(ErrorKind::kData, "the data position does not fit the data sets");
  position_ = position;
}

i64 ShardSource::draw_set(i64 sample) const {
  const RandomStream random(options_.seed, RandomPurpose::kDataOrder, kDrawStream);
  f64 left = random.uniform(static_cast<u64>(sample)) *
             std::accumulate(options_.weights.begin(), options_.weights.end(), 0.0);
  for (i64 s = 0; s + 1 < isize(sets_); ++s) {
    left -= options_.weights[usize(s)];
    if (left < 0) return s;
  }
  return isize(sets_) - 1;
}

i64 ShardSource::permuted(i64 slot, i64 n, i64 epoch, i64 index) {
  if (!options_.shuffle) return index;
  Order& order = orders_[usize(slot)];
  if (order.epoch != epoch) {
    const u64 stream = static_cast<u64>(slot) << 32 | static_cast<u64>(epoch);
    order.permutation = std::make_unique<Permutation>(static_cast<u64>(n), options_.seed, stream);
    order.epoch = epoch;
  }
  return static_cast<i64>((*order.permutation)(static_cast<u64>(index)));
}

void ShardSource::append(i64 set, i64 index, Examples& out) const {
  const text::ShardSet& from = sets_[usize(set)];
  const i64 begin = index * options_.seq_len;
  Example& example = out.emplace_back();
  example.number = first_[usize(set)] + index;
  example.tokens.resize(usize(options_.seq_len + 1));
  from.read(begin, example.tokens);
  if (!options_.boundaries) return;
  for (i64 d = from.document_of(begin); d < from.documents(); ++d) {
    const auto [first, end] = from.document(d);
    if (first > begin + options_.seq_len) break;
    if (first > begin && end > first) example.starts.push_back(static_cast<i32>(first - begin));
  }
}

void ShardSource::next(i64 count, Examples& out) {
  for (i64 i = 0; i < count; ++i) {
    const i64 sample = position_.samples++;
    if (deal_) {
      Example& example = out.emplace_back();
      example.number = sample % total_;
      deal_->read(example.number % options_.streams, example.number / options_.streams,
                  options_.boundaries, example);
      continue;
    }
    if (options_.weights.empty()) {
      const i64 index = permuted(0, total_, sample / total_, sample % total_);
      const i64 set = std::upper_bound(first_.begin(), first_.end(), index) - first_.begin() - 1;
      append(set, index - first_[usize(set)], out);
      continue;
    }
    const i64 set = draw_set(sample);
    const i64 n = first_[usize(set + 1)] - first_[usize(set)];
    const i64 k = position_.by_set[usize(set)]++;
    append(set, permuted(set, n, k / n, k % n), out);
  }
}

}  // namespace lm::train

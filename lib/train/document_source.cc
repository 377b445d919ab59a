#include "train/document_source.h"

#include <algorithm>

#include "core/error.h"

namespace lm::train {

DocumentSource::DocumentSource(const std::vector<text::ShardSet>& sets, Options options)
    : sets_(sets),
      options_(std::move(options)),
      first_{0},
      packer_(options_.seq_len, options_.boundaries, {}) {
  i64 tokens = 0;
  for (const text::ShardSet& set : sets) {
    first_.push_back(first_.back() + set.documents());
    tokens += set.tokens();
  }
  if (tokens == 0) throw Error(ErrorKind::kData, "no documents to train on");
}

void DocumentSource::push_next() {
  const i64 at = base_ + pushed_++;
  const i64 n = first_.back();
  if (epoch_ != at / n) {
    epoch_ = at / n;
    order_ =
        std::make_unique<Permutation>(static_cast<u64>(n), options_.seed, static_cast<u64>(epoch_));
  }
  const i64 number = static_cast<i64>((*order_)(static_cast<u64>(at % n)));
  const i64 set = std::upper_bound(first_.begin(), first_.end(), number) - first_.begin() - 1;
  const text::ShardSet& from = sets_[usize(set)];
  const auto [begin, end] = from.document(number - first_[usize(set)]);
  std::vector<i32> ids(usize(end - begin));
  if (end > begin) from.read(begin, ids);
  if (options_.change) options_.change(number, epoch_, ids);
  packer_.push(ids);
}

void DocumentSource::next(i64 count, Examples& out) {
  while (packer_.ready() < count)
    push_next();
  packer_.take(count, out);
}

StreamPacker::Position DocumentSource::position() const {
  const StreamPacker::Position at = packer_.position();
  return {base_ + at.documents, at.offset};
}

void DocumentSource::seek(const StreamPacker::Position& position) {
  base_ = position.documents;
  pushed_ = 0;
  packer_ = StreamPacker(options_.seq_len, options_.boundaries, {0, position.offset});
}

}  // namespace lm::train

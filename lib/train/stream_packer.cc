#include <algorithm>

#include "core/error.h"
#include "train/data.h"

namespace lm::train {

StreamPacker::StreamPacker(i64 seq_len, bool boundaries, const Position& from)
    : seq_len_(seq_len), boundaries_(boundaries), from_(from) {
  LM_CHECK(seq_len >= 1, "a sequence has at least one token");
}

void StreamPacker::push(std::span<const i32> ids) {
  const i64 number = pushed_++;
  i64 drop = 0;
  if (number < from_.documents) drop = isize(ids);
  if (number == from_.documents) drop = std::min(from_.offset, isize(ids));
  const std::span<const i32> kept = ids.subspan(usize(drop));
  if (kept.empty()) return;
  documents_.push_back({number, isize(tokens_), drop});
  tokens_.insert(tokens_.end(), kept.begin(), kept.end());
}

i64 StreamPacker::ready() const {
  return std::max<i64>(0, (isize(tokens_) - at_ - 1) / seq_len_);
}

void StreamPacker::take(i64 count, Examples& out) {
  LM_CHECK(count <= ready(), "only complete sequences are taken");
  std::size_t d = 0;
  for (i64 i = 0; i < count; ++i) {
    const std::span<const i32> from = std::span(tokens_).subspan(usize(at_), usize(seq_len_ + 1));
    Example& example = out.emplace_back();
    example.tokens.assign(from.begin(), from.end());
    std::vector<i32>& starts = example.starts;
    while (boundaries_ && d < documents_.size() && documents_[d].begin <= at_ + seq_len_) {
      if (documents_[d].begin > at_) starts.push_back(static_cast<i32>(documents_[d].begin - at_));
      // The next sequence begins with this one's last target.
      if (documents_[d].begin > at_ + seq_len_ - 1) break;
      ++d;
    }
    at_ += seq_len_;
  }
  // Forget what was used; the document of the next token stays.
  std::size_t used = 0;
  while (used + 1 < documents_.size() && documents_[used + 1].begin <= at_)
    ++used;
  documents_.erase(documents_.begin(), documents_.begin() + static_cast<std::ptrdiff_t>(used));
  tokens_.erase(tokens_.begin(), tokens_.begin() + at_);
  for (Document& document : documents_) {
    document.begin -= at_;
    if (document.begin < 0) {
      document.offset -= document.begin;
      document.begin = 0;
    }
  }
  at_ = 0;
}

StreamPacker::Position StreamPacker::position() const {
  if (documents_.empty()) {
    if (pushed_ <= from_.documents) return from_;
    return {pushed_, 0};
  }
  return {documents_.front().number, documents_.front().offset + at_ - documents_.front().begin};
}

}  // namespace lm::train

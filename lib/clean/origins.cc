#include "clean/origins.h"

#include <algorithm>

namespace lm::clean {

void Origins::reset(i64 size) {
  size_ = size;
  pieces_.assign(1, {0, size, 0, size, true});
}

std::size_t Origins::piece_at(i64 at) const {
  const auto after = std::upper_bound(pieces_.begin(), pieces_.end(), at,
                                      [](i64 value, const Piece& p) { return value < p.at; });
  return static_cast<std::size_t>(after - pieces_.begin()) - 1;
}

tag::Range Origins::of(i64 begin, i64 end) const {
  const Piece& first = pieces_[piece_at(begin)];
  const Piece& last = pieces_[piece_at(end - 1)];
  return {first.kept ? first.from + (begin - first.at) : first.from,
          last.kept ? last.from + (end - last.at) : last.from_end};
}

/// [begin, end) of the present text stays.
void Origins::copy(i64 begin, i64 end) {
  for (std::size_t i = begin < end ? piece_at(begin) : pieces_.size();
       i < pieces_.size() && pieces_[i].at < end; ++i) {
    const Piece& p = pieces_[i];
    const i64 from = std::max(begin, p.at);
    const i64 size = std::min(end, p.at + p.size) - from;
    Piece piece = {next_size_, size, p.from, p.from_end, p.kept};
    if (p.kept) {
      piece.from = p.from + (from - p.at);
      piece.from_end = piece.from + size;
    }
    next_.push_back(piece);
    next_size_ += size;
  }
}

void Origins::apply(std::span<const Edit> edits) {
  next_.clear();
  next_size_ = 0;
  i64 reached = 0;
  for (const Edit& edit : edits) {
    copy(reached, edit.begin);
    reached = edit.end;
    if (edit.with.empty()) continue;
    const tag::Range range = of(edit.begin, edit.end);
    next_.push_back({next_size_, isize(edit.with), range.begin, range.end, false});
    next_size_ += isize(edit.with);
  }
  copy(reached, size_);
  if (next_.empty()) next_.push_back({0, 0, 0, 0, true});
  pieces_.swap(next_);
  size_ = next_size_;
}

}  // namespace lm::clean

#include "clean/lines.h"

namespace lm::clean {

void LineDropper::drop(i64 line, i64 type) {
  const tag::Range range = lines_[usize(line)];
  if (line != last_ + 1) tail_.clear();
  last_ = line;
  ++out_.lines_removed;
  const bool ends = line + 1 == isize(lines_);
  tail_.push_back(out_.edits.size());
  out_.edits.push_back({range.begin, range.end + (ends ? 0 : 1), type, {}});
}

void LineDropper::finish() {
  if (last_ + 1 != isize(lines_)) return;
  const bool all = isize(tail_) == isize(lines_);
  for (std::size_t i = 0; i < tail_.size() && !all; ++i) {
    Edit& edit = out_.edits[tail_[i]];
    --edit.begin;
    if (i + 1 < tail_.size()) --edit.end;
  }
  if (out_.edits.back().begin == out_.edits.back().end) out_.edits.pop_back();
}

}  // namespace lm::clean

#pragma once
// Where the bytes of a text that was changed step by step stood in the text it was at first.

#include <span>
#include <vector>

#include "clean/cleaner.h"

namespace lm::clean {

class Origins {
 public:
  /// A text of size bytes that was not changed yet.
  void reset(i64 size);
  /// The bytes of the first text that became [begin, end) of the present one, begin < end, and what
  /// was taken away between them. O(log steps so far).
  tag::Range of(i64 begin, i64 end) const;
  /// The present text is changed. O(pieces + edits log pieces).
  void apply(std::span<const Edit> edits);

 private:
  /// Bytes that came unchanged from `from`, or, of a replacement, from any of [from, from_end).
  struct Piece {
    i64 at;
    i64 size;
    i64 from;
    i64 from_end;
    bool kept;
  };
  std::size_t piece_at(i64 at) const;
  void copy(i64 begin, i64 end);

  i64 size_ = 0;
  i64 next_size_ = 0;
  std::vector<Piece> pieces_;
  std::vector<Piece> next_;
};

}  // namespace lm::clean

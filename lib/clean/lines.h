#pragma once
// Lines between newlines that go as wholes: those that stay are joined by newlines.

#include <span>
#include <vector>

#include "clean/cleaner.h"

namespace lm::clean {

/// Turns dropped lines into edits: each goes with the newline behind it; those at the end of the
/// text with the newline before them. Lines are asked about in rising order, edits inside lines
/// that stay may be made in between.
class LineDropper {
 public:
  /// lines: of tag::Document::lines_n(); counts them as looked at.
  LineDropper(std::span<const tag::Range> lines, Findings& out) : lines_(lines), out_(out) {
    out.lines = isize(lines);
  }
  void drop(i64 line, i64 type);
  /// After the last line.
  void finish();

 private:
  std::span<const tag::Range> lines_;
  Findings& out_;
  std::vector<std::size_t> tail_;  // edits of the lines dropped last, one after the other
  i64 last_ = -2;                  // line dropped last
};

}  // namespace lm::clean

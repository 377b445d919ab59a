#pragma once
// The end of a text: stop strings matched on bytes, wherever tokens end, and loops of tokens.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace lm::decode {

/// Grows a text piece by piece until a stop string stands in it. The result does not depend on how
/// the text is cut into pieces as long as every match ends in the piece that is pushed last.
class StopMatcher {
 public:
  StopMatcher() = default;
  /// strings: not empty. include: the stop string stays in the text.
  StopMatcher(std::vector<std::string> strings, bool include);

  /// Appends a piece. True if a stop string is complete now; of several the one that begins first
  /// counts, and of those the shortest. The text is then cut. No push after that.
  bool push(std::string_view piece);
  const std::string& text() const { return text_; }
  /// Bytes of text that no later piece can take back: all but the longest suffix that could become
  /// a stop string.
  i64 safe() const;

 private:
  std::vector<std::string> strings_;
  bool include_ = false;
  i64 longest_ = 0;
  bool stopped_ = false;
  std::string text_;
};

/// True if tokens end in `count` copies of one n-gram of 1 to `size` tokens. O(size^2 * count).
bool ends_in_loop(std::span<const i32> tokens, i64 size, i64 count);

}  // namespace lm::decode

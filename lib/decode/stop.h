#pragma once
// Constraints that only end a text: stop strings matched on bytes, wherever tokens end, and loops
// of tokens.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decode/constraint.h"
#include "decode/params.h"

namespace lm::decode {

/// Ends a text with reason "stop_string" when a stop string stands in it. The result does not
/// depend on how the text is cut into pieces as long as every match ends in the last of them.
class StopStrings final : public Constraint {
 public:
  /// strings: not empty. include: the stop string stays in the text.
  StopStrings(std::vector<std::string> strings, bool include);

  std::optional<Fault> mask(TokenWeights&, i64) const override { return std::nullopt; }
  void accept(i32) override {}
  /// text: the last one with a piece behind it. Of several strings that it holds the one that
  /// begins first counts, and of those the shortest. Not to be asked after an end.
  std::optional<TextEnd> end(std::string_view text) override;
  std::unique_ptr<Constraint> clone() const override;

  /// Bytes of a text without a stop string that no later piece can take back: all but the longest
  /// suffix that could become one.
  i64 safe(std::string_view text) const;

 private:
  std::vector<std::string> strings_;
  bool include_;
  i64 longest_ = 0;
  i64 searched_ = 0;  // bytes of the text that hold no stop string
};

/// Ends a text with reason "repetition" when its tokens end in a loop.
class LoopEnd final : public Constraint {
 public:
  /// `count` copies of one n-gram of 1 to `size` tokens.
  LoopEnd(i64 size, i64 count) : size_(size), count_(count) {}

  std::optional<Fault> mask(TokenWeights&, i64) const override { return std::nullopt; }
  void accept(i32 token) override { tokens_.push_back(token); }
  std::optional<TextEnd> end(std::string_view text) override;
  std::unique_ptr<Constraint> clone() const override;

 private:
  i64 size_;
  i64 count_;
  std::vector<i32> tokens_;
};

/// What a text obeys, in the order in which it may be ended: its parameters, then its own
/// constraint, which is cloned; null: none.
std::vector<std::unique_ptr<Constraint>> text_constraints(const SampleParams& params,
                                                          const Constraint* own);

/// True if tokens end in `count` copies of one n-gram of 1 to `size` tokens. O(size^2 * count).
bool ends_in_loop(std::span<const i32> tokens, i64 size, i64 count);

}  // namespace lm::decode

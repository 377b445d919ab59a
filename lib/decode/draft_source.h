#pragma once
// The drafters of a run by name, and what they learn from: the record alone, all texts of the run,
// or those of earlier runs too, which a file keeps.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "decode/draft.h"

namespace lm::decode {

/// Texts by their tokens, the last ones of many: at most kMostTokens together.
class DraftTexts {
 public:
  static constexpr i64 kMostTokens = 1 << 18;

  /// Reads what save wrote for a tokenizer of this key. Throws Error{kCannotOpen, kIo}, and
  /// Error{kData} for a file of other things, of another tokenizer, or damaged.
  void load(const std::string& path, u64 tokenizer);
  /// Under its name whole, or not at all.
  void save(const std::string& path, u64 tokenizer) const;
  /// A text that is there already becomes the last; the oldest ones go.
  void add(std::span<const i32> text);
  const std::vector<std::vector<i32>>& texts() const { return texts_; }

 private:
  std::vector<std::vector<i32>> texts_;  // the oldest first
  i64 tokens_ = 0;
};

class DraftSource {
 public:
  /// prompt-lookup, ngram, aded, aded-published, suffix.
  static const std::vector<std::string>& names();

  /// shared: texts learn from each other. earlier: learned from at once, where shared.
  DraftSource(std::string_view name, bool shared, DraftTexts earlier = {});
  ~DraftSource();

  std::unique_ptr<Drafter> make();
  /// Guesses of a text at a time that suit this kind of drafter.
  i64 rows() const;
  /// Earlier texts and those completed since.
  const DraftTexts& texts() const;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace lm::decode

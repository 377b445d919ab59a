#pragma once
// Vectors without a model: every n-gram of a text adds +1 or -1 to the component that its hash
// names (Weinberger et al. 2009), then the vector is scaled to length 1. Texts are compared in NFKC
// and lower case, runs of white space as one blank, with a blank at both ends, so that n-grams of
// characters know where words begin.

#include <deque>

#include "embed/text_embedder.h"

namespace lm::embed {

/// "char3-5,dim=1024": n-grams of 3 to 5 characters; "word1-2" of words; both may stand.
struct HashShape {
  i64 char_least = 0, char_most = 0;  // 0: none
  i64 word_least = 0, word_most = 0;
  i64 dim = 1024;
};
/// Throws Error{kUsage} naming the part that is wrong.
HashShape parse_hash_shape(std::string_view text);
/// The one spelling of a shape.
std::string hash_shape_text(const HashShape& shape);

class HashEmbedder final : public TextEmbedder {
 public:
  explicit HashEmbedder(const HashShape& shape);

  /// A text without n-grams has the zero vector.
  Result<PreparedText> prepare(std::string_view text) override;
  void add(PreparedText text) override { done_.push_back(std::move(text.vector)); }
  i64 pending() const override { return isize(done_); }
  bool step() override { return false; }
  std::optional<std::vector<f32>> take() override;
  i64 width() const override { return shape_.dim; }
  const std::vector<i64>& layers() const override { return layers_; }
  const std::string& digest() const override { return digest_; }
  u64 key() const override;

 private:
  HashShape shape_;
  std::string digest_;
  std::vector<i64> layers_ = {0};
  std::deque<std::vector<f32>> done_;
};

}  // namespace lm::embed

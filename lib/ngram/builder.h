#pragma once
// Builds the query form (image.h) in memory, from the estimator directly or from an ARPA file.
// Models of other programs may lack the suffix or the context of an n-gram they hold; the builder
// adds such n-grams with the probability the model gives them anyway, so that queries may stop at
// the first length that is absent. Memory: 24 bytes per n-gram, 12 / 16 used at load 2/3.

#include <memory>
#include <string>
#include <vector>

#include "ngram/image.h"
#include "ngram/sink.h"

namespace lm::ngram {

class ImageBuilder final : public ModelSink {
 public:
  ImageBuilder() = default;
  void begin(const Vocab& vocab, std::span<const i64> counts) override;
  void begin_order(int n) override;
  std::unique_ptr<Chunk> new_chunk(int n) const override;
  void take(Chunk& chunk) override;
  void end() override;

  /// Adds one n-gram; orders must come in ascending order. words: ids, first to last. Returns false
  /// when it was there already. O(order).
  bool add(std::span<const u32> words, f32 log10_p, f32 log10_b);
  /// Valid while the builder lives, after end().
  const ImageView& view() const { return view_; }
  /// n-grams that were added for completeness.
  i64 closing_grams() const { return closing_; }

 private:
  using Words = std::span<const u32>;
  /// p and b of words if present; words.size() >= 1.
  std::optional<Weights> find(Words words) const;
  Weights* find_middle(Words words);
  void insert(Words words, f32 stored_p, f32 b);
  void insert_top(u64 hash, f32 stored_p);
  void mark_suffix(Words words);
  void mark_prefix(Words words);
  void require(Words words);

  int order_ = 0;
  i64 closing_ = 0;
  std::vector<i64> counts_;
  std::vector<Weights> unigrams_;
  std::vector<u8> unigram_known_;
  std::vector<WordSlot> word_slots_;
  std::vector<std::vector<MiddleSlot>> middle_;
  std::vector<TopSlot> top_;
  std::vector<u64> spelling_begin_;
  std::string spelling_;
  ImageView view_;
};

/// Reads a whole ARPA file into builder. name is for messages. Throws Error{kData} as ArpaReader
/// does, and for repeated n-grams, words missing from the unigrams, and a model without <s> or
/// </s>. A model without <unk> gives unknown words log10 p = -100.
void read_arpa(std::string_view text, const std::string& name, ImageBuilder& builder);

}  // namespace lm::ngram

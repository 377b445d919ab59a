#pragma once
// Counts the n-grams of a text that may be larger than memory. Blocks of lines are cut into words
// in parallel; word ids are given in text order; the tokens of as many blocks as the budget holds
// are sorted as windows (gram_sort.h) and written as a run when more follows. So vocabulary, ids
// and the stream of counts are a function of the text alone, never of threads or budget.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/context.h"
#include "ngram/gram_stream.h"
#include "ngram/vocab.h"

namespace lm::ngram {

struct CountOptions {
  int order = 5;
  bool skip_symbols = false;  // <s>, </s>, <unk> in the text act as blanks instead of failing
};

class NgramCounter {
 public:
  /// Throws Error{kUsage} unless 1 <= order <= kMaxOrder.
  NgramCounter(const Context& ctx, const CountOptions& options);
  ~NgramCounter();
  NgramCounter(const NgramCounter&) = delete;
  NgramCounter& operator=(const NgramCounter&) = delete;

  /// Fills its argument with whole lines and returns true, or returns false at the end. Called
  /// from one thread at a time.
  using BlockSource = std::function<bool(std::string& block)>;
  /// One sentence a line, words between ASCII blanks; an empty line is the empty sentence, a last
  /// line without newline counts. May be called again with more text. Throws Error{kData} naming
  /// the line of a reserved symbol, what the source throws, Error{kIo} on a full spill disk.
  void add_text(const BlockSource& source);
  struct Block;
  /// The same in two steps, for callers with threads of their own: cut from any thread, take from
  /// one thread, in text order. text: whole lines, as above.
  std::shared_ptr<Block> cut_block(std::string text) const;
  void take_block(Block& block);
  /// The counts; call once, last. Throws Error{kData} when there was no sentence.
  std::unique_ptr<GramStream> finish();

  const Vocab& vocab() const { return vocab_; }
  i64 words() const { return words_; }
  i64 sentences() const { return sentences_; }
  i64 spilled_bytes() const { return spill_ ? spill_->size() : 0; }
  /// At least the number of distinct n-grams of any one order.
  i64 max_grams() const { return words_ + 2 * sentences_; }

 private:
  void cut(Block& block) const;
  void assign(Block& block);
  static void rename(Block& block);
  void append(const Block& block);
  void append_tokens(std::span<const u32> tokens);
  bool charge_tokens(i64 tokens);
  std::unique_ptr<GramStream> sort_tokens();
  void spill();

  const Context* ctx_;
  CountOptions options_;
  Vocab vocab_;
  std::vector<u32> tokens_;
  i64 capacity_;     // tokens per run
  i64 charged_ = 0;  // for tokens and items
  i64 vocab_charged_ = 0;
  i64 words_ = 0;
  i64 sentences_ = 0;
  i64 lines_assigned_ = 0;
  std::unique_ptr<io::TempFile> spill_;
  std::vector<GramRun> runs_;
};

}  // namespace lm::ngram

#pragma once
// Trains byte-level BPE: counts pretokens, then merges the most frequent adjacent pair until the
// vocabulary is full. Counts are i64. The result depends on the counted words only, not on their
// order, threads or hashing.
// Exactness: a pair gains occurrences only in the step that creates one of its symbols, so a heap
// entry can only be too high; a popped entry that is stale goes back with the true count. That
// needs every merge to make a new string, and it does: where bytes s stand as two symbols, no merge
// has crossed the ends of s, so all such places were cut alike all along (left-to-right merging of
// runs starts at the end of s too); the first merge into s therefore has taken every one of them.
// Source: Sennrich et al. 2016; ids and ties as the Hugging Face trainer numbers them.

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "text/pretokenize.h"

namespace lm::text {

/// Cuts a document into pretokens; merges never cross their borders.
using PretokenSplitter = std::function<void(std::string_view text, std::vector<Span>& pieces)>;
/// The splitter of a known pattern; kOther gives one piece per document (no splitting).
PretokenSplitter pattern_splitter(PatternId id);

/// Distinct pretokens with their weighted counts.
struct WordCounts {
  struct Word {
    std::string_view bytes;  // into storage
    i64 count = 0;
  };
  std::vector<Word> words;  // in no meaningful order
  i64 documents = 0;
  i64 bytes = 0;      // of all documents
  i64 pretokens = 0;  // unweighted, before dropping
  i64 cut = 0;        // pretokens longer than max_word_bytes, cut into several words
  std::shared_ptr<const void> storage;  // shared by copies of the counts
};

/// Counts pretokens of documents in parallel, one table per part. Memory is charged to ctx.memory.
class WordCounter {
 public:
  WordCounter(PretokenSplitter split, i64 max_word_bytes, const Context& ctx);
  ~WordCounter();
  WordCounter(const WordCounter&) = delete;
  WordCounter& operator=(const WordCounter&) = delete;

  /// documents: well-formed UTF-8 as the splitter wants it; weights: one per document, each >= 1,
  /// or empty for 1. Throws Error{kOs} when the budget is spent, Error{kUsage} for a bad weight.
  void add(std::span<const std::string_view> documents, std::span<const i64> weights = {});
  /// The words counted at least min_count times. The counter is empty afterwards.
  WordCounts finish(i64 min_count = 1);

 private:
  struct Part;
  void count_document(Part& part, std::string_view text, i64 weight) const;

  PretokenSplitter split_;
  i64 max_word_bytes_;
  const Context& ctx_;
  std::vector<std::unique_ptr<Part>> parts_;
  WordCounts totals_;
};

/// Which pair wins among equally frequent ones.
enum class BpeTies {
  kHf,     // smaller left id, then smaller right id
  kBytes,  // left token's bytes, then right token's bytes, both in byte order
  kSp,     // shorter result, then result in byte order, then shorter left token
};
/// "hf", "bytes", "sp"; throws Error{kUsage}.
BpeTies parse_bpe_ties(std::string_view name);

struct BpeTrainOptions {
  i64 vocab_size = 32000;   // specials and the 256 bytes included
  i64 min_frequency = 2;    // a pair below it is never merged
  i64 max_token_bytes = 0;  // 0: no limit
  BpeTies ties = BpeTies::kHf;
  std::vector<std::string> specials;  // take the first ids; no merge may produce their bytes
};

struct TrainedMerge {
  i32 left = 0, right = 0, result = 0;
  bool operator==(const TrainedMerge&) const = default;
};

struct TrainedBpe {
  std::vector<std::string> tokens;  // bytes by id: specials, 256 bytes in byte-level order, merges
  i64 specials = 0;
  std::vector<TrainedMerge> merges;  // in order; results count up from specials + 256
};

/// Runs the merges. Throws Error{kUsage} for impossible options, Error{kOs} over the budget,
/// Error{kTemporary} when stopped. Ends early if no pair reaches min_frequency.
/// Cost is about the sum over merges of the words that hold the pair.
TrainedBpe train_bpe(const WordCounts& words, const BpeTrainOptions& options, const Context& ctx);

/// tokenizer.json content, readable by Hugging Face: ByteLevel pre-tokenizer for r50k, else Split
/// by the pattern followed by ByteLevel; kOther does not split. Specials become added tokens.
std::string bpe_tokenizer_json(const TrainedBpe& model, PatternId pattern);
/// Lines "base64(bytes) id" without the specials. Ids equal those of the tokenizer.json.
std::string bpe_tiktoken_file(const TrainedBpe& model);

}  // namespace lm::text

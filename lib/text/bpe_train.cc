#include "text/bpe_train.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "core/error.h"
#include "core/parallel.h"
#include "core/str.h"
#include "text/bpe_pairs.h"
#include "text/token_decoder.h"
#include "text/utf8.h"

namespace lm::text {

namespace {

constexpr i64 kParallelWords = 4096;  // fewer words per merge are rewritten by one thread
constexpr i64 kStopCheck = 64;        // merges between looks at the stop token

struct HeapEntry {
  i64 count;
  u64 key;
};

// std::push_heap keeps the largest on top: "less" means merged later.
struct Later {
  BpeTies ties;
  const std::vector<std::string>* tokens;

  bool operator()(const HeapEntry& a, const HeapEntry& b) const {
    if (a.count != b.count) return a.count < b.count;
    if (a.key == b.key) return false;
    switch (ties) {
      case BpeTies::kHf:
        break;
      case BpeTies::kBytes: {
        const int order = left(a).compare(left(b));
        return order != 0 ? order > 0 : right(a) > right(b);
      }
      case BpeTies::kSp: {
        const std::string ab = left(a) + right(a);
        const std::string bb = left(b) + right(b);
        if (ab.size() != bb.size()) return ab.size() > bb.size();
        const int order = ab.compare(bb);
        return order != 0 ? order > 0 : left(a).size() > left(b).size();
      }
    }
    return a.key > b.key;
  }
  const std::string& left(const HeapEntry& e) const { return (*tokens)[pair_left(e.key)]; }
  const std::string& right(const HeapEntry& e) const { return (*tokens)[pair_right(e.key)]; }
};

// What rewriting a run of words found out about the neighbours of the merged pair.
struct Changes {
  std::vector<i64> left, right;            // by symbol: occurrences beside the merged pair
  std::vector<u32> left_seen, right_seen;  // symbols with an entry above
  std::vector<std::pair<u32, u32>> left_words, right_words;  // (symbol, word), words ascending
  std::vector<u32> run_words;
  i64 run = 0;  // merged pairs directly after a merged pair

  void reserve_symbols(std::size_t symbols) {
    if (left.size() >= symbols) return;
    left.resize(symbols);
    right.resize(symbols);
  }
  static void note(std::vector<i64>& sums, std::vector<u32>& seen,
                   std::vector<std::pair<u32, u32>>& words, u32 symbol, u32 word, i64 count) {
    if (sums[symbol] == 0) seen.push_back(symbol);
    sums[symbol] += count;
    words.emplace_back(symbol, word);
  }
  void clear() {
    for (const u32 symbol : left_seen)
      left[symbol] = 0;
    for (const u32 symbol : right_seen)
      right[symbol] = 0;
    left_seen.clear();
    right_seen.clear();
    left_words.clear();
    right_words.clear();
    run_words.clear();
    run = 0;
  }
};

class Trainer {
 public:
  Trainer(const WordCounts& words, const BpeTrainOptions& options, const Context& ctx)
      : options_(options),
        ctx_(ctx),
        min_count_(std::max<i64>(1, options.min_frequency)),
        pairs_(ctx.memory),
        later_{options.ties, &model_.tokens} {
    make_tokens();
    load_words(words);
  }
  ~Trainer() { ctx_.memory->release(charged_); }
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  TrainedBpe run() {
    count_all_pairs();
    for (i64 step = 0; isize(model_.tokens) < options_.vocab_size; ++step) {
      if (step % kStopCheck == 0 && ctx_.stop->requested()) {
        throw Error(ErrorKind::kTemporary, cat("BPE training was stopped after ", step, " merges"));
      }
      const std::optional<u64> best = pop_best();
      if (!best) break;
      merge(*best);
    }
    return std::move(model_);
  }

 private:
  void make_tokens() {
    const auto check_special = [](const std::string& text) {
      if (text.size() < 2 || !is_valid_utf8(text)) {
        throw Error(ErrorKind::kUsage,
                    cat("special token ", quote(text), " is not two or more bytes of UTF-8"));
      }
    };
    for (const std::string& special : options_.specials) {
      check_special(special);
      if (!strings_.insert(special).second) {
        throw Error(ErrorKind::kUsage, cat("special token ", quote(special), " is given twice"));
      }
      model_.tokens.push_back(special);
      specials_.insert(special);
      special_sizes_.insert(isize(special));
    }
    model_.specials = isize(options_.specials);
    if (options_.vocab_size < model_.specials + 256 || options_.vocab_size > (i64{1} << 30)) {
      throw Error(ErrorKind::kUsage,
                  cat("vocabulary of ", options_.vocab_size, ", expected at least ",
                      model_.specials + 256, " (256 bytes and ", model_.specials, " specials)"));
    }
    // GPT-2's order: by code point of the printable stand-in (equal to its UTF-8 byte order).
    std::vector<std::pair<std::string, u8>> alphabet;
    alphabet.reserve(256);
    for (int byte = 0; byte < 256; ++byte) {
      alphabet.emplace_back(to_byte_level(std::string(1, static_cast<char>(byte))),
                            static_cast<u8>(byte));
    }
    std::sort(alphabet.begin(), alphabet.end());
    for (const auto& [stand_in, byte] : alphabet) {
      symbol_of_byte_[byte] = static_cast<u32>(model_.tokens.size());
      model_.tokens.emplace_back(1, static_cast<char>(byte));
      strings_.insert(model_.tokens.back());
    }
  }

  void charge(i64 bytes) {
    ctx_.memory->charge(bytes, "the words of BPE training");
    charged_ += bytes;
  }

  void load_words(const WordCounts& words) {
    i64 symbols = 0;
    i64 kept = 0;
    for (const WordCounts::Word& word : words.words) {
      if (word.bytes.size() < 2) continue;
      symbols += isize(word.bytes);
      ++kept;
    }
    if (kept > INT32_MAX)
      throw Error(ErrorKind::kOs, cat(kept, " distinct pretokens, at most 2^31"));
    const i64 bytes = symbols * 4 + kept * static_cast<i64>(sizeof(i64) * 2 + sizeof(u32));
    charge(bytes);
    symbols_.reserve(usize(symbols));
    for (const WordCounts::Word& word : words.words) {
      if (word.bytes.size() < 2) continue;
      begin_.push_back(isize(symbols_));
      size_.push_back(static_cast<u32>(word.bytes.size()));
      count_.push_back(word.count);
      for (const char c : word.bytes)
        symbols_.push_back(symbol_of_byte_[static_cast<u8>(c)]);
    }
  }

  // True if the pair may become a token. Banned pairs are never entered anywhere.
  bool allowed(u64 key) const {
    const std::string& left = model_.tokens[pair_left(key)];
    const std::string& right = model_.tokens[pair_right(key)];
    const i64 size = isize(left) + isize(right);
    if (options_.max_token_bytes > 0 && size > options_.max_token_bytes) return false;
    if (special_sizes_.contains(size) && specials_.contains(left + right)) return false;
    return true;
  }

  // Enters the frequent pairs of all words with their words.
  void count_all_pairs() {
    std::unordered_map<u64, i64> counts;
    const auto visit = [&](const auto& action) {
      for (std::size_t w = 0; w < begin_.size(); ++w) {
        const u32* const at = symbols_.data() + begin_[w];
        for (u32 i = 1; i < size_[w]; ++i) {
          action(pair_key(at[i - 1], at[i]), static_cast<u32>(w));
        }
      }
    };
    visit([&](u64 key, u32 w) { counts[key] += count_[w]; });
    for (const auto& [key, count] : counts)
      enter(key, count);  // any order: ties are total
    visit([&](u64 key, u32 w) { pairs_.add_word(key, w); });
  }

  void push(HeapEntry entry) {
    if (heap_.size() == heap_.capacity()) {
      const std::size_t more = std::max<std::size_t>(heap_.size(), 1 << 16);
      charge(static_cast<i64>(more * sizeof(HeapEntry)));
      heap_.reserve(heap_.size() + more);
    }
    heap_.push_back(entry);
    std::push_heap(heap_.begin(), heap_.end(), later_);
  }

  std::optional<u64> pop_best() {
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), later_);
      const HeapEntry top = heap_.back();
      heap_.pop_back();
      const i64 now = pairs_.count(top.key);
      if (now == top.count) return top.key;
      if (now > 0) push({now, top.key});  // counts only fall, so now < top.count
    }
    return std::nullopt;
  }

  void merge(u64 key) {
    const u32 left = pair_left(key);
    const u32 right = pair_right(key);
    const std::string bytes = model_.tokens[left] + model_.tokens[right];
    const u32 result = static_cast<u32>(model_.tokens.size());
    LM_CHECK(strings_.insert(bytes).second, "a token has one derivation");
    model_.tokens.push_back(bytes);
    model_.merges.push_back(
        {static_cast<i32>(left), static_cast<i32>(right), static_cast<i32>(result)});
    rewrite_all(pairs_.take(key), left, right, result);
    apply(left, right, result);
  }

  // Rewrites the words in contiguous runs, then folds what they found into changes_[0]. Sums and
  // ascending word lists come out the same for any number of runs.
  void rewrite_all(const std::vector<u32>& words, u32 left, u32 right, u32 result) {
    const i64 runs =
        isize(words) < kParallelWords ? 1 : std::min<i64>(max_threads(), isize(words) / 1024);
    while (isize(changes_) < runs)
      changes_.emplace_back();
    for (i64 r = 0; r < runs; ++r)
      changes_[usize(r)].reserve_symbols(model_.tokens.size());
    parallel_for(runs, 1, [&](i64 begin, i64 end) {
      for (i64 r = begin; r < end; ++r) {
        const i64 to = isize(words) * (r + 1) / runs;
        for (i64 i = isize(words) * r / runs; i < to; ++i) {
          rewrite(words[usize(i)], left, right, result, changes_[usize(r)]);
        }
      }
    });
    Changes& all = changes_.front();
    for (i64 r = 1; r < runs; ++r) {
      Changes& one = changes_[usize(r)];
      for (const u32 symbol : one.left_seen) {
        if (all.left[symbol] == 0) all.left_seen.push_back(symbol);
        all.left[symbol] += one.left[symbol];
      }
      for (const u32 symbol : one.right_seen) {
        if (all.right[symbol] == 0) all.right_seen.push_back(symbol);
        all.right[symbol] += one.right[symbol];
      }
      all.left_words.insert(all.left_words.end(), one.left_words.begin(), one.left_words.end());
      all.right_words.insert(all.right_words.end(), one.right_words.begin(), one.right_words.end());
      all.run_words.insert(all.run_words.end(), one.run_words.begin(), one.run_words.end());
      all.run += one.run;
      one.clear();
    }
  }

  // Left to right, so "aaa" gives one merge of (a,a).
  void rewrite(u32 word, u32 left, u32 right, u32 result, Changes& changes) {
    u32* const at = symbols_.data() + begin_[word];
    const u32 size = size_[word];
    const i64 count = count_[word];
    u32 out = 0;
    bool after_merge = false;
    for (u32 i = 0; i < size;) {
      if (at[i] != left || i + 1 == size || at[i + 1] != right) {
        if (after_merge) {
          Changes::note(changes.right, changes.right_seen, changes.right_words, at[i], word, count);
        }
        after_merge = false;
        at[out++] = at[i++];
        continue;
      }
      if (after_merge) {
        changes.run += count;
        changes.run_words.push_back(word);
      } else if (out > 0) {
        Changes::note(changes.left, changes.left_seen, changes.left_words, at[out - 1], word,
                      count);
      }
      at[out++] = result;
      i += 2;
      after_merge = true;
    }
    size_[word] = out;
  }

  void enter(u64 key, i64 count) {
    if (count < min_count_ || !allowed(key)) return;
    pairs_.insert(key, count);
    push({count, key});
  }

  void apply(u32 left, u32 right, u32 result) {
    Changes& all = changes_.front();
    for (const u32 x : all.left_seen)
      pairs_.decrease(pair_key(x, left), all.left[x], min_count_);
    for (const u32 y : all.right_seen) {
      pairs_.decrease(pair_key(right, y), all.right[y], min_count_);
    }
    pairs_.decrease(pair_key(right, left), all.run, min_count_);
    for (const u32 x : all.left_seen)
      enter(pair_key(x, result), all.left[x]);
    for (const u32 y : all.right_seen)
      enter(pair_key(result, y), all.right[y]);
    enter(pair_key(result, result), all.run);
    for (const auto& [x, word] : all.left_words)
      pairs_.add_word(pair_key(x, result), word);
    for (const auto& [y, word] : all.right_words)
      pairs_.add_word(pair_key(result, y), word);
    for (const u32 word : all.run_words)
      pairs_.add_word(pair_key(result, result), word);
    all.clear();
  }

  const BpeTrainOptions& options_;
  const Context& ctx_;
  const i64 min_count_;
  TrainedBpe model_;
  std::unordered_set<std::string> strings_;  // all tokens
  std::unordered_set<std::string> specials_;
  std::unordered_set<i64> special_sizes_;  // in bytes
  u32 symbol_of_byte_[256] = {};
  std::vector<u32> symbols_;  // all words back to back; size_ shrinks in place
  std::vector<i64> begin_;
  std::vector<u32> size_;
  std::vector<i64> count_;
  PairTable pairs_;
  Later later_;
  std::vector<HeapEntry> heap_;
  std::vector<Changes> changes_ = std::vector<Changes>(1);
  i64 charged_ = 0;
};

}  // namespace

BpeTies parse_bpe_ties(std::string_view name) {
  if (name == "hf") return BpeTies::kHf;
  if (name == "bytes") return BpeTies::kBytes;
  if (name == "sp") return BpeTies::kSp;
  throw Error(ErrorKind::kUsage, cat("no tie rule ", quote(name), ", expected hf, bytes or sp"));
}

TrainedBpe train_bpe(const WordCounts& words, const BpeTrainOptions& options, const Context& ctx) {
  return Trainer(words, options, ctx).run();
}

}  // namespace lm::text

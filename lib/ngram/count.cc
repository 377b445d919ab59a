#include "ngram/count.h"

#include <algorithm>

#include "core/error.h"
#include "core/parallel.h"
#include "core/str.h"

namespace lm::ngram {

namespace {

constexpr i64 kMaxRuns = 64;  // fan-in of a merge
constexpr i64 kMinRunTokens = i64{1} << 14;
constexpr i64 kMaxRunTokens = (i64{1} << 32) - (i64{1} << 24);
constexpr u32 kFirstLocal = kEos + 1;

// The distinct words of one block, in order of appearance.
class LocalWords {
 public:
  LocalWords() : slots_(1 << 12) {}
  u32 add(std::string_view word) {
    const u64 hash = word_hash(word);
    std::size_t at = hash & (slots_.size() - 1);
    for (; slots_[at] != 0; at = (at + 1) & (slots_.size() - 1)) {
      const Word& known = words_[slots_[at] - 1];
      if (known.hash == hash && known.text == word) return slots_[at] - 1;
    }
    words_.push_back({hash, word});
    slots_[at] = static_cast<u32>(words_.size());
    if (words_.size() * 2 > slots_.size()) grow();
    return static_cast<u32>(words_.size() - 1);
  }
  struct Word {
    u64 hash;
    std::string_view text;
  };
  const std::vector<Word>& words() const { return words_; }

 private:
  void grow() {
    slots_.assign(slots_.size() * 2, 0);
    for (std::size_t i = 0; i < words_.size(); ++i) {
      std::size_t at = words_[i].hash & (slots_.size() - 1);
      while (slots_[at] != 0)
        at = (at + 1) & (slots_.size() - 1);
      slots_[at] = static_cast<u32>(i + 1);
    }
  }
  std::vector<u32> slots_;
  std::vector<Word> words_;
};

bool is_symbol(std::string_view word) {
  return word.front() == '<' && (word == "<s>" || word == "</s>" || word == "<unk>");
}

}  // namespace

struct NgramCounter::Block final : PipelineItem {
  std::string text;
  LocalWords local;
  std::vector<u32> global;  // local id -> vocabulary id
  std::vector<u32> tokens;  // kBos, kEos, or kFirstLocal + local id; then vocabulary ids
  i64 lines = 0;
  i64 bad_line = -1;  // first line with a reserved symbol, counted within the block
  std::string bad_word;
};

NgramCounter::NgramCounter(const Context& ctx, const CountOptions& options)
    : ctx_(&ctx), options_(options) {
  if (options.order < 1 || options.order > kMaxOrder) {
    throw Error(ErrorKind::kUsage, cat("order is ", options.order, ", expected 1 to ", kMaxOrder));
  }
  // Half of what is left: the trie that grows from the last run needs the rest.
  const i64 budget = ctx.memory->available() / 2;
  capacity_ = std::clamp(budget / kBytesPerToken, kMinRunTokens, kMaxRunTokens);
}

NgramCounter::~NgramCounter() {
  ctx_->memory->release(charged_ + vocab_charged_);
}

void NgramCounter::cut(Block& block) const {
  const char* at = block.text.data();
  const char* const end = at + block.text.size();
  block.tokens.reserve(block.text.size() / 4);
  while (at < end) {
    block.tokens.push_back(kBos);
    for (;;) {
      while (at < end && *at != '\n' && is_blank(*at))
        ++at;
      if (at == end || *at == '\n') break;
      const char* const begin = at;
      while (at < end && !is_blank(*at))
        ++at;
      const std::string_view word(begin, static_cast<std::size_t>(at - begin));
      if (is_symbol(word)) {
        if (!options_.skip_symbols && block.bad_line < 0) {
          block.bad_line = block.lines;
          block.bad_word = word;
        }
        continue;
      }
      block.tokens.push_back(kFirstLocal + block.local.add(word));
    }
    block.tokens.push_back(kEos);
    ++block.lines;
    ++at;
  }
}

void NgramCounter::assign(Block& block) {
  if (block.bad_line >= 0) {
    throw Error(ErrorKind::kData,
                cat("line ", lines_assigned_ + block.bad_line + 1, ": the text contains the word ",
                    quote(block.bad_word), ", which every model reserves"),
                "--skip-symbols reads <s>, </s> and <unk> as blanks");
  }
  lines_assigned_ += block.lines;
  block.global.reserve(block.local.words().size());
  for (const LocalWords::Word& word : block.local.words()) {
    block.global.push_back(vocab_.add(word.text, word.hash));
  }
}

void NgramCounter::rename(Block& block) {
  for (u32& token : block.tokens) {
    if (token >= kFirstLocal) token = block.global[token - kFirstLocal];
  }
}

std::shared_ptr<NgramCounter::Block> NgramCounter::cut_block(std::string text) const {
  std::shared_ptr<Block> block = std::make_shared<Block>();
  block->text = std::move(text);
  cut(*block);
  return block;
}

void NgramCounter::take_block(Block& block) {
  assign(block);
  rename(block);
  append(block);
}

void NgramCounter::append(const Block& block) {
  // Whole sentences only: a window never reaches back over <s>.
  const std::span<const u32> all = block.tokens;
  std::size_t begin = 0;
  while (begin < all.size()) {
    std::size_t end = all.size();
    const std::size_t room = usize(std::max<i64>(capacity_ - isize(tokens_), 0));
    if (end - begin > room) {
      end = begin + room;
      while (end > begin && all[end - 1] != kEos)
        --end;
      if (end == begin && tokens_.empty()) {  // one sentence larger than a run
        end =
            usize(std::find(all.begin() + static_cast<i64>(begin), all.end(), kEos) - all.begin()) +
            1;
      }
    }
    if (end > begin) append_tokens(all.subspan(begin, end - begin));
    if (end < all.size()) spill();
    begin = end;
  }
  const i64 vocab_bytes = vocab_.memory_bytes();
  if (vocab_bytes > vocab_charged_) {
    ctx_->memory->charge_growing(vocab_charged_, vocab_bytes - vocab_charged_, "the vocabulary");
    vocab_charged_ = vocab_bytes;
  }
  sentences_ += block.lines;
  words_ += isize(all) - 2 * block.lines;
}

void NgramCounter::append_tokens(std::span<const u32> tokens) {
  i64 size = isize(tokens_) + isize(tokens);
  if (!charge_tokens(size) && !tokens_.empty()) {
    // The vocabulary has taken more than its part: runs are shorter from here on.
    capacity_ = std::max(isize(tokens_), kMinRunTokens);
    spill();
    size = isize(tokens);
  }
  if (static_cast<i64>(tokens_.capacity()) < size) {
    // Doubling, but never above what one run may hold.
    tokens_.reserve(
        usize(std::max(size, std::min(capacity_, 2 * static_cast<i64>(tokens_.capacity())))));
  }
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  if (!charge_tokens(size))
    ctx_->memory->charge(size * kBytesPerToken - charged_, "one run of n-gram counting");
}

// True once the budget holds what counting this many tokens takes.
bool NgramCounter::charge_tokens(i64 tokens) {
  const i64 bytes = tokens * kBytesPerToken;
  if (bytes <= charged_) return true;
  if (!ctx_->memory->try_charge(bytes - charged_)) return false;
  charged_ = bytes;
  return true;
}

std::unique_ptr<GramStream> NgramCounter::sort_tokens() {
  ctx_->memory->release(charged_);
  charged_ = 0;
  std::unique_ptr<GramStream> sorted = std::make_unique<MemoryGrams>(
      *ctx_->memory, std::move(tokens_), options_.order, vocab_.size());
  tokens_ = {};
  return sorted;
}

void NgramCounter::spill() {
  if (!spill_) spill_ = std::make_unique<io::TempFile>(ctx_->tmp_dir);
  const std::unique_ptr<GramStream> sorted = sort_tokens();
  runs_.push_back(write_run(*sorted, *spill_));
  if (ctx_->log->enabled(LogLevel::kInfo)) {
    ctx_->log->message(LogLevel::kInfo, cat("run ", runs_.size(), " of sorted n-grams written, ",
                                            format_bytes(spill_->size()), " in ", ctx_->tmp_dir));
  }
  if (isize(runs_) == kMaxRuns) {
    std::unique_ptr<io::TempFile> merged = std::make_unique<io::TempFile>(ctx_->tmp_dir);
    std::vector<std::unique_ptr<GramStream>> parts;
    for (const GramRun& run : runs_) {
      parts.push_back(std::make_unique<RunGrams>(*spill_, run, 1 << 18));
    }
    MergedGrams all(std::move(parts));
    runs_.assign(1, write_run(all, *merged));
    spill_ = std::move(merged);
  }
}

void NgramCounter::add_text(const BlockSource& source) {
  ordered_pipeline(
      i64{4} * max_threads(),
      [&source]() -> std::unique_ptr<PipelineItem> {
        std::unique_ptr<Block> block = std::make_unique<Block>();
        if (!source(block->text)) return nullptr;
        return block;
      },
      {{StageMode::kParallel, [this](PipelineItem& item) { cut(static_cast<Block&>(item)); }},
       {StageMode::kSerial, [this](PipelineItem& item) { assign(static_cast<Block&>(item)); }},
       {StageMode::kParallel, [](PipelineItem& item) { rename(static_cast<Block&>(item)); }},
       {StageMode::kSerial, [this](PipelineItem& item) { append(static_cast<Block&>(item)); }}});
}

std::unique_ptr<GramStream> NgramCounter::finish() {
  if (sentences_ == 0) throw Error(ErrorKind::kData, "the text has no sentence to count");
  if (runs_.empty()) return sort_tokens();
  if (!tokens_.empty()) spill();
  std::vector<std::unique_ptr<GramStream>> parts;
  for (const GramRun& run : runs_) {
    parts.push_back(std::make_unique<RunGrams>(*spill_, run, 1 << 18));
  }
  return std::make_unique<MergedGrams>(std::move(parts));
}

}  // namespace lm::ngram

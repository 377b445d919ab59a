#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/hash.h"
#include "core/parallel.h"
#include "core/str.h"
#include "text/bpe_train.h"

namespace lm::text {

namespace {

constexpr i64 kBlockBytes = i64{1} << 20;
constexpr i64 kMergeShards = 64;  // fixed: how the parts are merged in parallel

// Open addressing, linear probing, at most 1/2 full. Bytes of words live in blocks that never move.
class WordTable {
 public:
  struct Entry {
    u64 hash = 0;
    const char* data = nullptr;  // null: empty
    i64 count = 0;
    u32 size = 0;
  };

  explicit WordTable(MemoryBudget* memory) : memory_(memory) {}
  ~WordTable() { memory_->release(charged_); }
  WordTable(const WordTable&) = delete;
  WordTable& operator=(const WordTable&) = delete;

  void add(std::string_view word, i64 count) {
    if (2 * (used_ + 1) > isize(entries_)) grow();
    const u64 hash = xxh3_64(word);
    for (u64 at = hash & mask_;; at = (at + 1) & mask_) {
      Entry& entry = entries_[at];
      if (entry.data == nullptr) {
        entry = {hash, store(word), count, static_cast<u32>(word.size())};
        ++used_;
        return;
      }
      if (entry.hash == hash && entry.size == word.size() &&
          std::memcmp(entry.data, word.data(), word.size()) == 0) {
        entry.count += count;
        return;
      }
    }
  }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  void charge(i64 bytes) {
    // All that is charged while words are counted are tables like this one.
    memory_->charge_growing(memory_->used(), bytes, "distinct pretokens");
    charged_ += bytes;
  }
  void grow() {
    const std::size_t capacity = entries_.empty() ? 1024 : entries_.size() * 2;
    charge(static_cast<i64>(capacity * sizeof(Entry)));
    std::vector<Entry> old(capacity);
    old.swap(entries_);
    mask_ = capacity - 1;
    for (const Entry& entry : old) {
      if (entry.data == nullptr) continue;
      u64 at = entry.hash & mask_;
      while (entries_[at].data != nullptr)
        at = (at + 1) & mask_;
      entries_[at] = entry;
    }
    const i64 freed = static_cast<i64>(old.size() * sizeof(Entry));
    memory_->release(freed);
    charged_ -= freed;
  }
  const char* store(std::string_view word) {
    if (blocks_.empty() || isize(word) > kBlockBytes - block_used_) {
      const i64 size = std::max(kBlockBytes, isize(word));
      charge(size);
      blocks_.push_back(std::make_unique<char[]>(usize(size)));
      block_used_ = 0;
    }
    char* const at = blocks_.back().get() + block_used_;
    std::memcpy(at, word.data(), word.size());
    block_used_ += isize(word);
    return at;
  }

  MemoryBudget* memory_;
  std::vector<Entry> entries_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  i64 block_used_ = 0;
  i64 used_ = 0;
  i64 charged_ = 0;
  u64 mask_ = 0;
};

}  // namespace

// What one part of the documents has seen.
struct WordCounter::Part {
  explicit Part(MemoryBudget* memory) : table(memory) {}
  WordTable table;
  std::vector<Span> pieces;
  i64 pretokens = 0;
  i64 cut = 0;
};

PretokenSplitter pattern_splitter(PatternId id) {
  if (id == PatternId::kOther) {
    return [](std::string_view text, std::vector<Span>& pieces) {
      if (!text.empty()) pieces.push_back({0, isize(text)});
    };
  }
  return [id](std::string_view text, std::vector<Span>& pieces) { scan_pieces(id, text, pieces); };
}

WordCounter::WordCounter(PretokenSplitter split, i64 max_word_bytes, const Context& ctx)
    : split_(std::move(split)), max_word_bytes_(max_word_bytes), ctx_(ctx) {
  if (max_word_bytes_ < 2 || max_word_bytes_ > (i64{1} << 30)) {
    throw Error(ErrorKind::kUsage,
                cat("max_word_bytes is ", max_word_bytes_, ", expected 2 to 2^30"));
  }
}

WordCounter::~WordCounter() = default;

void WordCounter::count_document(Part& part, std::string_view text, i64 weight) const {
  part.pieces.clear();
  split_(text, part.pieces);
  part.pretokens += isize(part.pieces);
  for (const Span& piece : part.pieces) {
    part.cut += piece.end - piece.begin > max_word_bytes_;
    for (i64 at = piece.begin; at < piece.end; at += max_word_bytes_) {
      const i64 size = std::min(max_word_bytes_, piece.end - at);
      part.table.add(text.substr(usize(at), usize(size)), weight);
    }
  }
}

void WordCounter::add(std::span<const std::string_view> documents, std::span<const i64> weights) {
  LM_CHECK(weights.empty() || weights.size() == documents.size(), "one weight per document");
  for (const i64 weight : weights) {
    if (weight < 1)
      throw Error(ErrorKind::kUsage, cat("document weight ", weight, ", expected at least 1"));
  }
  i64 bytes = 0;
  for (const std::string_view document : documents)
    bytes += isize(document);
  // One contiguous run of documents per part, about equal in bytes. The cut does not matter for the
  // result: counts are sums.
  const i64 parts = std::max<i64>(1, std::min<i64>(max_threads(), isize(documents)));
  while (isize(parts_) < parts)
    parts_.push_back(std::make_unique<Part>(ctx_.memory));
  std::vector<std::size_t> begins(usize(parts + 1), documents.size());
  begins[0] = 0;
  i64 seen = 0;
  i64 next = 1;
  for (std::size_t d = 0; d < documents.size() && next < parts; ++d) {
    seen += isize(documents[d]);
    while (next < parts && seen >= bytes * next / parts)
      begins[usize(next++)] = d + 1;
  }
  parallel_for(parts, 1, [&](i64 begin, i64 end) {
    for (i64 p = begin; p < end; ++p) {
      for (std::size_t d = begins[usize(p)]; d < begins[usize(p + 1)]; ++d) {
        count_document(*parts_[usize(p)], documents[d], weights.empty() ? 1 : weights[d]);
      }
    }
  });
  totals_.documents += isize(documents);
  totals_.bytes += bytes;
}

WordCounts WordCounter::finish(i64 min_count) {
  std::vector<std::vector<WordCounts::Word>> shards(kMergeShards);
  parallel_for(kMergeShards, 1, [&](i64 begin, i64 end) {
    for (i64 s = begin; s < end; ++s) {
      // A second table over the same bytes would copy them; sorting one shard of hashes does not.
      std::vector<WordTable::Entry> same;
      for (const std::unique_ptr<Part>& part : parts_) {
        for (const WordTable::Entry& entry : part->table.entries()) {
          if (entry.data != nullptr && static_cast<i64>(entry.hash >> 58) == s)
            same.push_back(entry);
        }
      }
      const auto bytes_of = [](const WordTable::Entry& e) {
        return std::string_view(e.data, e.size);
      };
      std::sort(same.begin(), same.end(), [&](const auto& a, const auto& b) {
        return a.hash != b.hash ? a.hash < b.hash : bytes_of(a) < bytes_of(b);
      });
      for (std::size_t i = 0; i < same.size();) {
        i64 count = 0;
        std::size_t j = i;
        for (; j < same.size() && bytes_of(same[j]) == bytes_of(same[i]); ++j)
          count += same[j].count;
        if (count >= min_count) shards[usize(s)].push_back({bytes_of(same[i]), count});
        i = j;
      }
    }
  });
  WordCounts result = totals_;
  for (const std::unique_ptr<Part>& part : parts_) {
    result.pretokens += part->pretokens;
    result.cut += part->cut;
  }
  for (const std::vector<WordCounts::Word>& shard : shards) {
    result.words.insert(result.words.end(), shard.begin(), shard.end());
  }
  result.storage = std::make_shared<std::vector<std::unique_ptr<Part>>>(std::move(parts_));
  parts_.clear();
  totals_ = {};
  return result;
}

}  // namespace lm::text

#include "ngram/gram_stream.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/error.h"

namespace lm::ngram {

// Memory ------------------------------------------------------------------------------------------

MemoryGrams::MemoryGrams(MemoryBudget& budget, std::vector<u32> tokens, int order, i64 vocab_size)
    : charge_(budget, isize(tokens) * kBytesPerToken, "one run of n-gram counting"),
      tokens_(std::move(tokens)),
      order_(tokens_, order, vocab_size),
      items_(sort_grams(order_)) {}

bool MemoryGrams::next(Gram& gram) {
  constexpr i64 kAhead = 24;  // items; hides the miss on each window's words
  const i64 n = isize(items_);
  if (at_ == n) return false;
  const GramItem& item = items_[usize(at_)];
  gram.common = at_ == 0 ? 0 : order_.common(items_[usize(at_ - 1)], item);
  gram.length = order_.words(item, gram.words);
  i64 end = at_ + 1;
  for (; end < n && !order_.less(item, items_[usize(end)]); ++end) {
  }
  gram.count = static_cast<u64>(end - at_);
  for (i64 i = at_ + kAhead; i < std::min(end + kAhead, n); ++i) {
    __builtin_prefetch(tokens_.data() + items_[usize(i)].pos);
  }
  at_ = end;
  return true;
}

// Runs --------------------------------------------------------------------------------------------

GramRun write_run(GramStream& grams, io::TempFile& file) {
  constexpr std::size_t kFlushBytes = std::size_t{1} << 20;
  GramRun run{file.size(), 0};
  std::string buf;
  Gram gram;
  while (grams.next(gram)) {
    buf.push_back(static_cast<char>(gram.common << 4 | gram.length));
    buf.append(reinterpret_cast<const char*>(gram.words + gram.common),
               static_cast<std::size_t>(gram.length - gram.common) * sizeof(u32));
    u64 count = gram.count;
    for (; count >= 128; count >>= 7)
      buf.push_back(static_cast<char>(count | 128));
    buf.push_back(static_cast<char>(count));
    if (buf.size() >= kFlushBytes) {
      file.append(buf.data(), isize(buf));
      buf.clear();
    }
  }
  file.append(buf.data(), isize(buf));
  run.end = file.size();
  return run;
}

RunGrams::RunGrams(const io::TempFile& file, GramRun run, i64 buffer_bytes)
    : reader_(file, run.begin, run.end, buffer_bytes), left_(run.end - run.begin) {
  buf_.reserve(usize(buffer_bytes));
}

u8 RunGrams::byte() {
  if (at_ == buf_.size()) {
    LM_CHECK(left_ > 0, "a run ends between n-grams");
    buf_.resize(usize(std::min<i64>(left_, static_cast<i64>(buf_.capacity()))));
    reader_.read(buf_.data(), isize(buf_));
    left_ -= isize(buf_);
    at_ = 0;
  }
  return buf_[at_++];
}

bool RunGrams::next(Gram& gram) {
  if (at_ == buf_.size() && left_ == 0) return false;
  const u8 head = byte();
  gram.common = head >> 4;
  gram.length = head & 15;
  for (int d = gram.common; d < gram.length; ++d) {
    u32 word = 0;
    if (buf_.size() - at_ >= sizeof word) {
      std::memcpy(&word, buf_.data() + at_, sizeof word);
      at_ += sizeof word;
    } else {
      u8 bytes[sizeof word];
      for (u8& b : bytes)
        b = byte();
      std::memcpy(&word, bytes, sizeof word);
    }
    gram.words[d] = word;
  }
  gram.count = 0;
  for (int shift = 0;; shift += 7) {
    const u8 b = byte();
    gram.count |= static_cast<u64>(b & 127) << shift;
    if (b < 128) break;
  }
  return true;
}

// Merge -------------------------------------------------------------------------------------------

namespace {

// No n-gram is a proper prefix (from the last word) of another: only those that end at <s> are
// short. So the first difference decides, and there is none only between equals.
int compare(const Gram& a, const Gram& b) {
  for (int d = 0; d < std::min(a.length, b.length); ++d) {
    if (a.words[d] != b.words[d]) return a.words[d] < b.words[d] ? -1 : 1;
  }
  return 0;
}

}  // namespace

MergedGrams::MergedGrams(std::vector<std::unique_ptr<GramStream>> parts)
    : parts_(std::move(parts)), heads_(parts_.size()) {
  for (std::size_t p = 0; p < parts_.size(); ++p)
    advance(p);
}

void MergedGrams::advance(std::size_t part) {
  if (!parts_[part]->next(heads_[part])) return;
  heap_.push_back(part);
  std::push_heap(heap_.begin(), heap_.end(), [this](std::size_t a, std::size_t b) {
    return compare(heads_[a], heads_[b]) > 0;
  });
}

bool MergedGrams::next(Gram& gram) {
  const auto later = [this](std::size_t a, std::size_t b) {
    return compare(heads_[a], heads_[b]) > 0;
  };
  if (heap_.empty()) return false;
  const Gram previous = gram;
  bool first = true;
  while (!heap_.empty() && (first || compare(gram, heads_[heap_.front()]) == 0)) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const std::size_t part = heap_.back();
    heap_.pop_back();
    if (first) {
      gram = heads_[part];
      gram.count = 0;
      first = false;
    }
    gram.count += heads_[part].count;
    advance(part);
  }
  gram.common = 0;
  const int shortest = std::min(previous.length, gram.length);
  while (gram.common < shortest && previous.words[gram.common] == gram.words[gram.common]) {
    ++gram.common;
  }
  return true;
}

}  // namespace lm::ngram

#pragma once
// Sorts more records than fit in memory: blocks are sorted in parallel, merged into runs of a spill
// file when the allowance is used up, and merged again while being read. The order is the record's
// own total order, so the stream of records is the same for every budget and thread count.
// T: trivially copyable, operator<, no padding that could be read uninitialised.
// Thread rule: one thread at a time; the sorting inside is parallel. Over the size guide: one
// template.

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/context.h"
#include "core/parallel.h"
#include "io/file.h"

namespace lm::dedup {

template <typename T>
class ExternalSorter {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  /// Holds at most max_bytes in memory (never less than one block of 4 KiB), charged to ctx.memory
  /// block by block; when the budget refuses a block the sorter spills as if full. `what` names the
  /// data in the error that is thrown when not even the first block fits.
  ExternalSorter(const Context& ctx, i64 max_bytes, std::string what)
      : ctx_(&ctx),
        what_(std::move(what)),
        max_bytes_(std::max<i64>(max_bytes, kMinBlockBytes)),
        block_records_(std::clamp<i64>(max_bytes_ / 16, kMinBlockBytes, kMaxBlockBytes) /
                       static_cast<i64>(sizeof(T))) {}
  ~ExternalSorter() { drop_blocks(); }
  ExternalSorter(const ExternalSorter&) = delete;
  ExternalSorter& operator=(const ExternalSorter&) = delete;

  i64 size() const { return size_; }
  /// Bytes written to the spill file so far, all passes together.
  i64 spilled_bytes() const { return spilled_bytes_; }

  /// Amortised O(log n) comparisons; may write the spill file. Throws Error{kIo, kCannotCreate,
  /// kOs}.
  void add(const T& record) {
    if (blocks_.empty() || isize(blocks_.back()) == block_records_) open_block();
    blocks_.back().push_back(record);
    ++size_;
  }

  /// Ends the adding. Call once, then next() until it returns false.
  void finish() {
    if (!runs_.empty()) {
      if (!blocks_.empty()) spill();
      drop_blocks();
    }
    sort_blocks();
    open_sources();
  }

  /// The next record in ascending order, or false at the end.
  bool next(T& out) {
    if (heap_.empty()) return false;
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Head& head = heap_.back();
    out = head.record;
    if (sources_[usize(head.source)].read(head.record)) {
      std::push_heap(heap_.begin(), heap_.end(), later);
    } else {
      heap_.pop_back();
    }
    return true;
  }

 private:
  static constexpr i64 kMinBlockBytes = 4096;
  static constexpr i64 kMaxBlockBytes = i64{1} << 20;
  static constexpr i64 kMaxRuns = 64;  // fan-in of one merge pass

  struct Run {
    i64 begin;
    i64 end;
  };
  struct Head {
    T record;
    i64 source;
  };
  /// Equal records are indistinguishable, so the source needs no part in the order.
  static bool later(const Head& a, const Head& b) { return b.record < a.record; }

  struct Source {
    std::span<const T> memory;
    std::unique_ptr<io::TempReader> file;
    bool read(T& out) {
      if (file) return file->read(&out, sizeof(T));
      if (memory.empty()) return false;
      out = memory.front();
      memory = memory.subspan(1);
      return true;
    }
  };

  i64 block_bytes() const { return block_records_ * static_cast<i64>(sizeof(T)); }

  void open_block() {
    const bool full = (isize(blocks_) + 1) * block_bytes() > max_bytes_;
    if (!blocks_.empty() && (full || !ctx_->memory->try_charge(block_bytes()))) {
      spill();
      return;
    }
    if (blocks_.empty()) ctx_->memory->charge(block_bytes(), what_);
    charged_ += block_bytes();
    blocks_.emplace_back();
    blocks_.back().reserve(usize(block_records_));
  }

  void sort_blocks() {
    parallel_for(isize(blocks_), 1, [this](i64 begin, i64 end) {
      for (i64 i = begin; i < end; ++i)
        std::sort(blocks_[usize(i)].begin(), blocks_[usize(i)].end());
    });
  }

  /// Merges the blocks into one run and leaves one empty block for reuse.
  void spill() {
    sort_blocks();
    std::vector<Source> sources;
    for (const std::vector<T>& block : blocks_)
      sources.push_back({block, nullptr});
    if (!file_) file_ = std::make_unique<io::TempFile>(ctx_->tmp_dir);
    runs_.push_back(write_run(*file_, sources));
    for (std::size_t i = 1; i < blocks_.size(); ++i)
      release(block_bytes());
    blocks_.resize(1);
    blocks_[0].clear();
    if (isize(runs_) == kMaxRuns) merge_runs();
  }

  /// All runs become one in a new file; the old file's space is given back.
  void merge_runs() {
    std::vector<Source> sources = run_sources();
    std::unique_ptr<io::TempFile> merged = std::make_unique<io::TempFile>(ctx_->tmp_dir);
    const Run run = write_run(*merged, sources);
    file_ = std::move(merged);
    runs_.assign(1, run);
  }

  Run write_run(io::TempFile& file, std::vector<Source>& sources) {
    std::vector<Head> heap = first_heads(sources);
    const i64 begin = file.size();
    std::vector<T> buf;
    buf.reserve(usize(block_records_));
    while (!heap.empty()) {
      std::pop_heap(heap.begin(), heap.end(), later);
      Head& head = heap.back();
      buf.push_back(head.record);
      if (sources[usize(head.source)].read(head.record)) {
        std::push_heap(heap.begin(), heap.end(), later);
      } else {
        heap.pop_back();
      }
      if (isize(buf) == block_records_ || heap.empty()) {
        file.append(buf.data(), isize(buf) * static_cast<i64>(sizeof(T)));
        buf.clear();
      }
    }
    spilled_bytes_ += file.size() - begin;
    return {begin, file.size()};
  }

  std::vector<Head> first_heads(std::vector<Source>& sources) const {
    std::vector<Head> heap;
    for (i64 i = 0; i < isize(sources); ++i) {
      Head head{};
      head.source = i;
      if (sources[usize(i)].read(head.record)) heap.push_back(head);
    }
    std::make_heap(heap.begin(), heap.end(), later);
    return heap;
  }

  std::vector<Source> run_sources() const {
    std::vector<Source> sources;
    const i64 buf = std::clamp<i64>(max_bytes_ / isize(runs_), kMinBlockBytes, kMaxBlockBytes);
    for (const Run& run : runs_) {
      sources.push_back({{}, std::make_unique<io::TempReader>(*file_, run.begin, run.end, buf)});
    }
    return sources;
  }

  void open_sources() {
    if (runs_.empty()) {
      for (const std::vector<T>& block : blocks_)
        sources_.push_back({block, nullptr});
    } else {
      sources_ = run_sources();
    }
    heap_ = first_heads(sources_);
  }

  void release(i64 bytes) {
    ctx_->memory->release(bytes);
    charged_ -= bytes;
  }

  void drop_blocks() {
    blocks_.clear();
    if (charged_ > 0) release(charged_);
  }

  const Context* ctx_;
  std::string what_;
  i64 max_bytes_;
  i64 block_records_;
  i64 size_ = 0;
  i64 charged_ = 0;
  i64 spilled_bytes_ = 0;
  std::vector<std::vector<T>> blocks_;
  std::unique_ptr<io::TempFile> file_;
  std::vector<Run> runs_;
  std::vector<Source> sources_;
  std::vector<Head> heap_;
};

}  // namespace lm::dedup

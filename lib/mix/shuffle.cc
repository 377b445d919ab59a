#include "mix/shuffle.h"

#include <algorithm>

#include "core/parallel.h"

namespace lm::mix {

namespace {

constexpr i64 kMinBlockBytes = i64{64} << 10;
constexpr i64 kMaxBlockBytes = i64{4} << 20;
constexpr i64 kBytesPerEntry = 64;  // a block of shorter lines is full before its text is
constexpr i64 kMaxRuns = 64;        // fan-in of one merge
constexpr i64 kWriteBytes = i64{1} << 20;

struct Stored {  // before each line of a run
  u64 key;
  i64 index;
  i64 size;
};

}  // namespace

bool Shuffle::Source::advance() {
  if (block != nullptr) {
    if (at == block->entries.size()) return false;
    head = block->entries[at++];
    return true;
  }
  Stored stored;
  if (!file->read(&stored, sizeof stored)) return false;
  head = {stored.key, stored.index, stored.size, nullptr};
  return true;
}

void Shuffle::Source::take(std::string& out) {
  if (block != nullptr) {
    out.append(head.text, usize(head.size));
    return;
  }
  if (head.size == 0) return;
  const std::size_t before = out.size();
  out.resize(before + usize(head.size));
  LM_CHECK(file->read(out.data() + before, head.size), "a run ends between lines");
}

/// The sources as one, least (key, index) first.
class Shuffle::Merge {
  struct Later {
    const std::vector<Source>& sources;
    bool operator()(std::size_t a, std::size_t b) const {
      const Entry& x = sources[a].head;
      const Entry& y = sources[b].head;
      return x.key != y.key ? x.key > y.key : x.index > y.index;
    }
  };
  Later later() const { return {sources_}; }

 public:
  explicit Merge(std::vector<Source> sources) : sources_(std::move(sources)) {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (sources_[i].advance()) heap_.push_back(i);
    }
    std::make_heap(heap_.begin(), heap_.end(), later());
  }
  /// Null at the end; else the source whose head is next. advance() is to follow.
  Source* top() { return heap_.empty() ? nullptr : &sources_[heap_.front()]; }
  void advance() {
    std::pop_heap(heap_.begin(), heap_.end(), later());
    if (sources_[heap_.back()].advance()) {
      std::push_heap(heap_.begin(), heap_.end(), later());
    } else {
      heap_.pop_back();
    }
  }

 private:
  std::vector<Source> sources_;
  std::vector<std::size_t> heap_;
};

Shuffle::Shuffle(const Context& ctx, i64 max_bytes, u64 seed)
    : ctx_(&ctx),
      keys_(seed, RandomPurpose::kDataOrder),
      max_bytes_(std::max(max_bytes, kMinBlockBytes)),
      block_bytes_(std::clamp(std::min(max_bytes_, ctx.memory->available()) / 16, kMinBlockBytes,
                              kMaxBlockBytes)) {}

Shuffle::~Shuffle() {
  drop_blocks();
}

void Shuffle::add(std::string_view line) {
  const auto full = [&](const Block& block) {
    return block.text.size() + line.size() > block.text.capacity() ||
           block.entries.size() == block.entries.capacity();
  };
  if (blocks_.empty() || full(blocks_.back())) open_block(isize(line));
  Block& block = blocks_.back();
  const char* const text = block.text.data() + block.text.size();
  block.text.append(line);
  block.entries.push_back({keys_.bits(static_cast<u64>(size_)), size_, isize(line), text});
  ++size_;
}

void Shuffle::open_block(i64 line_bytes) {
  const i64 text = std::max(block_bytes_, line_bytes);
  const i64 entries = block_bytes_ / kBytesPerEntry;
  const i64 bytes = text + entries * static_cast<i64>(sizeof(Entry));
  if (!blocks_.empty() && (charged_ + bytes > max_bytes_ || !ctx_->memory->try_charge(bytes))) {
    spill();
    drop_blocks();
    ctx_->memory->charge(bytes, "lines to shuffle");
  } else if (blocks_.empty()) {
    ctx_->memory->charge(bytes, "lines to shuffle");
  }
  charged_ += bytes;
  blocks_.emplace_back();
  Block& block = blocks_.back();
  block.charged = bytes;
  block.text.reserve(usize(text));
  block.entries.reserve(usize(entries));
}

void Shuffle::drop_blocks() {
  blocks_.clear();
  if (charged_ > 0) ctx_->memory->release(charged_);
  charged_ = 0;
}

void Shuffle::sort_blocks() {
  parallel_for(isize(blocks_), 1, [this](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      std::vector<Entry>& entries = blocks_[usize(i)].entries;
      std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return a.key != b.key ? a.key < b.key : a.index < b.index;
      });
    }
  });
}

std::vector<Shuffle::Source> Shuffle::block_sources() const {
  std::vector<Source> sources(blocks_.size());
  for (std::size_t i = 0; i < blocks_.size(); ++i)
    sources[i].block = &blocks_[i];
  return sources;
}

std::vector<Shuffle::Source> Shuffle::run_sources() const {
  const i64 buf = std::clamp<i64>(max_bytes_ / isize(runs_), 4096, kWriteBytes);
  std::vector<Source> sources(runs_.size());
  for (std::size_t i = 0; i < runs_.size(); ++i)
    sources[i].file = std::make_unique<io::TempReader>(*file_, runs_[i].begin, runs_[i].end, buf);
  return sources;
}

void Shuffle::spill() {
  sort_blocks();
  if (!file_) file_ = std::make_unique<io::TempFile>(ctx_->tmp_dir);
  runs_.push_back(write_run(*file_, block_sources()));
  if (isize(runs_) == kMaxRuns) merge_runs();
}

/// All runs become one in a new file; the old file's space is given back.
void Shuffle::merge_runs() {
  std::unique_ptr<io::TempFile> merged = std::make_unique<io::TempFile>(ctx_->tmp_dir);
  const Run run = write_run(*merged, run_sources());
  file_ = std::move(merged);
  runs_.assign(1, run);
}

Shuffle::Run Shuffle::write_run(io::TempFile& file, std::vector<Source> sources) {
  const i64 begin = file.size();
  std::string buf;
  Merge merge(std::move(sources));
  while (Source* const top = merge.top()) {
    const Stored stored{top->head.key, top->head.index, top->head.size};
    buf.append(reinterpret_cast<const char*>(&stored), sizeof stored);
    top->take(buf);
    merge.advance();
    if (isize(buf) < kWriteBytes) continue;
    file.append(buf.data(), isize(buf));
    buf.clear();
  }
  file.append(buf.data(), isize(buf));
  spilled_bytes_ += file.size() - begin;
  return {begin, file.size()};
}

void Shuffle::finish() {
  if (runs_.empty()) {
    sort_blocks();
    merge_ = std::make_unique<Merge>(block_sources());
    return;
  }
  if (!blocks_.empty()) spill();
  drop_blocks();
  merge_ = std::make_unique<Merge>(run_sources());
}

bool Shuffle::next(std::string& out) {
  Source* const top = merge_->top();
  if (top == nullptr) return false;
  top->take(out);
  out.push_back('\n');
  merge_->advance();
  return true;
}

}  // namespace lm::mix

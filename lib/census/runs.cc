#include "census/runs.h"

#include <algorithm>

#include "core/error.h"

namespace lm::census {

namespace {

constexpr i64 kMostRuns = 64;  // of one merge
constexpr i64 kReadBytes = i64{64} << 10;
constexpr i64 kWriteBytes = i64{1} << 20;

}  // namespace

/// A run that is read; key and data are its head.
class Runs::Source {
 public:
  Source(const io::TempFile& file, const Run& run) : in_(file, run.begin, run.end, kReadBytes) {}
  bool advance() {
    i64 sizes[2];
    if (!in_.read(sizes, sizeof sizes)) return false;
    read(key, sizes[0]);
    read(data, sizes[1]);
    return true;
  }
  std::string key;
  std::string data;

 private:
  void read(std::string& out, i64 size) {
    out.resize(usize(size));
    if (size > 0) LM_CHECK(in_.read(out.data(), size), "a run ends between pairs");
  }
  io::TempReader in_;
};

void Runs::append(io::TempFile& file, const std::function<void(const Put& put)>& write) {
  const i64 begin = file.size();
  std::string buf;
  const auto flush = [&] {
    file.append(buf.data(), isize(buf));
    buf.clear();
  };
  write([&](std::string_view key, std::string_view data) {
    const i64 sizes[2] = {isize(key), isize(data)};
    buf.append(reinterpret_cast<const char*>(sizes), sizeof sizes);
    buf.append(key);
    buf.append(data);
    if (isize(buf) >= kWriteBytes) flush();
  });
  flush();
  if (file.size() > begin) runs_.push_back({begin, file.size()});
}

void Runs::add(const std::function<void(const Put& put)>& write) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!file_) file_ = std::make_unique<io::TempFile>(dir_);
  append(*file_, write);
  if (isize(runs_) < kMostRuns) return;
  // All become one in a new file; the old one's space is given back.
  std::unique_ptr<io::TempFile> merged = std::make_unique<io::TempFile>(dir_);
  append(*merged, [this](const Put& put) { each(put); });
  file_ = std::move(merged);
  runs_.assign(1, {0, file_->size()});
}

void Runs::each(const Put& visit) const {
  std::vector<Source> sources;
  sources.reserve(runs_.size());
  std::vector<std::size_t> heap;
  for (const Run& run : runs_) {
    sources.emplace_back(*file_, run);
    if (sources.back().advance()) heap.push_back(sources.size() - 1);
  }
  const auto later = [&sources](std::size_t a, std::size_t b) {
    return sources[a].key != sources[b].key ? sources[a].key > sources[b].key : a > b;
  };
  std::make_heap(heap.begin(), heap.end(), later);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    Source& source = sources[heap.back()];
    visit(source.key, source.data);
    if (source.advance()) {
      std::push_heap(heap.begin(), heap.end(), later);
    } else {
      heap.pop_back();
    }
  }
}

i64 Runs::bytes() const {
  return file_ ? file_->size() : 0;
}

}  // namespace lm::census

#pragma once
// Pairs of a key and its data that did not fit in memory: sorted runs in a spill file, merged while
// they are read. Data of equal keys is not combined here, it comes one after the other.

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"

namespace lm::census {

class Runs {
 public:
  using Put = std::function<void(std::string_view key, std::string_view data)>;

  /// Makes its file in dir at the first run.
  explicit Runs(std::string dir) : dir_(std::move(dir)) {}
  /// A run: write(put) puts pairs by ascending key. Any thread. Throws kCannotCreate, kIo.
  void add(const std::function<void(const Put& put)>& write);
  /// visit() for every pair of all runs by ascending key; not while another thread adds.
  void each(const Put& visit) const;
  bool empty() const { return runs_.empty(); }
  i64 bytes() const;

 private:
  struct Run {
    i64 begin;
    i64 end;
  };
  class Source;
  void append(io::TempFile& file, const std::function<void(const Put& put)>& write);

  std::string dir_;
  std::mutex mutex_;
  std::unique_ptr<io::TempFile> file_;
  std::vector<Run> runs_;
};

}  // namespace lm::census

#pragma once
// One stream's way from records to outputs: a reading through rules, cuts and draws; where who
// stays or how often is known only then, a second reading of what was kept aside; a shuffle.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "io/spool.h"
#include "mix.h"
#include "mix/shuffle.h"
#include "mix/window.h"
#include "parts.h"

namespace lm::mix_tool {

/// Objects of worker threads that stay known, for what each of them has counted.
template <typename T>
class Workers {
 public:
  template <typename Make>
  explicit Workers(Make make)
      : pool_([this, make] {
          std::unique_ptr<T> one = make();
          const std::lock_guard<std::mutex> lock(mutex_);
          made_.push_back(one.get());
          return one;
        }) {}
  template <typename Body>
  void with(Body body) {
    pool_.with(std::move(body));
  }
  const std::vector<const T*>& made() const { return made_; }

 private:
  std::mutex mutex_;
  std::vector<const T*> made_;
  io::WorkerPool<T> pool_;
};

class StreamRun {
 public:
  /// first: the number of the stream's first input among all. Opens attribute files.
  StreamRun(cli::Tool& tool, Stream stream, i64 first);

  const Stream& stream() const { return stream_; }
  const Plan& plan() const { return plan_; }
  bool holds(i64 input) const {
    return input >= first_ && input < first_ + isize(stream_.documents);
  }
  /// Whether the run's stages have something to do beside mix().
  bool has_sidecars() const { return sidecars_.any(); }
  bool keeps() const { return best_ || spool_ || shuffle_ || window_ || parts_; }

  /// Takes the headers of the stream's inputs. Throws Error{kData} for attributes that they say are
  /// not there.
  void check(std::vector<io::StreamHeader> headers);
  /// Opens what records go to: parts, the tool's output, or with neither nothing. shuffle_bytes:
  /// what a shuffle may hold.
  void begin(io::OutputStream* out, bool writes, i64 shuffle_bytes);

  // Stages of the reading: serial, parallel, serial.
  void take(io::Batch& batch) { sidecars_.take(batch); }
  void mix(io::RecordRun& records, const io::InputStream& in, io::Batch& batch);
  /// Puts the batch's lines where they belong; what is left in batch.out goes to the output.
  void keep(io::Batch& batch);

  /// Good records that were read.
  i64 good() const;
  /// All was read, and so many records were bad. Throws Error{kData} for attributes that no record
  /// has.
  void end_reading(i64 rejected);
  /// Writes what was kept aside and completes the parts.
  void write_rest();
  /// The files of parts, if there are any. Null otherwise.
  Parts* parts() const { return parts_.get(); }

  Metrics metrics() const;
  /// The rates of sources and the counts.
  std::string table() const;

 private:
  struct Worker {
    Worker(const Plan& plan, const tool_options::Sidecars& sidecars)
        : mixer(plan), joiner(sidecars) {}
    Mixer mixer;
    tool_options::Sidecars::Joiner joiner;
  };

  void keep_best(io::Batch& batch);
  void pass_on(io::Batch& batch);
  void write(std::string& lines);
  void replay_best();
  void replay_weighted();
  void write_shuffled();

  cli::Tool& tool_;
  const Stream stream_;
  const i64 first_;
  const Plan plan_;
  tool_options::Sidecars sidecars_;
  Workers<Worker> mixers_;
  std::vector<io::StreamHeader> headers_;
  mix::Declared declared_;
  io::OutputStream* out_ = nullptr;
  std::unique_ptr<Parts> parts_;
  std::unique_ptr<mix::Best> best_;
  std::optional<io::Spool> spool_;  // what the first reading keeps aside
  std::unique_ptr<mix::Shuffle> shuffle_;
  std::unique_ptr<mix::Window> window_;
  Counts counts_;
  i64 rejected_ = 0;
  std::vector<mix::SourceRate> rates_;
  Metrics metrics_;  // beside the counts
};

}  // namespace lm::mix_tool

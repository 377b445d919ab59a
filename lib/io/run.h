#pragma once
// Runs a record-wise program: input batches through parallel and serial stages to the output, with
// the bad-record policies of the contract. Output order is input order; the bytes and the reported
// error do not depend on the thread count.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/context.h"
#include "io/batch.h"
#include "io/input.h"
#include "io/json.h"
#include "io/output.h"

namespace lm::io {

enum class OnError { kFail, kSkip, kQuarantine, kAnnotate };

struct ErrorPolicy {
  OnError mode = OnError::kFail;
  i64 max_errors = 0;         // 0 = no limit
  f64 max_error_percent = 0;  // 0 = no limit; judged from 1000 records on and at the end
};

/// One record inside a batch. Views live until the next record.
struct Record {
  JsonReader& json;
  std::string_view line;
  i64 input = 0;
  i64 line_number = 0;  // 1-based
  i64 byte = 0;
  u64 ordinal = 0;         // input << 40 | 0-based line
  Batch* batch = nullptr;  // that it is in, of records that were just read
};

/// Work on one record. Appends zero or more whole lines to out; a fault makes the record a bad one
/// (what it appended is dropped). One object per worker thread.
class RecordMapper {
 public:
  virtual ~RecordMapper() = default;
  virtual std::optional<Fault> map(Record& record, std::string& out) = 0;
  /// After the last record of all, one object after another; throws if what it gave was wrong.
  virtual void finish() {}
};

struct BatchStage {
  StageMode mode;
  std::function<void(Batch&)> run;
  std::string name = "work";  // in the report; stages of one name are summed
};

/// Live figures for progress; final ones for the report.
struct RunCounters {
  std::atomic<i64> records_in{0};
  std::atomic<i64> bytes_in{0};
  std::atomic<i64> records_out{0};
  std::atomic<i64> errors{0};
  // Of programs that hold records: finished ones of batches that are not in the figures above yet,
  // and those read and not finished.
  std::atomic<i64> held_records{0};
  std::atomic<i64> held_bytes{0};
  std::atomic<i64> in_work{0};
};

class RecordRun {
 public:
  /// out and rejects may be null. All references outlive the run.
  RecordRun(InputStream& in, OutputStream* out, OutputStream* rejects, ErrorPolicy policy,
            const Context& ctx, RunCounters& counters);

  /// Reads `paths` of every record and maps it in parallel.
  void map(const std::vector<std::string>& paths,
           const std::function<std::unique_ptr<RecordMapper>()>& make_mapper);

  /// The general form: stages between stitching and writing. A batch whose `error` is set skips
  /// them. Stages fill batch.in (each_record does), batch.out and batch.bad.
  void run(const std::vector<BatchStage>& stages);

  /// For programs that hold records of several batches at once and drive the input's stages
  /// themselves: accounts a stitched batch, its bad records and what is in batch.out, in batch
  /// order. Serial. Throws as run() does.
  void complete(Batch& batch);
  /// After the last complete(): limits and the summary of bad records. run() does this itself.
  void end();

  /// Calls visit for every good record of the batch; blank lines are counted, bad ones noted.
  /// visit returns a fault to make the record bad.
  void each_record(Batch& batch, JsonReader& json,
                   const std::function<std::optional<Fault>(Record&)>& visit) const;

  /// Notes a bad record found by a later stage; they are reported in the order of their lines.
  void add_bad(Batch& batch, const Record& record, Fault fault) const;

  /// Counts by fault code.
  const std::map<std::string, i64>& errors() const { return errors_; }
  i64 blank_lines() const { return blank_lines_; }
  std::vector<StreamTotals> input_totals() const;

 private:
  void sink(Batch& batch);
  std::string location(const Batch& batch, const BadRecord& bad) const;
  void handle_bad(const Batch& batch, const BadRecord& bad);
  void check_limits(bool at_end) const;
  std::optional<Fault> check_line(std::string_view line) const;

  InputStream& in_;
  OutputStream* out_;
  OutputStream* rejects_;
  ErrorPolicy policy_;
  const Context& ctx_;
  RunCounters& counters_;
  std::map<std::string, i64> errors_;
  i64 blank_lines_ = 0;
  i64 max_record_bytes_;
};

/// Reader objects (or mappers) shared by whichever threads work: taken and returned under a lock.
template <typename T>
class WorkerPool {
 public:
  explicit WorkerPool(std::function<std::unique_ptr<T>()> make) : make_(std::move(make)) {}
  /// Runs body with an object that no other thread uses meanwhile.
  template <typename Body>
  void with(Body body) {
    std::unique_ptr<T> object = take();
    body(*object);
    give(std::move(object));
  }
  /// Runs body with every object there is, one after another; nothing else is running.
  template <typename Body>
  void each(Body body) {
    for (const std::unique_ptr<T>& object : idle_)
      body(*object);
  }

 private:
  std::unique_ptr<T> take() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<T> object = std::move(idle_.back());
        idle_.pop_back();
        return object;
      }
    }
    return make_();
  }
  void give(std::unique_ptr<T> object) {
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_.push_back(std::move(object));
  }
  std::function<std::unique_ptr<T>()> make_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> idle_;
};

}  // namespace lm::io

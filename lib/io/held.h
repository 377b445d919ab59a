#pragma once
// Drives a program that holds many records at once, because its work on one takes many steps that
// it shares with others (generation, scoring, flows): a thread reads, parses and prepares ahead;
// the caller's thread feeds the work, steps it and writes what is complete. Output order is input
// order; bad records follow the policy of the run; with --flush latency nothing complete waits for
// input.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/json.h"
#include "io/resume.h"
#include "io/run.h"

namespace lm::io {

/// One record in work.
struct HeldWork {
  virtual ~HeldWork() = default;
  std::string id;
  std::string key;  // what the finished line is made from (record_key)
};

/// What a record becomes when it is read: work, or the finished line.
struct Prepared {
  std::unique_ptr<HeldWork> work;
  std::string line;  // without newline; when there is no work
};

/// The work of a program. prepare() runs on the reading thread, everything else on the caller's.
class HeldMapper {
 public:
  virtual ~HeldMapper() = default;
  /// Fields to read and to set. Sets an id, but for its key, which is the driver's.
  virtual std::vector<std::string> paths() const = 0;
  virtual std::optional<Fault> prepare(Record& record, Prepared& out) = 0;
  virtual void add(HeldWork& work) = 0;
  /// Pieces of work added and not taken; the queue bounds it.
  virtual i64 pending() const = 0;
  /// Advances the work. False if there is nothing to do.
  virtual bool step() = 0;
  /// True if the oldest work added is complete; its result is moved into it.
  virtual bool poll(HeldWork& work) = 0;
  /// Appends the record's lines. json has parsed the record.
  virtual std::optional<Fault> finish(JsonReader& json, HeldWork& work, std::string& out) = 0;
  /// An earlier run finished this line; json has parsed the record. Its figures count in the
  /// report.
  virtual void count_reused(JsonReader& json, std::string_view line) = 0;
};

struct HeldRun {
  InputStream& in;
  OutputStream* out;  // null: the mapper keeps its results, finish() gives no lines
  RecordRun& records;
  RunCounters& counters;
  const Context& ctx;
  bool fails = false;            // the first bad record ends the run
  i64 queue = 1;                 // pieces of work at once
  u64 run_key = 0;               // of what shapes results beside the records
  ResumeFile* resume = nullptr;  // lines to take from; where a stop request stores
};

/// Runs all records. On a stop request with a resume file, what is finished is stored there:
/// Error{kTemporary}. Throws Error{kUsage} if two of the mapper's paths are the same field.
void run_held(const HeldRun& run, HeldMapper& mapper);

/// The id as text: a string's content, a number as it is spelt, or "#ordinal" where there is none.
Result<std::string> record_id(JsonReader& json, i64 field, u64 ordinal);

/// Results are set as fields of the record, or of a new one that has nothing else.
class ResultLine {
 public:
  ResultLine(const JsonReader& json, bool drop_extra)
      : json_(json), edit_(json), drop_(drop_extra) {}
  /// The record's "id", which is `field` of the reader; where it has none, id.
  void set_id(i64 field, std::string_view id);
  /// name: of the field, a path as the reader has it.
  void set(i64 field, std::string_view name, std::string value_json);
  /// Appends the line with its newline.
  void write(std::string& out) const;

 private:
  const JsonReader& json_;
  RecordEdit edit_;
  bool drop_;
  std::vector<std::pair<std::string, std::string>> own_;  // path and value, with drop_
};

}  // namespace lm::io

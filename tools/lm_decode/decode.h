#pragma once
// What the verbs of lm-decode share: the model as the options say, and the loop that keeps many
// records in work while a thread reads ahead.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/tool.h"
#include "decode/params.h"
#include "model/checkpoint.h"
#include "model/engine.h"
#include "text/tokenizer.h"

namespace lm::decode_tool {

/// The flags of sampling, from the parameter table and what it does not hold.
std::vector<cli::Flag> sampling_flags();
/// The parameters that a run's options and its seed give. Throws Error{kUsage}.
decode::SampleParams params_of(const cli::Options& options, u64 seed);

/// Model, tokenizer and engine of a run.
struct Loaded {
  model::Model model;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::string digest;
  std::optional<i32> begin;  // put before every text
  std::unique_ptr<model::Engine> engine;
  DType activation = DType::kF32;
  i64 batch = 0;
  i64 chunk = 0;
};
/// Reads --model, checks that its tokenizer fits, notes the digest in the stream's header. The
/// engine's cache is bounded by --memory. logit_rows: logits a step may want.
std::unique_ptr<Loaded> load(cli::Tool& tool);

/// One record in work.
struct Work {
  virtual ~Work() = default;
  std::string id;
  std::string key;  // what the finished line is made from (record_key), for its field "lm"
};

/// What a record becomes when it is read: work for the model, or the finished line.
struct Prepared {
  std::unique_ptr<Work> work;
  std::string line;  // without newline; when there is no work
};

/// A verb. prepare() runs on the reading thread, everything else on the main one.
class Mode {
 public:
  virtual ~Mode() = default;
  virtual std::vector<std::string> paths() const = 0;
  virtual std::optional<Fault> prepare(io::Record& record, Prepared& out) = 0;
  virtual void add(Work& work) = 0;
  virtual i64 pending() const = 0;
  virtual bool step() = 0;
  /// True if the oldest work added is complete; its result is moved into it.
  virtual bool poll(Work& work) = 0;
  /// Appends the record's lines. json has parsed the record.
  virtual std::optional<Fault> finish(io::JsonReader& json, Work& work, std::string& out) = 0;
  /// An earlier run finished this line; json has parsed the record. Its figures count in the
  /// report.
  virtual void count_reused(io::JsonReader& json, std::string_view line) = 0;
};

/// Runs all records through the mode, up to `queue` of them at once. Output in input order.
/// On a stop request with --resume FILE, what is finished is stored there: Error{kTemporary}.
void drive(cli::Tool& tool, Mode& mode, i64 queue, u64 run_key);

/// 16 hexadecimal digits of what shapes a finished line: program and version, verb, options that
/// shape results, seed, model, tokenizer, type and device (all in run_key), the record's id and its
/// input line. A line of an earlier run is reused only if its key is the same.
std::string record_key(u64 run_key, std::string_view id, std::string_view line);
u64 run_key(cli::Tool& tool, const Loaded& loaded);
/// The value of a finished line's field "lm"; more: further fields, each with a comma before it.
std::string made_by(const Work& work, std::string_view more = {});

/// The id as text (what keys draws): a string's content, a number as it is spelt, or "#ordinal".
Result<std::string> record_id(io::JsonReader& json, i64 field, u64 ordinal);

/// Fields are set on the record, or on a new one with --drop-extra.
class LineWriter {
 public:
  LineWriter(const io::JsonReader& json, bool drop_extra) : edit_(json), drop_(drop_extra) {}
  void set(i64 field, std::string_view name, std::string json);
  void write(std::string& out) const;

 private:
  io::RecordEdit edit_;
  bool drop_;
  std::string own_;
};

void run_generate(cli::Tool& tool);
void run_score(cli::Tool& tool);

}  // namespace lm::decode_tool

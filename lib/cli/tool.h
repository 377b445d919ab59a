#pragma once
// tool_main and the object a program's body works with: streams opened as the options say, outputs
// completed in the contract's order, the report. A program is its flag table and one function.

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cli/build.h"
#include "cli/console.h"
#include "cli/flags.h"
#include "core/context.h"
#include "io/atomic_file.h"
#include "io/run.h"

namespace lm::cli {

/// Thrown by --skip-complete: the work is done already; ends the run with status 0.
struct AlreadyComplete {};

/// Thrown when input is needed, no file is named and standard input is a terminal: the short help
/// says what to do.
struct NothingToRead {};

/// Thrown by a process of a run whose failure another one shows: ends it with that status and
/// without a word.
struct FailedElsewhere {
  int status;
};

/// A program's own progress text while it lives. Outlives nothing that the text reads.
class StatusScope {
 public:
  StatusScope(Console& console, std::function<std::string()> own,
              std::function<std::string()> usual)
      : console_(console), usual_(std::move(usual)) {
    console_.start_progress(std::move(own));
  }
  ~StatusScope() { console_.start_progress(std::move(usual_)); }
  StatusScope(const StatusScope&) = delete;
  StatusScope& operator=(const StatusScope&) = delete;

 private:
  Console& console_;
  std::function<std::string()> usual_;
};

class Tool {
 public:
  /// args: the words of the command line, for the report.
  Tool(const ToolSpec& spec, std::string verb, Options options, std::vector<std::string> operands,
       std::vector<std::string> args, Console& console, const Context& ctx);
  ~Tool();

  const std::string& name() const { return spec_.name; }
  const std::string& verb() const { return verb_; }
  const Options& options() const { return options_; }
  /// Inputs: operands plus --files-from; "-" is stdin.
  const std::vector<std::string>& files() const { return files_; }
  /// Reads --files-from and --files0-from. Called by tool_main before the body.
  void expand_files();
  /// Throws NothingToRead when no file is named and standard input is a terminal. input() calls it.
  void need_input() const;
  /// Refuses (kUsage) an output that is an input or was claimed before; for paths that are not
  /// opened through output() or other_output().
  void claim_output(const std::string& path);
  /// The same for a folder that is replaced or filled: nothing that is read may lie in it.
  void claim_folder(const std::string& path);
  /// Refuses (kUsage) a file that is an operand or that an option reads; for files that are read
  /// and written, which may be an output too.
  void refuse_input(const std::string& path) const;
  /// A file that is read though no operand or path option names it as such: no output may be it.
  /// Throws Error{kUsage} if one is.
  void add_input(const std::string& path);
  /// A folder that is read, or a file: no output may be it, one of its files, or lie in it. Throws
  /// as add_input does.
  void add_input_folder(const std::string& path);
  void set_files(std::vector<std::string> files) { files_ = std::move(files); }
  /// Makes JSON lines of the inputs. Before the first call of input().
  void set_converter(io::MakeConverter convert) { convert_ = std::move(convert); }
  const Context& ctx() const { return ctx_; }
  Console& console() { return console_; }
  u64 seed() const { return ctx_.seed; }

  /// Adds to the header's params what flags cannot say, above all the digest of a file that shapes
  /// the output. Before the first call of output().
  void set_param(const std::string& name, const std::string& value_json);
  /// A metric for the report.
  void add_metric(const std::string& name, const std::string& value_json);
  /// One of several processes of a run: those of ranks above 0 show errors only and write no
  /// report.
  void set_rank(i64 rank);
  bool reports() const { return rank_ == 0 && !report_refused_; }
  /// Called last of all with the exit status, after messages and report, also when the body fails.
  void at_end(std::function<void(int status)> f) { at_end_ = std::move(f); }
  void end(int status) const;
  void set_exit(int status) { exit_ = status; }
  int exit_status() const { return exit_; }

  /// --shard, for programs that cut what they make instead of what they read.
  io::Shard shard() const;

  /// The record streams, opened at first use. output() checks --skip-complete and writes LMH1.
  io::InputStream& input();
  io::OutputStream& output();
  io::RecordRun& records();
  /// records() with a stream that has no record output (statistics, training data).
  io::RecordRun& records_only();
  /// A named output (not standard output) that was begun or is owed and is not complete; "" if
  /// there is none. A run that ends early because the reader of standard output has gone fails by
  /// it.
  std::string unfinished_file() const;
  io::StreamHeader header();
  io::OutputOptions output_options() const;
  /// A further output, renamed into place before the main one. To be begun before anything goes to
  /// standard output, whose reader may leave.
  io::AtomicFile& other_output(const std::string& path);
  /// A file that the body itself leaves at its end, and that it has left it.
  void owe(const std::string& path) { owed_.insert(path); }
  void settle(const std::string& path) { owed_.erase(path); }
  /// Completes every output: others first, the main one last. Called by tool_main after the body.
  void finish();

  /// Replaces the usual progress text while the returned object lives.
  [[nodiscard]] StatusScope set_status(std::function<std::string()> status);
  /// Records, bytes, rate, bad records, time left. Thread-safe.
  std::string progress_text() const;
  /// What a successful run did, for the last line: what set_summary said, else records, bytes and
  /// time; empty if no records were read.
  std::string summary_text() const;
  /// A program's own text for that line.
  void set_summary(std::string text) { summary_ = std::move(text); }
  /// Sends what is still buffered for standard output before an error is shown.
  void flush_after_failure() noexcept;

  std::string report_json(const std::string& status, int exit, const std::string& error_json) const;
  /// The report of a run that a signal cuts short: only what other threads do not write to.
  std::string interrupted_report_json(int signal) const;
  io::RunCounters& counters() { return counters_; }

 private:
  io::RecordRun& make_run(bool with_output);
  std::string report_head(const std::string& status, int exit, const std::string& error_json) const;
  void check_skip_complete();
  void refuse_stdout_that_is_input() const;
  void claim(const std::string& path, bool folder);
  [[noreturn]] void refuse_claimed(const std::string& path, const std::string& of_folder = {});
  std::vector<std::string> known_inputs() const;

  const ToolSpec& spec_;
  std::string verb_;
  Options options_;
  std::vector<std::string> files_;
  io::MakeConverter convert_;
  std::vector<std::string> more_inputs_;
  std::vector<std::string> input_folders_;
  const std::vector<std::string> args_;
  Console& console_;
  const Context& ctx_;
  struct Claimed {
    std::string given;
    std::string resolved;
    bool folder = false;
  };
  std::vector<Claimed> claimed_;
  bool report_refused_ = false;  // it would replace an input
  std::map<std::string, std::string> params_;
  std::map<std::string, std::string> metrics_;
  std::string summary_;
  int exit_ = 0;
  i64 rank_ = 0;
  std::function<void(int)> at_end_;
  f64 start_s_;
  std::string started_;
  io::RunCounters counters_;
  std::unique_ptr<io::InputStream> input_;
  std::atomic<const io::InputStream*> input_seen_{nullptr};  // input_ for the progress thread
  std::unique_ptr<io::OutputStream> rejects_;
  std::vector<std::unique_ptr<io::AtomicFile>> others_;
  std::set<std::string> owed_;
  std::unique_ptr<io::OutputStream> output_;
  std::unique_ptr<io::RecordRun> run_;
};

/// Everything around a program's body: signals, parsing, help, limits, threads, errors to exit
/// statuses, report, progress. Returns the exit status.
int tool_main(int argc, char** argv, const ToolSpec& spec, const std::function<void(Tool&)>& body);
/// The same with a table that is made inside, so that running out of memory there has a status too.
int tool_main(int argc, char** argv, ToolSpec (*make_spec)(), void (*body)(Tool&));

}  // namespace lm::cli

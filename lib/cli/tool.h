#pragma once
// tool_main and the object a program's body works with: streams opened as the options say, outputs
// completed in the contract's order, the report. A program is its flag table and one function.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/flags.h"
#include "core/context.h"
#include "io/atomic_file.h"
#include "io/run.h"

namespace lm::cli {

inline constexpr const char* kToolkitVersion = "0.1.0";

/// Thrown by --skip-complete: the work is done already; ends the run with status 0.
struct AlreadyComplete {};

class Tool {
 public:
  Tool(const ToolSpec& spec, std::string verb, Options options, std::vector<std::string> operands,
       Console& console, const Context& ctx);
  ~Tool();

  const std::string& verb() const { return verb_; }
  const Options& options() const { return options_; }
  /// Inputs: operands plus --files-from; "-" is stdin.
  const std::vector<std::string>& files() const { return files_; }
  /// Reads --files-from and --files0-from. Called by tool_main before the body.
  void expand_files();
  /// Refuses (kUsage) an output that is an input or was claimed before; for paths that are not opened
  /// through output() or other_output().
  void claim_output(const std::string& path);
  void set_files(std::vector<std::string> files) { files_ = std::move(files); }
  const Context& ctx() const { return ctx_; }
  Console& console() { return console_; }
  u64 seed() const { return ctx_.seed; }

  /// Adds to the header's params what flags cannot say, above all the digest of a file that shapes
  /// the output. Before the first call of output().
  void set_param(const std::string& name, const std::string& value_json);
  /// A metric for the report.
  void add_metric(const std::string& name, const std::string& value_json);
  void set_exit(int status) { exit_ = status; }
  int exit_status() const { return exit_; }

  /// The record streams, opened at first use. output() checks --skip-complete and writes LMH1.
  io::InputStream& input();
  io::OutputStream& output();
  io::RecordRun& records();
  /// records() with a stream that has no record output (statistics, training data).
  io::RecordRun& records_only();
  /// True if a named output (not standard output) was begun and is not complete.
  bool has_unfinished_file() const;
  io::StreamHeader header();
  io::OutputOptions output_options() const;
  /// A further output, renamed into place before the main one.
  io::AtomicFile& other_output(const std::string& path);
  /// Completes every output: others first, the main one last. Called by tool_main after the body.
  void finish();

  /// Replaces the default progress text.
  void set_status(std::function<std::string()> status);

  std::string report_json(const std::string& status, int exit, const std::string& error_json) const;
  /// The report of a run that a signal cuts short: only what other threads do not write to.
  std::string interrupted_report_json(int signal) const;
  io::RunCounters& counters() { return counters_; }

 private:
  io::RecordRun& make_run(bool with_output);
  std::string report_head(const std::string& status, int exit, const std::string& error_json) const;
  void check_skip_complete();

  const ToolSpec& spec_;
  std::string verb_;
  Options options_;
  std::vector<std::string> files_;
  Console& console_;
  const Context& ctx_;
  std::vector<std::string> claimed_;   // resolved paths of outputs
  std::map<std::string, std::string> params_;
  std::map<std::string, std::string> metrics_;
  int exit_ = 0;
  f64 start_s_;
  std::string started_;
  io::RunCounters counters_;
  std::unique_ptr<io::InputStream> input_;
  std::unique_ptr<io::AtomicFile> rejects_;
  std::vector<std::unique_ptr<io::AtomicFile>> others_;
  std::unique_ptr<io::OutputStream> output_;
  std::unique_ptr<io::RecordRun> run_;
};

/// Everything around a program's body: signals, parsing, help, limits, threads, errors to exit
/// statuses, report, progress. Returns the exit status.
int tool_main(int argc, char** argv, const ToolSpec& spec, const std::function<void(Tool&)>& body);
/// The same with a table that is made inside, so that running out of memory there has a status too.
int tool_main(int argc, char** argv, ToolSpec (*make_spec)(), void (*body)(Tool&));

}  // namespace lm::cli

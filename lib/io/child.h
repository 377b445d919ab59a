#pragma once
// A child process that answers lines with lines: one line is written to its standard input, one is
// read from its standard output, which it must flush. Its standard error is ours.
// Thread rule: one thread at a time.

#include <string>
#include <string_view>

#include "core/types.h"

namespace lm::io {

class ChildProcess {
 public:
  /// Runs command by /bin/sh in a process group of its own, with default signals. Throws
  /// Error{kOs} if it cannot be started.
  explicit ChildProcess(std::string command);
  /// Closes its input, and kills it if that does not end it within two seconds. What it has started
  /// and left behind in its group is killed, too.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  const std::string& command() const { return command_; }
  /// Writes line and a newline; returns the next line of its output, without newline, valid until
  /// the next call. Throws Error{kUnavailable} naming the command where it ends (with its status)
  /// or does not answer in time, Error{kData} where it had written more than the line before.
  std::string_view ask(std::string_view line, i64 timeout_ms);
  /// After the last line: closes its input and reads what it still writes, until it ends, two
  /// seconds at most. Throws Error{kData} where that is anything at all.
  void finish();

 private:
  /// Reads what is there; false at the end of its output.
  bool read_some();
  /// Waits for its output to have something, for at most so long; whether it has.
  bool readable(i64 ms) const;
  /// Throws if there is output that nobody asked for.
  void check_taken() const;
  [[noreturn]] void fail_ended();
  /// Its status in words once it ended, "" while it runs.
  std::string ended();
  void kill_group();

  std::string command_;
  i64 pid_ = -1;  // -1: waited for
  int in_ = -1;
  int out_ = -1;
  std::string status_;
  std::string held_;       // bytes of its output
  std::size_t taken_ = 0;  // of them, given out already
};

/// For a process that is about to die of a signal: all children get SIGTERM, after two seconds
/// SIGKILL, each with its group; returns when none is left. No child starts from then on.
void end_children();

}  // namespace lm::io

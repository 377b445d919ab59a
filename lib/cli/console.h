#pragma once
// stderr: messages and one progress line. Whole lines in one write(2), so that the programs of a
// pipeline do not cut into each other.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "core/context.h"
#include "core/error.h"
#include "core/types.h"

namespace lm::cli {

struct ConsoleOptions {
  LogLevel level = LogLevel::kWarning;
  bool json = false;
  bool color = false;
  bool progress = false;  // show the line
  bool rewrite = false;   // rewrite it in place (terminal) or print full lines
  bool summary = false;   // one last line at success
  f64 progress_every_s = 0.5;
};

class Console final : public Log {
 public:
  explicit Console(std::string tool) : tool_(std::move(tool)) {}
  ~Console() override { stop_progress(); }
  void configure(const ConsoleOptions& options);
  /// One of several processes of a run: those of ranks above 0 say only what failed, and who they
  /// are.
  void set_rank(i64 rank);
  void message(LogLevel level, std::string_view text) override;
  bool enabled(LogLevel level) const override { return level <= options_.level; }
  void error(const Error& e);

  /// Starts the progress thread; status is called from it and must be thread-safe. A second call
  /// changes the text; no call of the old one is under way when it returns.
  void start_progress(std::function<std::string()> status);
  void stop_progress();
  /// One status line now, whatever the options (SIGUSR2).
  void show_status();
  /// The line a run ends with when standard error is a terminal.
  void summary(std::string_view text);

 private:
  std::string line(const char* level, std::string_view text, std::string_view hint,
                   const std::string& place) const;
  void print(LogLevel level, std::string_view text, std::string_view hint,
             const std::string& place = {});
  void raw(std::string_view bytes);

  std::string tool_;
  ConsoleOptions options_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool line_shown_ = false;
  std::function<std::string()> status_;
  std::jthread thread_;
};

}  // namespace lm::cli

#include "cli/console.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include <unistd.h>

#include "core/str.h"
#include "io/json.h"

namespace lm::cli {

namespace {

/// Names of files and words of data may hold what steers a terminal or ends the line.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const u8 byte = static_cast<u8>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else {
      append(out, "\\x", hex(std::span<const u8>(&byte, 1)));
    }
  }
  return out;
}

}  // namespace

void Console::configure(const ConsoleOptions& options) {
  options_ = options;
}

void Console::set_rank(i64 rank) {
  if (rank == 0) return;
  stop_progress();
  const std::lock_guard<std::mutex> lock(mutex_);
  append(tool_, "[", rank, "]");
  options_.level = LogLevel::kError;
  options_.progress = false;
  options_.summary = false;
}

void Console::raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nowhere to say so
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string Console::line(const char* level, std::string_view text, std::string_view hint,
                          const std::string& place) const {
  std::string out;
  if (options_.json) {
    append(out, "{\"tool\":", io::json_string(tool_), ",\"level\":\"", level,
           "\",\"message\":", io::json_string(text));
    if (!hint.empty()) append(out, ",\"hint\":", io::json_string(hint));
    if (!place.empty()) append(out, ",\"source\":", io::json_string(place));
    return out + "}\n";
  }
  const bool red = options_.color && std::string_view(level) == "error";
  append(out, red ? "\033[1;31m" : "", tool_, ":", red ? "\033[0m" : "", " ", printable(text),
         place.empty() ? "" : cat(" [", place, "]"), "\n");
  if (!hint.empty()) append(out, tool_, ": hint: ", printable(hint), "\n");
  return out;
}

void Console::print(LogLevel level, std::string_view text, std::string_view hint,
                    const std::string& place) {
  static constexpr const char* kNames[] = {"error", "warning", "info", "debug", "trace"};
  std::string out;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (line_shown_) {
    out += "\r\033[K";
    line_shown_ = false;
  }
  raw(out + line(kNames[static_cast<int>(level)], text, hint, place));
}

void Console::message(LogLevel level, std::string_view text) {
  if (enabled(level)) print(level, text, {});
}

// An internal error's message names its place already.
void Console::error(const Error& e) {
  const bool place = enabled(LogLevel::kDebug) && e.kind() != ErrorKind::kInternal;
  print(LogLevel::kError, e.message(), e.hint(), place ? source_place(e.where()) : std::string());
}

void Console::summary(std::string_view text) {
  if (!options_.summary) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  raw(line("info", text, {}, {}));
}

void Console::start_progress(std::function<std::string()> status) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    status_ = std::move(status);
  }
  if (!options_.progress || thread_.joinable()) return;
  const auto show = [this] {
    std::unique_lock<std::mutex> lock(mutex_);
    f64 wait_s = std::min(options_.progress_every_s, 0.1);  // something shows within 100 ms
    while (!stopping_) {
      wake_.wait_for(lock, std::chrono::duration<f64>(wait_s));
      wait_s = options_.progress_every_s;
      if (stopping_ || !status_) continue;
      const std::string text = status_();
      if (options_.rewrite) {
        raw(cat("\r", tool_, ": ", text, "\033[K"));
        line_shown_ = true;
      } else {
        raw(line("info", text, {}, {}));
      }
    }
  };
  try {
    thread_ = std::jthread(show);
  } catch (
      const std::system_error&) {  // no thread to spare: the work matters more than its progress
    options_.progress = false;
  }
}

void Console::stop_progress() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    status_ = nullptr;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (line_shown_) raw("\r\033[K");
  line_shown_ = false;
}

void Console::show_status() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string text = status_ ? status_() : std::string("starting");
  raw(cat(line_shown_ ? "\r\033[K" : "", line("info", text, {}, {})));
  line_shown_ = false;
}

}  // namespace lm::cli

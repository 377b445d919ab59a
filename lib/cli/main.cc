// tool_main: the frame around every program's body.

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <mutex>
#include <new>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <malloc.h>
#include <sys/random.h>
#include <unistd.h>

#include "cli/help.h"
#include "cli/parse.h"
#include "cli/resources.h"
#include "cli/signals.h"
#include "cli/tool.h"
#include "core/clock.h"
#include "core/parallel.h"
#include "core/str.h"
#include "io/child.h"
#include "io/descriptor.h"
#include "io/json.h"

namespace lm::cli {

namespace {

const char* environment(const char* name) {
  return std::getenv(name);
}

void print_stdout(const std::string& text) {
  io::write_full(STDOUT_FILENO, text.data(), static_cast<i64>(text.size()), "<stdout>");
}

std::string version_text(const ToolSpec& spec) {
  return cat(spec.name, " (lm-tools) ", kToolkitVersion, "\n", build_text());
}

std::string build_info(const ToolSpec& spec, const Resources& r) {
  return cat("{\"tool\":\"", spec.name, "\",\"version\":\"", kToolkitVersion,
             "\",\"build\":", build_json(), ",\"limits\":{\"cpus\":", r.cpus,
             ",\"cpus_from\":", io::json_string(r.cpus_from), ",\"memory_bytes\":", r.memory_bytes,
             ",\"memory_from\":", io::json_string(r.memory_from), "}}\n");
}

// auto, cpu, cuda or cuda:INDEX. A GPU that was asked for and cannot be had is an error; the
// environment only says what is preferred, and a program without kernels has no choice.
void check_device(const ToolSpec& spec, const Tool& tool, Console& console) {
  const Options& options = tool.options();
  const bool kernels = spec.kernels_in(tool.verb());
  const std::string& device = options.text("device");
  const bool cuda =
      device == "cuda" || (device.starts_with("cuda:") &&
                           parse_int(std::string_view(device).substr(5)).value_or(-1) >= 0);
  if (!cuda && device != "auto" && device != "cpu") {
    throw Error(ErrorKind::kUsage,
                cat("--device: ", quote(device), " is not auto, cpu or cuda[:I]"));
  }
  if (cuda && !kernels && options.origin("device") != Origin::kEnvironment) {
    throw Error(ErrorKind::kUnavailable,
                cat("--device ", device, ": ", spec.name, " computes on the CPU only"));
  }
  if (!kernels) console.message(LogLevel::kInfo, "computes on the CPU");
}

i64 memory_budget(const Options& options, const Resources& resources) {
  const std::string& text = options.text("memory");
  if (text.ends_with("%")) {
    const std::optional<f64> percent =
        parse_float(std::string_view(text).substr(0, text.size() - 1));
    if (percent && *percent > 0 && *percent <= 100) {
      return static_cast<i64>(static_cast<f64>(resources.memory_bytes) * *percent / 100);
    }
  } else if (const std::optional<i64> bytes = parse_size(text); bytes && *bytes > 0) {
    return *bytes;
  }
  throw Error(ErrorKind::kUsage,
              cat("--memory: ", quote(text), " is not a size such as 2G, or a percentage"));
}

u64 parse_seed(const std::string& text) {
  if (text == "random") {
    u64 seed = 0;
    if (::getrandom(&seed, sizeof seed, 0) != static_cast<ssize_t>(sizeof seed)) {
      throw os_error(ErrorKind::kOs, "--seed random", "no random bytes", errno);
    }
    return seed >> 1;  // every JSON reader holds 63 bits
  }
  const std::optional<u64> seed = parse_u64(text);
  if (!seed)
    throw Error(ErrorKind::kUsage,
                cat("--seed: ", quote(text), " is not a whole number or 'random'"));
  return *seed;
}

ConsoleOptions console_options(const Options& options) {
  ConsoleOptions out;
  const bool tty = ::isatty(STDERR_FILENO) != 0;
  out.level = static_cast<LogLevel>(std::clamp<i64>(1 + options.integer("verbose"), 1, 4));
  if (options.on("quiet")) out.level = LogLevel::kError;
  out.json = options.text("log-format") == "json";
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const std::string& color = options.text("color");
  out.color =
      color == "always" || (color == "auto" && tty && (no_color == nullptr || *no_color == '\0') &&
                            (term == nullptr || std::string_view(term) != "dumb"));
  const std::string& progress = options.text("progress");
  out.rewrite = tty && !out.json;
  out.summary = tty && !options.on("quiet") && progress != "never";
  if (progress == "always") {
    out.progress = true;
  } else if (progress == "auto") {
    out.progress = tty && !options.on("quiet");
  } else if (progress != "never") {
    const std::optional<f64> seconds = parse_float(progress);
    if (!seconds || *seconds <= 0) {
      throw Error(ErrorKind::kUsage,
                  cat("--progress: ", quote(progress), " is not auto, never, always or seconds"));
    }
    out.progress = true;
    out.progress_every_s = *seconds;
    out.rewrite = false;
  }
  return out;
}

void write_report(const std::string& target, const std::string& json,
                  const io::OutputOptions& options) {
  if (target.starts_with("fd:")) {
    const std::optional<i64> fd = parse_int(std::string_view(target).substr(3));
    if (!fd || *fd < 0)
      throw Error(ErrorKind::kUsage, cat("--report: ", quote(target), " is not FILE or fd:N"));
    io::write_full(static_cast<int>(*fd), json.data(), static_cast<i64>(json.size()), target);
  } else if (target == "-") {
    print_stdout(json);
  } else {
    io::write_file(target, json, options);
  }
}

// What signals need of a run. Lives as long as the process, like the waiter thread that reads it.
struct Live {
  StopToken stop;
  std::atomic<bool> stateful{false};
  std::atomic<f64> grace_s{0};
  std::atomic<bool> dying{false};  // the signal waiter is about to end the process
  Console* console = nullptr;
  std::mutex mutex;
  Tool* tool = nullptr;  // guarded by mutex
};

void print_stderr(const std::string& text) {
  io::write_full(STDERR_FILENO, text.data(), static_cast<i64>(text.size()), "<stderr>");
}

std::string error_json(const Error& e) {
  return cat("{\"kind\":", static_cast<int>(e.kind()),
             ",\"message\":", io::json_string(e.message()), "}");
}

// Any exception as an Error: what the standard library throws has an exit status too.
Error as_error(const std::exception& e) {
  if (const Error* ours = dynamic_cast<const Error*>(&e)) return *ours;
  if (dynamic_cast<const std::bad_alloc*>(&e) != nullptr) {
    return Error(ErrorKind::kOs, "out of memory", "--memory and --threads bound what a run takes");
  }
  if (const auto* file = dynamic_cast<const std::filesystem::filesystem_error*>(&e)) {
    const int code = file->code().value();
    const bool absent = code == ENOENT || code == ENOTDIR;
    return os_error(absent ? ErrorKind::kNoInput : ErrorKind::kIo, file->path1().string(),
                    "cannot look at it", code);
  }
  if (const std::system_error* system = dynamic_cast<const std::system_error*>(&e)) {
    return Error(ErrorKind::kOs, cat("cannot start a thread: ", system->code().message()));
  }
  return Error(ErrorKind::kInternal, cat("internal error: ", e.what()));
}

// A dying process's other threads may fail because its temporaries are gone. Nobody is to see that.
void wait_for_death(const Live& live) {
  while (live.dying.load())
    ::pause();
}

// Runs the body and completes the outputs; returns the exit status.
int run_body(const ToolSpec& spec, Tool& tool, Console& console, const Live& live,
             const std::function<void(Tool&)>& body) {
  std::string report = tool.options().text("report");
  if (report == "-" && tool.options().text("output") == "-") {
    throw Error(ErrorKind::kUsage, "--report - needs -o FILE");
  }
  std::string status = "ok";
  std::string error = "null";
  int exit = 0;
  const auto fail = [&](const std::exception& e) {
    wait_for_death(live);
    const Error known = as_error(e);
    exit = static_cast<int>(known.kind());
    status = known.kind() == ErrorKind::kTemporary ? "stopped" : "failed";
    if (status == "failed") error = error_json(known);
    tool.flush_after_failure();
    console.stop_progress();
    console.error(known);
  };
  try {
    tool.expand_files();
    if (!report.empty()) {
      const std::string path = std::exchange(report, {});  // a refused report must not be written
      tool.claim_output(path);
      report = path;
    }
    check_device(spec, tool, console);
    body(tool);
    tool.finish();
    exit = tool.exit_status();
  } catch (const AlreadyComplete&) {
    exit = 0;
  } catch (const FailedElsewhere& elsewhere) {
    exit = elsewhere.status;
  } catch (const NothingToRead&) {
    console.stop_progress();
    print_stderr(short_help(spec, tool.verb()));
    exit = static_cast<int>(ErrorKind::kUsage);
    status = "failed";
    error = error_json(Error(ErrorKind::kUsage, "no input: standard input is a terminal"));
  } catch (const io::PipeClosed& e) {
    status = "output_closed";
    if (const std::string lost = tool.unfinished_file(); !lost.empty()) {
      exit = static_cast<int>(ErrorKind::kIo);
      error = error_json(e);
      console.error(
          Error(e.kind(), e.message(), cat(lost, " was not complete and is not written")));
    }
  } catch (const std::exception& e) {
    fail(e);
  }
  if (report.empty() || !tool.reports()) return exit;
  try {
    write_report(report, tool.report_json(status, exit, error), tool.output_options());
  } catch (const Error& e) {
    wait_for_death(live);
    console.error(e);
    if (exit == 0) exit = static_cast<int>(e.kind());
  }
  return exit;
}

int run_tool(const ToolSpec& spec, const std::vector<std::string>& args, Console& console,
             Live& live, const std::function<void(Tool&)>& body) {
  CommandLine line = parse_command_line(spec, args, environment);
  const Options& options = line.options;
  if (options.on("help")) {
    print_stdout(line.short_help ? short_help(spec, line.verb) : long_help(spec, line.verb));
    return 0;
  }
  if (options.on("version")) {
    print_stdout(version_text(spec));
    return 0;
  }
  if (options.given("generate")) {
    print_stdout(generate(spec, options.text("generate")));
    return 0;
  }
  if (options.on("print-config")) {
    print_stdout(print_config(spec, options));
    return 0;
  }
  const Resources resources = read_resources("", environment);
  if (options.on("build-info")) {
    print_stdout(build_info(spec, resources));
    return 0;
  }
  console.configure(console_options(options));
  Context ctx;
  Stages stages;
  ctx.stages = &stages;
  MemoryBudget budget(memory_budget(options, resources));
  ctx.memory = &budget;
  ctx.stop = &live.stop;
  ctx.log = &console;
  ctx.seed = parse_seed(options.text("seed"));
  const i64 most = spec.wide ? resources.cpus : std::min<i64>(resources.cpus, 4);
  ctx.threads = static_cast<int>(options.maybe_integer("threads").value_or(most));
  const char* tmp = std::getenv("TMPDIR");
  ctx.tmp_dir = options.given("tmp-dir")         ? options.text("tmp-dir")
                : tmp != nullptr && *tmp != '\0' ? tmp
                                                 : "/tmp";
  if (options.text("seed") == "random") console.message(LogLevel::kWarning, cat("seed ", ctx.seed));
  // A verb without that option has no state.
  live.stateful = spec.stateful_in(line.verb) &&
                  (spec.stateful_with.empty() || (options.find(spec.stateful_with) != nullptr &&
                                                  options.given(spec.stateful_with)));
  live.grace_s = options.real("grace");
  set_threads(ctx.threads);
  if (console.enabled(LogLevel::kInfo)) {
    console.message(LogLevel::kInfo,
                    cat("threads: ", ctx.threads, " of ", resources.cpus, " (", resources.cpus_from,
                        "); memory: ", format_bytes(budget.limit()), " of ",
                        format_bytes(resources.memory_bytes), " (", resources.memory_from,
                        "); spills to ", ctx.tmp_dir));
  }

  Tool tool(spec, line.verb, line.options, line.operands, args, console, ctx);
  {
    const std::lock_guard<std::mutex> lock(live.mutex);
    live.tool = &tool;
  }
  console.start_progress([&tool] { return tool.progress_text(); });
  int exit = 0;
  try {
    exit = run_body(spec, tool, console, live, body);
    tool.end(exit);
  } catch (...) {
    const std::lock_guard<std::mutex> lock(live.mutex);
    live.tool = nullptr;
    console.stop_progress();
    throw;
  }
  console.stop_progress();
  const std::string summary = exit == 0 ? tool.summary_text() : std::string();
  if (!summary.empty()) console.summary(summary);
  const std::lock_guard<std::mutex> lock(live.mutex);
  live.tool = nullptr;
  return exit;
}

void write_interrupted_report(Live& live, int signal) {
  const std::lock_guard<std::mutex> lock(live.mutex);
  if (live.tool == nullptr || !live.tool->reports() || !live.tool->options().given("report"))
    return;
  try {
    write_report(live.tool->options().text("report"), live.tool->interrupted_report_json(signal),
                 live.tool->output_options());
  } catch (const std::exception& e) {
    live.console->error(as_error(e));
  }
}

// Memory can run out where no exception may pass (a noexcept function of a library, a thread's
// start). That has its status too; anything else aborts as usual.
[[noreturn]] void on_terminate() {
  try {
    if (std::current_exception()) std::rethrow_exception(std::current_exception());
  } catch (const std::bad_alloc&) {
    static constexpr std::string_view kText = "out of memory\n";
    io::discard_unfinished_outputs();
    if (::write(STDERR_FILENO, kText.data(), kText.size()) >= 0) errno = 0;
    ::_exit(static_cast<int>(ErrorKind::kOs));
  } catch (...) {  // the abort reports it
  }
  std::abort();
}

void start_signals(Live& live) {
  start_signal_thread({.stop =
                           [&live](int) {
                             if (!live.stateful.load()) return 0.0;
                             live.stop.request();
                             return std::max(live.grace_s.load(), 1e-3);
                           },
                       .status = [&live] { live.console->show_status(); },
                       .before_death =
                           [&live](int signal) {
                             live.dying.store(true);
                             io::end_children();
                             write_interrupted_report(live, signal);
                             io::discard_unfinished_outputs();
                           }});
}

}  // namespace

int tool_main(int argc, char** argv, const ToolSpec& spec, const std::function<void(Tool&)>& body) {
  io::keep_standard_descriptors();
  // What is freed goes back to the system, so that memory beside the budget is what is in use:
  // glibc would raise both thresholds with the sizes it sees and keep up to 64 MiB per arena.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 4 << 20);
  Live* live = nullptr;
  Console* console = nullptr;
  int exit = 0;
  try {
    // Both outlive main's return: the signal thread may still look at them.
    live = new Live();
    console = new Console(spec.name);
    live->console = console;
    std::set_terminate(on_terminate);
    start_signals(*live);
    const bool bare = argc == 1 && ::isatty(STDIN_FILENO) && spec.streams;
    if (bare) {
      print_stderr(short_help(spec, spec.verbs.front().name));
      return static_cast<int>(ErrorKind::kUsage);
    }
    exit = run_tool(spec, std::vector<std::string>(argv + 1, argv + argc), *console, *live, body);
  } catch (const io::PipeClosed&) {
    exit = 0;
  } catch (const std::exception& e) {
    const Error known = as_error(e);
    if (console != nullptr) console->error(known);
    exit = static_cast<int>(known.kind());
  }
  if (live != nullptr) wait_for_death(*live);
  // A full disk may show only when standard output is closed.
  if (::close(STDOUT_FILENO) != 0 && errno != EBADF && errno != EINTR && exit == 0) {
    console->error(os_error(ErrorKind::kIo, "<stdout>", "close failed", errno));
    exit = static_cast<int>(ErrorKind::kIo);
  }
  return exit;
}

int tool_main(int argc, char** argv, ToolSpec (*make_spec)(), void (*body)(Tool&)) {
  try {
    return tool_main(argc, argv, make_spec(), std::function<void(Tool&)>(body));
  } catch (const std::bad_alloc&) {  // nothing can be said without memory
    static constexpr char kMessage[] = "out of memory before the program could start\n";
    io::write_full(STDERR_FILENO, kMessage, sizeof kMessage - 1, "<stderr>");
    return static_cast<int>(ErrorKind::kOs);
  }
}

}  // namespace lm::cli

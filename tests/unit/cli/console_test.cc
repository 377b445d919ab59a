#include "cli/console.h"

#include <functional>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "catch.h"
#include "core/str.h"
#include "io/file.h"
#include "spec.h"

using namespace lm;
using namespace lm::cli;

namespace {

// What body writes to standard error.
std::string stderr_of(const std::function<void()>& body) {
  const test::TempDir dir;
  const std::string path = dir.file("err");
  const int saved = ::dup(STDERR_FILENO);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(file, STDERR_FILENO);
  body();
  ::dup2(saved, STDERR_FILENO);
  ::close(saved);
  ::close(file);
  return io::read_file(path);
}

std::string said(const ConsoleOptions& options, const Error& error) {
  return stderr_of([&] {
    Console console("lm-probe");
    console.configure(options);
    console.error(error);
  });
}

}  // namespace

TEST_CASE("an error is a line, its hint another", "[cli]") {
  const Error e(ErrorKind::kData, "in:3: wrong", "do better");
  CHECK(said({}, e) == "lm-probe: in:3: wrong\nlm-probe: hint: do better\n");
  CHECK(said({.color = true}, e) ==
        "\033[1;31mlm-probe:\033[0m in:3: wrong\nlm-probe: hint: do better\n");
  CHECK(said({.json = true}, Error(ErrorKind::kData, "a \"b\"\n")) ==
        "{\"tool\":\"lm-probe\",\"level\":\"error\",\"message\":\"a \\\"b\\\"\\n\"}\n");
}

TEST_CASE("a name that steers a terminal or ends a line is shown by its escapes", "[cli]") {
  const Error e(ErrorKind::kNoInput, "a\nb\033[31m\x7f\\c: cannot open \xC3\xA9", "cat 'a\tb'");
  CHECK(said({}, e) ==
        "lm-probe: a\\nb\\x1b[31m\\x7f\\c: cannot open \xC3\xA9\nlm-probe: hint: cat 'a\\x09b'\n");
}

TEST_CASE("messages show from their level on", "[cli]") {
  const std::string text = stderr_of([] {
    Console console("lm-probe");
    console.message(LogLevel::kWarning, "warning");
    console.message(LogLevel::kInfo, "hidden");
    console.configure({.level = LogLevel::kDebug});
    console.message(LogLevel::kInfo, "info");
    console.message(LogLevel::kTrace, "hidden");
    console.configure({.level = LogLevel::kError});
    console.message(LogLevel::kWarning, "hidden");
  });
  CHECK(text == "lm-probe: warning\nlm-probe: info\n");
}

TEST_CASE("lines of several threads do not mix", "[cli]") {
  const std::string text = stderr_of([] {
    Console console("lm-probe");
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&console] {
        for (int i = 0; i < 100; ++i)
          console.message(LogLevel::kWarning, "0123456789");
      });
    }
  });
  std::string want;
  for (int i = 0; i < 400; ++i)
    want += "lm-probe: 0123456789\n";
  CHECK(text == want);
}

TEST_CASE("a rewritten progress line is wiped before a message and at the end", "[cli]") {
  const std::string text = stderr_of([] {
    Console console("lm-probe");
    console.configure({.progress = true, .rewrite = true, .progress_every_s = 0.001});
    std::atomic<int> shown{0};
    console.start_progress([&shown] {
      ++shown;
      return std::string("working");
    });
    while (shown.load() < 2)
      std::this_thread::yield();
    console.stop_progress();
    console.message(LogLevel::kWarning, "done");
  });
  CHECK(text.starts_with("\rlm-probe: working\033[K"));
  CHECK(text.ends_with("\r\033[Klm-probe: done\n"));
}

TEST_CASE("without a wish for progress there is none, a status line on request all the same",
          "[cli]") {
  const std::string text = stderr_of([] {
    Console console("lm-probe");
    console.show_status();
    console.start_progress([] { return std::string("half"); });
    console.show_status();
    console.stop_progress();
  });
  CHECK(text == "lm-probe: starting\nlm-probe: half\n");
}

TEST_CASE("a further process of a run says errors only, and who it is", "[cli]") {
  const std::string text = stderr_of([] {
    Console console("lm-probe");
    console.configure({.level = LogLevel::kInfo, .summary = true});
    console.set_rank(3);
    console.message(LogLevel::kWarning, "hidden");
    console.error(Error(ErrorKind::kData, "wrong"));
    console.summary("hidden");
  });
  CHECK(text == "lm-probe[3]: wrong\n");
}

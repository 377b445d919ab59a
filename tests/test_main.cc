// The one translation unit that pays for Catch2's main. Every scratch file of a test program lies
// in one folder that goes when the program ends; what a killed program left goes when the next
// starts.

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>

#include <unistd.h>

#define CATCH_CONFIG_RUNNER
#include "catch.h"

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "lm-test-";

// The process that a folder's name ends with, 0 if it is no such folder.
pid_t owner_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  if (!name.starts_with(kPrefix)) return 0;
  pid_t pid = 0;
  const char* const end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + kPrefix.size(), end, pid);
  return error == std::errc() && stop == end ? pid : 0;
}

void remove_stale(const fs::path& parent) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(parent, ignored)) {
    const pid_t pid = owner_of(entry.path());
    if (pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH) fs::remove_all(entry.path(), ignored);
  }
}

fs::path scratch;
pid_t maker = 0;

// A forked child leaves the folder to its parent.
void remove_scratch() {
  if (::getpid() != maker) return;
  std::error_code ignored;
  fs::remove_all(scratch, ignored);
}

}  // namespace

fs::path lm::test::source_dir() {
  return LM_SOURCE_DIR;
}

int main(int argc, char** argv) {
  const fs::path parent = fs::temp_directory_path();
  remove_stale(parent);
  maker = ::getpid();
  scratch = parent / (std::string(kPrefix) + std::to_string(maker));
  std::error_code error;
  if (!fs::create_directory(scratch, error)) {
    std::cerr << scratch.string() << ": cannot create: " << error.message() << "\n";
    return 73;
  }
  std::atexit(remove_scratch);
  ::setenv("TMPDIR", scratch.c_str(), 1);
  return Catch::Session().run(argc, argv);
}

#pragma once
// Catch2 2.x and 3.x under one include; tests use the common subset only.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
namespace Catch::Matchers {
inline auto ContainsSubstring(const std::string& text) {
  return Catch::Contains(text);
}
}  // namespace Catch::Matchers
#endif

#include <cstdlib>
#include <filesystem>
#include <string>

namespace lm::test {

/// The checkout that the test program was built of.
std::filesystem::path source_dir();

/// What a reference implementation left for a test: a file below tests/golden.
inline std::string golden_file(const std::string& name) {
  return (source_dir() / "tests/golden" / name).string();
}

/// The folder of real data and tiny models: LM_TEST_DATA, else ../shared/data beside the checkout.
/// Empty when absent: the test then says so with LM_SKIP and returns.
inline std::filesystem::path data_dir() {
  if (const char* named = std::getenv("LM_TEST_DATA")) return named;
  const std::filesystem::path beside = source_dir() / "../shared/data";
  return std::filesystem::exists(beside) ? std::filesystem::canonical(beside)
                                         : std::filesystem::path();
}

/// A fresh scratch folder, removed at scope end.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "lm-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace lm::test

#define LM_SKIP(message)            \
  do {                              \
    WARN("skipped: " << (message)); \
    SUCCEED("skipped");             \
    return;                         \
  } while (false)

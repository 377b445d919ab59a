#include "io/glob.h"

#include <filesystem>
#include <fstream>

#include "catch.h"

namespace lm::io {
namespace {

TEST_CASE("patterns of file names", "[io]") {
  const test::TempDir dir;
  for (const char* const name : {"a/x1.jsonl", "a/x2.jsonl", "a/y.txt", "a/.hidden.jsonl",
                                 "a/b/x3.jsonl", "a/b/c/x4.jsonl", "d/x5.jsonl"}) {
    std::filesystem::create_directories(std::filesystem::path(dir.file(name)).parent_path());
    std::ofstream(dir.file(name)) << "x";
  }
  const auto found = [&](const std::string& pattern) {
    std::string out;
    for (const std::string& path : glob(dir.file(pattern)))
      out += path.substr(dir.file("").size()) + " ";
    return out;
  };
  CHECK(found("a/*.jsonl") == "a/x1.jsonl a/x2.jsonl ");
  CHECK(found("a/x[2-9].jsonl") == "a/x2.jsonl ");
  CHECK(found("a/.*.jsonl") == "a/.hidden.jsonl ");
  CHECK(found("a/**/*.jsonl") == "a/b/c/x4.jsonl a/b/x3.jsonl a/x1.jsonl a/x2.jsonl ");
  CHECK(found("a/**") == "a/b/c/x4.jsonl a/b/x3.jsonl a/x1.jsonl a/x2.jsonl a/y.txt ");
  CHECK(found("**/c/*") == "a/b/c/x4.jsonl ");
  CHECK(found("*/x?.jsonl") == "a/x1.jsonl a/x2.jsonl d/x5.jsonl ");
  CHECK(found("d/x5.jsonl") == "d/x5.jsonl ");
  CHECK(found("d/x6.jsonl") == "");
  CHECK(found("a/*") == "a/x1.jsonl a/x2.jsonl a/y.txt ");
  CHECK(found("a/b") == "");
}

}  // namespace
}  // namespace lm::io

// Outputs of a process that a signal ends.

#include <filesystem>

#include <sys/wait.h>
#include <unistd.h>

#include "catch.h"
#include "core/error.h"
#include "io/atomic_file.h"

namespace lm::io {
namespace {

template <typename Begin>
int refused(const Begin& begin) {
  try {
    begin();
  } catch (const Error&) {
    return 1;
  }
  return 0;
}

TEST_CASE("a process that is being stopped begins no output, and leaves none", "[io]") {
  const test::TempDir dir;
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicDir folder(dir.file("out"));
    write_file(folder.file("a/b"), "text");
    AtomicDir deep(dir.file("p/q/out"));
    write_file(deep.file("a"), "text");
    AtomicFile file(dir.file("unfinished"));
    discard_unfinished_outputs();
    ::_exit(refused([&] { folder.file("a/c"); }) + refused([&] { AtomicDir(dir.file("d")); }) +
            refused([&] { AtomicFile(dir.file("f")); }));
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 3);
  CHECK(std::filesystem::is_empty(dir.path()));
}

TEST_CASE("folders above a folder that is not committed go with it", "[io]") {
  const test::TempDir dir;
  {
    const AtomicDir folder(dir.file("a/b/c"));
    CHECK(path_exists(dir.file("a/b")));
  }
  CHECK(std::filesystem::is_empty(dir.path()));
  {
    const AtomicDir folder(dir.file("a/b/c"));
    write_file(dir.file("a/other"), "somebody else's");
  }
  CHECK_FALSE(path_exists(dir.file("a/b")));
  CHECK(read_file(dir.file("a/other")) == "somebody else's");
  {
    AtomicDir folder(dir.file("a/b/c"));
    folder.commit();
  }
  CHECK(path_exists(dir.file("a/b/c")));
  // A folder that was there stays, empty as it may be.
  std::filesystem::create_directory(dir.file("empty"));
  { const AtomicDir folder(dir.file("empty/c")); }
  CHECK(path_exists(dir.file("empty")));
}

}  // namespace
}  // namespace lm::io

#include "tag/define.h"

#include <fstream>

#include "catch.h"
#include "core/error.h"
#include "core/str.h"
#include "tagging.h"

using namespace lm;
using namespace lm::tag;

namespace {

std::string message_of(const std::string& text) {
  TagFiles files;
  try {
    defined_tagger(text, files);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kUsage);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("definitions of another form are refused", "[tag]") {
  CHECK(message_of("x") == "--define \"x\" has no =");
  CHECK(message_of("x=words") == "--define \"x=words\" has no :");
  CHECK(message_of("=words:f") == "--define: \"\" is no name of a tagger");
  CHECK(message_of("a b=words:f") == "--define: \"a b\" is no name of a tagger");
  CHECK(message_of("gopher_v2=words:f") == "--define: gopher_v2 is a tagger of the catalogue");
  CHECK(message_of("x@page=words:f") == "--define x: kind words has no unit \"page\"");
  CHECK(message_of("x=word:f") == "--define x: there is no kind \"word\"");
}

TEST_CASE("a list of words finds units, whatever their case", "[tag]") {
  const test::TempDir dir;
  const std::string path = dir.file("list");
  std::ofstream(path) << "spam\nbuy now\n";
  TagFiles files;
  const std::string text = "No.\nSPAM here\nplease Buy Now\n";
  CHECK(found(defined_tagger("x=words:" + path, files), text) ==
        std::map<std::string, Spans>{{"found", {{0, 29, 1}}}});
  CHECK(found(defined_tagger("x@line=words:" + path, files), text) ==
        std::map<std::string, Spans>{{"found", {{4, 13, 1}, {14, 28, 1}}}});
  CHECK(found(defined_tagger("x=words:" + path, files), "Nothing.").empty());
  CHECK(files.paths() == std::set<std::string>{path});
}

TEST_CASE("a file is a tagger's by name, or everybody's", "[tag]") {
  TagFiles files;
  files.give("a", "one");
  files.give("", "two");
  CHECK(files.unused() == std::vector<std::string>{"two", "a"});
  CHECK(files.path_of("a") == "one");
  CHECK(files.path_of("b") == "two");
  CHECK(files.unused().empty());
  CHECK_THROWS_AS(files.give("a", "three"), Error);
  CHECK(TagFiles().path_of("a").empty());
}

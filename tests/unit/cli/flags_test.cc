#include "catch.h"
#include "core/error.h"
#include "core/str.h"
#include "spec.h"

using namespace lm;
using namespace lm::cli;

namespace {

Options options_of(const std::string& verb) {
  return Options(all_flags(test::two_verbs(), verb));
}

ErrorKind kind_of(Options& options, const std::string& name, const std::string& text,
                  Origin origin) {
  try {
    options.set(name, {text}, origin, name);
  } catch (const Error& e) {
    return e.kind();
  }
  return ErrorKind::kInternal;
}

}  // namespace

TEST_CASE("a verb has its own flags, the program's and the common ones, each once", "[cli]") {
  ToolSpec spec = test::two_verbs();
  spec.flags = {{.name = "threads", .kind = FlagKind::kInt, .def = "1", .help = "our own default"}};
  i64 threads = 0;
  for (const Flag& flag : all_flags(spec, "leap")) {
    CHECK(flag.name != "depth");
    threads += flag.name == "threads" ? 1 : 0;
  }
  CHECK(threads == 1);
  CHECK(Options(all_flags(spec, "leap")).integer("threads") == 1);
}

TEST_CASE("values are judged by kind, range and choice", "[cli]") {
  Options options = options_of("look");
  for (const char* bad : {"0", "10", "x", "", " 3", "0x3", "3.0"}) {
    CAPTURE(bad);
    CHECK(kind_of(options, "depth", bad, Origin::kCommandLine) == ErrorKind::kUsage);
    CHECK(kind_of(options, "depth", bad, Origin::kConfig) == ErrorKind::kConfig);
  }
  options.set("depth", {"09"}, Origin::kCommandLine, "--depth");
  CHECK(options.integer("depth") == 9);
  CHECK(options.origin("depth") == Origin::kCommandLine);
  CHECK(kind_of(options, "on-error", "fial", Origin::kCommandLine) == ErrorKind::kUsage);
  try {
    options.set("on-error", {"fial"}, Origin::kCommandLine, "--on-error");
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.hint() == "did you mean fail?");
  }
  options.set("max-record", {"3K"}, Origin::kCommandLine, "--max-record");
  CHECK(options.integer("max-record") == 3072);
}

TEST_CASE("an empty text is refused, from wherever it comes, unless the flag knows what it means",
          "[cli]") {
  Options options({{.name = "group", .value_name = "FIELD"},
                   {.name = "top", .kind = FlagKind::kList, .value_name = "FIELD"},
                   {.name = "count", .kind = FlagKind::kOptional, .bare = "10"},
                   {.name = "field", .value_name = "PATH", .def = "text"},
                   {.name = "between", .def = ", ", .may_be_empty = true}});
  for (const char* const name : {"group", "top", "count", "field"}) {
    CAPTURE(name);
    CHECK(kind_of(options, name, "", Origin::kCommandLine) == ErrorKind::kUsage);
    CHECK(kind_of(options, name, "", Origin::kConfig) == ErrorKind::kConfig);
    CHECK(kind_of(options, name, " ", Origin::kCommandLine) == ErrorKind::kInternal);  // accepted
  }
  const auto refusal = [&](const std::string& name, const std::vector<std::string>& values) {
    try {
      options.set(name, values, Origin::kCommandLine, cat("--", name));
    } catch (const Error& e) {
      return cat(e.message(), "; ", e.hint());
    }
    return std::string("none");
  };
  CHECK(refusal("group", {""}) ==
        "--group: the value is empty, expected FIELD; leave --group out, or look where its value "
        "comes from");
  CHECK(refusal("field", {""}) ==
        "--field: the value is empty, expected PATH; without --field it is text");
  // Every value of a list counts, of others the last.
  CHECK(refusal("top", {"a", "", "b"}) ==
        "--top: the value is empty, expected FIELD; leave --top out, or look where its value "
        "comes from");
  CHECK(refusal("group", {"", "a"}) == "none");
  CHECK(refusal("between", {""}) == "none");
  CHECK(options.given("between"));
  CHECK(options.text("between").empty());
}

TEST_CASE("a failed setting leaves the old value", "[cli]") {
  Options options = options_of("look");
  CHECK(kind_of(options, "depth", "77", Origin::kCommandLine) == ErrorKind::kUsage);
  CHECK(options.integer("depth") == 3);
  CHECK_FALSE(options.explicitly("depth"));
}

TEST_CASE("a settings file that repeats a default asks for nothing", "[cli]") {
  Options options = options_of("look");
  options.set("depth", {"3"}, Origin::kConfig, "a.toml");
  CHECK(options.explicitly("depth"));
  CHECK_FALSE(options.asked("depth"));
  options.set("depth", {"4"}, Origin::kConfig, "a.toml");
  CHECK(options.asked("depth"));
  options.set("depth", {"3"}, Origin::kCommandLine, "--depth");
  CHECK(options.asked("depth"));
}

TEST_CASE("the last value of a flag counts, every value of a list", "[cli]") {
  Options options = options_of("look");
  options.set("keep", {"a", "b"}, Origin::kCommandLine, "--keep");
  CHECK(options.text("keep") == "b");
  options.set("field", {"a", "b"}, Origin::kCommandLine, "--field");
  CHECK(options.list("field") == std::vector<std::string>{"a", "b"});
}

TEST_CASE("params hold what can change the output and nothing about how it is run", "[cli]") {
  Options options = options_of("leap");
  const std::string before = options.params_json();
  CHECK(before.find("\"height\":0.5") != std::string::npos);
  for (const char* name :
       {"threads", "tmp-dir", "output", "shard", "memory", "report", "progress"}) {
    CAPTURE(name);
    CHECK(before.find('"' + std::string(name) + '"') == std::string::npos);
  }
  options.set("threads", {"5"}, Origin::kCommandLine, "--threads");
  options.set("output", {"x"}, Origin::kCommandLine, "--output");
  CHECK(options.params_json() == before);
  options.set("height", {"5e-1"}, Origin::kCommandLine,
              "--height");  // another spelling of the same
  CHECK(options.params_json() == before);
  options.set("height", {"2"}, Origin::kCommandLine, "--height");
  CHECK(options.params_json() != before);
}

TEST_CASE("asking for a flag that is not in the table is our own mistake", "[cli]") {
  const Options options = options_of("leap");
  try {
    options.on("depth");
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kInternal);
  }
}

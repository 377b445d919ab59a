#include "io/child.h"

#include "catch.h"
#include "core/error.h"
#include "core/str.h"

using namespace lm;
using namespace lm::io;

namespace {

std::string message_of(const std::string& command, i64 timeout_ms = 20000) {
  ChildProcess child(command);
  try {
    for (int i = 0; i < 3; ++i)
      child.ask("x", timeout_ms);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kUnavailable);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a child answers lines with lines, long ones too", "[io]") {
  ChildProcess child("cat");
  CHECK(child.ask("one", 20000) == "one");
  CHECK(child.ask("", 20000).empty());
  // More than both pipes hold: neither side may wait for the other.
  const std::string big(1 << 20, 'x');
  CHECK(child.ask(big, 60000) == big);
  CHECK(child.ask("two", 20000) == "two");
}

TEST_CASE("a child that answers in pieces is waited for, one that answers twice is not believed",
          "[io]") {
  ChildProcess pieces("while read x; do printf a; printf 'b\\n'; done");
  CHECK(pieces.ask("1", 20000) == "ab");
  CHECK(pieces.ask("2", 20000) == "ab");
  ChildProcess twice("while read x; do printf 'b\\nc\\n'; done");
  CHECK(twice.ask("1", 20000) == "b");
  CHECK_THROWS_AS(twice.ask("2", 20000), Error);
}

TEST_CASE("what a child writes after its last answer is noticed at its end", "[io]") {
  for (const char* more : {"echo more", "printf more", "sleep 0.1; echo more"}) {
    INFO(more);
    ChildProcess child(cat("read x; echo y; ", more));
    CHECK(child.ask("1", 20000) == "y");
    CHECK_THROWS_AS(child.finish(), Error);
  }
  ChildProcess whole("while read x; do echo y; done");
  CHECK(whole.ask("1", 20000) == "y");
  CHECK_NOTHROW(whole.finish());
  ChildProcess unasked("cat");
  CHECK_NOTHROW(unasked.finish());
  // One that does not end by itself is not waited for.
  ChildProcess lasting("read x; echo y; sleep 600");
  CHECK(lasting.ask("1", 20000) == "y");
  CHECK_NOTHROW(lasting.finish());
}

TEST_CASE("the end of a child is an error that names it and its status", "[io]") {
  CHECK(message_of("exit 3") == "\"exit 3\" ended with status 3 before it answered");
  CHECK(message_of("read x; echo y; kill -9 $$") ==
        "\"read x; echo y; kill -9 $$\" was ended by signal 9 before it answered");
  CHECK(message_of("lm-no-such-command 2>/dev/null") ==
        "\"lm-no-such-command 2>/dev/null\" ended with status 127 before it answered");
}

TEST_CASE("a child that is silent is given up on and killed", "[io]") {
  CHECK(message_of("sleep 600", 1000) == "\"sleep 600\" gave no answer within 1 s");
}

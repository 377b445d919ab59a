#include "text/config_node.h"

#include <fstream>

#include "catch.h"
#include "core/error.h"

namespace lm::text {
namespace {

using test::TempDir;

void write(const TempDir& dir, const std::string& name, const std::string& text) {
  std::ofstream(dir.file(name)) << text;
}

TEST_CASE("scalars have the types of YAML 1.1, quoted ones are text", "[text]") {
  const TempDir dir;
  write(dir, "c.yaml", "[1, -2, 1.5, 1e3, true, No, ~, '1', \"yes\", text, +7, .5, 1.2.3, '']\n");
  CHECK(read_config(dir.file("c.yaml")).value ==
        Value(ValueList{i64{1}, i64{-2}, 1.5, 1000.0, true, false, Value(), "1", "yes", "text",
                        i64{7}, 0.5, "1.2.3", ""}));
}

TEST_CASE("aliases that multiply are refused, not followed", "[text]") {
  const TempDir dir;
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k)
      text += (k > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    text += "]\n";
  }
  write(dir, "c.yaml", text);
  CHECK_THROWS_WITH(read_config(dir.file("c.yaml")),
                    Catch::Matchers::ContainsSubstring("more than 1000000 nodes"));
}

TEST_CASE("JSON that is none, or too deep, is called by its name", "[text]") {
  const auto refused = [](const std::string& text) {
    try {
      parse_config(text, "c");
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::kConfig);
      return e.message();
    }
    return std::string("understood");
  };
  using Catch::Matchers::ContainsSubstring;
  CHECK_THAT(refused("{\"a\": 1,\n \"b\": [1, 2\n"),
             ContainsSubstring("c:3: is not JSON: unexpected end of input; expected ']'"));
  CHECK_THAT(refused("{\"a\":\n \"b}"), ContainsSubstring("c:2: is not JSON"));
  CHECK_THAT(refused("{\"a\" \"b\"}"), ContainsSubstring("expected ':'"));
  CHECK_THAT(refused(std::string(100000, '[')),
             ContainsSubstring("c:1: is JSON nested more than 100 levels deep"));
  CHECK_THAT(refused("{\"a\":\n" + std::string(200, '[') + std::string(200, ']') + "}"),
             ContainsSubstring("c:2: is JSON nested more than 100 levels deep"));
  CHECK(refused("{\"a\": \"" + std::string(200, '[') + "\"}") == "understood");
  // YAML in brackets is YAML.
  CHECK_THAT(refused("{a: 1, b: [1, 2\n"), ContainsSubstring("is not YAML"));
  std::string deep;
  for (int i = 0; i < 150; ++i)
    deep += "- ";
  CHECK_THAT(refused(deep + "x"), ContainsSubstring("is nested more than 100 levels deep"));
  std::string deeper;
  for (int i = 0; i < 50000; ++i)
    deeper += "- ";
  CHECK_THAT(refused(deeper + "x"), ContainsSubstring("nested"));
  // What was read last is shown as far as a line allows.
  CHECK(refused("{\"a\": \"" + std::string(5000, 'x')).size() < 300);
}

}  // namespace
}  // namespace lm::text

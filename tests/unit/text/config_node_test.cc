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
                    Catch::Matchers::ContainsSubstring("too many nodes"));
}

}  // namespace
}  // namespace lm::text

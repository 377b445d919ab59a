#include "cli/help.h"

#include <nlohmann/json.hpp>

#include "catch.h"
#include "core/str.h"
#include "spec.h"

using namespace lm;
using namespace lm::cli;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("long help names every option of the verb and of all programs", "[cli]") {
  const ToolSpec spec = test::two_verbs();
  for (const char* verb : {"look", "leap"}) {
    const std::string text = long_help(spec, verb);
    for (const Flag& flag : all_flags(spec, verb))
      CHECK_THAT(text, ContainsSubstring(flag.name));
    for (const std::string_view line : split(text, '\n'))
      CHECK(line.size() <= 100);
  }
  CHECK(long_help(spec, "leap").find("--depth") == std::string::npos);
  CHECK_THAT(long_help(spec, "look"), ContainsSubstring("--[no-]tidy"));
}

TEST_CASE("short help fits on a screen", "[cli]") {
  const std::string text = short_help(test::two_verbs(), "look");
  CHECK(split(text, '\n').size() < 40);
  CHECK_THAT(text, ContainsSubstring("-k, --depth N"));
  CHECK(text.find("--field") == std::string::npos);
}

TEST_CASE("the table as JSON holds verbs, kinds and defaults", "[cli]") {
  const nlohmann::json table = nlohmann::json::parse(generate(test::two_verbs(), "json"));
  CHECK(table["verbs"].size() == 2);
  const nlohmann::json& depth = table["verbs"][0]["flags"][0];
  CHECK(depth["name"] == "depth");
  CHECK(depth["kind"] == "int");
  CHECK(depth["default"] == "3");
  CHECK(depth["letter"] == "k");
}

TEST_CASE("roff hides leading dots, dashes and backslashes", "[cli]") {
  ToolSpec spec = test::two_verbs();
  spec.verbs[0].flags[0].details = ".dot 'quote \\n a-b";
  const std::string page = generate(spec, "man");
  CHECK_THAT(page, ContainsSubstring("\n\\&.dot 'quote \\en a\\-b\n"));
  CHECK_THAT(page, ContainsSubstring(".SH COMMANDS\n"));
}

TEST_CASE("completions offer every option of every verb", "[cli]") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string text = generate(test::two_verbs(), shell);
    for (const char* name : {"depth", "height", "output"})
      CHECK_THAT(text, ContainsSubstring(name));
  }
}

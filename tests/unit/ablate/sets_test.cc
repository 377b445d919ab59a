#include "ablate/sets.h"

#include "ablate/units.h"
#include "catch.h"
#include "core/error.h"
#include "core/str.h"
#include "io/atomic_file.h"
#include "tests_of_ablate.h"

using namespace lm;
using ablate::UnitSet;

namespace {

const std::vector<ablate::UnitName> kUnits = {
    {"code.0", "code"}, {"code.1", "code"}, {"law", "law"}, {"news", "news"}};

std::vector<UnitSet> sets_of(const std::string& text) {
  return ablate::parse_sets(text, kUnits, "sets");
}

}  // namespace

TEST_CASE("pairs and all sets are listed once, in order", "[ablate]") {
  CHECK(ablate::all_pairs(3) == std::vector<UnitSet>{{0, 1}, {0, 2}, {1, 2}});
  CHECK_THROWS_AS(ablate::all_pairs(1), Error);
  CHECK(ablate::all_subsets(3) ==
        std::vector<UnitSet>{{0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}, {0, 1, 2}});
  CHECK(ablate::all_subsets(10).size() == 1023);
  CHECK_THROWS_AS(ablate::all_subsets(17), Error);
}

TEST_CASE("training by parts costs what each unit costs, directly what each set costs",
          "[ablate]") {
  // n = 6 units of t tokens: pairs n (n - 1) t = 30 t, all sets n 2^(n-1) t = 192 t.
  const std::vector<i64> tokens(6, 1000);
  const ablate::Cost pairs = ablate::cost_of(ablate::all_pairs(6), tokens);
  CHECK(pairs.sets == 15);
  CHECK(pairs.units == 6);
  CHECK(pairs.modular_tokens == 6 * 1000);
  CHECK(pairs.direct_tokens == 30 * 1000);
  const ablate::Cost all = ablate::cost_of(ablate::all_subsets(6), tokens);
  CHECK(all.sets == 63);
  CHECK(all.modular_tokens == 6 * 1000);
  CHECK(all.direct_tokens == 192 * 1000);
  CHECK(ablate::cost_of(std::vector<UnitSet>{{1, 2}}, tokens).modular_tokens == 2000);
}

TEST_CASE("sets are read as names of units and of keys", "[ablate]") {
  CHECK(sets_of("[\"news\",\"law\"]\n\n{\"set\":[\"code\"],\"note\":1}\n[\"code.1\"]") ==
        std::vector<UnitSet>{{2, 3}, {0, 1}, {1}});
}

TEST_CASE("sets that cannot be meant are refused with file and line", "[ablate]") {
  const auto refusal = [](const std::string& text) {
    return test::refusal_of([&] { sets_of(text); });
  };
  CHECK(refusal("[\"lav\"]") == "sets:1: there is no unit and no key \"lav\" (did you mean law?)");
  CHECK(refusal("\n[\"law\",\"law\"]") == "sets:2: means unit \"law\" twice ()");
  CHECK(refusal("[\"code\",\"code.1\"]") == "sets:1: means unit \"code.1\" twice ()");
  CHECK(refusal("[\"law\",\"news\"]\n[\"news\",\"law\"]") ==
        "sets:2: this set stands there already ()");
  CHECK(refusal("law news") == "sets:1: is not JSON ()");
  CHECK(refusal("[1]") ==
        "sets:1: expected an array of names, or an object with one in \"set\" ()");
  CHECK(refusal("[]") == "sets:1: a set without units ()");
  CHECK(refusal("\n") == "sets: names no set ()");
}

TEST_CASE("a set is called by its units, or by a hash where that is too long", "[ablate]") {
  CHECK(ablate::set_name(std::vector<std::string>{"a", "b.0"}) == "a+b.0");
  const std::vector<std::string> many(100, "abcdef");
  CHECK(ablate::set_name(many).starts_with("100-units-"));
  CHECK(ablate::set_name(many).size() < 40);
}

TEST_CASE("keys become file names", "[ablate]") {
  CHECK(ablate::file_name_of("web") == "web");
  CHECK(ablate::file_name_of("a/b c") == "a-b-c");
  CHECK(ablate::file_name_of("../x") == "x");
  CHECK(ablate::file_name_of("2019.05") == "2019.05");
  CHECK(ablate::file_name_of("...") == "unit");
  CHECK(ablate::file_name_of("") == "unit");
  CHECK(ablate::file_name_of(std::string(300, 'x')).size() == 100);
}

TEST_CASE("units.json is read as it was written, with the folder before its paths", "[ablate]") {
  const test::TempDir dir;
  ablate::UnitList list;
  list.tokenizer = "abc";
  list.units = {{"web.0", "web", 3, 100, 900, "xxh3:1", "web.0/tokens.json", "web.0/r.jsonl.zst"}};
  list.held_out = {{"valid", "web", 1, 10, "valid/web.jsonl.zst"}};
  io::write_file(dir.file("units.json"), ablate::units_json(list, ",\"by\":\"source\""));
  const ablate::UnitList read = ablate::read_units(dir.path().string());
  CHECK(read.tokenizer == "abc");
  REQUIRE(read.units.size() == 1);
  CHECK(read.units[0].name == "web.0");
  CHECK(read.units[0].tokens == 100);
  CHECK(read.units[0].digest == "xxh3:1");
  CHECK(read.units[0].shards == dir.file("web.0/tokens.json"));
  CHECK(read.held_out[0].file == dir.file("valid/web.jsonl.zst"));
  list.units[0].shards = "../elsewhere.json";
  io::write_file(dir.file("units.json"), ablate::units_json(list, ""));
  CHECK(test::refusal_of([&] {
          ablate::read_units(dir.path().string());
        }).find("expected a path below its folder") != std::string::npos);
  CHECK_THROWS_AS(ablate::read_units(dir.file("nothing")), Error);
}

#include "mix/strict.h"

#include "catch.h"
#include "core/error.h"

namespace lm::mix {
namespace {

io::StreamHeader header(const std::string& params, std::vector<std::string> chain = {}) {
  io::StreamHeader out;
  out.params_json = params;
  out.chain = std::move(chain);
  return out;
}

TEST_CASE("a type that its tagger has not looked for is refused before any record", "[mix]") {
  Declared declared;
  declared.add(header(R"({"attributes":["e__t__words","e__t__lines",7]})"));
  declared.add(header("{}", {R"({"v":1,"tool":"lm-tag","params":{"attributes":["a__b__c"]}})",
                             R"({"older":3,"digest":"0"})", R"({"params":7})"}));
  declared.add(header(R"({"attributes":"none"})"));
  CHECK(declared.has("e__t__words"));
  CHECK(declared.has("a__b__c"));
  CHECK_FALSE(declared.has("e__t__word"));
  const auto check = [&](const char* name, const std::vector<std::string>& allowed = {}) {
    Names names;
    names.attribute(name);
    try {
      declared.check(names, allowed);
    } catch (const Error& e) {
      CHECK(e.kind() == ErrorKind::kData);
      return e.message();
    }
    return std::string();
  };
  CHECK(check("e__t__words").empty());
  CHECK(check("e__t__word") ==
        "attribute \"e__t__word\" is none of those that \"e__t\" looked "
        "for; near it: \"e__t__words\"");
  CHECK(check("e__t__word", {"e__t__word"}).empty());
  // Nobody has said what these look for.
  CHECK(check("e__u__words").empty());
  CHECK(check("bff_duplicate_docs").empty());
  CHECK(check("a__b").empty());
}

TEST_CASE("what a header declares counts as seen", "[mix]") {
  Names names;
  const i64 attribute = names.attribute("e__t__words");
  const i64 field = names.field("attributes");
  SeenAttributes seen(names, field, 2, 2);
  io::JsonReader json(names.paths());
  std::string line = R"({"text":"x"})";
  const std::size_t size = line.size();
  line.append(usize(io::kJsonPadding), '\0');
  REQUIRE_FALSE(json.parse(std::string_view(line).substr(0, size)));
  seen.look(json, 0, 1);
  CHECK(attribute == 0);
  CHECK_THROWS_AS(seen.check({}), Error);
  Declared declared;
  declared.add(header(R"({"attributes":["e__t__words"]})"));
  seen.check({}, declared);
  seen.check({"e__t__words"});
}

}  // namespace
}  // namespace lm::mix

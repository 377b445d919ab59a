#include "io/json_node.h"

#include <functional>
#include <vector>

#include "catch.h"
#include "core/error.h"
#include "core/str.h"
#include "io/json_parse.h"

using namespace lm;
using io::JsonNode;

namespace {

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kData);
    return e.message();
  }
  return "no error";
}

constexpr const char* kText = R"({
  "name": "x", "on": true, "few": 3, "less": -4, "part": 0.5, "none": null,
  "big": 9223372036854775807, "bigger": 9223372036854775808,
  "model": {"merges": ["a b", 7, ["c", "d"]], "empty": {}}})";

/// What both parsers must give alike.
void for_both(const std::string& text, const std::function<void(const JsonNode&)>& check) {
  const io::Json json = io::Json::parse(text);
  check(JsonNode(json, "dir/f.json"));
  const io::JsonDocument document(text);
  check(document.root("dir/f.json"));
}

}  // namespace

TEST_CASE("fields are read by type and range, with either parser", "[io]") {
  for_both(kText, [](const JsonNode& f) {
    CHECK(f.text("name") == "x");
    CHECK(f.text_or("none", "y") == "y");
    CHECK(f.text_or("absent", "y") == "y");
    CHECK(f.flag("on"));
    CHECK(f.flag_or("none", true));
    CHECK(f.integer("few", 3, 3) == 3);
    CHECK(f.integer("less", -4, 0) == -4);
    CHECK(f.integer("big", 0, INT64_MAX) == INT64_MAX);
    CHECK(f.integer_or("absent", 8, 0, 1) == 8);
    CHECK(f.number("part", 0, 1) == 0.5);
    CHECK(f.number("few", 0, 4) == 3.0);
    CHECK(f.number_or("none", 2.5, 0, 1) == 2.5);
    CHECK(f.has("name"));
    CHECK_FALSE(f.has("none"));
    CHECK(f.contains("none"));
    CHECK_FALSE(f.contains("absent"));
    CHECK_FALSE(f.maybe("none"));
    CHECK(f.at("none").is_null());
    CHECK(f.object("model").array("merges").size() == 3);
    CHECK(f.object("model").object("empty").size() == 0);
  });
}

TEST_CASE("a field that is not as it should be is named with what was found", "[io]") {
  for_both(kText, [](const JsonNode& f) {
    const auto says = [](const std::function<void()>& call) { return message_of(call); };
    CHECK(says([&] { f.integer("name", 0, 9); }) ==
          "dir/f.json: key \"name\" is \"x\", expected 0 to 9, a whole number");
    CHECK(says([&] { f.integer("part", 0, 9); }) ==
          "dir/f.json: key \"part\" is 0.5, expected 0 to 9, a whole number");
    CHECK(says([&] { f.integer("few", 4, 9); }) ==
          "dir/f.json: key \"few\" is 3, expected 4 to 9, a whole number");
    CHECK(says([&] { f.integer("bigger", 0, INT64_MAX); }) ==
          "dir/f.json: key \"bigger\" is 9223372036854775808, expected 0 to 9223372036854775807, a "
          "whole number");
    CHECK(says([&] { f.integer("absent", 0, 9); }) ==
          "dir/f.json: key \"absent\" is missing, expected 0 to 9, a whole number");
    CHECK(says([&] { f.integer("none", 0, 9); }) ==
          "dir/f.json: key \"none\" is null, expected 0 to 9, a whole number");
    CHECK(says([&] { f.number("few", 0, 2); }) ==
          "dir/f.json: key \"few\" is 3, expected a number from 0 to 2");
    CHECK(says([&] { f.flag_or("few", true); }) ==
          "dir/f.json: key \"few\" is 3, expected true or false");
    CHECK(says([&] { f.text("on"); }) == "dir/f.json: key \"on\" is true, expected a string");
    CHECK(says([&] { f.array("on"); }) == "dir/f.json: key \"on\" is true, expected an array");
    CHECK(says([&] { f.object("model").text("merges"); }) ==
          "dir/f.json: key \"model.merges\" is [\"a b\",7,[\"c\",\"d\"]], expected a string");
    CHECK(says([&] { f.object("model").object("merges"); }) ==
          "dir/f.json: key \"model.merges\" is [\"a b\",7,[\"c\",\"d\"]], expected an object");
  });
}

TEST_CASE("a value names its place", "[io]") {
  for_both(kText, [](const JsonNode& f) {
    CHECK(f.path().empty());
    CHECK(f.where() == "dir/f.json");
    const JsonNode merges = f.at("model").at("merges");
    CHECK(merges.item(2).item(1).path() == "model.merges[2][1]");
    CHECK(merges.item(2).item(1).str() == "d");
    CHECK(message_of([&] { merges.item(1).str(); }) ==
          "dir/f.json.model.merges[1]: expected a string");
    CHECK(message_of([&] { merges.item(0).integer(); }) ==
          "dir/f.json.model.merges[0]: expected an integer");
    CHECK(message_of([&] { merges.item(0).number(); }) ==
          "dir/f.json.model.merges[0]: expected a number");
    CHECK(message_of([&] { merges.item(0).boolean(); }) ==
          "dir/f.json.model.merges[0]: expected true or false");
    CHECK(message_of([&] { merges.at("x"); }) == "dir/f.json.model.merges: expected an object");
    CHECK(message_of([&] { f.at("model").at("x"); }) == "dir/f.json.model: has no field \"x\"");
    CHECK(message_of([&] { f.at("name").size(); }) == "dir/f.json.name: expected an object");
    CHECK(message_of([&] { f.at("name").each_item([](const JsonNode&) {}); }) ==
          "dir/f.json.name: expected an array");
    CHECK_THROWS_AS(merges.item(3), Error);
    CHECK_THROWS_AS(merges.item(-1), Error);
  });
  for_both("[[5]]",
           [](const JsonNode& list) { CHECK(list.item(0).item(0).where() == "dir/f.json[0][0]"); });
}

TEST_CASE("elements and fields are visited in the file's order", "[io]") {
  for_both(R"({"b":[1,2,3],"a":{"z":1,"y":2}})", [](const JsonNode& f) {
    std::string seen;
    f.each_field([&](std::string_view key, const JsonNode& value) {
      append(seen, key, ":", value.size(), " ");
      if (value.is_array())
        value.each_item([&](const JsonNode& item) { append(seen, item.path(), " "); });
      else
        value.each_field([&](std::string_view, const JsonNode& item) {
          append(seen, item.path(), "=", item.integer(), " ");
        });
    });
    CHECK(seen == "b:3 b[0] b[1] b[2] a:2 a.z=1 a.y=2 ");
  });
}

TEST_CASE("two strings are read as such, nothing else is", "[io]") {
  for_both(
      R"({"good":["a","b c"],"bad":[[],["a"],["a","b","c"],["a",1],[null,"b"],"ab",{}]})",
      [](const JsonNode& f) {
        const std::optional<std::pair<std::string_view, std::string_view>> two =
            f.at("good").as_string_pair();
        REQUIRE(two);
        CHECK(two->first == "a");
        CHECK(two->second == "b c");
        f.at("bad").each_item([](const JsonNode& item) { CHECK_FALSE(item.as_string_pair()); });
      });
}

TEST_CASE("unknown fields and repeated ones are refused where all are listed", "[io]") {
  for_both(R"({"m":{"a":1,"b":2}})", [](const JsonNode& f) {
    CHECK_NOTHROW(f.at("m").only({"a", "b", "c"}));
    CHECK(message_of([&] { f.at("m").only({"a"}); }) == "dir/f.json.m: has an unknown field \"b\"");
  });
  const io::JsonDocument twice(R"({"a":1,"a":2})");  // nlohmann keeps one of them
  CHECK(message_of([&] { twice.root("f").only({"a"}); }) == "f: has \"a\" twice");
}

TEST_CASE("a long value is cut between characters", "[io]") {
  std::string text = "{\"k\":\"";
  for (int i = 0; i < 50; ++i)
    text += "\xc3\xa9";
  const io::JsonDocument document(text + "\"}");
  const std::string message = message_of([&] { document.root("f").integer("k", 0, 1); });
  // A quote and 28 characters of two bytes fill the 57 that are shown.
  std::string shown = "\"";
  for (int i = 0; i < 28; ++i)
    shown += "\xc3\xa9";
  CHECK(message == cat("f: key \"k\" is ", shown, "..., expected 0 to 1, a whole number"));
}

TEST_CASE("text that is no JSON is refused with its reason", "[io]") {
  CHECK(message_of([] { io::parse_object("{\"a\": ", "f"); }) == "f:1:7: not valid JSON");
  CHECK(message_of([] { io::parse_object("[1]", "f"); }) == "f: expected a JSON object");
  CHECK(message_of([] { io::parse_object("{\"a\":1e400}", "f"); }) == "f: a number is too large");
  CHECK(io::parse_object("{\"a\":1000000000000000000000000000000}", "f").size() == 1);
  const io::JsonDocument broken("{\"a\"");
  CHECK_FALSE(broken.error().empty());
  CHECK(broken.error().starts_with("1:5: "));
  CHECK(message_of([&] { broken.root("f"); }) ==
        "f:1:5: not valid JSON: " + broken.error().substr(5));
  const io::JsonDocument lines("{\n \"a\": [1,\n  }\n}");
  CHECK(message_of([&] { lines.root("f"); }).starts_with("f:3:3: not valid JSON: "));
  CHECK(message_of([] { io::parse_object("{\n\n\"a\" 1}", "f"); }) == "f:3:5: not valid JSON");
  CHECK(io::JsonDocument("{}").error().empty());
  CHECK_FALSE(io::JsonDocument(std::string_view()).error().empty());
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  CHECK_FALSE(io::JsonDocument(deep).error().empty());
}

TEST_CASE("a plain file name leads nowhere else", "[io]") {
  for (const char* const good : {"a", "a.b", "..a", ".hidden", "a b"})
    CHECK(io::is_plain_file_name(good));
  for (const std::string& bad : {std::string(), std::string("."), std::string(".."),
                                 std::string("a/b"), std::string("/"), std::string("a\0b", 3)})
    CHECK_FALSE(io::is_plain_file_name(bad));
}

TEST_CASE("what is no JSON is said with its place", "[io]") {
  const auto detail = [](std::string_view text) {
    const Result<io::Json> json = io::parse_json(text);
    return json ? std::string("none") : json.fault().detail;
  };
  CHECK(detail("[1, \"a\", null]") == "none");
  CHECK(detail("17") == "none");
  CHECK(detail("[1,\n 2}") == "line 2, column 3: not valid JSON");
  CHECK(detail("{\"type\":") == "line 1, column 9: not valid JSON");
  CHECK(detail("") == "line 1, column 1: not valid JSON");
  CHECK(detail("{\n\"maximum\": 1e400}") ==
        "line 2, column 16: the number 1e400 is beyond what 64 bits hold");
  CHECK(detail("[\"ab\\ud800\"]") ==
        "line 1, column 11: half of a surrogate pair (\\ud800 to \\udfff) is no character");
}

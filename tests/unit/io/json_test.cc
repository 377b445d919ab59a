#include "io/json.h"

#include <algorithm>
#include <functional>

#include "catch.h"
#include "core/random.h"
#include "core/str.h"

using namespace lm;
using namespace lm::io;

namespace {
// A line with the padding that the reader asks for.
class Padded {
 public:
  explicit Padded(std::string text) : text_(std::move(text)), size_(text_.size()) {
    text_.append(usize(kJsonPadding), '\0');
  }
  std::string_view line() const { return std::string_view(text_).substr(0, size_); }

 private:
  std::string text_;
  std::size_t size_;
};

std::string fault_code(const std::string& text) {
  JsonReader reader({"text", "id", "metadata.url"});
  const Padded line(text);
  const std::optional<Fault> fault = reader.parse(line.line());
  return fault ? fault->code : "";
}
}  // namespace

TEST_CASE("fields are found with their raw bytes and types", "[io]") {
  JsonReader reader({"text", "id", "metadata.url", "n", "list"});
  const Padded line(
      R"({"id": 12.50 , "text":"a\nb\u00e9\ud83d\ude00","x":{"text":1},"metadata":{"a":[1,2],"url" : "u"},"list":[1,2 , 3],"n":7})");
  REQUIRE_FALSE(reader.parse(line.line()));
  CHECK(reader.raw(1) == "12.50");
  CHECK(*reader.string(0) == "a\nb\xc3\xa9\xf0\x9f\x98\x80");
  CHECK(*reader.string(2) == "u");
  CHECK(*reader.integer(3) == 7);
  CHECK(reader.string(1).fault().code == "type");
  std::vector<i32> ids;
  CHECK_FALSE(reader.integers(4, 10, ids));
  CHECK(ids == std::vector<i32>{1, 2, 3});
  CHECK(reader.integers(4, 3, ids)->code == "range");
  CHECK(reader.integers(0, 3, ids)->code == "type");
}

TEST_CASE("bad records carry their documented code", "[io]") {
  CHECK(fault_code(R"({"text":"a"})").empty());
  CHECK(fault_code("{}").empty());
  CHECK(fault_code(" { \"text\" : \"a\" } ").empty());
  CHECK(fault_code("[1]") == "json");
  CHECK(fault_code("3") == "json");
  CHECK(fault_code("") == "json");
  CHECK(fault_code(R"({"text":"a"} {"b":1})") == "json");
  CHECK(fault_code(R"({"text":"a",})") == "json");
  CHECK(fault_code(R"({"text":"":1}})") == "json");
  CHECK(fault_code(R"({"text":[,3],"x": ],"id":7})") == "json");
  CHECK(fault_code(R"({"text":[[3,"]"],{"x":"\"]"}] ,"id":7})").empty());
  CHECK(fault_code(R"({"other":"" : 1}})") == "json");
  CHECK(fault_code(R"({"metadata":{"url":"":1}}})") == "json");
  CHECK(fault_code(R"({"metadata":{"x":"":{}}}})") == "json");
  CHECK(fault_code(R"({"text":"a" "b":1})") == "json");
  CHECK(fault_code(R"({"text":"a"}})") == "json");
  CHECK(fault_code("{\"text\":\"a\xff\"}") == "utf8");
  CHECK(fault_code(R"({"text":"a","text":"b"})") == "duplicate_key");
  CHECK(fault_code(R"({"text":"a","te\u0078t":"b"})") == "duplicate_key");
  CHECK(fault_code(R"({"x":1,"x":2})").empty());
  CHECK(fault_code(cat("{\"a\":", std::string(2000, '['), std::string(2000, ']'), "}")) == "depth");
  CHECK(fault_code(cat("{\"a\":\"", std::string(3000, '['), "\"}")).empty());
  CHECK(fault_code("{\"a\":\"\x01\"}") == "json");
}

TEST_CASE("lone surrogates and bad escapes are faults of the field that has them", "[io]") {
  JsonReader reader({"text"});
  for (const char* text :
       {R"({"text":"\ud800"})", R"({"text":"\udc00"})", R"({"text":"\ud800\u0041"})"}) {
    const Padded line(text);
    REQUIRE_FALSE(reader.parse(line.line()));
    CHECK(reader.string(0).fault().code == "utf8");
  }
  const Padded nul(R"({"text":"a\u0000b"})");
  REQUIRE_FALSE(reader.parse(nul.line()));
  CHECK(*reader.string(0) == std::string("a\0b", 3));
}

TEST_CASE("one field is set in place as an edit sets it", "[io]") {
  const std::vector<std::string> paths = {"a", "a.b", "a.b.c", "x"};
  for (const char* const text :
       {"{}", "{ }", R"({"a":null})", R"({"a":null,"x":1} )", R"({"a":{}})",
        R"({"a":{ }, "x": [1]})", R"({"a":{"b":null}})", R"({"a":{"b":{}}})",
        R"({"a":{"z":1,"b":{"y":2}},"q":3})", R"( {"x":{"a":1} }  )", R"({"q":"}","x":"\""})",
        R"({"a":{"b":{"c":"d"}}})"}) {
    for (const std::string& path : paths) {
      JsonReader reader({path});
      const Padded line(text);
      REQUIRE_FALSE(reader.parse(line.line()));
      RecordEdit edit(reader);
      edit.set(0, "[7]");
      std::string expected = "before\n";
      edit.write(expected);
      std::string out = "before\n";
      FieldEdit field(reader, 0, out);
      out += "[7]";
      field.end();
      INFO(text << " " << path);
      CHECK(out == expected);
    }
  }
}

TEST_CASE("edits keep every other byte", "[io]") {
  JsonReader reader({"text", "attributes.a", "attributes.b", "gone", "metadata.x.y"});
  const auto edit = [&](const std::string& in, const std::function<void(RecordEdit&)>& change) {
    const Padded line(in);
    REQUIRE_FALSE(reader.parse(line.line()));
    RecordEdit e(reader);
    change(e);
    std::string out;
    e.write(out);
    return out;
  };
  CHECK(edit(R"({ "n":1e400, "text" : "a" })", [](RecordEdit& e) { e.set(0, "\"b\""); }) ==
        "{ \"n\":1e400, \"text\" : \"b\" }\n");
  CHECK(edit("{}", [](RecordEdit& e) { e.set(0, "1"); }) == "{\"text\":1}\n");
  CHECK(edit("{ }", [](RecordEdit& e) { e.append("k", "1"); }) == "{ \"k\":1}\n");
  CHECK(edit(R"({"x":1})",
             [](RecordEdit& e) {
               e.set(1, "1");
               e.set(2, "2");
             }) == R"({"x":1,"attributes":{"a":1,"b":2}})"
                   "\n");
  CHECK(edit(R"({"attributes":{},"x":1})",
             [](RecordEdit& e) {
               e.set(1, "1");
               e.set(2, "2");
             }) == R"({"attributes":{"a":1,"b":2},"x":1})"
                   "\n");
  CHECK(edit(R"({"attributes":{"a":0,"z":[]},"x":1})",
             [](RecordEdit& e) {
               e.set(1, "1");
               e.set(2, "2");
             }) == R"({"attributes":{"a":1,"z":[],"b":2},"x":1})"
                   "\n");
  CHECK(edit(R"({"metadata":{"q":1}})", [](RecordEdit& e) { e.set(4, "5"); }) ==
        R"({"metadata":{"q":1,"x":{"y":5}}})"
        "\n");
  CHECK(edit(R"({"gone":1,"x":2})", [](RecordEdit& e) { e.remove(3); }) == "{\"x\":2}\n");
  CHECK(edit(R"({"x":2 , "gone":[1,2]})", [](RecordEdit& e) { e.remove(3); }) == "{\"x\":2 }\n");
  CHECK(edit(R"({"gone":1})", [](RecordEdit& e) { e.remove(3); }) == "{}\n");
  CHECK(edit(R"({"gone":1,"text":"a"})",
             [](RecordEdit& e) {
               e.remove(3);
               e.append("new", "true");
             }) == R"({"text":"a","new":true})"
                   "\n");
}

namespace {
// The record with the given fields set to 7, or what the reader says of the first that cannot be.
std::string with_sevens(const std::string& text, const std::vector<std::string>& paths) {
  JsonReader reader(paths);
  const Padded line(text);
  if (const std::optional<Fault> fault = reader.parse(line.line())) return fault->code;
  RecordEdit edit(reader);
  for (i64 i = 0; i < reader.path_count(); ++i) {
    if (const std::optional<Fault> fault = reader.settable(i)) {
      CHECK(fault->code == "type");
      CHECK(fault->offset >= 0);
      return fault->detail;
    }
    edit.set(i, "7");
  }
  std::string out;
  edit.write(out);
  out.pop_back();
  const Padded again(out);
  CHECK_FALSE(reader.parse(again.line()));
  for (i64 i = 0; i < reader.path_count(); ++i)
    CHECK(reader.raw(i) == "7");
  return out;
}
}  // namespace

TEST_CASE("a null on the path of a new field becomes an object", "[io]") {
  CHECK(with_sevens(R"({"a":null})", {"a.b"}) == R"({"a":{"b":7}})");
  CHECK(with_sevens(R"({ "a" : null , "n":1})", {"a.b"}) == R"({ "a" : {"b":7} , "n":1})");
  CHECK(with_sevens(R"({"a":null})", {"a.b.c"}) == R"({"a":{"b":{"c":7}}})");
  CHECK(with_sevens(R"({"a":{"x":1,"b":null}})", {"a.b.c"}) == R"({"a":{"x":1,"b":{"c":7}}})");
  CHECK(with_sevens(R"({"a":null})", {"a.b", "a.c.d", "e"}) ==
        R"({"a":{"b":7,"c":{"d":7}},"e":7})");
  CHECK(with_sevens(R"({"\u0061":null})", {"a.b"}) == R"({"\u0061":{"b":7}})");
  CHECK(with_sevens(R"({"a":{"b":null}})", {"a.b"}) == R"({"a":{"b":7}})");
}

TEST_CASE("a field is not added below a value that is no object", "[io]") {
  CHECK(with_sevens(R"({"a":"x"})", {"a.b"}) == R"(field "a" is a string, expected an object)");
  CHECK(with_sevens(R"({"a":""})", {"a.b"}) == R"(field "a" is a string, expected an object)");
  CHECK(with_sevens(R"({"a":1e400})", {"a.b"}) == R"(field "a" is a number, expected an object)");
  CHECK(with_sevens(R"({"a":false})", {"a.b"}) == R"(field "a" is a boolean, expected an object)");
  CHECK(with_sevens(R"({"a":[{}]})", {"a.b"}) == R"(field "a" is an array, expected an object)");
  CHECK(with_sevens(R"({"a":{"b":"x"}})", {"a.b.c"}) ==
        R"(field "a.b" is a string, expected an object)");
  CHECK(with_sevens(R"({"a":3})", {"a.b.c"}) == R"(field "a" is a number, expected an object)");
  CHECK(with_sevens(R"({"\u0061":[]})", {"a.b"}) == R"(field "a" is an array, expected an object)");
  CHECK(with_sevens(R"({"a":1,"\u0061":{"b":1}})", {"a.b"}) == "duplicate_key");
  CHECK(with_sevens(R"({"a":{},"a":"x"})", {"a.b"}) == "duplicate_key");
  CHECK(with_sevens(R"({"a":{"b":{}},"b":1})", {"a.b.c"}) == R"({"a":{"b":{"c":7}},"b":1})");
}

TEST_CASE("null is no value where a field may be missing", "[io]") {
  JsonReader reader({"a", "b", "c.d"});
  const Padded line(R"({"a":null,"b":0,"c":null})");
  REQUIRE_FALSE(reader.parse(line.line()));
  CHECK_FALSE(reader.has(0));
  CHECK(reader.has(1));
  CHECK_FALSE(reader.has(2));
  CHECK_FALSE(reader.text_of(0));
  CHECK_FALSE(reader.object_or_none(0));
  CHECK(reader.object_or_none(1)->detail == R"(field "b" is a number, expected an object)");
  CHECK(reader.string(0).fault().detail == R"(field "a" is null, expected a string)");
}

TEST_CASE("any number of fields is read, and a repeated one is still found", "[io]") {
  std::vector<std::string> paths;
  std::string text = "{";
  for (int i = 0; i < 200; ++i) {
    paths.push_back(cat("k", i));
    append(text, i > 0 ? "," : "", "\"k", i, "\":", i);
  }
  paths.push_back("k3");  // a path may be asked for twice
  JsonReader reader(paths);
  const Padded good(text + "}");
  REQUIRE_FALSE(reader.parse(good.line()));
  for (i64 i = 0; i < 200; ++i)
    CHECK(*reader.integer(i) == i);
  CHECK(*reader.integer(200) == 3);
  for (const char* key : {"k0", "k63", "k64", "k127", "k128", "k199"}) {
    const Padded twice(cat(text, ",\"", key, "\":1}"));
    const std::optional<Fault> fault = reader.parse(twice.line());
    REQUIRE(fault);
    CHECK(fault->detail == cat("key \"", key, "\" occurs twice"));
  }
}

TEST_CASE("fields of one record stand side by side", "[io]") {
  const auto refusal = [](const std::vector<std::string>& paths) -> std::string {
    try {
      check_apart(paths);
    } catch (const Error& e) {
      return e.message();
    }
    return "";
  };
  CHECK(refusal({"a", "ab", "b.a", "b.c"}).empty());
  CHECK(refusal({"a", "a"}) == R"(field "a" is named for two purposes)");
  CHECK(refusal({"a.b", "a"}) ==
        R"(field "a.b" would lie inside the field "a", expected fields side by side)");
}

TEST_CASE("any fields may go and new ones come", "[io]") {
  JsonReader reader({"a", "b", "c"});
  const std::string fields[] = {"\"a\":1", "\"b\":\",}\"", "\"c\":[{}]"};
  for (const std::string blank : {"", " "}) {
    for (unsigned gone = 0; gone < 8; ++gone) {
      for (const bool added : {false, true}) {
        std::string want;
        std::string line = "{" + blank;
        const Padded padded(line + fields[0] + blank + "," + fields[1] + "," + blank + fields[2] +
                            blank + "}");
        REQUIRE_FALSE(reader.parse(padded.line()));
        RecordEdit e(reader);
        for (unsigned i = 0; i < 3; ++i) {
          if ((gone >> i & 1) != 0) {
            e.remove(i);
          } else {
            want += (want.empty() ? "" : ",") + fields[i];
          }
        }
        if (added) {
          e.append("d", "2");
          want += std::string(want.empty() ? "" : ",") + "\"d\":2";
        }
        std::string out;
        e.write(out);
        out.erase(std::remove(out.begin(), out.end(), ' '), out.end());
        CHECK(out == "{" + want + "}\n");
      }
    }
  }
}

TEST_CASE("any string survives a round trip through writer and reader", "[io]") {
  JsonReader reader({"text"});
  const RandomStream random(7, RandomPurpose::kOther);
  u64 draw = 0;
  for (int round = 0; round < 300; ++round) {
    std::string text;
    const u64 length = random.below(draw++, 40);
    for (u64 i = 0; i < length; ++i)
      text.push_back(static_cast<char>(random.below(draw++, 128)));
    const Padded line(cat("{\"text\":", json_string(text), "}"));
    REQUIRE_FALSE(reader.parse(line.line()));
    CHECK(*reader.string(0) == text);
  }
}

TEST_CASE("base64 follows RFC 4648", "[io]") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foobar") == "Zm9vYmFy");
}

// Eight bytes are looked at together; what needs an escape may stand anywhere among them.
TEST_CASE("strings are escaped alike wherever the characters stand", "[io]") {
  const auto model = [](const std::string& text) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
      const std::size_t named = std::string_view("\b\f\n\r\t\"\\").find(c);
      if (named != std::string_view::npos) {
        out += {'\\', "bfnrt\"\\"[named]};
      } else if (static_cast<u8>(c) < 0x20) {
        out += {'\\', 'u', '0', '0', kDigits[c >> 4], kDigits[c & 15]};
      } else {
        out += c;
      }
    }
    return out + "\"";
  };
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t at = 0; at < 20; ++at) {
      std::string text(20, 'x');
      text[at] = static_cast<char>(byte);
      REQUIRE(json_string(text) == model(text));
      text[19 - at] = '\x7f';
      text[(at + 9) % 20] = '\n';
      text.resize(20 - at % 9);
      REQUIRE(json_string(text) == model(text));
    }
  }
}

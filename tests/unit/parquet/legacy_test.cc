// Forms that pyarrow does not write, in files that are put together here byte by byte.

#include <fstream>

#include "catch.h"
#include "core/error.h"
#include "core/str.h"
#include "io/frame.h"
#include "parquet/json_rows.h"
#include "parquet/thrift.h"

using namespace lm;
using namespace lm::parquet;
using Catch::Matchers::ContainsSubstring;
using namespace std::string_view_literals;

namespace {

struct Element {
  std::string name;
  i64 type = -1;        // physical; -1: a group
  i64 repetition = -1;  // -1: the root's
  i64 children = 0;
  i64 converted = -1;
};

constexpr i64 kRequired = 0, kOptional = 1, kRepeated = 2;
constexpr i64 kInt32 = 1, kByteArray = 6;
constexpr i64 kUtf8 = 0, kList = 3;

void write_element(ThriftWriter& out, const Element& e) {
  out.begin_element();
  if (e.type >= 0) out.integer32(1, e.type);
  if (e.repetition >= 0) out.integer32(3, e.repetition);
  out.binary(4, e.name);
  if (e.children > 0) out.integer32(5, e.children);
  if (e.converted >= 0) out.integer32(6, e.converted);
  out.end();
}

struct Contents {
  std::vector<Element> schema;
  i64 type = kByteArray;
  i64 rows = 0;
  i64 values = 0;
  std::string page;  // levels and values as version 1 has them
  i64 encoding = 0;
  i64 level_encoding = 3;
  i64 kind = 0;  // of the page
  std::string other_file;
};

// One row group, one column chunk, one page.
std::string build(const Contents& c) {
  ThriftWriter header;
  header.integer32(1, c.kind);
  header.integer32(2, isize(c.page));
  header.integer32(3, isize(c.page));
  header.begin(5);
  header.integer32(1, c.values);
  header.integer32(2, c.encoding);
  header.integer32(3, c.level_encoding);
  header.integer32(4, c.level_encoding);
  header.end();
  const std::string chunk = header.finish() + c.page;
  ThriftWriter footer;
  footer.integer32(1, 1);
  footer.begin_list(2, ThriftType::kStruct, isize(c.schema));
  for (const Element& e : c.schema)
    write_element(footer, e);
  footer.integer64(3, c.rows);
  footer.begin_list(4, ThriftType::kStruct, 1);
  footer.begin_element();
  footer.begin_list(1, ThriftType::kStruct, 1);
  footer.begin_element();
  if (!c.other_file.empty()) footer.binary(1, c.other_file);
  footer.integer64(2, 4);
  footer.begin(3);
  footer.integer32(1, c.type);
  footer.begin_list(2, ThriftType::kI32, 1);
  footer.element(i64{0});
  footer.begin_list(3, ThriftType::kBinary, 1);
  footer.element(c.schema.back().name);
  footer.integer32(4, 0);
  footer.integer64(5, c.values);
  footer.integer64(6, isize(chunk));
  footer.integer64(7, isize(chunk));
  footer.integer64(9, 4);
  footer.end();
  footer.end();
  footer.integer64(2, isize(chunk));
  footer.integer64(3, c.rows);
  footer.end();
  const std::string tail = footer.finish();
  std::string out = cat("PAR1", chunk, tail);
  io::append_u32le(out, static_cast<u32>(tail.size()));
  return out + "PAR1";
}

std::string read(const Contents& contents) {
  const LocalContext ctx;
  const lm::test::TempDir dir;
  const std::string bytes = build(contents);
  std::ofstream(dir.file("x"), std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
  try {
    JsonRows rows(dir.file("x"), {}, ctx);
    std::string out;
    while (rows.next(out)) {
    }
    return out;
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kData);
    return e.message();
  }
}

std::string level_bytes(std::string_view runs) {
  std::string out;
  io::append_u32le(out, static_cast<u32>(runs.size()));
  return out.append(runs);
}

std::string strings(std::initializer_list<std::string_view> values) {
  std::string out;
  for (const std::string_view value : values) {
    io::append_u32le(out, static_cast<u32>(value.size()));
    out += value;
  }
  return out;
}

}  // namespace

// Rows ["a","b"], null, [], ["c"]: repetition 0 1 0 0 0; an optional list whose elements are there:
// definition 2 2 0 1 2. Packed groups of eight, the first value in the lowest bits.
TEST_CASE("lists of two levels are lists", "[parquet]") {
  Contents c;
  c.rows = 4;
  c.values = 5;
  c.page = level_bytes("\x03\x02"sv) + level_bytes("\x03\x4a\x02"sv) + strings({"a", "b", "c"});
  const std::string rows = "{\"l\":[\"a\",\"b\"]}\n{\"l\":null}\n{\"l\":[]}\n{\"l\":[\"c\"]}\n";
  SECTION("a repeated value") {
    c.schema = {{"schema", -1, -1, 1},
                {"l", -1, kOptional, 1, kList},
                {"array", kByteArray, kRepeated, 0, kUtf8}};
    CHECK(read(c) == rows);
  }
  SECTION("a group with a required element") {
    c.schema = {{"schema", -1, -1, 1},
                {"l", -1, kOptional, 1, kList},
                {"bag", -1, kRepeated, 1},
                {"array_element", kByteArray, kRequired, 0, kUtf8}};
    CHECK(read(c) == rows);
  }
  SECTION("a group called array is a struct") {
    c.schema = {{"schema", -1, -1, 1},
                {"l", -1, kOptional, 1, kList},
                {"array", -1, kRepeated, 1},
                {"x", kByteArray, kRequired, 0, kUtf8}};
    CHECK_THAT(read(c), ContainsSubstring("column \"l\" is a list of structs"));
  }
  SECTION("a group called as tuples were is a struct") {
    c.schema = {{"schema", -1, -1, 1},
                {"l", -1, kOptional, 1, kList},
                {"l_tuple", -1, kRepeated, 1},
                {"x", kByteArray, kRequired, 0, kUtf8}};
    CHECK_THAT(read(c), ContainsSubstring("column \"l\" is a list of structs"));
  }
}

// [1], [], [2,3]: repetition 0 0 0 1, definition 1 0 1 1.
TEST_CASE("a repeated field without a group is a list", "[parquet]") {
  Contents c;
  c.schema = {{"schema", -1, -1, 1}, {"n", kInt32, kRepeated}};
  c.type = kInt32;
  c.rows = 3;
  c.values = 4;
  c.page = level_bytes("\x03\x08"sv) + level_bytes("\x03\x0d"sv) +
           std::string("\1\0\0\0\2\0\0\0\3\0\0\0", 12);
  CHECK(read(c) == "{\"n\":[1]}\n{\"n\":[]}\n{\"n\":[2,3]}\n");
  SECTION("counts must agree") {
    c.rows = 2;
    CHECK_THAT(read(c), ContainsSubstring("more rows than its row group"));
    c.rows = 4;
    CHECK_THAT(read(c), ContainsSubstring("the column ends 1 rows before its row group"));
    c.rows = 5;
    CHECK_THAT(read(c), ContainsSubstring("4 values for 5 rows"));
  }
  SECTION("an element needs a list") {
    c.page = level_bytes("\x03\x09"sv) + level_bytes("\x03\x0d"sv) + c.page.substr(12);
    CHECK_THAT(read(c), ContainsSubstring("belongs to no list"));
  }
}

TEST_CASE("bytes without an annotation are base64, strings must be UTF-8", "[parquet]") {
  Contents c;
  c.schema = {{"schema", -1, -1, 1}, {"b", kByteArray, kRequired}};
  c.rows = c.values = 1;
  c.page = strings({"\xff"});
  CHECK(read(c) == "{\"b\":\"/w==\"}\n");
  c.schema.back().converted = kUtf8;
  CHECK_THAT(read(c),
             ContainsSubstring("column \"b\", row group 0, page at byte 4: a string is not "
                               "UTF-8 at its byte 0"));
}

TEST_CASE("what contradicts itself is refused", "[parquet]") {
  Contents c;
  c.schema = {{"schema", -1, -1, 1}, {"b", kByteArray, kRequired}};
  c.rows = c.values = 2;
  c.page = strings({"x", "y"});
  CHECK(read(c) == "{\"b\":\"eA==\"}\n{\"b\":\"eQ==\"}\n");
  SECTION("a value that is cut") {
    c.page.pop_back();
    CHECK_THAT(read(c), ContainsSubstring("a value of 1 bytes is cut: 0 are left"));
  }
  SECTION("a value that is missing") {
    c.page.resize(5);
    CHECK_THAT(read(c), ContainsSubstring("fewer values than the page header promises"));
  }
  SECTION("values of another type than the schema's") {
    c.type = kInt32;
    CHECK_THAT(read(c), ContainsSubstring("values of type INT32, the schema says BYTE_ARRAY"));
  }
  SECTION("two columns of one name") {
    c.schema[0].children = 2;
    c.schema.push_back(c.schema.back());
    CHECK_THAT(read(c), ContainsSubstring("two columns are called \"b\""));
  }
  SECTION("a schema that ends early") {
    c.schema[0].children = 2;
    CHECK_THAT(read(c), ContainsSubstring("the schema ends inside a group"));
  }
  SECTION("an annotation that does not fit") {
    c.schema[1].converted = 6;  // a date
    CHECK_THAT(read(c), ContainsSubstring("annotated as what BYTE_ARRAY cannot hold"));
  }
  SECTION("a type that is not read") {
    c.schema[1].converted = 21;
    CHECK_THAT(read(c), ContainsSubstring("column \"b\" is of type INTERVAL"));
  }
  SECTION("encodings of another type") {
    c.encoding = 5;
    CHECK_THAT(read(c), ContainsSubstring("in the encoding DELTA_BINARY_PACKED, which is not one"));
    c.encoding = 8;
    CHECK_THAT(read(c), ContainsSubstring("indices into a dictionary, and there is none"));
    c.encoding = 77;
    CHECK_THAT(read(c), ContainsSubstring("in the encoding number 77"));
  }
  SECTION("levels of the oldest encoding") {
    c.schema[1].repetition = kOptional;
    c.level_encoding = 4;
    CHECK_THAT(read(c), ContainsSubstring("definition levels in the encoding BIT_PACKED"));
  }
  SECTION("a page header of another kind") {
    c.kind = 3;
    CHECK_THAT(read(c), ContainsSubstring("of another kind than it says"));
  }
  SECTION("a chunk in another file") {
    c.other_file = "y.parquet";
    CHECK_THAT(read(c), ContainsSubstring("a column chunk lies in another file, \"y.parquet\""));
  }
}

#include "parquet/thrift.h"

#include "catch.h"
#include "core/error.h"

using namespace lm;
using namespace lm::parquet;
using Catch::Matchers::ContainsSubstring;
using namespace std::string_view_literals;

namespace {
const Place kPlace{.file = "x"};

std::string refusal(std::string_view bytes) {
  try {
    ThriftReader(bytes, kPlace).structure([](ThriftField) { return false; });
  } catch (const Error& e) {
    return e.message();
  }
  return "";
}
}  // namespace

TEST_CASE("a structure is written as the compact protocol has it", "[parquet]") {
  ThriftWriter out;
  out.integer32(1, -1);  // field 1 of type 5; zigzag of -1 is 1
  out.boolean(2, true);  // the type is the value
  out.binary(20, "ab");  // a step of 18 is written in full: type 8, zigzag of 20
  out.begin(21);         // step 1, type 12
  out.small(1, 7);
  out.end();
  out.begin_list(22, ThriftType::kI32, 2);
  out.element(i64{3});
  out.element(i64{-300});  // zigzag 599 = d7 04
  const std::string bytes = out.finish();
  CHECK(bytes ==
        "\x15\x01\x11\x08\x28\x02"
        "ab\x1c\x13\x07\0\x19\x25\x06\xd7\x04\0"sv);

  i64 seen = 0;
  ThriftReader in(bytes, kPlace);
  in.structure([&](ThriftField field) {
    if (field.id == 1) CHECK(in.integer(field) == -1);
    if (field.id == 2) CHECK(in.boolean(field));
    if (field.id == 20) CHECK(in.binary(field) == "ab");
    if (field.id == 22) {
      std::vector<i64> values;
      in.list(field, [&](ThriftField element) { values.push_back(in.integer(element)); });
      CHECK(values == std::vector<i64>{3, -300});
    }
    ++seen;
    return field.id != 21;  // which is skipped
  });
  CHECK(seen == 5);
  CHECK(in.at() == isize(bytes));
}

TEST_CASE("long lists and what is not read are passed over", "[parquet]") {
  ThriftWriter out;
  out.begin_list(1, ThriftType::kStruct, 20);
  for (int i = 0; i < 20; ++i) {
    out.begin_element();
    out.binary(1, "x");
    out.end();
  }
  out.integer64(2, i64{1} << 62);
  const std::string bytes = out.finish();
  ThriftReader in(bytes, kPlace);
  i64 value = 0;
  in.structure([&](ThriftField field) {
    if (field.id == 2) value = in.integer(field);
    return field.id == 2;
  });
  CHECK(value == i64{1} << 62);
}

TEST_CASE("damaged structures are refused", "[parquet]") {
  CHECK_THAT(refusal(""), ContainsSubstring("x: footer: the metadata is cut"));
  CHECK_THAT(refusal("\x15"), ContainsSubstring("is cut"));
  CHECK_THAT(refusal("\x18\x05xx"), ContainsSubstring("a string of 5 bytes is cut"));
  CHECK_THAT(refusal("\x19\xf5\xff\xff\xff\xff\x0f"),
             ContainsSubstring("4294967295 elements is cut"));
  CHECK_THAT(refusal("\x16\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
             ContainsSubstring("a number of at most 64 bits"));
  CHECK_THAT(refusal("\x1d"), ContainsSubstring("a type of Parquet's metadata"));
  CHECK_THAT(refusal(std::string(100, '\x1c')), ContainsSubstring("nests"));
  CHECK_THAT(refusal(std::string(100, '\x19')), ContainsSubstring("nests"));
}

#include "parquet/writer.h"

#include <functional>

#include "catch.h"
#include "core/error.h"
#include "core/random.h"
#include "core/str.h"
#include "io/file.h"
#include "io/folder.h"
#include "parquet/bits.h"
#include "parquet/column_writer.h"
#include "parquet/json_rows.h"
#include "parquet/json_writer.h"

using namespace lm;
using namespace lm::parquet;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::vector<OutColumn> kColumns = {{"s", ColumnType::kString},  {"j", ColumnType::kJson},
                                         {"i", ColumnType::kInteger}, {"n", ColumnType::kNumber},
                                         {"b", ColumnType::kBoolean}, {"l", ColumnType::kStrings},
                                         {"c", ColumnType::kString}};

std::string all_rows(const std::string& path, const Context& ctx) {
  JsonRows rows(path, {}, ctx);
  std::string out;
  while (rows.next(out)) {
  }
  return out;
}

// A row of kColumns by number, as the JSON that reading it gives. "c" has five different values.
std::string row_json(i64 row) {
  const RandomStream random(static_cast<u64>(row), RandomPurpose::kOther);
  const auto value = [&](u64 draw, const std::string& json) {
    return random.below(draw, 4) == 0 ? std::string("null") : json;
  };
  std::string list = "[";
  for (u64 i = random.below(20, 4); i > 0; --i)
    append(list, list == "[" ? "" : ",", "\"item ", random.below(30 + i, 9), "\"");
  list += "]";
  return cat("{\"s\":", value(0, cat("\"text ", row, " \\\" \xc3\xa9\"")),
             ",\"j\":", value(1, cat("\"{\\\"a\\\":", row, "}\"")),
             ",\"i\":", value(2, cat(static_cast<i64>(random.bits(3)))),
             ",\"n\":", value(4, cat(static_cast<f64>(row) / 8)),
             ",\"b\":", value(5, random.below(6, 2) == 0 ? "true" : "false"),
             ",\"l\":", value(7, list),
             ",\"c\":", value(8, cat("\"category ", random.below(9, 5), "\"")), "}\n");
}

// What reading gives a JSON column is a string; what is written is its content.
std::string written_json(i64 row) {
  std::string line = row_json(row);
  const std::size_t begin = line.find("\"{");
  if (begin == std::string::npos) return line;
  const std::size_t end = line.find("}\"", begin);
  return line.replace(begin, end + 2 - begin, cat("{\"a\":", row, "}"));
}

void write_rows(const std::string& path, i64 rows, const WriterOptions& options,
                const Context& ctx) {
  JsonWriter writer(path, kColumns, options, ctx);
  io::JsonReader json(JsonWriter::paths(kColumns));
  for (i64 i = 0; i < rows; ++i) {
    std::string line = written_json(i);
    const std::size_t size = line.size() - 1;
    line.append(usize(io::kJsonPadding), '\0');
    REQUIRE_FALSE(json.parse(std::string_view(line).substr(0, size)));
    REQUIRE_FALSE(writer.add(json));
  }
  CHECK(writer.rows() == rows);
  writer.close();
}

std::string expected_rows(i64 rows) {
  std::string out;
  for (i64 i = 0; i < rows; ++i)
    out += row_json(i);
  return out;
}

PageKind first_page(const File& file, i64 column) {
  const ChunkMeta& chunk = file.row_groups()[0].chunks[usize(column)];
  const Place place{.file = file.path()};
  return read_page_header(file.bytes().substr(usize(chunk.begin)), place).kind;
}

std::string message_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& e) {
    return cat(static_cast<int>(e.kind()), " ", e.message());
  }
  return "";
}

}  // namespace

TEST_CASE("what is written is read back, with every codec", "[parquet]") {
  const LocalContext ctx;
  const lm::test::TempDir dir;
  for (const PageCodec codec : {PageCodec::kNone, PageCodec::kSnappy, PageCodec::kGzip,
                                PageCodec::kZstd, PageCodec::kLz4Raw}) {
    INFO(codec_name(codec));
    const std::string path = dir.file(codec_name(codec));
    write_rows(path, 3000, {.codec = codec}, ctx);
    CHECK(all_rows(path, ctx) == expected_rows(3000));
  }
  CHECK(ctx->memory->used() == 0);
}

TEST_CASE("row groups and pages of any size hold the same rows", "[parquet]") {
  const LocalContext ctx;
  const lm::test::TempDir dir;
  const std::string path = dir.file("x");
  for (const i64 page : {1, 100, 5000}) {
    for (const i64 group : {1, 700, 50000}) {
      write_rows(path, 300, {.row_group_bytes = group, .page_bytes = page}, ctx);
      INFO(page << " bytes a page, " << group << " a row group");
      CHECK(all_rows(path, ctx) == expected_rows(300));
    }
  }
  write_rows(path, 300, {.row_group_rows = 64}, ctx);
  CHECK(File(path, ctx).row_groups().size() == 5);
  CHECK(all_rows(path, ctx) == expected_rows(300));
}

TEST_CASE("no rows and no columns make files too", "[parquet]") {
  const LocalContext ctx;
  const lm::test::TempDir dir;
  const std::string path = dir.file("x");
  write_rows(path, 0, {}, ctx);
  CHECK(all_rows(path, ctx).empty());
  CHECK(File(path, ctx).columns().size() == 7);
  Writer writer(path, {}, {}, ctx);
  writer.end_row();
  writer.close();
  CHECK(all_rows(path, ctx) == "{}\n");
}

TEST_CASE("strings that come again go into a dictionary, others do not", "[parquet]") {
  const LocalContext ctx;
  const lm::test::TempDir dir;
  const std::string path = dir.file("x");
  write_rows(path, 20000, {}, ctx);
  const File file(path, ctx);
  CHECK(first_page(file, 0) == PageKind::kData);        // all different
  CHECK(first_page(file, 5) == PageKind::kDictionary);  // lists of nine items
  CHECK(first_page(file, 6) == PageKind::kDictionary);  // five categories
  CHECK(all_rows(path, ctx) == expected_rows(20000));
}

TEST_CASE("a dictionary that grows too large is given up", "[parquet]") {
  const LocalContext ctx;
  const lm::test::TempDir dir;
  Writer writer(dir.file("x"), {{"s", ColumnType::kString}}, {}, ctx);
  std::string expected;
  for (i64 i = 0; i < 9000; ++i) {
    // Every value comes four times, so that only their size speaks against them.
    const std::string value = cat(std::string(600, 'y'), i / 4);
    writer.string(0, value);
    writer.end_row();
    append(expected, "{\"s\":\"", value, "\"}\n");
  }
  writer.close();
  CHECK(all_rows(dir.file("x"), ctx) == expected);
  CHECK(first_page(File(dir.file("x"), ctx), 0) == PageKind::kData);
}

TEST_CASE("equal rows give equal bytes; a writer that is not closed leaves nothing", "[parquet]") {
  const LocalContext ctx;
  const lm::test::TempDir dir;
  write_rows(dir.file("a"), 500, {}, ctx);
  write_rows(dir.file("b"), 500, {}, ctx);
  CHECK(io::read_file(dir.file("a")) == io::read_file(dir.file("b")));
  {
    Writer writer(dir.file("c"), kColumns, {.row_group_rows = 1}, ctx);
    writer.integer(2, 1);
    writer.end_row();
  }
  CHECK(io::list_folder(dir.path().string()) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a small budget makes small row groups", "[parquet]") {
  const LocalContext ctx(1, 4 << 20);
  const lm::test::TempDir dir;
  const std::string path = dir.file("x");
  Writer writer(path, {{"s", ColumnType::kString}}, {}, ctx);
  for (i64 i = 0; i < 40; ++i) {
    writer.string(0, std::string(100000, static_cast<char>('a' + i % 26)));
    writer.end_row();
  }
  writer.close();
  CHECK(File(path, ctx).row_groups().size() > 3);
  CHECK(isize(all_rows(path, ctx)) == 40 * 100009);
}

TEST_CASE("a record of another type is a fault and no row", "[parquet]") {
  const LocalContext ctx;
  const lm::test::TempDir dir;
  JsonWriter writer(dir.file("x"), kColumns, {}, ctx);
  io::JsonReader json(JsonWriter::paths(kColumns));
  const auto add = [&](std::string line) -> std::string {
    const std::size_t size = line.size();
    line.append(usize(io::kJsonPadding), '\0');
    REQUIRE_FALSE(json.parse(std::string_view(line).substr(0, size)));
    const std::optional<Fault> fault = writer.add(json);
    return fault ? cat(fault->code, ": ", fault->detail) : "";
  };
  CHECK_THAT(add(R"({"c":"x","s":1})"), ContainsSubstring("type: field \"s\" is a number"));
  CHECK_THAT(add(R"({"s":"x","i":1.5})"), ContainsSubstring("field \"i\""));
  CHECK_THAT(add(R"({"i":9223372036854775808})"), ContainsSubstring("range"));
  CHECK_THAT(add(R"({"n":"1"})"), ContainsSubstring("field \"n\" is a string"));
  CHECK(add(R"({"b":0})") == "type: field \"b\" is a number, expected a boolean");
  CHECK(add(R"({"l":"x"})") == "type: field \"l\" is a string, expected an array of strings");
  CHECK(add(R"({"l":["x",1]})") ==
        "type: field \"l\" is an array of other things, expected an array of strings");
  CHECK_THAT(add(R"({"l":["\ud800"]})"), ContainsSubstring("field \"l\""));
  CHECK(writer.rows() == 0);
  CHECK(add(R"({"l":["a\n",""],"j": [1, {"x":null}] ,"n":1e3,"s":null})").empty());
  writer.close();
  CHECK(all_rows(dir.file("x"), ctx) ==
        "{\"s\":null,\"j\":\"[1, {\\\"x\\\":null}]\",\"i\":null,\"n\":1000,\"b\":null,"
        "\"l\":[\"a\\n\",\"\"],\"c\":null}\n");
}

TEST_CASE("columns are named with their types", "[parquet]") {
  const OutColumn plain = parse_column("metadata.url");
  CHECK(plain.name == "metadata.url");
  CHECK(plain.type == ColumnType::kString);
  CHECK(parse_column("a:int").type == ColumnType::kInteger);
  CHECK(parse_column("a:b:strings").name == "a:b");
  CHECK(message_of([] { parse_column("a:number"); }) ==
        "64 a column of type \"number\", expected string, json, int, float, bool or strings");
  CHECK(message_of([] { parse_column(":int"); }) ==
        "64 a column \":int\", expected PATH or PATH:TYPE");
  const LocalContext ctx;
  const lm::test::TempDir dir;
  CHECK(message_of([&] {
          Writer(dir.file("x"), {{"a"}, {"a"}}, {}, ctx);
        }) == "64 two columns are called \"a\"");
  CHECK(message_of([&] { Writer(dir.file("no/x"), {{"a"}}, {}, ctx); }).starts_with("73 "));
}

TEST_CASE("runs are read back as they were written", "[parquet]") {
  u64 draw = 0;
  const RandomStream random(3, RandomPurpose::kOther);
  for (int width = 0; width <= 32; ++width) {
    for (int round = 0; round < 20; ++round) {
      std::vector<u32> values;
      while (values.size() < 200 && random.below(draw++, 30) != 0) {
        const u32 value = width == 0 ? 0 : static_cast<u32>(random.bits(draw++) >> (64 - width));
        const u64 more = random.below(draw++, 2) == 0 ? 0 : random.below(draw++, 20);
        values.insert(values.end(), 1 + more, value);
      }
      std::string bytes;
      append_runs(bytes, values, width);
      RunDecoder runs(bytes, width);
      std::vector<u32> seen(values.size());
      INFO(values.size() << " values of " << width << " bits");
      REQUIRE(runs.read(seen.data(), isize(seen)) == isize(seen));
      REQUIRE(seen == values);
    }
  }
}

#include "parquet/reader.h"

#include <algorithm>
#include <fstream>
#include <set>

#include "catch.h"
#include "core/random.h"
#include "core/str.h"
#include "parquet/json_rows.h"

using namespace lm;
using namespace lm::parquet;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string golden(const std::string& name) {
  return test::golden_file("parquet/" + name);
}

std::string all_rows(const std::string& path, const Context& ctx,
                     const std::vector<std::string>& columns = {}) {
  JsonRows rows(path, columns, ctx);
  std::string out;
  while (rows.next(out)) {
  }
  return out;
}

// What reading the file says: its rows, or "ERROR: message".
std::string outcome(const std::string& path, const Context& ctx) {
  try {
    return all_rows(path, ctx);
  } catch (const Error& e) {
    INFO(e.message());
    REQUIRE(e.kind() == ErrorKind::kData);
    return cat("ERROR: ", e.message());
  }
}

std::string put(const lm::test::TempDir& dir, std::string_view bytes) {
  const std::string path = dir.file("x.parquet");
  std::filesystem::remove(path);  // file systems may sync what is written over
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
  return path;
}

Error error_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& e) {
    return e;
  }
  FAIL("no error");
  throw std::logic_error("unreachable");
}

class CollectingLog final : public Log {
 public:
  void message(LogLevel level, std::string_view text) override {
    if (level == LogLevel::kWarning) append(lines, text, "\n");
  }
  bool enabled(LogLevel) const override { return true; }
  std::string lines;
};

}  // namespace

TEST_CASE("files of pyarrow read to the rows that were written", "[parquet]") {
  const LocalContext ctx;
  i64 files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(golden(""))) {
    const std::string expected = entry.path().string();
    const std::size_t name = expected.find(".expected.jsonl");
    if (name == std::string::npos) continue;
    INFO(expected);
    CHECK(all_rows(expected.substr(0, name) + ".parquet", ctx) == io::read_file(expected));
    ++files;
  }
  CHECK(files >= 38);
  CHECK(ctx->memory->used() == 0);
}

TEST_CASE("columns are read in the order they are named in", "[parquet]") {
  const LocalContext ctx;
  const std::string path = golden("types.parquet");
  CHECK(all_rows(path, ctx, {"u8", "cat"}) ==
        "{\"u8\":0,\"cat\":\"x\"}\n{\"u8\":255,\"cat\":\"y\"}\n{\"u8\":null,\"cat\":null}\n"
        "{\"u8\":7,\"cat\":\"x\"}\n");
  CHECK(all_rows(path, ctx, {"cat", "u8"}).starts_with("{\"cat\":\"x\",\"u8\":0}\n"));
}

TEST_CASE("nested columns are refused by name unless they are left out", "[parquet]") {
  const LocalContext ctx;
  const std::string path = golden("nested.parquet");
  const std::pair<const char*, const char*> refused[] = {{"st", "a struct"},
                                                         {"ll", "a list of lists"},
                                                         {"m", "a map"},
                                                         {"lst", "a list of structs"},
                                                         {"lm", "a list of maps"}};
  for (const auto& [name, what] : refused) {
    const Error e = error_of([&, &column = name] { JsonRows(path, {column}, ctx); });
    CHECK(e.kind() == ErrorKind::kData);
    CHECK(e.message() ==
          cat(path, ": column \"", name, "\" is ", what, ", which is not supported"));
    CHECK_THAT(e.hint(), ContainsSubstring("leave it out"));
  }
  CHECK_THAT(error_of([&] { JsonRows(path, {}, ctx); }).message(),
             ContainsSubstring("column \"st\" is a struct"));
  CHECK(all_rows(path, ctx, {"text"}) == "{\"text\":\"a\"}\n{\"text\":\"b\"}\n");
}

TEST_CASE("an unknown column is refused with the nearest name", "[parquet]") {
  const LocalContext ctx;
  const std::string path = golden("nested.parquet");
  const Error e = error_of([&] { JsonRows(path, {"txt"}, ctx); });
  CHECK(e.message() == cat(path, ": there is no column \"txt\""));
  CHECK(e.hint() == "did you mean \"text\"?");
}

TEST_CASE("a codec that is not read is refused by name and place", "[parquet]") {
  const LocalContext ctx;
  const std::string path = golden("brotli.parquet");
  const Error e = error_of([&] { all_rows(path, ctx); });
  CHECK(e.message() == cat(path,
                           ": column \"s\", row group 0, page at byte 4: compressed with "
                           "BROTLI, which is not supported"));
}

TEST_CASE("what is no Parquet file is refused", "[parquet]") {
  const LocalContext ctx;
  const lm::test::TempDir dir;
  CHECK_THAT(outcome(put(dir, "{\"text\":\"x\"}\n"), ctx), ContainsSubstring("no Parquet file"));
  CHECK_THAT(outcome(put(dir, ""), ctx), ContainsSubstring("no Parquet file"));
  CHECK_THAT(outcome(put(dir, "PAR1"), ctx), ContainsSubstring("is cut"));
  CHECK_THAT(outcome(put(dir, "PAR1PAR1"), ctx), ContainsSubstring("is cut"));
  CHECK_THAT(outcome(put(dir, std::string_view("PAR1\xff\0\0\0PAR1", 12)), ctx),
             ContainsSubstring("footer: 255 bytes by its length"));
  CHECK_THAT(outcome(put(dir, "PAREabcdefghPARE"), ctx), ContainsSubstring("encrypted"));
  CHECK_THAT(outcome(put(dir, std::string_view("PAR1\0\0\0\0PAR1", 12)), ctx),
             ContainsSubstring("footer: the metadata is cut"));
  CHECK_THAT(outcome("/dev/null", ctx), ContainsSubstring("not a regular file"));
  CHECK(error_of([&] { File(dir.file("none"), ctx); }).kind() == ErrorKind::kNoInput);
}

TEST_CASE("every cut of a file is an error", "[parquet]") {
  const LocalContext ctx;
  const lm::test::TempDir dir;
  for (const char* name : {"nulls-v1-checksums", "lists-v2", "delta-byte-array-v2"}) {
    const std::string whole = io::read_file(golden(cat(name, ".parquet")));
    for (std::size_t size = 0; size < whole.size(); ++size) {
      INFO(name << " cut to " << size);
      const std::string seen = outcome(put(dir, whole.substr(0, size)), ctx);
      if (!seen.starts_with("ERROR: ")) FAIL_CHECK("a cut file was read");
    }
  }
}

// Cut out of the middle, with a footer that still fits: the page is what is found to be cut.
TEST_CASE("a truncated page is refused with its place", "[parquet]") {
  const LocalContext ctx;
  const lm::test::TempDir dir;
  const std::string whole = io::read_file(golden("required-v1-plain.parquet"));
  std::string cut = whole;
  cut.erase(100, 40).insert(4, 40, '\0');  // the first pages come later than the footer says
  CHECK_THAT(outcome(put(dir, cut), ctx),
             ContainsSubstring("x.parquet: column \"s\", row group 0, page at byte 4: "));
}

TEST_CASE("a flipped bit in a page with a checksum is an error or changes nothing", "[parquet]") {
  const LocalContext ctx;
  const lm::test::TempDir dir;
  const std::string whole = io::read_file(golden("nulls-v1-checksums.parquet"));
  const std::string rows = io::read_file(golden("nulls-v1-checksums.expected.jsonl"));
  const std::size_t footer = whole.size() - 8 - static_cast<u8>(whole[whole.size() - 8]) -
                             256u * static_cast<u8>(whole[whole.size() - 7]);
  const RandomStream random(1, RandomPurpose::kOther);
  i64 errors = 0;
  for (u64 i = 0; i < 1000; ++i) {
    const std::size_t at = random.below(2 * i, footer);
    const u64 bit = random.below(2 * i + 1, 8);
    INFO("bit " << bit << " of byte " << at);
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
    const std::string seen = outcome(put(dir, flipped), ctx);
    if (seen.starts_with("ERROR: ")) {
      ++errors;
    } else if (seen != rows) {
      FAIL_CHECK("other rows");
    }
  }
  CHECK(errors > 700);
}

TEST_CASE("a flipped byte anywhere is an error of the data or gives rows", "[parquet]") {
  const LocalContext ctx(1, i64{256} << 20);
  const lm::test::TempDir dir;
  const RandomStream random(2, RandomPurpose::kOther);
  u64 draw = 0;
  for (const char* name : {"lists-v1", "delta-v2", "nulls-v2-dictionary-lz4", "types-plain-v2",
                           "nulls-v1-plain-gzip", "decimals", "lists-small-pages-v1"}) {
    const std::string whole = io::read_file(golden(cat(name, ".parquet")));
    for (int i = 0; i < 1000; ++i) {
      const std::size_t at = random.below(draw++, whole.size());
      const char byte = static_cast<char>(random.below(draw++, 256));
      INFO(name << " with " << int{byte} << " at " << at);
      std::string flipped = whole;
      flipped[at] = byte;
      outcome(put(dir, flipped), ctx);
    }
  }
  CHECK(ctx->memory->used() == 0);
}

TEST_CASE("memory is that of pages, not of row groups", "[parquet]") {
  const std::string path = golden("lists-small-pages-v2.parquet");
  const LocalContext small(1, 1 << 20);
  CHECK(all_rows(path, small) == io::read_file(golden("lists-small-pages-v2.expected.jsonl")));
  const LocalContext tiny(1, 1 << 10);
  CHECK(error_of([&] { all_rows(path, tiny); }).kind() == ErrorKind::kOs);
}

TEST_CASE("floats that become null are said", "[parquet]") {
  const LocalContext local;
  Context ctx = *local;
  CollectingLog log;
  ctx.log = &log;
  const std::string path = golden("types.parquet");
  all_rows(path, ctx);
  CHECK(log.lines == cat(path,
                         ": column \"nan\": values that are NaN or infinite became null, "
                         "JSON has no such number\n"));
}

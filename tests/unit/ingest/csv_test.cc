#include "ingest/csv.h"

#include "catch.h"
#include "converted.h"
#include "core/random.h"
#include "io/json.h"

using namespace lm;
using namespace lm::ingest;
using test::Converted;

namespace {

struct Table {
  CsvOptions options;
  Counts counts;
  test::Make make() {
    options.document.counts = &counts;
    return [this](std::unique_ptr<io::ByteSource> bytes) {
      return convert_csv(std::move(bytes), options);
    };
  }
};

Converted csv(const std::string& text, const CsvOptions& options = {}) {
  Table table;
  table.options = options;
  return test::convert_all(text, table.make());
}

CsvOptions tsv(Quoting quoting) {
  CsvOptions options;
  options.delimiter = '\t';
  options.quoting = quoting;
  return options;
}

// As RFC 4180 says; quotes only where needed or wished.
std::string quoted_cell(const std::string& text, bool always) {
  if (!always && text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text)
    out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string record(const std::string& id, const std::string& text) {
  return cat("{\"id\":", io::json_string(id), ",\"text\":", io::json_string(text), "}\n");
}

const std::string kSample =
    "\xEF\xBB\xBFid,text,url\r\n"
    "a,\"one, \"\"two\"\"\",http://x/\r\n"
    "\r\n"
    "b,\"line\nline\r\nline\",\r\n"
    "c,\xC3\xA9t\xC3\xA9,\"\"\r\n"
    "d,a\"b,z";
const std::string kSampleLines =
    R"({"id":"a","text":"one, \"two\"","metadata":{"url":"http://x/"}})"
    "\n\n"
    R"({"id":"b","text":"line\nline\r\nline","metadata":{"url":""}})"
    "\n"
    "{\"id\":\"c\",\"text\":\"\xC3\xA9t\xC3\xA9\",\"metadata\":{\"url\":\"\"}}\n"
    R"({"id":"d","text":"a\"b","metadata":{"url":"z"}})"
    "\n";

}  // namespace

TEST_CASE("quotes, doubled quotes, line ends in cells, CRLF, a mark and blank lines", "[ingest]") {
  const Converted out = csv(kSample);
  CHECK(out.error.empty());
  CHECK(out.lines == kSampleLines);
}

TEST_CASE("pieces of every size give the same lines", "[ingest]") {
  for (std::size_t size = 1; size <= kSample.size(); ++size) {
    Table table;
    const Converted out = test::convert_pieces(kSample, size, table.make());
    CAPTURE(size);
    CHECK(out.error.empty());
    CHECK(out.lines == kSampleLines);
    CHECK(table.counts.kept == 4);
  }
}

// A table that is cut between rows, or in its last cell without quotes, is a table all the same.
TEST_CASE("a cut anywhere loses no whole row", "[ingest]") {
  for (std::size_t size = 0; size < kSample.size(); ++size) {
    const Converted out = csv(kSample.substr(0, size));
    CAPTURE(size, out.lines, out.error);
    const i64 rows = count_byte(out.lines, '\n');
    // Whole rows of the cut text, less the header: those whose line end is in it.
    i64 whole = 0;
    for (const std::string end : {"x/\r\n", "x/\r\n\r\n", "line\",\r\n", "\"\"\r\n"})
      whole += size >= kSample.find(end) + end.size();
    CHECK(rows >= whole);
    std::size_t same = 0;
    for (i64 i = 0; i < whole; ++i)
      same = kSampleLines.find('\n', same) + 1;
    CHECK(out.lines.substr(0, same) == kSampleLines.substr(0, same));
    CHECK(rows <= whole + 1);
  }
}

TEST_CASE("tables that are no tables are refused with their line", "[ingest]") {
  const auto error = [](const std::string& text) { return csv(text).error; };
  CHECK(error("id,text\na,\"b\n\nc") == "in:2: the quote that opens here is never closed");
  CHECK(error("id,text\na,\"b\"c\n") ==
        R"(in:2: "c" behind a closing quote, expected "," or a line end)");
  CHECK(error("id,text\na,\"b\"\rc\n") ==
        R"(in:2: "c" behind a closing quote, expected "," or a line end)");
  CHECK(error("id,text\n\"x\ny\",b\na\n") == "in:4: 1 cell, expected 2 as in the header");
  CHECK(error("id,text\na,b,c\n") == "in:2: 3 cells, expected 2 as in the header");
  CHECK(error("id,text\n\"x\ny\",\"\n\xE9\"\n") == R"(in:4: byte "\xe9" is not UTF-8)");
  // A character is not made of the end of one cell and the start of the next.
  CHECK(error("id,text\n\xC3,\xA9\n") == R"(in:2: byte "\xc3" is not UTF-8)");
  CHECK(error("a,b\n") == R"(in:1: no column "text" among "a", "b")");
  CHECK(error("text,a,a\n") == R"(in:1: two columns are named "a")");
}

TEST_CASE("a row above the limit is refused before it is held", "[ingest]") {
  CsvOptions options;
  options.document.max_record_bytes = 100;
  const std::string much(200, 'x');
  CHECK(csv("text\n" + much, options).error == "in:2: a row longer than --max-record 100 B");
  CHECK(csv("text\n\"" + much, options).error ==
        "in:2: the quote that opens here has no end within --max-record 100 B");
  CHECK(csv("text\n" + std::string(200, ','), options).error.find("in:2: ") == 0);
}

TEST_CASE("rows before an error are there", "[ingest]") {
  const Converted out = csv("id,text\na,b\nc\n");
  CHECK(out.lines == record("a", "b"));
  CHECK(out.error == "in:3: 1 cell, expected 2 as in the header");
}

TEST_CASE("columns become fields", "[ingest]") {
  const std::string text = "created,body,key,n,source,added\n2024,t,k,7,s,2025\n";
  CsvOptions options;
  options.columns.text = "body";
  CHECK(csv(text, options).lines ==
        R"({"id":"in:1","text":"t","source":"s","added":"2025","created":"2024",)"
        R"("metadata":{"key":"k","n":"7"}})"
        "\n");
  options.columns.id = "key";
  options.columns.all_metadata = false;
  options.document.source = "mine";
  CHECK(csv(text, options).lines ==
        R"({"id":"k","text":"t","source":"mine","added":"2025","created":"2024"})"
        "\n");
  options.columns.metadata = {"source", "n"};
  options.guess_types = true;
  CHECK(csv(text, options).lines ==
        R"({"id":"k","text":"t","source":"mine","added":"2025","created":"2024",)"
        R"("metadata":{"source":"s","n":7}})"
        "\n");
  options.columns.metadata = {"m"};
  CHECK(csv(text, options).error ==
        R"(in:1: no column "m" among "created", "body", "key", "n", "source", "added")");
}

TEST_CASE("a column without a name is asked for by the empty one", "[ingest]") {
  const std::string text = ",text\n7,t\n";
  CsvOptions options;
  CHECK(csv(text, options).lines == R"({"id":"in:1","text":"t","metadata":{"":"7"}})"
                                    "\n");
  options.columns.id = "";
  CHECK(csv(text, options).lines == record("7", "t"));
  options.columns.text = "";
  options.columns.id = "text";
  CHECK(csv(text, options).lines == record("t", "7"));
  options.columns.text = "text";
  options.columns.id = "";
  CHECK(csv("id,text\n7,t\n", options).error == R"(in:1: no column "" among "id", "text")");
}

TEST_CASE("named columns mean that there is no header", "[ingest]") {
  CsvOptions options;
  options.names = {"id", "text"};
  CHECK(csv("id,text\na,b", options).lines == record("id", "text") + record("a", "b"));
  CHECK(csv("a\n", options).error == "in:1: 1 cell, expected 2 as in --columns");
  CHECK(csv("", options).lines.empty());
}

TEST_CASE("guessed types are JSON's", "[ingest]") {
  CsvOptions options;
  options.guess_types = true;
  CHECK(csv("text,a,b,c,d,e,f,g,h,i\n1,1,-0.5e3,01,1.,true,True,,\"\",123456789012345678901234\n",
            options)
            .lines ==
        R"({"id":"in:1","text":"1","metadata":{"a":1,"b":-0.5e3,"c":"01","d":"1.","e":true,)"
        R"("f":"True","g":null,"h":"","i":123456789012345678901234}})"
        "\n");
}

TEST_CASE("tabs without quotes, with quotes, with escapes", "[ingest]") {
  CHECK(csv("id\ttext\na\t\"b\r\n", tsv(Quoting::kNone)).lines == record("a", "\"b"));
  CHECK(csv("id\ttext\na\t\"b\tc\"\r\n", tsv(Quoting::kQuotes)).lines == record("a", "b\tc"));
  const CsvOptions dump = tsv(Quoting::kBackslash);
  CHECK(csv("id\ttext\na\\\\\tb\\tc\\n\\\"\\r\n", dump).lines == record("a\\", "b\tc\n\"\r"));
  CHECK(csv("id\ttext\n\\N\t\\Nx\n\\\\N\t\\N\r\n", dump).lines ==
        record("in:1", "Nx") + "{\"id\":\"\\\\N\",\"text\":null}\n");
  CHECK(csv("id\ttext\na\tb\\", dump).error == "in:2: ended inside an escape (the file is cut)");
  CHECK(csv("id\ttext\na\tb\\101", dump).error ==
        R"(in:2: escape \1 by number, expected \t, \n, \r, \\ or \N)");
}

TEST_CASE("what a writer of RFC 4180 writes is read back", "[ingest]") {
  const std::vector<std::string> kParts = {"a",        ",", "\"", "\n", "\r\n",
                                           "\xC3\xA9", " ", "\r", "x"};
  for (u64 seed = 0; seed < 300; ++seed) {
    const RandomStream random(seed, RandomPurpose::kOther);
    u64 draws = 0;
    std::string text = "id,text\n";
    std::string expected;
    for (u64 row = 0; row < 1 + seed % 5; ++row) {
      std::string cells[2];
      for (std::string& cell : cells)
        for (u64 n = random.below(draws++, 6); n > 0; --n)
          cell += kParts[random.below(draws++, kParts.size())];
      cells[0] += "i";  // an id, so that no row is blank
      const bool always = random.below(draws++, 2) == 0;
      const char* const end = random.below(draws++, 2) == 0 ? "\n" : "\r\n";
      append(text, quoted_cell(cells[0], always), ",", quoted_cell(cells[1], always), end);
      expected += record(cells[0], cells[1]);
    }
    Table table;
    const Converted out = test::convert_pieces(text, 1 + seed % 7, table.make());
    CAPTURE(seed, text);
    CHECK(out.error.empty());
    CHECK(out.lines == expected);
  }
}

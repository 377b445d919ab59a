#include "ingest/text.h"

#include "catch.h"
#include "converted.h"
#include "ingest/format.h"
#include "io/json.h"

using namespace lm;
using namespace lm::ingest;
using test::Converted;

namespace {

struct Made {
  Converted out;
  Counts counts;
};

Made text(const std::string& bytes, TextUnit unit, i64 limit = 1 << 20,
          std::size_t piece = 1 << 16) {
  Made made;
  TextOptions options;
  options.unit = unit;
  options.document.max_record_bytes = limit;
  options.document.counts = &made.counts;
  made.out = test::convert_pieces(bytes, piece, [&](std::unique_ptr<io::ByteSource> source) {
    return convert_text(std::move(source), options);
  });
  return made;
}

std::string record(const std::string& id, const std::string& content) {
  return cat("{\"id\":\"", id, "\",\"text\":", io::json_string(content), "}\n");
}

const std::string kSample = "\xEF\xBB\xBFone\r\ntwo\n \n\n\nthree \xC3\xA9\nfour";

}  // namespace

TEST_CASE("a document is a file, a line or a paragraph, in pieces of every size", "[ingest]") {
  for (std::size_t piece = 1; piece <= kSample.size(); ++piece) {
    CAPTURE(piece);
    CHECK(text(kSample, TextUnit::kFile, 1000, piece).out.lines == record("in", kSample.substr(3)));
    CHECK(text(kSample, TextUnit::kLine, 1000, piece).out.lines ==
          record("in:1", "one") + record("in:2", "two") + "\n\n\n" +
              record("in:6", "three \xC3\xA9") + record("in:7", "four"));
    const Made paragraphs = text(kSample, TextUnit::kParagraph, 1000, piece);
    CHECK(paragraphs.out.lines ==
          record("in:1", "one\ntwo") + record("in:6", "three \xC3\xA9\nfour"));
    CHECK(paragraphs.counts.kept == 2);
  }
}

TEST_CASE("no text is no document", "[ingest]") {
  for (const TextUnit unit : {TextUnit::kFile, TextUnit::kLine, TextUnit::kParagraph}) {
    const Made made = text("", unit);
    CHECK(made.out.lines.empty());
    CHECK(made.counts.kept == 0);
    CHECK(made.counts.left_out.contains("empty") == (unit == TextUnit::kFile));
  }
  CHECK(text("\n\n \n", TextUnit::kParagraph).out.lines.empty());
}

TEST_CASE("text that is not UTF-8 is refused with its line", "[ingest]") {
  const std::string bad = "a\n\nb\nc \xE9\n";
  for (const TextUnit unit : {TextUnit::kFile, TextUnit::kLine, TextUnit::kParagraph})
    CHECK(text(bad, unit).out.error == R"(in:4: byte "\xe9" is not UTF-8)");
}

TEST_CASE("a document above the limit becomes a record above the limit", "[ingest]") {
  const std::string much(5000, 'x');
  for (const TextUnit unit : {TextUnit::kFile, TextUnit::kLine, TextUnit::kParagraph}) {
    const Made made = text("a\n" + much + "\nb\n", unit, 100, 64);
    CHECK(made.out.error.empty());
    const std::size_t longest = made.out.lines.find("xxxx");
    REQUIRE(longest != std::string::npos);
    CHECK(made.out.lines.find('\n', longest) - longest > 95);
    CHECK(made.out.lines.size() < 1000);
    if (unit == TextUnit::kLine) CHECK(made.out.lines.ends_with(record("in:3", "b")));
  }
}

TEST_CASE("formats by suffix", "[ingest]") {
  CHECK(format_of("a/b.CSV") == Format::kCsv);
  CHECK(format_of("x.tsv.gz") == Format::kTsv);
  CHECK(format_of("CC-MAIN-1.warc.wet.gz") == Format::kWet);
  CHECK(format_of("CC-MAIN-1.warc.gz") == Format::kWarc);
  CHECK(format_of("a.jsonl.zst") == Format::kJsonLines);
  CHECK(!format_of("a.gz"));
  CHECK(!format_of(".csv"));
  CHECK(!format_of("-"));
}

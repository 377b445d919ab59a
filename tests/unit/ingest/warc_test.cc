#include "ingest/warc.h"

#include <zlib.h>

#include "catch.h"
#include "converted.h"
#include "core/parallel.h"
#include "io/json.h"

using namespace lm;
using namespace lm::ingest;
using test::Converted;

namespace {

std::string warc(const std::string& type, const std::string& fields, const std::string& block) {
  return cat("WARC/1.0\r\nWARC-Type: ", type, "\r\n", fields, "Content-Length: ", block.size(),
             "\r\n\r\n", block, "\r\n\r\n");
}

std::string response(const std::string& url, const std::string& head, const std::string& body,
                     const std::string& status = "200 OK") {
  return warc("response",
              cat("WARC-Target-URI: ", url,
                  "\r\nWARC-Date: 2024-05-01T00:00:00Z\r\nWARC-Record-ID: <urn:uuid:", url,
                  ">\r\nContent-Type: application/http; msgtype=response\r\n"),
              cat("HTTP/1.1 ", status, "\r\n", head, "\r\n", body));
}

std::string gzip(const std::string& text) {
  std::string out(text.size() + 200, '\0');
  z_stream z{};
  REQUIRE(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string in = text;
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

struct Made {
  Converted out;
  Counts counts;
  i64 accounted() const {
    i64 sum = counts.kept;
    for (const auto& [reason, count] : counts.left_out)
      sum += count;
    return sum;
  }
};

Made read(const std::string& bytes, std::size_t piece = 1 << 16, bool responses = true,
          i64 limit = 1 << 20) {
  Made made;
  WarcOptions options;
  options.responses = responses;
  options.document.max_record_bytes = limit;
  options.document.counts = &made.counts;
  made.out = test::convert_pieces(bytes, piece, [&](std::unique_ptr<io::ByteSource> source) {
    return convert_warc(std::move(source), options);
  });
  return made;
}

// The text of the only document, JSON-escaped.
std::string text_of(const std::string& archive) {
  const Made made = read(archive);
  CHECK(made.out.error.empty());
  const std::string& line = made.out.lines;
  const std::size_t begin = line.find("\"text\":") + 7;
  return line.empty() ? cat("none: ", made.counts.text())
                      : line.substr(begin, line.find(",\"metadata\"") - begin);
}

const std::string kHtml = "Content-Type: text/html; charset=utf-8\r\n";

std::vector<std::string> sample_records() {
  return {
      warc("warcinfo", "WARC-Filename: crawl-1.warc.gz\r\n", "software: x\r\n"),
      warc("request", "WARC-Target-URI: http://a/\r\n", "GET / HTTP/1.1\r\n\r\n"),
      response("http://a/", kHtml, "<p>One<p>Two"),
      response("http://b/", kHtml, "gone", "404 Not Found"),
      response("http://c/", "Content-Type: image/png\r\n", "\x89PNG"),
      warc(
          "conversion",
          "WARC-Target-URI: <http://d/>\r\nWARC-Date: 2024-05-02T00:00:00Z\r\nWARC-Payload-Digest: "
          "sha1:D\r\nContent-Type: text/plain\r\n",
          "Three\nFour\n"),
      warc("metadata", "", ""),
  };
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts)
    out += part;
  return out;
}

}  // namespace

TEST_CASE("responses and conversions become documents, the rest is counted", "[ingest]") {
  const std::vector<std::string> records = sample_records();
  const i64 a = isize(records[0] + records[1]);
  const i64 d = a + isize(records[2] + records[3] + records[4]);
  const std::string expected =
      cat(R"({"id":"urn:uuid:http://a/","text":"One\nTwo","metadata":{"url":"http://a/",)",
          R"("warc_date":"2024-05-01T00:00:00Z","content_type":"text/html",)",
          R"("warc_filename":"crawl-1.warc.gz","offset":)", a, "}}\n",
          R"({"id":"sha1:D","text":"Three\nFour\n","metadata":{"url":"http://d/",)",
          R"("warc_date":"2024-05-02T00:00:00Z","content_type":"text/plain",)",
          R"("warc_filename":"crawl-1.warc.gz","offset":)", d, "}}\n");
  const Made made = read(joined(records));
  CHECK(made.out.error.empty());
  CHECK(made.out.lines == expected);
  CHECK(made.counts.json() ==
        R"({"read":7,"kept":2,"left_out":{"content_type":1,"metadata":1,"request":1,"status":1,)"
        R"("warcinfo":1},"repaired":0})");
  // The same from members and from pieces of any size.
  std::string members;
  for (const std::string& record : records)
    members += gzip(record);
  CHECK(read(members).out.lines == expected);
  for (const std::size_t piece : {1, 2, 3, 7, 64, 200})
    CHECK(read(joined(records), piece).out.lines == expected);
  for (const std::size_t piece : {1, 5})
    CHECK(read(members, piece).out.lines == expected);
  // Of WET files the conversions alone.
  const Made wet = read(joined(records), 1 << 16, false);
  CHECK(wet.counts.kept == 1);
  CHECK(wet.counts.left_out.at("response") == 3);
  CHECK(wet.accounted() == 7);
}

TEST_CASE("a cut anywhere but between records is an error, and what is whole is there",
          "[ingest]") {
  const std::vector<std::string> records = sample_records();
  const std::string whole = joined(records);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::size_t end = 0;
    std::size_t complete = 0;
    while (complete < records.size() && end + records[complete].size() <= size)
      end += records[complete++].size();
    const Made made = read(whole.substr(0, size));
    CAPTURE(size, made.out.error);
    CHECK(made.out.error.empty() == (end == size));
    CHECK(count_byte(made.out.lines, '\n') == (complete > 2) + (complete > 5));
    CHECK(made.accounted() == made.counts.read);
    CHECK(made.counts.read == static_cast<i64>(complete));
  }
  const std::string packed = gzip(whole);
  for (std::size_t size = 1; size < packed.size(); ++size)
    CHECK(!read(packed.substr(0, size)).out.error.empty());
}

TEST_CASE("what is no archive is refused with its byte", "[ingest]") {
  const auto error = [](const std::string& text) { return read(text).out.error; };
  const std::string good = warc("metadata", "", "");
  CHECK(error("<html>") == R"(in: byte 0: starts with "<html>", expected WARC/1.0 or WARC/1.1)");
  CHECK(error("WARC/0.18\r\n\r\n") ==
        R"(in: byte 0: starts with "WARC/0.1", expected WARC/1.0 or WARC/1.1)");
  CHECK(error("WARC/1.2\r\n\r\n") ==
        "in: byte 0: a version of WARC that is not known, expected 1.0 or 1.1");
  CHECK(error(good + "WARC/1.1\r\nno field\r\n\r\n") ==
        cat("in: byte ", good.size(), ": a line in the record's head is no NAME: VALUE"));
  CHECK(error("WARC/1.0\r\nA: b\r\n\r\n") ==
        R"(in: byte 0: Content-Length is "", expected one whole number)");
  CHECK(error("WARC/1.0\r\nContent-Length: -1\r\n\r\n") ==
        R"(in: byte 0: Content-Length is "-1", expected one whole number)");
  CHECK(error("WARC/1.0\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab\r\n\r\n") ==
        R"(in: byte 0: Content-Length is "2", expected one whole number)");
  CHECK(
      error("WARC/1.0\r\nContent-Length: 1\r\n\r\nab\r\n\r\n") ==
      R"(in: byte 0: Content-Length 1 of this record ends at byte 32 before "b\x0d\n\x0d", expected two line ends)");
  CHECK(error("WARC/1.0\r\nContent-Length: 9223372036854775807\r\n\r\nab\r\n\r\n") ==
        "in: byte 0: the record that begins here is cut at byte 55");
  CHECK(error("WARC/1.0\r\n" + std::string(2 << 20, 'a')) ==
        "in: byte 0: a head without end within 1.0 MiB");
}

TEST_CASE("charsets come from the head, from meta, from the bytes", "[ingest]") {
  const auto page = [](const std::string& head, const std::string& body) {
    return text_of(response("http://a/", cat("Content-Type: text/html", head, "\r\n"), body));
  };
  CHECK(page("; charset=iso-8859-1", "<p>caf\xE9 \x80") == "\"caf\xC3\xA9 \xE2\x82\xAC\"");
  CHECK(page("; charset=\"Shift_JIS\"", "<p>\x93\xFA\x96{") == "\"\xE6\x97\xA5\xE6\x9C\xAC\"");
  CHECK(page("", "<meta charset='windows-1251'><p>\xCF\xF0\xE8") == "\"\xD0\x9F\xD1\x80\xD0\xB8\"");
  CHECK(page("; charset=nonsense",
             "<meta http-equiv=content-type content=\"text/html; charset=EUC-KR\"><p>\xC7\xD1") ==
        "\"\xED\x95\x9C\"");
  CHECK(page("", "<p>caf\xC3\xA9") == "\"caf\xC3\xA9\"");
  CHECK(page("; charset=latin1", "\xEF\xBB\xBF<p>caf\xC3\xA9") == "\"caf\xC3\xA9\"");
  // Undeclared Russian in windows-1251, long enough to tell.
  std::string russian;
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    russian += "\xDD\xF2\xEE \xF2\xE5\xEA\xF1\xF2 \xED\xE0 \xF0\xF3\xF1\xF1\xEA\xEE\xEC. ";
    expected += i > 0 ? " " : "";
    expected +=
        "\xD0\xAD\xD1\x82\xD0\xBE \xD1\x82\xD0\xB5\xD0\xBA\xD1\x81\xD1\x82 \xD0\xBD\xD0\xB0 "
        "\xD1\x80\xD1\x83\xD1\x81\xD1\x81\xD0\xBA\xD0\xBE\xD0\xBC.";
  }
  CHECK(page("", "<p>" + russian) == cat("\"", expected, "\""));
  const Made broken = read(response("http://a/", kHtml, "<p>caf\xE9!"));
  CHECK(broken.out.lines.find("caf\xEF\xBF\xBD!") != std::string::npos);
  CHECK(broken.counts.repaired == 1);
}

TEST_CASE("bodies without chunks and gzip, said and meant", "[ingest]") {
  const std::string chunked = kHtml + "Transfer-Encoding: chunked\r\n";
  CHECK(text_of(response("http://a/", chunked,
                         "5\r\n<p>On\r\n4;x\r\ne tw\r\n1\r\no\r\n0\r\n\r\n")) == "\"One two\"");
  CHECK(text_of(response("http://a/", chunked, "<p>One two")) == "\"One two\"");
  // What goes wrong behind whole chunks ends there: sizes are no text.
  for (const char* const rest :
       {"zz\r\nthree\r\n0\r\n\r\n", "5 bytes\r\n", "2\r\nabc\r\n", "-1\r\nx"})
    CHECK(text_of(response("http://a/", chunked, cat("5\r\n<p>On\r\n5\r\ne two\r\n", rest))) ==
          "\"One two\"");
  const std::string packed = kHtml + "Content-Encoding: gzip\r\n";
  CHECK(text_of(response("http://a/", packed, gzip("<p>One two"))) == "\"One two\"");
  CHECK(text_of(response("http://a/", packed, "<p>One two")) == "\"One two\"");
  std::string torn = gzip("<p>One two");
  torn.resize(torn.size() - 3);
  CHECK(text_of(response("http://a/", packed, torn)) == "none: 1 read, 0 kept, left out: 1 packed");
}

TEST_CASE("records that are left out are counted by reason", "[ingest]") {
  const auto reason = [](const std::string& record) {
    const Made made = read(record, 1 << 16, true, 5000);
    CHECK(made.out.lines.empty());
    CHECK(made.counts.read == 1);
    return made.counts.left_out.empty() ? "" : made.counts.left_out.begin()->first;
  };
  CHECK(reason(response("http://a/", kHtml, "<script>x</script>")) == "no_text");
  CHECK(reason(response("http://a/", kHtml, std::string(6000, 'x'))) == "too_long");
  CHECK(reason(response("http://a/", "", "data")) == "content_type");
  CHECK(reason(warc("response", "WARC-Target-URI: dns:a\r\nContent-Type: text/dns\r\n", "a")) ==
        "content_type");
  CHECK(reason(warc("response", "Content-Type: application/http\r\n", "nothing of http")) ==
        "http");
  CHECK(reason(warc("conversion", "WARC-Segment-Number: 2\r\n", "x")) == "segment");
  CHECK(reason(warc("mine", "", "x")) == "other_type");
  std::string deep;
  for (int i = 0; i < 2500; ++i)
    deep += "<b>";
  CHECK(read(response("http://a/", kHtml, deep + "x")).counts.left_out.at("html") == 1);
}

TEST_CASE("the lines do not depend on the number of threads", "[ingest]") {
  std::string archive;
  for (int i = 0; i < 3000; ++i)
    archive += response(cat("http://a/", i), kHtml,
                        cat("<h1>", i, "</h1><p>", std::string(usize(i), 'x')));
  set_threads(1);
  const Made one = read(archive);
  CHECK(one.counts.kept == 3000);
  for (const int threads : {2, 7}) {
    set_threads(threads);
    CHECK(read(archive).out.lines == one.out.lines);
  }
  set_threads(1);
}

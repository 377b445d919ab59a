// An archive of web pages as a crawl may have left it: heads, HTTP, encodings, HTML.

#include "ingest/warc.h"

#include "core/context.h"
#include "fuzz.h"
#include "ingest/charset.h"
#include "ingest/document.h"
#include "ingest/html_text.h"
#include "ingest/http.h"
#include "io/json.h"

namespace {

using namespace lm;

void convert(const std::string& path, bool responses) {
  static const LocalContext ctx;
  ingest::Counts counts;
  ingest::WarcOptions options;
  options.responses = responses;
  options.document.counts = &counts;
  options.document.max_record_bytes = 1 << 16;
  std::string lines;
  const std::unique_ptr<io::Converter> converter = ingest::convert_warc(path, options, ctx);
  fuzz::refuse_or_run([&] {
    while (converter->next(lines)) {
    }
  });
  i64 accounted = counts.kept;
  for (const auto& [reason, count] : counts.left_out)
    accounted += count;
  LM_CHECK(accounted == counts.read, "every record is kept or left out");
  lines.append(usize(io::kJsonPadding), '\0');
  io::JsonReader json({"id", "text", "metadata.offset"});
  i64 records = 0;
  for (std::size_t at = 0; at + usize(io::kJsonPadding) < lines.size(); ++records) {
    const std::size_t end = lines.find('\n', at);
    LM_CHECK(!json.parse(std::string_view(lines).substr(at, end - at)), "a line is a record");
    LM_CHECK(json.string(0) && json.string(1) && json.integer(2), "a document");
    at = end + 1;
  }
  LM_CHECK(records == counts.kept, "every document is counted");
}

/// The parts that a whole archive rarely lets mutations through to.
void convert_parts(std::string_view bytes) {
  static ingest::CharsetDecoder charsets;
  static ingest::HtmlText html;
  if (const auto response = ingest::parse_http(bytes)) ingest::http_content(*response, 1 << 16);
  for (const char* const label : {"", "utf-8", "shift_jis", "gb18030", "utf-16le"}) {
    const ingest::CharsetDecoder::Decoded text =
        charsets.decode(bytes, {ingest::meta_charset(bytes), label});
    LM_CHECK(ingest::is_utf8(text.text), "decoded text is UTF-8");
  }
  if (const auto text = html.extract(ingest::repair_utf8(bytes)))
    LM_CHECK(ingest::is_utf8(*text), "the text of a page is UTF-8");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const lm::u8* data, std::size_t size) {
  static fuzz::ScratchFile file;
  const std::string_view bytes = fuzz::text_of(data, size);
  const std::string& path = file.put(bytes);
  fuzz::refuse_or_run([&] { convert(path, true); });
  fuzz::refuse_or_run([&] { convert(path, false); });
  convert_parts(bytes);
  return 0;
}

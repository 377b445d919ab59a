// A table as another program may have left it: rows do not depend on how the text is cut, and every
// converted line is a record.

#include "ingest/csv.h"

#include <algorithm>

#include "core/context.h"
#include "core/str.h"
#include "fuzz.h"
#include "io/json.h"

namespace {

using namespace lm;
using ingest::Quoting;

/// Rows and what ended them, of text in pieces of that size.
std::string read_rows(std::string_view text, std::size_t piece, Quoting quoting) {
  ingest::RowReader rows("in", ',', quoting, 1 << 16);
  std::string out;
  const auto add = [&] {
    if (!rows.row()) return;
    for (const ingest::RowReader::Cell& cell : rows.cells())
      append(out, rows.text(cell), cell.null ? "|n" : "|", cell.quoted ? "q" : "");
    append(out, " ", rows.line(), rows.blank() ? " blank\n" : "\n");
  };
  try {
    while (!text.empty()) {
      const i64 used = rows.read(text.substr(0, piece));
      LM_CHECK(used > 0 || rows.row(), "a row reader goes on");
      text.remove_prefix(usize(used));
      add();
    }
    rows.finish();
    add();
  } catch (const Error& error) {
    LM_CHECK(error.kind() == ErrorKind::kData, "a bad table is bad data");
    out += error.message();
  }
  return out;
}

void convert(const std::string& path, ingest::CsvOptions options) {
  static const LocalContext ctx;
  ingest::Counts counts;
  options.document.counts = &counts;
  options.document.max_record_bytes = 1 << 16;
  std::string lines;
  i64 records = 0;
  const auto check = [&] {
    LM_CHECK(lines.empty() || lines.back() == '\n', "whole lines");
    lines.append(usize(io::kJsonPadding), '\0');
    io::JsonReader json({"id", "text", "metadata"});
    for (std::size_t at = 0; at + usize(io::kJsonPadding) < lines.size();) {
      const std::size_t end = lines.find('\n', at);
      if (end > at) {
        LM_CHECK(!json.parse(std::string_view(lines).substr(at, end - at)), "a line is a record");
        LM_CHECK(json.string(0), "a record has an id");
        ++records;
      }
      at = end + 1;
    }
    LM_CHECK(records == counts.kept, "every row is counted");
  };
  const std::unique_ptr<io::Converter> converter = ingest::convert_csv(path, options, ctx);
  fuzz::refuse_or_run([&] {
    while (converter->next(lines)) {
    }
  });
  check();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const lm::u8* data, std::size_t size) {
  static fuzz::ScratchFile file;
  const std::string_view bytes = fuzz::text_of(data, size);
  for (const Quoting quoting : {Quoting::kNone, Quoting::kQuotes, Quoting::kBackslash}) {
    const std::string whole = read_rows(bytes, bytes.size(), quoting);
    for (const std::size_t piece : {1, 3, 16})
      LM_CHECK(read_rows(bytes, piece, quoting) == whole, "pieces give the same rows");
  }
  const std::string& path = file.put(bytes);
  ingest::CsvOptions options;
  fuzz::refuse_or_run([&] { convert(path, options); });
  options.names = {"text", "a", "b"};
  options.guess_types = true;
  options.quoting = Quoting::kBackslash;
  fuzz::refuse_or_run([&] { convert(path, options); });
  return 0;
}
